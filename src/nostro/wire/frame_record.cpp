#include "nostro/wire/frame_record.hpp"

#include <vector>

namespace nostro {

std::span<const std::byte> record_of(const EncodedFrame& frame) {
    return frame.bytes().first(kFrameHeaderBytes + frame.header.body_bytes);
}

Result<FramePtr> decode_record(std::span<const std::byte> record) {
    const auto header = decode_frame_header(record);
    if (!header) return header.error();
    if (record.size() != kFrameHeaderBytes + std::size_t{header->body_bytes}) {
        return Error{ErrorCode::corrupt, "frame: the record is not as long as its header says"};
    }
    thread_local std::vector<std::byte> padded;
    padded.assign(record.begin(), record.end());
    padded.resize(frame_size(*header));
    return decode_frame(padded);
}

}  // namespace nostro
