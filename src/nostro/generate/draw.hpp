// What generators draw from a seed: one of several, and short texts with digits.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>

#include "nostro/base/assert.hpp"
#include "nostro/base/random.hpp"

namespace nostro::generate {

// The seed of one generator, of all that its documents depend on: with any of it different they share nothing, and no
// id names two of them.
constexpr std::uint64_t seed_of(std::initializer_list<std::uint64_t> parts) {
    std::uint64_t seed = 0;
    for (const std::uint64_t part : parts) seed = SplitMix64(seed ^ part).next();
    return seed;
}

template <class T, std::size_t N>
const T& pick(Xoshiro256& random, const std::array<T, N>& from) {
    return from[random.below(N)];
}

// A text of at most kRoom characters, built in place: "TXN0A1B2C3D".
class ShortText {
public:
    static constexpr std::size_t kRoom = 56;

    ShortText() = default;
    explicit ShortText(std::string_view text) { add(text); }

    ShortText& add(std::string_view text) {
        std::memcpy(grow(text.size()), text.data(), text.size());
        return *this;
    }
    // The lowest `digits` digits, with leading zeros.
    ShortText& add_digits(std::uint64_t value, std::size_t digits) {
        return add_number(value, digits, 10, "0123456789");
    }
    ShortText& add_hex(std::uint64_t value, std::size_t digits) {
        return add_number(value, digits, 16, "0123456789ABCDEF");
    }
    std::string_view view() const { return {text_.data(), size_}; }

private:
    char* grow(std::size_t by) {
        NOSTRO_ASSERT(size_ + by <= kRoom, "a short text got too long");
        char* at = text_.data() + size_;
        size_ += by;
        return at;
    }
    ShortText& add_number(std::uint64_t value, std::size_t digits, unsigned base, std::string_view symbols) {
        char* to = grow(digits);
        for (std::size_t at = digits; at-- > 0; value /= base) to[at] = symbols[value % base];
        return *this;
    }

    std::array<char, kRoom> text_;
    std::size_t size_ = 0;
};

// Another number of 32 bits for every number of 32 bits, without visible order (the last steps of MurmurHash3).
constexpr std::uint32_t scattered(std::uint32_t number) {
    number ^= number >> 16;
    number *= 0x85EBCA6Bu;
    number ^= number >> 13;
    number *= 0xC2B2AE35u;
    return number ^ (number >> 16);
}

// A UUID of version 4.
inline ShortText uuid(Xoshiro256& random) {
    constexpr std::string_view kHex = "0123456789abcdef";
    constexpr std::string_view kShape = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    std::array<char, kShape.size()> text{};
    std::uint64_t bits = 0;
    unsigned left = 0;
    for (std::size_t at = 0; at < kShape.size(); ++at) {
        text[at] = kShape[at];
        if (kShape[at] != 'x' && kShape[at] != 'y') continue;
        if (left == 0) {
            bits = random.next();
            left = 16;
        }
        const std::size_t digit = bits & 15;
        text[at] = kHex[kShape[at] == 'x' ? digit : 8 + (digit & 3)];
        bits >>= 4;
        --left;
    }
    return ShortText({text.data(), text.size()});
}

}  // namespace nostro::generate
