// Who a payment is: the id and the meaning that make a retry harmless.
//
// Pure; threads: any. Cost: one or two SHA-256 blocks, about 100 ns each.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/payment.hpp"

namespace nostro {

// Home slot byte (0: there is one Book), then the first 120 bits of SHA-256 over tenant and door, each behind a byte
// that says its length, and the key. Door: `key` for an Idempotency-Key, else the name of the source that brought
// the key. The same on every node, for ever. Precondition: tenant and door are at most 255 bytes.
PaymentId payment_id(std::string_view tenant, std::string_view door, std::string_view key);

// The id of a request that is not POST /v1/payments: its key counts for its method and path alone. Never equal to a
// payment's, because no key contains a space.
PaymentId request_id(std::string_view tenant, std::string_view method, std::string_view path, std::string_view key);

// First 64 bits of SHA-256 over what the request said, in one form: names, amount, rail, texts, openings. Not
// the key, and nothing that was found out later. Equal for requests that mean the same.
std::uint64_t payment_meaning(const Payment& payment);

constexpr std::size_t kKeyMin = 8, kKeyMax = 128;
// 8..128 characters of A-Z a-z 0-9 . _ : -
bool is_key(std::string_view text);
// The value of an Idempotency-Key header: bare, or quoted as the IETF draft writes it. `invalid`: says what is wrong.
Result<std::string_view> parse_key(std::string_view header_value);

}  // namespace nostro
