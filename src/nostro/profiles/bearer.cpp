#include "nostro/profiles/bearer.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>

#include "nostro/base/base64.hpp"
#include "nostro/base/hmac.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro {
namespace {

constexpr std::string_view kMissing = "Not authenticated", kExpired = "Token expired", kInvalid = "Invalid token";

bool read_object(std::string_view json, std::span<const std::string_view> names, Arena& arena,
                 std::span<MessageValue> into) {
    static thread_local JsonReader reader;
    return read_message(reader, json, names, arena, into).has_value();
}

bool is_hs256(std::string_view json) {
    constexpr std::array<std::string_view, 2> kNames{"alg", "crit"};
    Arena arena(256);
    std::array<MessageValue, kNames.size()> values;
    // `crit` names extensions that a reader must know; we know none.
    return read_object(json, kNames, arena, values) && values[0].kind == MessageValue::Kind::text &&
           values[0].text == "HS256" && values[1].kind == MessageValue::Kind::absent;
}

// Whole seconds of a NumericDate; nullopt: it is none.
std::optional<std::int64_t> seconds_of(const MessageValue& value) {
    if (value.kind != MessageValue::Kind::number || value.text.find_first_of("eE") != std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view whole = split_once(value.text, '.').first;
    std::int64_t seconds = 0;
    const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
    if (read.ec == std::errc::result_out_of_range) {
        using Limits = std::numeric_limits<std::int64_t>;
        return whole.starts_with('-') ? Limits::min() : Limits::max();
    }
    return seconds;
}

std::optional<std::string_view> claims_fault(std::string_view json, Instant now) {
    constexpr std::array<std::string_view, 2> kNames{"exp", "nbf"};
    Arena arena(256);
    std::array<MessageValue, kNames.size()> values;
    if (!read_object(json, kNames, arena, values)) return kInvalid;
    const auto now_s = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    const auto& [expires, begins] = values;
    if (begins.kind != MessageValue::Kind::absent) {
        const auto at = seconds_of(begins);
        if (!at || *at > now_s) return kInvalid;
    }
    if (expires.kind == MessageValue::Kind::absent) return std::nullopt;
    const auto at = seconds_of(expires);
    if (!at) return kInvalid;
    return *at <= now_s ? std::optional(kExpired) : std::nullopt;
}

}  // namespace

Result<BearerTokens> BearerTokens::from_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Error{ErrorCode::invalid, fmt::format("{} cannot be read; it should hold the secret", path)};
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::string_view secret = trim(text);
    if (secret.size() < kSecretMin) {
        return Error{ErrorCode::invalid, fmt::format("{} holds a secret of {} bytes; it needs {} or more", path,
                                                     secret.size(), kSecretMin)};
    }
    return BearerTokens(std::string(secret));
}

std::optional<std::string_view> BearerTokens::fault(std::string_view authorization, Instant now) const {
    const auto [scheme, rest] = split_once(authorization, ' ');
    if (!equal_ignoring_case(scheme, "bearer")) return kMissing;
    const std::string_view token = trim(rest);
    const std::size_t signature_at = token.rfind('.');
    if (signature_at == std::string_view::npos) return kInvalid;
    const std::string_view is_signed = token.substr(0, signature_at);
    const auto signature = from_base64url(token.substr(signature_at + 1));
    // The signature first: what nobody signed is not looked into.
    const Digest expected = hmac_sha256(secret_, is_signed);
    const std::string_view wanted(reinterpret_cast<const char*>(expected.data()), expected.size());
    if (!signature || !equal_in_constant_time(*signature, wanted)) return kInvalid;
    const auto [header_text, claims_text] = split_once(is_signed, '.');
    const auto header = from_base64url(header_text), claims = from_base64url(claims_text);
    if (!header || !claims || !is_hs256(*header)) return kInvalid;
    return claims_fault(*claims, now);
}

}  // namespace nostro
