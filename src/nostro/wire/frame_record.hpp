// A frame as stores keep it that need no alignment: header and body, without the padding behind them.
#pragma once
#include <cstddef>
#include <span>

#include "nostro/base/result.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// Lives as long as the frame.
std::span<const std::byte> record_of(const EncodedFrame& frame);
// As decode_frame(). `corrupt`: bytes behind the frame, too.
Result<FramePtr> decode_record(std::span<const std::byte> record);

}  // namespace nostro
