#include "nostro/wire/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "nostro/base/sha256.hpp"
#include "nostro/wire/frame_header.hpp"
#include "nostro/wire/section.hpp"

namespace nostro {
namespace {

constexpr std::string_view kMagic = "NOSTROFR";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kCrcAt = kFrameHeaderBytes - 4;

std::span<const std::byte> bytes_of(const Digest& digest) { return std::as_bytes(std::span(digest)); }

Digest get_digest(ByteReader& in) {
    Digest digest;
    const auto bytes = in.bytes(digest.size());
    if (!bytes.empty()) std::memcpy(digest.data(), bytes.data(), digest.size());
    return digest;
}

Error corrupt(std::string what) { return {ErrorCode::corrupt, "frame: " + std::move(what)}; }

}  // namespace

void FreeAligned::operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{kFrameAlign}); }

AlignedBytes allocate_aligned(std::size_t bytes) {
    return AlignedBytes(static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{kFrameAlign})));
}

void put_frame_header(std::byte* to, const FrameHeader& header) {
    RawWriter raw(to);
    raw.text(kMagic);
    raw.u16(kVersion);
    raw.u16(kFrameHeaderBytes);
    raw.u32(header.epoch);
    raw.u64(header.seq);
    raw.u64(header.nonce);
    put_instant(raw, header.time);
    raw.u64(header.accepted);
    raw.u32(header.body_bytes);
    raw.u32(0);
    raw.bytes(bytes_of(header.previous));
    raw.bytes(bytes_of(header.body_digest));
    raw.u32(0);
    raw.u32(crc32c({to, kCrcAt}));
}

Digest frame_digest(const std::byte* header) { return sha256(std::span<const std::byte>(header, kFrameHeaderBytes)); }

std::size_t frame_size(const FrameHeader& header) {
    return (kFrameHeaderBytes + std::size_t{header.body_bytes} + kFrameAlign - 1) / kFrameAlign * kFrameAlign;
}

Result<FrameHeader> decode_frame_header(std::span<const std::byte> bytes) {
    if (bytes.size() < kFrameHeaderBytes) {
        return corrupt(fmt::format("header: {} bytes of {}", bytes.size(), kFrameHeaderBytes));
    }
    ByteReader in(bytes.first(kFrameHeaderBytes));
    if (in.text(kMagic.size()) != kMagic) return corrupt("header: byte 0: no frame begins here");
    // The version stands before all else that may change, and so does the checksum's place.
    const std::uint16_t version = in.u16(), size = in.u16();
    if (version != kVersion) {
        return corrupt(fmt::format("header: byte 8: version {}; this program reads {}", version, kVersion));
    }
    if (size != kFrameHeaderBytes) return corrupt(fmt::format("header: byte 10: a header of {} bytes", size));
    FrameHeader header;
    header.epoch = in.u32();
    header.seq = in.u64();
    header.nonce = in.u64();
    header.time = Instant{std::chrono::nanoseconds{in.i64()}};
    header.accepted = in.u64();
    header.body_bytes = in.u32();
    const std::uint32_t zero = in.u32();
    header.previous = get_digest(in);
    header.body_digest = get_digest(in);
    const std::uint32_t zero_behind = in.u32();
    if (in.u32() != crc32c(bytes.first(kCrcAt))) {
        return corrupt(fmt::format("header: byte {}: the checksum is wrong", kCrcAt));
    }
    if ((zero | zero_behind) != 0) return corrupt("header: reserved bytes are not zero");
    if (header.body_bytes > kFrameBodyMax) {
        return corrupt(fmt::format("header: byte 48: a body of {} bytes", header.body_bytes));
    }
    return header;
}

Result<FramePtr> decode_frame(std::span<const std::byte> bytes) {
    const auto header = decode_frame_header(bytes);
    if (!header) return header.error();
    const std::size_t size = frame_size(*header);
    if (bytes.size() < size) return corrupt(fmt::format("{} bytes of {}: it is cut off", bytes.size(), size));

    const auto body = bytes.subspan(kFrameHeaderBytes, header->body_bytes);
    SectionWalk walk(body, true);
    while (!walk.at_end()) {
        if (const auto section = walk.next(); !section) return corrupt("body: " + section.error().what);
    }
    if (sha256(body) != header->body_digest) return corrupt("body: its digest is not the header's");
    const auto padding = bytes.subspan(kFrameHeaderBytes + body.size(), size - kFrameHeaderBytes - body.size());
    const auto dirty = std::find_if(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{0}; });
    if (dirty != padding.end()) {
        return corrupt(
            fmt::format("byte {}: padding is not zero", size - static_cast<std::size_t>(padding.end() - dirty)));
    }

    std::shared_ptr<EncodedFrame> frame(new EncodedFrame);
    frame->memory_ = allocate_aligned(size);
    frame->size_ = frame->capacity_ = size;
    std::memcpy(frame->memory_.get(), bytes.data(), size);
    frame->header = *header;
    frame->digest = frame_digest(bytes.data());
    return FramePtr(std::move(frame));
}

}  // namespace nostro
