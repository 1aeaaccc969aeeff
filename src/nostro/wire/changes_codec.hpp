// The sections of Changes, in order, for frames and image files alike. Inner part of the frame codec.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nostro/domain/outcome.hpp"
#include "nostro/wire/outcome_codec.hpp"
#include "nostro/wire/payload_parts.hpp"
#include "nostro/wire/section.hpp"

namespace nostro {

// An upper bound of what a frame's changes take, kept up to date as they grow.
class ChangesBound {
public:
    void clear() { *this = {}; }
    // Looks at outcomes and policies that came since the last call.
    std::size_t bytes(const Changes& changes);
    // Policies in the form that is written; bytes() has made them.
    const std::vector<std::string>& compiled() const { return compiled_; }

private:
    std::size_t outcomes_seen_ = 0, outcome_bytes_ = 0, policy_bytes_ = 0;
    std::vector<std::string> compiled_;
};

// Precondition: room for `bound.bytes(changes)`, asked just before.
void put_changes(RawWriter& raw, const Changes& changes, const FrameFacts& facts, const ChangesBound& bound);

// The section of one kind, appended to what it belongs to. Outcomes must have been read before images.
Result<> get_changes(const Section& section, const FrameFacts& facts, PolicyLoad load, Changes& into);

}  // namespace nostro
