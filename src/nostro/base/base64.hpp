// Bytes as text, the standard alphabet of RFC 4648 §4 with padding.
//
// Reading is strict: no line ends, no other alphabet, padding as it must be and zero bits behind it, so that bytes have
// one text.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nostro {

std::string to_base64(std::span<const std::byte> bytes);
std::string to_base64(std::string_view bytes);
std::optional<std::vector<std::byte>> from_base64(std::string_view text);
// The alphabet for URLs (RFC 4648 §5) without padding, as tokens have it.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace nostro
