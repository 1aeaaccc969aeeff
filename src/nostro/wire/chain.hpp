// The chain rule: a frame counts only if it continues the one before. For the writer and every reader alike.
#pragma once
#include <cstdint>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/cursor.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// Where a chain stands after a frame; as constructed: before the first.
struct ChainPoint {
    Seq seq = 0;
    Digest digest{};
    Instant time{};
    std::uint32_t epoch = 0;
    std::uint64_t nonce = 0;
    std::vector<Cursor> cursors;
};

// Moves `point` behind the frame, or says by which part of the rule it does not continue (`invalid`; the point stays).
Result<> advance(ChainPoint& point, const EncodedFrame& frame);

// The point behind a frame that is known to be in the chain.
Result<ChainPoint> point_behind(const EncodedFrame& frame);

}  // namespace nostro
