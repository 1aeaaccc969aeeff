// Ids and digests as lower-case hex digits, the only form in which people and JSON see them.
//
// Reading is strict: exactly the right number of lower-case digits, so that a thing has one name.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/ids.hpp"

namespace nostro {

inline constexpr std::size_t kIdHexSize = 32;
inline constexpr std::size_t kDigestHexSize = 64;

namespace hex_detail {
void write_u64(std::uint64_t value, char* to);  // 16 digits
bool read_u64(const char* from, std::uint64_t& value);
}  // namespace hex_detail

// Writes exactly kIdHexSize characters, no terminator.
template <class Kind>
void to_hex(Id<Kind> id, char* to) {
    hex_detail::write_u64(id.high, to);
    hex_detail::write_u64(id.low, to + 16);
}

template <class Kind>
void append_hex(std::string& to, Id<Kind> id) {
    char digits[kIdHexSize];
    to_hex(id, digits);
    to.append(digits, sizeof digits);
}

template <class Kind>
std::string to_hex(Id<Kind> id) {
    std::string text;
    append_hex(text, id);
    return text;
}

// id_from_hex<PaymentId>("...")
template <class IdType>
std::optional<IdType> id_from_hex(std::string_view text) {
    IdType id;
    if (text.size() != kIdHexSize) return std::nullopt;
    if (!hex_detail::read_u64(text.data(), id.high) || !hex_detail::read_u64(text.data() + 16, id.low)) {
        return std::nullopt;
    }
    return id;
}

inline std::optional<PaymentId> payment_id_from_hex(std::string_view text) { return id_from_hex<PaymentId>(text); }
inline std::optional<AccountId> account_id_from_hex(std::string_view text) { return id_from_hex<AccountId>(text); }

void append_hex(std::string& to, std::span<const std::uint8_t> bytes);
void append_hex(std::string& to, std::span<const std::byte> bytes);
std::string to_hex(const Digest& digest);
std::string to_hex(std::span<const std::byte> bytes);
std::optional<Digest> digest_from_hex(std::string_view text);

}  // namespace nostro
