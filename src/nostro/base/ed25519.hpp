// Signatures of RFC 8032 (Ed25519, pure), by OpenSSL.
//
// Threads: any. Cost: about 50 us to sign, 150 us to check.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"

namespace nostro {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

class SigningKey {
public:
    static SigningKey random();
    // A private key in PEM (PKCS #8), as `openssl genpkey -algorithm ed25519` writes it. `invalid`: it is none.
    static Result<SigningKey> from_pem(std::string_view pem);
    std::string to_pem() const;

    const PublicKey& public_key() const { return public_key_; }
    Signature sign(std::string_view message) const;

private:
    struct Held;
    explicit SigningKey(std::shared_ptr<const Held> held);

    std::shared_ptr<const Held> held_;
    PublicKey public_key_;
};

bool is_signed_by(const PublicKey& key, std::string_view message, const Signature& signature);

}  // namespace nostro
