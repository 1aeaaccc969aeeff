// Keys of the query index: a tag, then fields in big-endian order, so that bytes sort as the fields do.
// docs/formats/query_index.md draws each.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro {

enum class IndexTag : char {
    account = 'A',    // account, place -> Touch flags: every outcome that names the account
    change = 'C',     // account, place -> -: it was opened or changed
    part = 'F',       // seq, number of the part -> where its bytes stand: frames in parts that are read alone
    row = 'G',        // tenant, hash of the group, row, place of origin -> -: rows of profiles, sorted by their text
    letter = 'L',     // place -> state: dead letters
    number = 'M',     // tenant, last number in a frame, seq -> -: frames by what they number
    name = 'N',       // tenant, name -> account: the directory
    later = 'O',      // place of origin, place -> -: outcomes of a payment and of its reversals, but for its first
    payment = 'P',    // payment, place -> -: its outcomes, and those of its reversals
    total = 'Q',      // tenant, currency, kind, seq -> accounts, posted, held
    reference = 'R',  // tenant, hash, place of origin -> -
    status = 'S',     // tenant, rail, status, place of origin -> -: where a payment stands now
    time = 'T',       // time, seq -> -: frames
    image = 'U',      // account -> newest totals of it, for the running sums
    review = 'V',     // tenant, place of origin -> -: open reviews
    next = 'Z',       // -> seq, time, format, version of the rows: first frame that is not in the index
};

// What an outcome did to an account.
struct Touch {
    static constexpr char kDebit = 1, kPosting = 2, kSubmitted = 4;
};

// A frame holds far fewer outcomes, and frames count to 2^44: see KnownCell.
constexpr int kPlaceIndexBits = 16;
constexpr std::uint32_t kPlaceIndexMax = (1u << kPlaceIndexBits) - 1;
constexpr Seq kPlaceSeqMax = (Seq{1} << (64 - kPlaceIndexBits)) - 1;
constexpr std::size_t kPlaceBytes = 8;

class IndexKey {
public:
    static constexpr std::size_t kMax = 96;  // a row's key, which may be longer, is built as text

    explicit IndexKey(IndexTag tag) { bytes_[size_++] = static_cast<char>(tag); }

    IndexKey& u8(std::uint8_t value) { return big_endian(value); }
    IndexKey& u16(std::uint16_t value) { return big_endian(value); }
    IndexKey& u32(std::uint32_t value) { return big_endian(value); }
    IndexKey& u64(std::uint64_t value) { return big_endian(value); }
    template <class Kind>
    IndexKey& id(Id<Kind> id) {
        return u64(id.high).u64(id.low);
    }
    // Eight bytes: seq 48 bits, index 16. What is beyond them is written as the last place there is.
    IndexKey& place(Place place) {
        if (place.seq > kPlaceSeqMax) return u64(~std::uint64_t{0});
        return u64(place.seq << kPlaceIndexBits | std::min(place.index, kPlaceIndexMax));
    }
    IndexKey& time(Instant at) { return u64(static_cast<std::uint64_t>(at.time_since_epoch().count())); }
    IndexKey& text(std::string_view text) {
        std::memcpy(bytes_ + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }

    std::string_view view() const { return {bytes_, size_}; }

private:
    template <class Number>
    IndexKey& big_endian(Number value) {
        const Number turned = std::byteswap(value);
        std::memcpy(bytes_ + size_, &turned, sizeof turned);
        size_ += sizeof turned;
        return *this;
    }

    char bytes_[kMax];
    std::size_t size_ = 0;
};

// Fields of a key or value, from an offset on. The caller knows that they are there.
inline std::uint64_t read_big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    return value;
}
// A place at the end of a key.
inline Place read_place(std::string_view key) {
    if (key.size() <= kPlaceBytes) return {};
    const std::uint64_t place = read_big_endian(key, key.size() - kPlaceBytes, kPlaceBytes);
    return {place >> kPlaceIndexBits, static_cast<std::uint32_t>(place) & kPlaceIndexMax};
}

// The end of all keys that begin with `prefix`.
inline std::string end_of(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && end.back() == static_cast<char>(0xff)) end.pop_back();
    if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

constexpr Place kLastPlace{kPlaceSeqMax, kPlaceIndexMax};

}  // namespace nostro
