// One payment request as JSON (docs/api.md) into a Payment.
//
// Strict: unknown and duplicate fields, wrong types, control characters and texts beyond their bounds are refused,
// each with its pointer; amounts are exact, from a string or from the text of a number.
// Ownership: texts are copied into the arena. Threads: one a reader and arena.
#pragma once
#include <cstddef>
#include <string_view>

#include "nostro/domain/payment.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/field_errors.hpp"
#include "nostro/wire/json_input.hpp"

namespace nostro {

// In characters (code points).
constexpr std::size_t kTypeMax = 32, kReferenceMax = 140, kDescriptionMax = 500, kRailNameMax = 32;
constexpr std::size_t kMetadataMax = 20, kMetadataKeyMax = 64, kMetadataTextMax = 500;

// A payment as a client names things. In `payment`, these count: capture, amount, expires_at, requested_at, openings,
// debtor_name, creditor_name, key, type, reference, description, metadata, attachment. The rest is filled in by
// whoever knows tenant and policy.
struct PaymentWish {
    Payment payment;
    std::string_view rail;  // empty: internal
};

// False: `errors` says why, and `into` is unspecified. `key`: of the Idempotency-Key header, checked by parse_key().
bool read_payment(JsonReader& reader, const JsonInput& input, std::string_view key, Arena& arena, PaymentWish& into,
                  FieldErrors& errors);

}  // namespace nostro
