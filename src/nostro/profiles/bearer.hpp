// Who may call a profile's routes: whoever brings a JSON Web Token (RFC 7519) that was signed with a shared secret, by
// HMAC-SHA-256 (HS256) and no other algorithm.
//
// Threads: any.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

class BearerTokens {
public:
    // A shorter secret could be guessed from a token (RFC 7518 3.2).
    static constexpr std::size_t kSecretMin = 32;

    // The secret is what the file holds, without a line end behind it. A file, because settings stand in the journal.
    static Result<BearerTokens> from_file(const std::string& path);
    explicit BearerTokens(std::string secret) : secret_(std::move(secret)) {}

    // What is wrong with the value of an Authorization header, in words that clients know; nullopt: nothing.
    std::optional<std::string_view> fault(std::string_view authorization, Instant now) const;

private:
    std::string secret_;
};

}  // namespace nostro
