// Sections, the parts of a frame's body and of an image file: 16 bytes (kind, count, length, CRC32C), then the
// payload. Inner part of the codecs; docs/formats/frame.md draws it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/bytes.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/money.hpp"

namespace nostro {

// In the order in which they stand. A section without entries is left out.
enum class SectionKind : std::uint8_t {
    commands = 1,
    outcomes = 2,
    accounts = 3,
    counters = 4,
    holds = 5,
    reversed = 6,
    known = 7,
    bounds = 8,
    tenants = 9,
    policies = 10,
    cursors_first = 11,
    cursors_last = 12,
};
constexpr std::uint8_t kSectionKindMax = 12;
std::string_view name(SectionKind kind);

constexpr std::size_t kSectionHeaderBytes = 16;

// Writes section headers around payloads. Unchecked, as RawWriter is.
class SectionWriter {
public:
    explicit SectionWriter(RawWriter& raw) : raw_(raw) {}

    void begin(SectionKind kind, std::size_t count) {
        begin_ = raw_.at();
        raw_.u32(static_cast<std::uint32_t>(kind));
        raw_.u32(static_cast<std::uint32_t>(count));
        raw_.u32(0);
        raw_.u32(0);
    }
    void end() { seal(begin_, raw_.at()); }

    // Sets length and checksum of a section that stands at [begin, end).
    static void seal(std::byte* begin, const std::byte* end) {
        const auto length = static_cast<std::uint32_t>(end - begin - static_cast<std::ptrdiff_t>(kSectionHeaderBytes));
        std::memcpy(begin + 8, &length, sizeof length);
        const std::uint32_t crc = crc32c({begin + kSectionHeaderBytes, length}, crc32c({begin, 12}));
        std::memcpy(begin + 12, &crc, sizeof crc);
    }

private:
    RawWriter& raw_;
    std::byte* begin_ = nullptr;
};

// One section, checked: a known kind, whole, its checksum right.
struct Section {
    SectionKind kind{};
    std::uint32_t count = 0;
    std::size_t offset = 0;  // of the payload in what was walked
    std::span<const std::byte> payload;
};

// Walks the sections of a body. `corrupt`: a length beyond the end, an unknown kind, kinds out of order, a wrong CRC.
class SectionWalk {
public:
    // `checksums`: false where they have been checked already.
    SectionWalk(std::span<const std::byte> bytes, bool checksums) : bytes_(bytes), checksums_(checksums) {}
    bool at_end() const { return at_ == bytes_.size(); }
    Result<Section> next();

private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    std::uint8_t last_kind_ = 0;
    bool checksums_;
};

// Ids stand as they are shown, so a reader in any language has them as text at once.
template <class Kind>
void put_id(RawWriter& raw, Id<Kind> id) {
    raw.u64(std::byteswap(id.high));
    raw.u64(std::byteswap(id.low));
}
template <class IdType>
IdType load_id(const std::byte* from) {
    std::uint64_t high = 0, low = 0;
    std::memcpy(&high, from, sizeof high);
    std::memcpy(&low, from + sizeof high, sizeof low);
    return {.high = std::byteswap(high), .low = std::byteswap(low)};
}
inline void put_instant(RawWriter& raw, Instant at) { raw.i64(at.time_since_epoch().count()); }
inline void put_currency(RawWriter& raw, Currency currency) { raw.text(currency.code()); }

// Reads a payload. The first thing that is wrong is kept, with its byte; from then on all reads give zero.
class PayloadReader {
    template <class Read>
    auto read(std::string_view what, Read each) {
        const std::size_t before = at();
        const auto value = each(in_);
        if (!in_.ok()) [[unlikely]] {
            fail(what, before);
        }
        return value;
    }

public:
    // `likely`: the currency that is probably the first one.
    explicit PayloadReader(std::span<const std::byte> bytes, Currency likely = {})
        : in_(bytes), size_(bytes.size()), last_currency_(likely) {}

    bool ok() const { return wrong_.empty(); }
    bool at_end() const { return in_.at_end(); }
    std::size_t at() const { return size_ - in_.remaining(); }
    std::size_t remaining() const { return in_.remaining(); }
    void fail(std::string_view what) { fail(what, at()); }
    void fail(std::string_view what, std::size_t where) {
        if (ok()) {
            wrong_ = what;
            wrong_at_ = where;
        }
        in_.fail();
    }
    // "accounts: byte 123: status is 9"
    Error error(std::string_view where) const;

    std::uint8_t u8() {
        return read("cut off", [](ByteReader& in) { return in.u8(); });
    }
    std::uint16_t u16() {
        return read("cut off", [](ByteReader& in) { return in.u16(); });
    }
    std::uint32_t u32() {
        return read("cut off", [](ByteReader& in) { return in.u32(); });
    }
    std::uint64_t u64() {
        return read("cut off", [](ByteReader& in) { return in.u64(); });
    }
    std::uint64_t varint() {
        return read("not a number", [](ByteReader& in) { return in.varint(); });
    }
    std::int64_t zigzag() { return zigzag_decode(varint()); }
    std::uint64_t varint_at_most(std::uint64_t most, std::string_view what) {
        return read(what, [=](ByteReader& in) { return in.varint_at_most(most); });
    }
    std::uint32_t varint32() {
        return static_cast<std::uint32_t>(varint_at_most(UINT32_MAX, "a number beyond 32 bits"));
    }
    std::uint16_t varint16() {
        return static_cast<std::uint16_t>(varint_at_most(UINT16_MAX, "a number beyond 16 bits"));
    }
    std::string_view string() {
        return read("a text beyond the end", [](ByteReader& in) { return in.string(); });
    }
    std::span<const std::byte> bytes(std::size_t n) {
        return read("cut off", [=](ByteReader& in) { return in.bytes(n); });
    }

    template <class IdType>
    IdType id() {
        const auto raw = bytes(16);
        return ok() ? load_id<IdType>(raw.data()) : IdType{};
    }
    Instant instant() { return Instant{std::chrono::nanoseconds{static_cast<std::int64_t>(u64())}}; }
    Currency currency();
    template <class Enum>
    Enum enumerator(std::uint8_t value, Enum last, std::string_view what) {
        if (value > static_cast<std::uint8_t>(last)) fail(what);
        return ok() ? static_cast<Enum>(value) : Enum{};
    }

private:
    ByteReader in_;
    std::size_t size_, wrong_at_ = 0;
    std::string_view wrong_;  // static text
    Currency last_currency_;  // one look-up for a run of equal ones
};

}  // namespace nostro
