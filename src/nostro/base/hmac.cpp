#include "nostro/base/hmac.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <limits>

#include "nostro/base/assert.hpp"

namespace nostro {

Digest hmac_sha256(std::string_view key, std::string_view text) {
    NOSTRO_ASSERT(key.size() <= std::numeric_limits<int>::max(), "a key of an HMAC is too long");
    Digest digest;
    unsigned size = 0;
    const unsigned char* made =
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    NOSTRO_ASSERT(made != nullptr && size == digest.size(), "OpenSSL made no HMAC-SHA-256");
    return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace nostro
