// What a customer asked for. It never changes; what became of it is told by Outcomes.
//
// Texts are views into memory that belongs to whoever holds the payment: the arena of a request, the
// body of a frame. They are kept as they came; the Book never looks inside them, but to open accounts.
#pragma once
#include <cstdint>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/domain/money.hpp"

namespace nostro {

using TenantNo = std::uint16_t;  // 0 is `nostro`, the tenant of the native routes
using RailNo = std::uint16_t;    // numbered and named by the policy, for life; 0 is `internal`

enum class Capture : std::uint8_t {
    automatic,  // settles when decided
    manual,     // becomes a hold that a capture settles, wholly or in part
};

struct Payment {
    PaymentId id;
    TenantNo tenant = 0;
    RailNo rail = 0;
    Capture capture = Capture::automatic;
    AccountId debtor, creditor;
    Money amount;
    Instant expires_at{};    // of a manual capture; zero: the policy's hold_ttl
    Instant requested_at{};  // as the source says; decides nothing
    // Balances with which unknown accounts open, where the policy lets a payment open them.
    std::int64_t debtor_opening_minor = 0, creditor_opening_minor = 0;
    std::string_view debtor_name, creditor_name;
    std::string_view key;          // as the client sent it
    std::string_view type;         // "TRANSFER", ...; at most 32 characters
    std::string_view reference;    // at most 140
    std::string_view description;  // at most 500
    std::string_view metadata;     // JSON object, keys sorted; empty: none
    std::string_view attachment;   // a source's own document; empty: none
};

}  // namespace nostro
