// What nostro answers, as JSON: docs/api.md shows each. Fields that do not apply are null, never absent.
//
// Each function appends one JSON value to the writer. Threads: any. Nothing is allocated beyond the text.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/json_text.hpp"
#include "nostro/domain/policy.hpp"
#include "nostro/wire/field_errors.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

// The version that decided, for the names of rails, rules and limits; nullptr: not kept, names are null then.
using PolicyLookup = std::function<PolicyPtr(TenantNo, PolicyVersion)>;

// application/problem+json (RFC 9457).
struct Problem {
    int status = 500;
    std::string_view code;        // stable word; `type` is made of it
    std::string_view title = {};  // empty: the status' own
    std::string_view detail;      // what happened and what to do
    const FieldErrors* errors = nullptr;
    // Added as members of their own: {"state", "settled"}.
    std::span<const std::pair<std::string_view, std::string_view>> more = {};
};
void write_problem(JsonWriter& json, const Problem& problem);

// {"payment_id","status","reason","reason_class","accepted_at","status_url"}
void write_receipt(JsonWriter& json, const Receipt& receipt);
// The same with "index", "idempotency_key", "replayed" and "error": null in front.
void write_batch_receipt(JsonWriter& json, std::size_t index, std::string_view key, const Receipt& receipt);
// An item that was not taken: "error" holds the problem, the rest is null.
void write_batch_error(JsonWriter& json, std::size_t index, std::string_view key, const Problem& problem);

void write_payment(JsonWriter& json, const Recorded& payment, const PolicyLookup& policies);
// {"policy","score","advice","rules","limits"}
void write_why(JsonWriter& json, const Assessment& why, Currency currency, const Policy* policy);

// What would become of a payment: status, reason, why, balances; no ids, no times.
void write_simulated(JsonWriter& json, const Outcome& outcome, const Policy* policy);

void write_account(JsonWriter& json, const AccountRecord& account, const Policy* policy);
void write_balance(JsonWriter& json, std::string_view account_name, const AccountImage& account, const AsOf& as_of);
void write_entry(JsonWriter& json, const Entry& entry, std::string_view other_party);
void write_policy(JsonWriter& json, const Policy& policy, bool in_force);
void write_totals(JsonWriter& json, std::span<const Book::KindTotal> totals, const AsOf& as_of);
// `payment`: what was made of it; empty: nothing yet.
void write_dead_letter(JsonWriter& json, const DeadLetter& letter, PaymentId payment);

// {"data":[ ... ],"next_cursor":...,"as_of":...}: begin_list, each item, end_list.
void begin_list(JsonWriter& json);
void end_list(JsonWriter& json, std::string_view next_cursor, const AsOf& as_of);
void write_as_of(JsonWriter& json, const AsOf& as_of);  // {"seq","at"}

// One outcome of a payment, as the live stream tells it. `payment` may be nullptr (older than kept history).
void write_event(JsonWriter& json, const Outcome& outcome, const Payment* payment, Place place, Instant at,
                 const Policy* policy);

}  // namespace nostro
