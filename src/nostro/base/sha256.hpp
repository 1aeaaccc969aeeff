// SHA-256 without allocation.
//
// Threads: free functions from anywhere; a Sha256 belongs to one thread.
// Cost:    about 100 ns for up to 55 bytes (one block), where the usual EVP interface takes several hundred.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "nostro/base/ids.hpp"

namespace nostro {

Digest sha256(std::span<const std::byte> bytes);
Digest sha256(std::string_view text);

// The digest of pieces that are not side by side.
class Sha256 {
public:
    Sha256();

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text) { update(std::as_bytes(std::span(text))); }

    // The digest of everything so far. Afterwards the object is as new.
    Digest finish();

private:
    // OpenSSL's SHA256_CTX, kept opaque so that its header stays in one file.
    alignas(8) std::byte state_[112];
};

}  // namespace nostro
