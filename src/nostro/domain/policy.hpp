// The rules, as data: TOML in, decisions out. docs/policy.md shows every key.
//
// Two halves. assess() needs the payment alone and runs on intake threads or in a clearance worker; its
// result travels with the command. with_parties() adds what the Book alone knows of the two accounts.
// Limits need history and are decided by the Book only.
//
// A Policy is immutable; threads share it by pointer. Nothing here throws but for want of memory. Compiled form: the
// text, and for every zone that a calendar window names the day borders of ten years ahead, so that the Book only
// compares instants and a program with another zone database decides the same. The journal keeps text and borders.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "nostro/domain/account.hpp"
#include "nostro/domain/payment.hpp"

namespace nostro {

using PolicyVersion = std::uint32_t;  // of one tenant: 1, 2, 3...
using RuleNo = std::uint16_t;  // names a rule, a limit or a rail's bound within one version; from 1, in its order

enum class Check : std::uint8_t { accounts, status, same_account, amount, risk, limits, funds };
enum class Advice : std::uint8_t { clear, clear_with_conditions, review, reject };
std::string_view name(Advice);
std::string_view name(Check);

// One rule that fired, one limit that was looked at, or the bound of a rail that refused.
struct Hit {
    RuleNo rule = 0;
    std::int32_t points = 0;
    std::int64_t input = 0;    // a rule: what it looked at, for input_text(); a limit: used before this payment
    std::int64_t at_most = 0;  // a limit: the bound in force for this account; a rail's bound: its amount
    std::uint64_t bucket = 0;  // a limit: the running bucket, for its window's name
    friend bool operator==(const Hit&, const Hit&) = default;
};
constexpr std::size_t kHitsMax = 8;  // a policy under which more can fire at once is refused

struct Assessment {
    PolicyVersion version = 0;  // 0: not assessed yet
    Advice advice = Advice::clear;
    std::int32_t score = 0;
    std::uint8_t hit_count = 0;
    std::array<Hit, kHitsMax> hits{};
    std::span<const Hit> fired() const { return {hits.data(), hit_count}; }
    bool add(const Hit& hit) {  // false: full
        if (hit_count == kHitsMax) return false;
        hits[hit_count++] = hit;
        return true;
    }
    friend bool operator==(const Assessment&, const Assessment&) = default;
};

// n whole buckets and the running one: never less than promised. Bucket number: instant / bucket_s.
struct Rolling {
    std::uint32_t bucket_s;
    std::uint8_t buckets;
};
// Days of a named zone; the window is the running day and the days - 1 before it. Bucket number: the local date
// as days since 1970-01-01, so that it means the same day under every version of the policy.
struct Calendar {
    std::uint16_t zone;  // index into the policy's border tables
    std::uint8_t days;
};

// Bounds the count or sum of an account's payments in a window.
struct Limit {
    enum class Side : std::uint8_t { debit, credit };
    enum class Measure : std::uint8_t { count, sum };
    RuleNo rule;
    std::uint32_t key;       // names its counters for life: hash of name, side, measure, window, rails, currency
    std::uint32_t name_key;  // hash of the name alone: what an account's own bound refers to
    Side side;
    Measure measure;
    std::variant<Rolling, Calendar> window;
    std::int64_t at_most;  // count, or minor units of `currency`
    Currency currency;     // a sum counts payments of this currency only
    bool any_currency;     // a count without a currency counts all
    Advice when_exceeded;  // review or reject
    std::uint8_t ring;     // buckets kept: those of the window and the running one
};

// What a rail says of a payment before any rule looks at it.
struct RailRefusal {
    enum class Why : std::uint8_t { currency_not_taken, below_min, above_max };
    Why why;
    Hit hit;
};

// The Book forgets what was reversed of a payment after so long, so no policy may allow reversals for longer.
constexpr int kReversalDaysMax = 800;

enum class UnknownAccounts : std::uint8_t {
    refuse,
    open,  // inside the payment's decision, with the balances it names, from equity, and the policy's floor
};

struct PolicyRules;  // policy_rules.hpp

class Policy {
public:
    // Refuses what it cannot explain: line, column, what was expected. `now` starts the border tables.
    static Result<std::shared_ptr<const Policy>> parse(std::string_view text, PolicyVersion version, Instant now);
    // The form that the journal keeps, and back. `corrupt`: not such a form.
    std::string compiled() const;
    static Result<std::shared_ptr<const Policy>> load(std::string_view compiled);

    ~Policy();
    Policy(const Policy&) = delete;
    Policy& operator=(const Policy&) = delete;

    PolicyVersion version() const;
    std::string_view tenant() const;
    std::string_view text() const;

    // A later version of the same tenant: invalid if it takes a rail away, or gives its number to another name.
    Result<> may_follow(const Policy& before) const;

    // Allocates nothing; some tens of nanoseconds. Its advice is what the payment alone gives.
    Assessment assess(const Payment& payment) const;
    // Adds the rules about the parties; score and advice are then final. Precondition: this version made `first`.
    Assessment with_parties(const Assessment& first, const Payment& payment, const PartyFacts& debtor,
                            const PartyFacts& creditor, Instant now) const;
    // For Check::amount: the rail takes no such currency, or no such amount.
    std::optional<RailRefusal> rail_refusal(const Payment& payment) const;

    std::span<const Limit> limits() const;             // all, in the policy's order
    std::span<const Limit> limits(RailNo rail) const;  // of a payment on that rail, in the policy's order
    const Limit* limit(RuleNo rule) const;             // nullptr: no limit
    const Limit* limit(std::string_view name) const;
    // Before and behind the border table a day has 24 hours, counted from its nearest end.
    std::uint64_t bucket(const Limit& limit, Instant now) const;
    std::string window_name(const Limit& limit, std::uint64_t bucket) const;  // "2026-11-21", "24h"

    std::string_view name(RuleNo rule) const;  // empty: none has this number
    // What a rule looked at, in words: "12000.00", "high", "3h", "TRANSFER", "debtor". `currency`: the payment's.
    std::string input_text(const Hit& hit, Currency currency) const;
    std::optional<Advice> advice(RuleNo rule) const;  // of a rule that gives advice, not points

    std::span<const Check> order() const;              // the first check that refuses gives the reason
    Result<RailNo> rail(std::string_view name) const;  // invalid: names those that exist
    std::string_view rail_name(RailNo rail) const;     // empty: none has this number

    UnknownAccounts unknown_accounts() const;
    std::int64_t opened_floor_minor(Currency currency) const;  // of accounts that a payment opens; kNoFloor: none
    std::chrono::seconds hold_ttl() const;                     // 7 d
    std::chrono::seconds review_ttl() const;                   // 24 h
    int reversal_days() const;                                 // 400

private:
    explicit Policy(std::unique_ptr<const PolicyRules> rules);
    std::unique_ptr<const PolicyRules> rules_;
};

using PolicyPtr = std::shared_ptr<const Policy>;

}  // namespace nostro
