// Someone told of what was decided: the query index, a SQL schema, a topic, a cache, webhooks.
//
// Fed in order and at least once. Writes are keyed by (journal, seq, index) or versioned, so the second time
// changes nothing. A projection never feeds a decision.
#pragma once
#include <span>

#include "nostro/wire/frame.hpp"

namespace nostro {

class Projection {
public:
    virtual ~Projection() = default;
    // First frame not yet projected, as the target itself remembers it (1: none yet).
    virtual Result<Seq> next() = 0;
    // Projects all or none that a reader could see, then moves next(); in one transaction where the target has them.
    // Frames are decoded once and shared with other readers.
    virtual Result<> project(std::span<const DecodedPtr> frames) = 0;
};

}  // namespace nostro
