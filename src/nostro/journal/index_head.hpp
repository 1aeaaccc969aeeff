// The first bytes of a key as a number: heads stand in the order of the keys, or are equal, so most comparisons of keys
// are comparisons of numbers.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nostro {

// The first byte is a capital letter, so five bits are enough for it, and nearly all of the eight bytes behind it are
// left. Never all ones.
constexpr int kIndexHeadTagBits = 5;
inline std::uint64_t index_head(std::string_view key) {
    std::uint64_t rest = 0;
    if (key.size() > sizeof rest) {
        std::memcpy(&rest, key.data() + 1, sizeof rest);
    } else if (!key.empty()) {
        std::memcpy(&rest, key.data() + 1, key.size() - 1);
    }
    const auto first = key.empty() ? 0 : static_cast<std::uint64_t>(static_cast<unsigned char>(key[0] - 'A'));
    return first << (64 - kIndexHeadTagBits) | std::byteswap(rest) >> kIndexHeadTagBits;
}

// Of two keys whose heads are equal: less than 0, 0, more than 0, as compare() says.
inline int compare_behind_head(std::string_view a, std::string_view b) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    if (a.size() != b.size() || a.size() < kWord) return a.compare(b);
    const auto word = [](std::string_view key, std::size_t at) {
        std::uint64_t value = 0;
        std::memcpy(&value, key.data() + at, kWord);
        return std::byteswap(value);
    };
    // The last word may begin in the one before it.
    for (std::size_t at = kWord; at < a.size(); at += kWord) {
        const std::size_t from = std::min(at, a.size() - kWord);
        const std::uint64_t left = word(a, from), right = word(b, from);
        if (left != right) return left < right ? -1 : 1;
    }
    return 0;
}

}  // namespace nostro
