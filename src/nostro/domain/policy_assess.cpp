#include <algorithm>

#include "nostro/domain/policy_rules.hpp"

namespace nostro {
namespace {

// What every rule asks of a payment, found out once.
struct Looked {
    const Payment& payment;
    const Rail* rail;  // nullptr: the policy has none of that number
    Bits rail_bit, type_bit;
};

Looked look_at(const PolicyRules& rules, const Payment& payment) {
    const Rail* rail = rules.find_rail(payment.rail);
    const std::size_t place = rail == nullptr ? kOtherBit : static_cast<std::size_t>(rail - rules.rails.data());
    std::size_t type = 0;
    while (type < rules.types.size() && rules.types[type] != payment.type) ++type;
    return {payment, rail, bit(place), bit(type == rules.types.size() ? kOtherBit : type)};
}

bool takes(const Rule& rule, const Looked& looked) {
    if ((rule.rails & looked.rail_bit) == 0 || (rule.types & looked.type_bit) == 0) return false;
    if (rule.currencies.empty() || rule.kind == RuleKind::amount_band) return true;
    const Currency currency = looked.payment.amount.currency();
    return std::find(rule.currencies.begin(), rule.currencies.end(), currency) != rule.currencies.end();
}

using Input = std::optional<std::int64_t>;  // none: the rule does not fire

// Comparing the four bytes at once halves the cost of a rule with many currencies.
bool is_same(Currency a, Currency b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

Input amount_in_band(const Rule& rule, Money amount) {
    for (const Band& band : rule.bands) {
        if (!is_same(band.currency, amount.currency())) continue;
        return band.holds(amount.minor()) ? Input(amount.minor()) : std::nullopt;
    }
    return std::nullopt;
}

// The place of what was matched: a type, else a rail, else nothing but the currency.
Input matched(const Rule& rule, const Looked& looked) {
    if (rule.types != kAll) return std::countr_zero(looked.type_bit);
    if (rule.rails != kAll) return std::countr_zero(looked.rail_bit);
    return 0;
}

Input listed_party(const Rule& rule, const Payment& payment) {
    const auto is_listed = [&](AccountId id) {
        return std::binary_search(rule.accounts.begin(), rule.accounts.end(), id);
    };
    if (rule.party != Party::creditor && is_listed(payment.debtor)) return static_cast<std::int64_t>(Party::debtor);
    if (rule.party != Party::debtor && is_listed(payment.creditor)) return static_cast<std::int64_t>(Party::creditor);
    return std::nullopt;
}

Input fires(const Rule& rule, const Looked& looked) {
    switch (rule.kind) {
        case RuleKind::amount_band: return amount_in_band(rule, looked.payment.amount);
        case RuleKind::match: return matched(rule, looked);
        case RuleKind::allow:
        case RuleKind::deny: return listed_party(rule, looked.payment);
        case RuleKind::party_risk:
        case RuleKind::account_kind:
        case RuleKind::account_age: break;
    }
    return std::nullopt;
}

// The parties that a rule looks at: one, or both.
struct Parties {
    const PartyFacts* first;
    const PartyFacts* second;  // nullptr: one only
};

Parties parties_of(const Rule& rule, const PartyFacts& debtor, const PartyFacts& creditor) {
    switch (rule.party) {
        case Party::debtor: return {&debtor, nullptr};
        case Party::creditor: return {&creditor, nullptr};
        case Party::either: break;
    }
    return {&debtor, &creditor};
}

bool has(const Rule& rule, std::int64_t member) { return (rule.members >> member & 1) != 0; }

// House accounts are ours: they have neither risk nor age. Of two parties the riskier one counts.
Input risk_of(const Rule& rule, const Parties& parties) {
    Input level;
    for (const PartyFacts* party : {parties.first, parties.second}) {
        if (party == nullptr || party->kind == AccountKind::house) continue;
        level = std::max<std::int64_t>(level.value_or(0), static_cast<std::int64_t>(party->risk_level));
    }
    return level && has(rule, *level) ? level : std::nullopt;
}

Input kind_of(const Rule& rule, const Parties& parties) {
    for (const PartyFacts* party : {parties.first, parties.second}) {
        if (party == nullptr) continue;
        const auto kind = static_cast<std::int64_t>(party->kind);
        if (has(rule, kind)) return kind;
    }
    return std::nullopt;
}

// Of two parties the younger one counts. In whole seconds; an account that opens with this payment is 0 old.
Input age_of(const Rule& rule, const Parties& parties, Instant now) {
    Input youngest_s;
    for (const PartyFacts* party : {parties.first, parties.second}) {
        if (party == nullptr || party->kind == AccountKind::house) continue;
        // Nothing opens before 1970, and so no difference overflows.
        const Instant opened_at = std::max(party->opened_at, Instant{});
        std::int64_t age_s = 0;
        if (opened_at < now) age_s = std::chrono::floor<std::chrono::seconds>(now - opened_at).count();
        youngest_s = std::min(youngest_s.value_or(age_s), age_s);
    }
    return youngest_s && *youngest_s < rule.younger_than_s ? youngest_s : std::nullopt;
}

Input fires_for(const Rule& rule, const Parties& parties, Instant now) {
    switch (rule.kind) {
        case RuleKind::party_risk: return risk_of(rule, parties);
        case RuleKind::account_kind: return kind_of(rule, parties);
        case RuleKind::account_age: return age_of(rule, parties, now);
        case RuleKind::amount_band:
        case RuleKind::match:
        case RuleKind::allow:
        case RuleKind::deny: break;
    }
    return std::nullopt;
}

// The rules whose bit is set, in the policy's order.
template <class Each>
void for_each(const PolicyRules& rules, Bits which, Each each) {
    if (rules.rules.size() < kRulesMax) which &= bit(rules.rules.size()) - 1;
    for (; which != 0; which &= which - 1) each(rules.rules[static_cast<std::size_t>(std::countr_zero(which))]);
}

// Written where it stays: a Hit put together elsewhere is slow to copy as a whole. False: full.
bool add(Assessment& assessment, const Rule& rule, std::int64_t input) {
    if (assessment.hit_count == kHitsMax) return false;
    Hit& hit = assessment.hits[assessment.hit_count++];
    hit.rule = rule.no;
    hit.points = rule.points;
    hit.input = input;
    hit.at_most = 0;
    hit.bucket = 0;
    return true;
}

// Among the hits in the policy's order; there is room, or the policy would have been refused.
void insert(Assessment& assessment, const Rule& rule, std::int64_t input) {
    if (!add(assessment, rule, input)) return;
    for (std::size_t i = assessment.hit_count - 1u; i > 0 && assessment.hits[i - 1].rule > rule.no; --i) {
        std::swap(assessment.hits[i - 1], assessment.hits[i]);
    }
}

Advice by_score(const Thresholds& thresholds, std::int64_t score) {
    if (score >= thresholds.reject) return Advice::reject;
    if (score >= thresholds.review) return Advice::review;
    if (score >= thresholds.clear_with_conditions) return Advice::clear_with_conditions;
    return Advice::clear;
}

// From the hits alone, so that neither the order of rules nor the half in which they fired plays a part. Sums of 64
// bits do not overflow; a score beyond 32 bits stays at their end.
void conclude(const PolicyRules& rules, const Rail* rail, Assessment& assessment) {
    std::int64_t score = 0;
    Advice advice = Advice::clear;
    for (const Hit& hit : assessment.fired()) {
        score += hit.points;
        if (const Rule* rule = rules.find_rule(hit.rule)) advice = std::max(advice, rule->advice);
    }
    constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    assessment.score = static_cast<std::int32_t>(std::clamp(score, kLeast, kMost));
    assessment.advice = std::max(advice, by_score(rail == nullptr ? rules.thresholds : rail->thresholds, score));
}

const Money* amount_in(const std::vector<Money>& amounts, Currency currency) {
    for (const Money& amount : amounts) {
        if (amount.currency() == currency) return &amount;
    }
    return nullptr;
}

}  // namespace

const Rail* PolicyRules::find_rail(RailNo number) const {
    for (const Rail& rail : rails) {
        if (rail.number == number) return &rail;
    }
    return nullptr;
}

Assessment Policy::assess(const Payment& payment) const {
    const PolicyRules& rules = *rules_;
    const Looked looked = look_at(rules, payment);
    Assessment assessment;
    assessment.version = rules.version;
    Bits skipped = 0;
    for_each(rules, rules.allows, [&](const Rule& rule) {
        if (takes(rule, looked) && fires(rule, looked)) skipped |= rule.skips;
    });
    for_each(rules, ~rules.of_parties & ~skipped, [&](const Rule& rule) {
        if (!takes(rule, looked)) return;
        if (const Input input = fires(rule, looked)) add(assessment, rule, *input);
    });
    conclude(rules, looked.rail, assessment);
    return assessment;
}

Assessment Policy::with_parties(const Assessment& first, const Payment& payment, const PartyFacts& debtor,
                                const PartyFacts& creditor, Instant now) const {
    const PolicyRules& rules = *rules_;
    Assessment assessment = first;
    if (rules.of_parties == 0) return assessment;
    const Looked looked = look_at(rules, payment);
    Bits skipped = 0;
    for (const Hit& hit : first.fired()) {
        if (const Rule* rule = rules.find_rule(hit.rule)) skipped |= rule->skips;
    }
    for_each(rules, rules.of_parties & ~skipped, [&](const Rule& rule) {
        if (!takes(rule, looked)) return;
        const Parties parties = parties_of(rule, debtor, creditor);
        if (const Input input = fires_for(rule, parties, now)) insert(assessment, rule, *input);
    });
    conclude(rules, looked.rail, assessment);
    return assessment;
}

std::optional<RailRefusal> Policy::rail_refusal(const Payment& payment) const {
    const Rail* rail = rules_->find_rail(payment.rail);
    if (rail == nullptr || !rail->is_bounded()) return std::nullopt;
    const Currency currency = payment.amount.currency();
    const std::int64_t minor = payment.amount.minor();
    const auto& taken = rail->currencies;
    if (!taken.empty() && std::find(taken.begin(), taken.end(), currency) == taken.end()) {
        return RailRefusal{RailRefusal::Why::currency_not_taken, Hit{rail->currencies_no, 0, minor, 0, 0}};
    }
    if (const Money* min = amount_in(rail->min, currency); min != nullptr && minor < min->minor()) {
        return RailRefusal{RailRefusal::Why::below_min, Hit{rail->min_no, 0, minor, min->minor(), 0}};
    }
    if (const Money* max = amount_in(rail->max, currency); max != nullptr && minor > max->minor()) {
        return RailRefusal{RailRefusal::Why::above_max, Hit{rail->max_no, 0, minor, max->minor(), 0}};
    }
    return std::nullopt;
}

}  // namespace nostro
