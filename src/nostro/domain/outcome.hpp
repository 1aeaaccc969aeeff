// What was decided, why, and what it left behind.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "nostro/domain/account.hpp"
#include "nostro/domain/payment.hpp"
#include "nostro/domain/policy.hpp"

namespace nostro {

// accepted -> (in_review ->) (held ->) settled | rejected | expired | voided | quarantined.
// In review and held reserve the funds. A terminal state never changes.
enum class Status : std::uint8_t { accepted, in_review, held, settled, rejected, expired, voided, quarantined };
constexpr bool is_open(Status status) { return status == Status::in_review || status == Status::held; }
std::string_view name(Status);
Result<Status> parse_status(std::string_view text);

// Stable words; the first group ends a payment, the second answers a command that changed nothing.
enum class Reason : std::uint8_t {
    none,
    insufficient_funds,
    limit_exceeded,
    account_unknown,
    account_closed,
    account_frozen,
    same_account,
    currency_mismatch,
    amount_out_of_range,  // the rail takes no such amount, or a balance would leave 64 bits
    risk_rejected,
    review_rejected,
    review_expired,
    hold_expired,
    not_settled,
    reversal_exceeds_original,
    reversal_of_reversal,
    too_late_to_reverse,
    group_refused,
    not_immediate,  // an item of a group that would have been held or reviewed
    unreadable,     // kept records
    broken,         // quarantined
    // Answers to commands that changed nothing and are not recorded:
    not_found,
    not_open,
    already_decided,
    amount_exceeds_held,
    account_exists,
    balance_not_zero,
    holds_open,
    opening_out_of_range,
    house_account,    // is there by itself: not opened, changed or closed by command
    policy_outdated,  // another version came first
    no_policy,        // of this tenant
    book_full,        // a table has no room for it: Book::full() names the key to raise
};
std::string_view name(Reason);
Result<Reason> parse_reason(std::string_view text);

// Where an outcome stands: the journal's frame, and its how-manieth outcome, from 0.
struct Place {
    Seq seq = 0;
    std::uint32_t index = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
};

enum class Event : std::uint8_t {
    submitted,  // first decision of a payment, whatever it was
    captured,
    voided,
    approved,  // by a reviewer: settled, or held when capture is manual
    refused,   // by a reviewer
    expired,
    account_opened,
    account_changed,
    balance_adjusted,
    policy_changed,
    record_kept,
    dead_letter_kept,
    dead_letter_resolved,
};
constexpr bool is_of_payment(Event event) { return event <= Event::expired; }
std::string_view name(Event);

constexpr std::uint32_t kNoCommand = 0xffffffff;

// One for each command that changed something (a group: one a payment), one for each expiry, and one for each
// account that a command opened on the way, in front of the command's own.
struct Outcome {
    Event event = Event::submitted;
    Status status = Status::accepted;  // after the event
    Reason reason = Reason::none;
    TenantNo tenant = 0;
    RailNo rail = 0;
    std::uint32_t command = kNoCommand;  // in this frame; expiry: none
    std::uint32_t item = 0;              // of a group
    PaymentId payment;                   // events of accounts, policies, dead letters: empty
    AccountId debtor, creditor;          // account events: debtor is the account, creditor equity if money came from it
    Money amount;                        // asked for; captured or released by follow-ups; opening, adjustment (signed)
    std::uint64_t number = 0;            // the how-manieth payment or record of its tenant, from 1
    Place origin;                        // of the payment's first outcome; otherwise its own place
    Instant accepted_at{};               // time of the origin's frame
    Instant expires_at{};                // while open
    PaymentId reverses;                  // of a reversal: the original
    std::int64_t debtor_before = 0, debtor_after = 0, creditor_before = 0, creditor_after = 0;
    Assessment why;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Images: the new value of every cell that a frame touched; later images win. A journal of them rebuilds
// the Book without deciding anything again, whatever the program's version.
struct AccountImage {
    AccountId id;
    TenantNo tenant = 0;
    AccountKind kind = AccountKind::customer;
    AccountStatus status = AccountStatus::active;
    RiskLevel risk_level = RiskLevel::unrated;
    bool has_bounds = false;  // own bounds of limits, in BoundImages
    Currency currency;
    std::uint32_t opened_meaning = 0;  // of the command that opened it (low bits); 0: a payment opened it
    std::int64_t balance = 0;          // posted, minor units
    std::int64_t held = 0;             // reserved by holds and reviews; available = balance - held
    std::int64_t floor = 0;            // lowest available allowed; kNoFloor
    std::uint64_t version = 0;         // images so far, one a frame: 1, 2, 3... without gaps
    Instant opened_at{};
    PartyFacts facts() const { return {risk_level, kind, opened_at}; }
    friend bool operator==(const AccountImage&, const AccountImage&) = default;
};
struct CounterImage {
    AccountId account;
    std::uint32_t limit = 0;   // Limit::key
    std::uint64_t bucket = 0;  // stands in ring place bucket % ring
    std::uint8_t place = 0;
    std::int64_t value = 0;
    friend bool operator==(const CounterImage&, const CounterImage&) = default;
};
// What an open payment has counted in one limit, so that it can be given back into the same bucket.
struct Counted {
    std::uint32_t limit = 0;
    bool credit_side = false;
    bool is_sum = false;
    std::uint8_t ring = 0;
    std::uint64_t bucket = 0;
    friend bool operator==(const Counted&, const Counted&) = default;
};
struct HoldImage {
    PaymentId payment;
    TenantNo tenant = 0;
    RailNo rail = 0;
    Status status = Status::held;  // in_review or held; any other: the cell is gone
    Capture capture = Capture::automatic;
    bool approved = false;  // by a reviewer
    AccountId debtor, creditor;
    Money amount;
    Instant expires_at{};       // of the state it is in now
    Instant hold_expires_at{};  // in review with manual capture: of the hold it may become; zero: policy's ttl
    Place origin;
    Instant accepted_at{};
    std::uint64_t number = 0;
    std::uint8_t counted_count = 0;
    std::array<Counted, kHitsMax> counted{};
    friend bool operator==(const HoldImage&, const HoldImage&) = default;
};
struct ReversedImage {  // only for payments that have reversals
    PaymentId original;
    std::int64_t reversed_minor = 0;  // 0: the cell is gone
    Instant settled_at{};             // of the original: the cell goes when no policy could allow another reversal
    friend bool operator==(const ReversedImage&, const ReversedImage&) = default;
};
struct KnownImage {  // a key that is spent, and which outcome of this frame was its first answer
    PaymentId id;
    std::uint32_t index = 0;
    std::uint64_t meaning = 0;
    friend bool operator==(const KnownImage&, const KnownImage&) = default;
};
struct BoundImage {  // an account's own bound of a limit; absent: the policy's
    AccountId account;
    std::uint32_t name_key = 0;
    std::int64_t at_most = 0;
    bool removed = false;
    friend bool operator==(const BoundImage&, const BoundImage&) = default;
};
struct TenantImage {
    TenantNo tenant = 0;
    std::uint64_t last_number = 0;
    PolicyVersion policy = 0;
    friend bool operator==(const TenantImage&, const TenantImage&) = default;
};

// Of one frame. Vectors are reused: cleared, never freed, so that steady state allocates nothing.
struct Changes {
    std::vector<Outcome> outcomes;  // expiries first, then those of the commands, in order
    std::vector<AccountImage> accounts;
    std::vector<CounterImage> counters;
    std::vector<HoldImage> holds;
    std::vector<ReversedImage> reversed;
    std::vector<KnownImage> known;
    std::vector<BoundImage> bounds;
    std::vector<TenantImage> tenants;
    std::vector<PolicyPtr> policies;  // that came into force
    void clear();
    // Of a frame that ended: nothing to tell. What is forgotten of reversals has images but no outcome.
    bool empty() const { return outcomes.empty() && reversed.empty(); }
};
// Whose policies[index] is: of a frame, as the outcomes say that brought policies into force, in the same order.
// nullopt: of an image file, which has no outcomes.
std::optional<TenantNo> tenant_of_policy(const Changes& changes, std::size_t index);

}  // namespace nostro
