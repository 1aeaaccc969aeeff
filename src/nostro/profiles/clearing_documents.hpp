// What the stores of the clearing pipeline hold of a transaction: messages of its two topics, rows of its four tables,
// hashes of its cache, lines of its logs.
//
// Pure functions of what was recorded: every store and every repetition says the same. Amounts are texts with two
// decimals. Threads: any.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/domain/policy.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro::clearing {

// Account numbers are the accounts' names; what a name cannot hold is escaped (account_names.hpp), and a number that
// looks like a house account is a customer's all the same.
std::string_view account_name(std::string_view number, Arena& arena);
// `whole`: what stands beside a name that was cut; empty where none was.
std::string account_number_of(std::string_view name, std::string_view whole);

// In front of the keys under which rows of customers are kept.
inline constexpr std::string_view kCustomerKey = "clearing.customers:";

// An account as a message shows it, with its owner.
struct Party {
    std::string name, risk_level, account_type;  // "John Doe", "HIGH", "CHECKING"
    std::int64_t held_minor = 0;                 // reserved by reviews
    PartyFacts facts;
};
// nullopt: there was no such account before the place.
std::optional<Party> party_of(const AccountRecord* account, const Place& before);

// One thing that became of a transaction: its clearance (with the settlement that goes with it), or what ended a
// review. Views into what it was made of.
struct Step {
    const Payment* payment = nullptr;  // of a record: its document is the attachment
    const Outcome* first = nullptr;    // the clearance
    const Outcome* outcome = nullptr;  // this step: `first` itself, or what followed
    Instant at{};                      // of this step
    const Policy* policy = nullptr;    // that decided
    std::string_view by{}, note{};     // a review: who decided, and why
    std::optional<Party> from{}, to{};
};
// The accounts to ask for, of a payment or a record; empty: none was named.
std::pair<std::string_view, std::string_view> account_names(const Payment& payment, Arena& arena);
// `index`: of the outcome. nullopt: the record is of a customer.
std::optional<Step> step_of(const Recorded& recorded, std::size_t index, const Policy& policy,
                            const AccountRecord* from, const AccountRecord* to);

// --- words ---
std::string_view clearance_status(
    const Step& step);                         // cleared, cleared_with_conditions, requires_manual_review, rejected
std::string_view status_of(const Step& step);  // where it stands: settled, rejected, requires_manual_review
std::string clearance_notes(const Step& step);
std::string rejection_reason(const Step& step);  // of what is rejected, at once or after a review
std::int32_t risk_score(const Step& step);       // at most 100; also of what was refused before anybody looked at risk

// --- messages ---
std::string financial_message(const Step& step);  // of a clearance, as it stood before
std::string cleared_message(const Step& step);    // with what became of it

// --- rows ---
struct TransactionRow {
    std::uint64_t id = 0;
    std::string transaction_id, amount, from_account, to_account, transaction_type,
        description;  // accounts: empty: NULL
    Instant created_at{};
    std::string status;
};
TransactionRow transaction_row(const Step& step);
struct AuditRow {
    std::string transaction_id, old_status, new_status, changed_by;
    Instant changed_at{};
    friend bool operator==(const AuditRow&, const AuditRow&) = default;
};
std::vector<AuditRow> audit_rows(const Step& step);
struct AccountRow {
    std::string account_number, customer_id, account_type, balance, status;
    Instant created_at{};
};
std::optional<AccountRow> account_row(const AccountRecord& account);  // nullopt: a house account
struct CustomerRow {
    std::string customer_id, name, email, risk_level;  // email: empty: NULL
};
std::optional<CustomerRow> customer_row(const AccountRecord& account);  // its owner, without email
std::optional<CustomerRow> customer_row(const Payment& record);         // of a record; nullopt: of a transaction

// --- cache ---
struct Hash {
    std::string key;
    std::vector<std::pair<std::string, std::string>> fields;
};
struct HashChange {
    std::string removed;  // first; empty: none
    std::optional<Hash> written;
};
// `rejected_reviews`: what waits for review stands under rejected:{id}.
HashChange hash_change(const Step& step, bool rejected_reviews);

// --- logs ---
std::vector<std::string> log_lines(const Step& step);

}  // namespace nostro::clearing
