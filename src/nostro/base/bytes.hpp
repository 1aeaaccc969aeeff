// Writing and reading our binary formats: little-endian integers, varints, length-prefixed bytes.
//
// Inline throughout, because the frame codecs run on the settlement thread. The fast pattern is
//     RawWriter raw = writer.claim(upper_bound);   // one check
//     raw.u64(...); raw.varint(...);               // none
//     writer.commit(raw);
// A reader never throws and never reads past its end: after the first bad read ok() stays false and every
// further read gives zero or an empty view, so a decoder checks once, at its end.
#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "nostro/base/assert.hpp"

namespace nostro {

static_assert(std::endian::native == std::endian::little, "formats are little-endian; a port needs byte swaps here");

inline constexpr std::size_t kVarintMax = 10;  // bytes of the longest varint

// Signed values near zero, of either sign, become small unsigned ones.
constexpr std::uint64_t zigzag_encode(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t zigzag_decode(std::uint64_t value) {
    return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
}
constexpr std::size_t varint_size(std::uint64_t value) {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Growing memory that is never zeroed and keeps its capacity when cleared. One owner, one thread.
class ByteBuffer {
public:
    ByteBuffer() = default;
    explicit ByteBuffer(std::size_t capacity) { reserve(capacity); }

    std::byte* data() { return memory_.get(); }
    const std::byte* data() const { return memory_.get(); }
    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    bool empty() const { return size_ == 0; }
    std::span<const std::byte> view() const { return {memory_.get(), size_}; }
    std::span<std::byte> view() { return {memory_.get(), size_}; }
    void clear() { size_ = 0; }

    // Bytes between the old and a greater size are unspecified.
    void resize(std::size_t size) {
        reserve(size);
        size_ = size;
    }
    void reserve(std::size_t capacity) {
        if (capacity <= capacity_) return;
        auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
        if (size_ != 0) std::memcpy(larger.get(), memory_.get(), size_);
        memory_ = std::move(larger);
        capacity_ = capacity;
    }

private:
    std::unique_ptr<std::byte[]> memory_;
    std::size_t size_ = 0, capacity_ = 0;
};

// Writes without any check into memory that is known to be large enough. Keep it a local: then its
// position stays in a register, which ByteWriter's cannot (its bytes may alias its members).
class RawWriter {
public:
    explicit RawWriter(std::byte* at) : at_(at) {}

    std::byte* at() const { return at_; }
    void u8(std::uint8_t value) { *at_++ = std::byte{value}; }
    void u16(std::uint16_t value) { put(value); }
    void u32(std::uint32_t value) { put(value); }
    void u64(std::uint64_t value) { put(value); }
    void i64(std::int64_t value) { put(value); }
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            *at_++ = static_cast<std::byte>(value | 0x80);
            value >>= 7;
        }
        *at_++ = static_cast<std::byte>(value);
    }
    void zigzag(std::int64_t value) { varint(zigzag_encode(value)); }
    void bytes(std::span<const std::byte> value) {
        if (!value.empty()) std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
    }
    void text(std::string_view value) {  // the characters alone
        bytes(std::as_bytes(std::span(value)));
    }
    void string(std::string_view value) {  // varint length, then the characters
        varint(value.size());
        text(value);
    }

private:
    template <class Integer>
    void put(Integer value) {
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }

    std::byte* at_;
};

// Appends to a ByteBuffer or vector, which it grows, or fills a fixed span. The target's size is right
// after finish() or destruction, not before; the target must not be touched in between.
// A short append to a long vector costs zeroing half of what it holds: many short ones want a ByteBuffer.
class ByteWriter {
public:
    explicit ByteWriter(ByteBuffer& target) : ByteWriter(target, grow<ByteBuffer>) {}
    explicit ByteWriter(std::vector<std::byte>& target) : ByteWriter(target, grow<std::vector<std::byte>>) {}
    explicit ByteWriter(std::span<std::byte> target)
        : begin_(target.data()), at_(begin_), end_(begin_ + target.size()) {}
    ByteWriter(const ByteWriter&) = delete;
    ByteWriter& operator=(const ByteWriter&) = delete;
    ~ByteWriter() { finish(); }

    // False when a fixed span was too small; what did not fit was left out.
    bool ok() const { return ok_; }
    // Bytes in the target so far, with those that were there before.
    std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
    std::span<const std::byte> view() const { return {begin_, size()}; }

    // Room for n bytes more. False only for a fixed span that has it not.
    bool ensure(std::size_t n) { return static_cast<std::size_t>(end_ - at_) >= n || make_room(n); }

    // Room for at most n bytes, to be written by a RawWriter and handed back with commit(). Not for fixed spans
    // that may be too small.
    RawWriter claim(std::size_t n) {
        const bool room = ensure(n);
        NOSTRO_ASSERT(room, "claim: the fixed buffer is too small");
        return RawWriter(at_);
    }
    void commit(const RawWriter& raw) { at_ = raw.at(); }

