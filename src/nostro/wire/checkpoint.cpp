#include "nostro/wire/checkpoint.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "nostro/base/hex.hpp"
#include "nostro/base/time.hpp"
#include "nostro/wire/checkpoint_json.hpp"

namespace nostro {
namespace {

// What is signed. The first line keeps the signature from meaning anything else anywhere.
std::string signed_text(const Checkpoint& checkpoint) {
    return fmt::format("nostro checkpoint 1\n{}\n{}\n{}\n", checkpoint.seq, to_hex(checkpoint.digest),
                       to_rfc3339(checkpoint.time));
}

std::string signature_hex(const Signature& signature) {
    std::string text;
    append_hex(text, std::span<const std::uint8_t>(signature));
    return text;
}

std::optional<Signature> signature_from_hex(std::string_view text) {
    if (text.size() != 2 * kDigestHexSize) return std::nullopt;
    const auto first = digest_from_hex(text.substr(0, kDigestHexSize));
    const auto second = digest_from_hex(text.substr(kDigestHexSize));
    if (!first || !second) return std::nullopt;
    Signature signature;
    std::ranges::copy(*first, signature.begin());
    std::ranges::copy(*second, signature.begin() + first->size());
    return signature;
}

}  // namespace

Checkpoint sign_checkpoint(Seq seq, const Digest& digest, Instant time, const SigningKey& key) {
    Checkpoint checkpoint{seq, digest, std::chrono::floor<std::chrono::microseconds>(time), key.public_key(), {}};
    checkpoint.signature = key.sign(signed_text(checkpoint));
    return checkpoint;
}

bool is_genuine(const Checkpoint& checkpoint) {
    return is_signed_by(checkpoint.key, signed_text(checkpoint), checkpoint.signature);
}

void write_checkpoint(JsonWriter& json, const Checkpoint& checkpoint) {
    json.begin_object().field("seq", checkpoint.seq).field("digest", to_hex(checkpoint.digest));
    json.field("time", to_rfc3339(checkpoint.time)).field("key", to_hex(checkpoint.key));
    json.field("signature", signature_hex(checkpoint.signature)).end_object();
}

std::string_view text_of(simdjson::dom::element json, const char* member) {
    std::string_view text;
    return json[member].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

Result<simdjson::dom::element> read_versioned(simdjson::dom::parser& parser, const simdjson::padded_string& text) {
    const auto wrong = [](std::string what) { return Error{ErrorCode::invalid, std::move(what)}; };
    simdjson::dom::element document;
    if (const auto error = parser.parse(text).get(document)) {
        return wrong(fmt::format("it is no JSON: {}", simdjson::error_message(error)));
    }
    std::uint64_t version = 0;
    if (document["version"].get(version) != simdjson::SUCCESS) return wrong("it has no version");
    if (version != 1) return wrong(fmt::format("it is of version {}; this program knows version 1", version));
    return document;
}

Result<Checkpoint> read_checkpoint(simdjson::dom::element json) {
    const auto wrong = [](std::string_view member, std::string_view wanted) {
        return Error{ErrorCode::invalid, fmt::format("the checkpoint's {} is no {}", member, wanted)};
    };
    Checkpoint checkpoint;
    if (json["seq"].get(checkpoint.seq) != simdjson::SUCCESS || checkpoint.seq == 0)
        return wrong("seq", "frame number");
    const auto digest = digest_from_hex(text_of(json, "digest"));
    if (!digest) return wrong("digest", "64 hex digits");
    const auto time = parse_rfc3339(text_of(json, "time"));
    if (!time) return wrong("time", "RFC 3339 time");
    const auto key = digest_from_hex(text_of(json, "key"));
    if (!key) return wrong("key", "64 hex digits");
    const auto signature = signature_from_hex(text_of(json, "signature"));
    if (!signature) return wrong("signature", "128 hex digits");
    checkpoint.digest = *digest;
    checkpoint.time = *time;
    checkpoint.key = *key;
    checkpoint.signature = *signature;
    return checkpoint;
}

Result<Checkpoint> read_checkpoint(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    if (const auto error = parser.parse(simdjson::padded_string(json)).get(document)) {
        return Error{ErrorCode::invalid, fmt::format("is no JSON: {}", simdjson::error_message(error))};
    }
    return read_checkpoint(document);
}

}  // namespace nostro
