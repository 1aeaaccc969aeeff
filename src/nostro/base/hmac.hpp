// HMAC-SHA-256 (RFC 2104).
//
// Threads: free functions from anywhere.
#pragma once
#include <string_view>

#include "nostro/base/ids.hpp"

namespace nostro {

Digest hmac_sha256(std::string_view key, std::string_view text);

// Whether two texts are equal, in a time that tells nothing of where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace nostro
