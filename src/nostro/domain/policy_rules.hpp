// What a policy is made of once its text has been read. Internal to policy*.cpp.
#pragma once
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/policy.hpp"
#include "nostro/domain/policy_days.hpp"

namespace nostro {

// Each rule, rail and payment type of a policy is a bit, so that "does this rule look at this payment" is two ands.
// The last bit stands for every rail and every type that the policy does not name.
using Bits = std::uint64_t;
constexpr std::size_t kRulesMax = 64, kLimitsMax = 64, kRailsMax = 63, kTypesMax = 63;
constexpr unsigned kOtherBit = 63;
constexpr Bits kAll = ~Bits{0};
constexpr Bits bit(std::size_t index) { return Bits{1} << index; }

// Texts beyond this are refused before they are parsed.
constexpr std::size_t kPolicyTextMax = std::size_t{1} << 20;

enum class RuleKind : std::uint8_t {
    amount_band,
    match,  // whatever rails, types and currencies select
    allow,
    deny,
    party_risk,  // these and the ones below look at the parties
    account_kind,
    account_age,
};
constexpr bool is_of_parties(RuleKind kind) { return kind >= RuleKind::party_risk; }

enum class Party : std::uint8_t { debtor, creditor, either };

// Amounts of one currency from `least` to `most`, both within.
struct Band {
    Currency currency;
    std::int64_t least = 0, most = std::numeric_limits<std::int64_t>::max();
    bool holds(std::int64_t minor) const { return minor >= least && minor <= most; }
};

struct Rule {
    RuleNo no = 0;
    RuleKind kind = RuleKind::match;
    Party party = Party::either;
    Bits rails = kAll, types = kAll;
    std::vector<Currency> currencies;  // none: every one. Of an amount_band: those of its bands
    std::int32_t points = 0;
    Advice advice = Advice::clear;  // clear: it gives points
    std::vector<Band> bands;
    std::vector<AccountId> accounts;  // sorted
    std::uint32_t members = 0;        // a bit for each RiskLevel or AccountKind
    std::int64_t younger_than_s = 0;
    Bits skips = 0;  // of allow: the rules it silences

    Bits own_bit() const { return bit(no - 1u); }
};

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
struct Thresholds {  // the least score of each advice
    std::int64_t clear_with_conditions = kNever, review = kNever, reject = kNever;
};

struct Rail {
    RailNo number = 0;
    std::string name;
    std::vector<Currency> currencies;  // none: every one
    std::vector<Money> min, max;       // of the currencies that have one
    RuleNo currencies_no = 0, min_no = 0, max_no = 0;
    Thresholds thresholds;
    std::vector<Limit> limits;
    bool is_bounded() const { return currencies_no != 0 || min_no != 0 || max_no != 0; }
};

struct PolicyRules {
    PolicyVersion version = 0;
    std::string text, tenant;
    std::array<Check, 7> order = {Check::accounts, Check::status, Check::same_account, Check::amount,
                                  Check::risk,     Check::limits, Check::funds};
    UnknownAccounts unknown_accounts = UnknownAccounts::refuse;
    bool opened_without_floor = false;
    std::vector<Money> opened_floors;  // other currencies: 0
    std::chrono::seconds hold_ttl = std::chrono::days(7), review_ttl = std::chrono::days(1);
    int reversal_days = 400;

    Thresholds thresholds;
    std::vector<Rail> rails;             // internal first, then as written; the place is the rail's bit
    std::vector<std::string> types;      // those that a rule names; the place is the type's bit
    std::vector<Rule> rules;             // as written; the place is the rule's bit
    Bits allows = 0, of_parties = 0;     // which of them are allow lists, which look at the parties
    std::vector<Limit> limits;           // all, as written
    std::vector<Limit> limits_anywhere;  // those of no rail in particular, for rails that the policy does not know
    std::vector<std::string> windows;    // of each limit, as its author wrote it: "24h"; empty: calendar days
    std::vector<std::string> names;      // of RuleNo 1, 2, 3...: rules, limits, bounds of rails
    std::vector<DayBorders> zones;

    const Rail* find_rail(RailNo number) const;  // nullptr: this policy has none of that number
    const Rule* find_rule(RuleNo no) const { return no >= 1 && no <= rules.size() ? &rules[no - 1u] : nullptr; }
    const Limit* find_limit(RuleNo no) const {
        const std::size_t index = no - 1u - rules.size();
        return no > rules.size() && index < limits.size() ? &limits[index] : nullptr;
    }
};

// From where the reader of a policy takes the days of a zone: the machine's database, or the compiled form.
using DaysOf = std::function<Result<DayBorders>(std::string_view zone)>;

// `invalid`: line, column and key of what is wrong, what was seen there and what was expected.
// `is_history`: the text was taken once and may name what is no longer in use.
Result<std::unique_ptr<PolicyRules>> read_policy(std::string_view text, PolicyVersion version, const DaysOf& days_of,
                                                 bool is_history);

// For one payment, the most rules and limits that can be hits at once; empty: kHitsMax suffices.
struct TooManyHits {
    std::string payment;     // "on rail upi, of type TRANSFER, in USD"
    std::vector<RuleNo> of;  // all of them, in order
};
std::optional<TooManyHits> too_many_hits(const PolicyRules& rules);

}  // namespace nostro