    void u8(std::uint8_t value) {
        write(1, [=](RawWriter& raw) { raw.u8(value); });
    }
    void u16(std::uint16_t value) {
        write(2, [=](RawWriter& raw) { raw.u16(value); });
    }
    void u32(std::uint32_t value) {
        write(4, [=](RawWriter& raw) { raw.u32(value); });
    }
    void u64(std::uint64_t value) {
        write(8, [=](RawWriter& raw) { raw.u64(value); });
    }
    void i64(std::int64_t value) {
        write(8, [=](RawWriter& raw) { raw.i64(value); });
    }
    void varint(std::uint64_t value) {
        write(varint_size(value), [=](RawWriter& raw) { raw.varint(value); });
    }
    void zigzag(std::int64_t value) { varint(zigzag_encode(value)); }
    void bytes(std::span<const std::byte> value) {
        write(value.size(), [=](RawWriter& raw) { raw.bytes(value); });
    }
    void text(std::string_view value) { bytes(std::as_bytes(std::span(value))); }
    void string(std::string_view value) {
        write(varint_size(value.size()) + value.size(), [=](RawWriter& raw) { raw.string(value); });
    }

    // Overwrites four bytes written before, at an offset from the target's begin: lengths and checksums
    // that are known only afterwards.
    void patch_u32(std::size_t offset, std::uint32_t value) {
        NOSTRO_ASSERT(offset + sizeof value <= size(), "patch_u32: behind the end");
        std::memcpy(begin_ + offset, &value, sizeof value);
    }

    // Gives the target its size; the writer stays usable.
    void finish() {
        if (target_ != nullptr) grow_(*this, 0);
    }

private:
    // Makes room for so many more; 0: gives the target its size.
    using Grow = void (*)(ByteWriter&, std::size_t);

    template <class Target>
    ByteWriter(Target& target, Grow how)
        : begin_(target.data()), at_(begin_ + target.size()), end_(at_), target_(&target), grow_(how) {
        if constexpr (std::is_same_v<Target, ByteBuffer>) end_ = begin_ + target.capacity();
    }

    template <class Target>
    static void grow(ByteWriter& writer, std::size_t n) {
        auto& target = *static_cast<Target*>(writer.target_);
        const std::size_t used = writer.size();
        const std::size_t wanted = n == 0 ? used : used + std::max(used, n + 64);
        if constexpr (std::is_same_v<Target, ByteBuffer>) {
            target.resize(used);
            target.reserve(wanted);
            writer.end_ = target.data() + target.capacity();
        } else {
            target.resize(wanted);
            writer.end_ = target.data() + wanted;
        }
        writer.begin_ = target.data();
        writer.at_ = writer.begin_ + used;
    }

    template <class Put>
    void write(std::size_t n, Put put) {
        if (!ensure(n)) return;
        RawWriter raw(at_);
        put(raw);
        at_ = raw.at();
    }

    bool make_room(std::size_t n) {
        if (target_ == nullptr) return ok_ = false;
        grow_(*this, n);
        return true;
    }

    std::byte *begin_, *at_, *end_;
    void* target_ = nullptr;
    Grow grow_ = nullptr;
    bool ok_ = true;
};

// Reads what a ByteWriter wrote, or anything else: nothing in the bytes can make it overrun. Views point
// into the bytes and live as long as they do.
class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

    bool ok() const { return ok_; }
    bool at_end() const { return at_ == end_; }
    std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
    // Every byte was read and none was missing.
    bool done() const { return ok_ && at_end(); }
    // For decoders that find a value which may not be.
    void fail() {
        ok_ = false;
        at_ = end_;
    }

    std::uint8_t u8() { return get<std::uint8_t>(); }
    std::uint16_t u16() { return get<std::uint16_t>(); }
    std::uint32_t u32() { return get<std::uint32_t>(); }
    std::uint64_t u64() { return get<std::uint64_t>(); }
    std::int64_t i64() { return get<std::int64_t>(); }

    // Refuses more than 64 bits and padded forms, so a value has one encoding.
    std::uint64_t varint() {
        if (at_ != end_ && std::to_integer<std::uint8_t>(*at_) < 0x80) return std::to_integer<std::uint64_t>(*at_++);
        return long_varint();
    }
    std::int64_t zigzag() { return zigzag_decode(varint()); }
    // A varint that must not exceed `most`: counts and lengths, checked before anything is reserved for them.
    std::uint64_t varint_at_most(std::uint64_t most) {
        const std::uint64_t value = varint();
        if (value <= most) return value;
        fail();
        return 0;
    }

    std::span<const std::byte> bytes(std::size_t n) {
        if (remaining() < n) {
            fail();
            return {};
        }
        const std::span<const std::byte> view(at_, n);
        at_ += n;
        return view;
    }
    std::string_view text(std::size_t n) {
        const auto view = bytes(n);
        return {reinterpret_cast<const char*>(view.data()), view.size()};
    }
    std::string_view string() { return text(static_cast<std::size_t>(varint_at_most(remaining()))); }
    std::span<const std::byte> rest() { return bytes(remaining()); }
    void skip(std::size_t n) { static_cast<void>(bytes(n)); }

private:
    template <class Integer>
    Integer get() {
        Integer value = 0;
        if (remaining() < sizeof value) {
            fail();
            return 0;
        }
        std::memcpy(&value, at_, sizeof value);
        at_ += sizeof value;
        return value;
    }

    std::uint64_t long_varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(*at_++);
            if (shift == 63 && byte > 1) break;
            value |= (byte & 0x7F) << shift;
            if (byte >= 0x80) continue;
            if (byte == 0 && shift != 0) break;
            return value;
        }
        fail();
        return 0;
    }

    const std::byte *at_, *end_;
    bool ok_ = true;
};

}  // namespace nostro
