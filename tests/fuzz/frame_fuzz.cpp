// A frame, sections with right checksums around them, a command or changes from any bytes; the first byte says which.
// They are read without harm, and what could be read is written and read again as the same.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "nostro/base/crc32c.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/frame.hpp"

namespace {

using namespace nostro;
using Bytes = std::vector<std::byte>;

void require(bool promise) {
    if (!promise) std::abort();
}

template <class Number>
void put(Bytes& bytes, std::size_t at, Number value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Sections, of each whether its kind is the next or the next but one (1 byte), how many entries (1) and bytes (2) it
// has, and these. Checksums are put around them, so that the readers behind those checks are reached.
Bytes sections_of(std::span<const std::byte> input) {
    Bytes body;
    std::uint32_t last_kind = 0;
    while (input.size() >= 5) {
        const auto kind = last_kind + 1 + (std::to_integer<std::uint32_t>(input[0]) & 1);
        const auto count = std::to_integer<std::uint32_t>(input[1]);
        const auto wanted = std::to_integer<std::size_t>(input[2]) | std::to_integer<std::size_t>(input[3]) << 8;
        input = input.subspan(4);
        const std::size_t length = wanted < input.size() ? wanted : input.size();
        if (kind > 12 || count == 0 || count > length) break;
        const std::size_t at = body.size();
        body.resize(at + 16 + length);
        put(body, at, kind);
        put(body, at + 4, count);
        put(body, at + 8, static_cast<std::uint32_t>(length));
        std::memcpy(body.data() + at + 16, input.data(), length);
        const std::span<const std::byte> section(body.data() + at, 16 + length);
        put(body, at + 12, crc32c(section.subspan(16), crc32c(section.first(12))));
        input = input.subspan(length);
        last_kind = kind;
    }
    return body;
}

Bytes framed(const Bytes& body) {
    Bytes frame((kFrameHeaderBytes + body.size() + kFrameAlign - 1) / kFrameAlign * kFrameAlign);
    std::memcpy(frame.data(), "NOSTROFR\x01\x00\x80\x00", 12);
    put(frame, 16, std::uint64_t{7});
    put(frame, 48, static_cast<std::uint32_t>(body.size()));
    const Digest digest = sha256(body);
    std::memcpy(frame.data() + 88, digest.data(), digest.size());
    put(frame, 124, crc32c(std::span<const std::byte>(frame).first(124)));
    if (!body.empty()) std::memcpy(frame.data() + kFrameHeaderBytes, body.data(), body.size());
    return frame;
}

Bytes encoded(const Command& command) {
    Bytes bytes;
    encode_command(command, bytes);
    return bytes;
}

// Written again, a frame that was read is one that reads to the same bytes.
void read_frame(std::span<const std::byte> bytes, bool must_be_frame) {
    const auto frame = decode_frame(bytes);
    require(frame.has_value() || (!must_be_frame && frame.error().code == ErrorCode::corrupt));
    if (!frame) return;
    DecodedFrame images, outcomes, all;
    const bool read = decode_body(*frame, Sections::all, all).has_value();
    if (read) {
        require(decode_body(*frame, Sections::images, images).has_value());
        require(decode_body(*frame, Sections::outcomes, outcomes).has_value());
        require(images.changes.accounts == all.changes.accounts && outcomes.changes.outcomes == all.changes.outcomes);
    }
    std::vector<Cursor> first, last;
    require(decode_cursors(**frame, first, last).has_value() || !read);
    if (!read) return;

    FrameBuilder builder(1 << 16);
    const auto build = [&](const DecodedFrame& of) {
        builder.begin();
        for (const auto& command : of.commands) builder.add_command(encoded(command));
        return builder.finish(of.frame->header, of.first, of.last, of.changes);
    };
    const FramePtr again = build(all);
    DecodedFrame reread;
    require(decode_body(again, Sections::all, reread).has_value());
    require(reread.changes.outcomes == all.changes.outcomes && reread.changes.known == all.changes.known);
    require(build(reread)->digest == again->digest);
}

void read_command(std::span<const std::byte> bytes) {
    Command command, again;
    CommandMemory memory, memory_again;
    if (!decode_command(bytes, command, memory)) return;
    const Bytes written = encoded(command);
    require(decode_command(written, again, memory_again).has_value());
    require(encoded(again) == written);
}

void read_changes(std::span<const std::byte> bytes) {
    Changes changes, again;
    if (!decode_changes(bytes, changes)) return;
    Bytes written, written_again;
    encode_changes(changes, written);
    require(decode_changes(written, again).has_value());
    encode_changes(again, written_again);
    require(written == written_again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = std::as_bytes(std::span(data, size));
    if (input.empty()) return 0;
    const auto rest = input.subspan(1);
    switch (std::to_integer<unsigned>(input[0]) % 5) {
        case 0: read_frame(rest, false); break;
        case 1: read_frame(framed(sections_of(rest)), true); break;
        case 2: read_command(rest); break;
        case 3: read_changes(rest); break;
        default: read_changes(sections_of(rest)); break;
    }
    return 0;
}
