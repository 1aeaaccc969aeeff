// The first 128 bytes of a frame. Inner part of the frame codec.
#pragma once
#include <cstddef>

#include "nostro/wire/frame.hpp"

namespace nostro {

void put_frame_header(std::byte* to, const FrameHeader& header);
Digest frame_digest(const std::byte* header);

}  // namespace nostro
