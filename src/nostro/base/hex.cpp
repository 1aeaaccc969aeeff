#include "nostro/base/hex.hpp"

#include <array>
#include <cstring>

namespace nostro {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// Two characters a byte, looked up at once.
constexpr auto kPairs = [] {
    std::array<char, 512> pairs{};
    for (std::size_t b = 0; b < 256; ++b) {
        pairs[2 * b] = kDigits[b >> 4];
        pairs[2 * b + 1] = kDigits[b & 15];
    }
    return pairs;
}();

constexpr std::uint8_t kNoDigit = 0xFF;

constexpr auto kValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNoDigit);
    for (std::size_t i = 0; i < kDigits.size(); ++i) {
        values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

bool read_byte(const char* from, std::uint8_t& byte) {
    const std::uint8_t high = kValues[static_cast<unsigned char>(from[0])];
    const std::uint8_t low = kValues[static_cast<unsigned char>(from[1])];
    byte = static_cast<std::uint8_t>(high << 4 | low);
    return high != kNoDigit && low != kNoDigit;
}

}  // namespace

namespace hex_detail {

void write_u64(std::uint64_t value, char* to) {
    for (int shift = 56; shift >= 0; shift -= 8, to += 2) std::memcpy(to, &kPairs[2 * ((value >> shift) & 0xFF)], 2);
}

bool read_u64(const char* from, std::uint64_t& value) {
    value = 0;
    for (int i = 0; i < 8; ++i, from += 2) {
        std::uint8_t byte = 0;
        if (!read_byte(from, byte)) return false;
        value = value << 8 | byte;
    }
    return true;
}

}  // namespace hex_detail

void append_hex(std::string& to, std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) to.append(&kPairs[std::size_t{byte} * 2], 2);
}

void append_hex(std::string& to, std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) to.append(&kPairs[std::to_integer<std::size_t>(byte) * 2], 2);
}

std::string to_hex(const Digest& digest) {
    std::string text;
    text.reserve(kDigestHexSize);
    append_hex(text, std::span<const std::uint8_t>(digest));
    return text;
}

std::string to_hex(std::span<const std::byte> bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    append_hex(text, bytes);
    return text;
}

std::optional<Digest> digest_from_hex(std::string_view text) {
    if (text.size() != kDigestHexSize) return std::nullopt;
    Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        if (!read_byte(text.data() + 2 * i, digest[i])) return std::nullopt;
    }
    return digest;
}

}  // namespace nostro
