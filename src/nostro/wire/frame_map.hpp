// Where commands and outcomes stand in the bytes of a frame: noted while it is taken apart, so that parts of it can be
// made (frame_parts.hpp) without reading it again.
#pragma once
#include <cstdint>
#include <vector>

#include "nostro/wire/recurring.hpp"

namespace nostro {

constexpr std::uint32_t kPartOutcomes = 16;

// The part of a rule's hit that is the same for most payments.
struct HitShape {
    std::uint16_t rule = 0;
    std::int32_t points = 0;
    std::int64_t at_most = 0;
    std::uint64_t bucket = 0;
    friend bool operator==(const HitShape&, const HitShape&) = default;
};
using HitShapes = RecurringValues<HitShape>;

// How far a reader of outcomes has come.
struct OutcomePoint {
    std::uint32_t index = 0, next_command = 0, next_item = 0;
    std::uint64_t last_number = 0;
    friend bool operator==(const OutcomePoint&, const OutcomePoint&) = default;
};

// Bytes are counted from the first one of the frame's header.
struct FrameMap {
    struct Mark {
        std::uint32_t at = 0;  // where the outcome begins
        OutcomePoint before;
        std::uint32_t shapes = 0;  // that the outcomes before have named
    };
    std::vector<std::uint32_t> commands;  // where each begins, and behind the last one where they end; none: empty
    std::vector<Mark> outcomes;           // of each kPartOutcomes-th one
    std::uint32_t outcomes_end = 0;
    HitShapes shapes;  // that all outcomes have named, in their order

    void clear() {
        commands.clear();
        outcomes.clear();
        outcomes_end = 0;
        shapes = {};
    }
};

}  // namespace nostro
