// How many hits one payment can have at once. An outcome has room for kHitsMax, so a policy that could need more is
// refused when it is taken in, not found out when a payment meets it.
//
// Never too low: whatever may come together is counted together. Exact where it matters in practice: bands of
// amounts, risk levels and kinds of accounts that exclude each other.
#include <algorithm>
#include <unordered_set>

#include "nostro/domain/policy_rules.hpp"

namespace nostro {
namespace {

// All payments with one rail, type and currency.
struct Selection {
    std::size_t rail;                  // a bit; kOtherBit: none that the policy names
    std::size_t type;                  // likewise
    std::optional<Currency> currency;  // none: one that the policy does not name
};

std::vector<Currency> named_currencies(const PolicyRules& rules) {
    std::vector<Currency> all;
    for (const Rule& rule : rules.rules) all.insert(all.end(), rule.currencies.begin(), rule.currencies.end());
    for (const Limit& limit : rules.limits) {
        if (!limit.any_currency) all.push_back(limit.currency);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

bool takes(const std::vector<Currency>& currencies, const std::optional<Currency>& currency) {
    if (currencies.empty()) return true;
    return currency && std::find(currencies.begin(), currencies.end(), *currency) != currencies.end();
}

using RulePointers = std::vector<const Rule*>;

RulePointers selected_rules(const PolicyRules& rules, const Selection& selection) {
    RulePointers selected;
    for (const Rule& rule : rules.rules) {
        const bool in = (rule.rails & bit(selection.rail)) != 0 && (rule.types & bit(selection.type)) != 0;
        if (in && takes(rule.currencies, selection.currency)) selected.push_back(&rule);
    }
    return selected;
}

RulePointers of_kind(const RulePointers& rules, RuleKind kind) {
    RulePointers all;
    std::copy_if(rules.begin(), rules.end(), std::back_inserter(all),
                 [&](const Rule* rule) { return rule->kind == kind; });
    return all;
}

const Band* band_in(const Rule& rule, Currency currency) {
    const auto found =
        std::find_if(rule.bands.begin(), rule.bands.end(), [&](const Band& band) { return band.currency == currency; });
    return found == rule.bands.end() ? nullptr : &*found;
}

// Of bands, the most that share an amount. Where most overlap, one of them begins.
RulePointers most_bands(const RulePointers& rules, const std::optional<Currency>& currency) {
    RulePointers most;
    if (!currency) return most;
    const RulePointers bands = of_kind(rules, RuleKind::amount_band);
    for (const Rule* begins : bands) {
        RulePointers at_once;
        for (const Rule* rule : bands) {
            if (band_in(*rule, *currency)->holds(band_in(*begins, *currency)->least)) at_once.push_back(rule);
        }
        if (at_once.size() > most.size()) most = at_once;
    }
    return most;
}

bool has(const Rule& rule, unsigned member) { return (rule.members >> member & 1) != 0; }

// Of rules about both parties' level or kind, the most that one pair of parties meets.
template <class Meets>
RulePointers most_members(const RulePointers& rules, unsigned members, Meets meets) {
    RulePointers most;
    for (unsigned debtor = 0; debtor < members; ++debtor) {
        for (unsigned creditor = 0; creditor < members; ++creditor) {
            RulePointers at_once;
            for (const Rule* rule : rules) {
                if (meets(*rule, debtor, creditor)) at_once.push_back(rule);
            }
            if (at_once.size() > most.size()) most = at_once;
        }
    }
    return most;
}

bool meets_level(const Rule& rule, unsigned debtor, unsigned creditor) {
    switch (rule.party) {
        case Party::debtor: return has(rule, debtor);
        case Party::creditor: return has(rule, creditor);
        case Party::either: return has(rule, std::max(debtor, creditor));
    }
    return true;
}
bool meets_kind(const Rule& rule, unsigned debtor, unsigned creditor) {
    switch (rule.party) {
        case Party::debtor: return has(rule, debtor);
        case Party::creditor: return has(rule, creditor);
        case Party::either: return has(rule, debtor) || has(rule, creditor);
    }
    return true;
}

constexpr unsigned kLevels = static_cast<unsigned>(RiskLevel::prohibited) + 1;
constexpr unsigned kKinds = static_cast<unsigned>(AccountKind::house) + 1;

std::vector<RuleNo> hits_at_once(const PolicyRules& rules, const Selection& selection, const RulePointers& selected) {
    std::vector<RuleNo> hits;
    const auto add = [&](const RulePointers& at_once) {
        for (const Rule* rule : at_once) hits.push_back(rule->no);
    };
    add(most_bands(selected, selection.currency));
    add(most_members(of_kind(selected, RuleKind::party_risk), kLevels, meets_level));
    add(most_members(of_kind(selected, RuleKind::account_kind), kKinds, meets_kind));
    for (const RuleKind kind : {RuleKind::match, RuleKind::allow, RuleKind::deny, RuleKind::account_age}) {
        add(of_kind(selected, kind));
    }
    const Rail* rail = selection.rail < rules.rails.size() ? &rules.rails[selection.rail] : nullptr;
    for (const Limit& limit : rail != nullptr ? rail->limits : rules.limits_anywhere) {
        if (limit.any_currency || selection.currency == limit.currency) hits.push_back(limit.rule);
    }
    // Of the bounds of a rail only one refuses.
    if (rail != nullptr && rail->is_bounded()) {
        hits.push_back(std::max({rail->currencies_no, rail->min_no, rail->max_no}));
    }
    std::sort(hits.begin(), hits.end());
    return hits;
}

std::string in_words(const PolicyRules& rules, const Selection& selection) {
    std::string text =
        selection.rail < rules.rails.size() ? "on rail " + rules.rails[selection.rail].name : "on any rail";
    if (selection.type < rules.types.size()) text += ", of type " + rules.types[selection.type];
    if (selection.currency) text += ", in " + std::string(selection.currency->code());
    return text;
}

}  // namespace

std::optional<TooManyHits> too_many_hits(const PolicyRules& rules) {
    std::vector<std::optional<Currency>> currencies = {std::nullopt};
    for (const Currency currency : named_currencies(rules)) currencies.emplace_back(currency);
    // Few policies can have so many hits at all, and combinations that meet the same rules are looked at once.
    if (rules.rules.size() + rules.limits.size() < kHitsMax) return std::nullopt;
    for (std::size_t rail = 0; rail <= rules.rails.size(); ++rail) {
        for (const auto& currency : currencies) {
            std::unordered_set<Bits> seen;
            for (std::size_t type = 0; type <= rules.types.size(); ++type) {
                const Selection selection{rail == rules.rails.size() ? kOtherBit : rail,
                                          type == rules.types.size() ? kOtherBit : type, currency};
                const RulePointers selected = selected_rules(rules, selection);
                Bits those = 0;
                for (const Rule* rule : selected) those |= rule->own_bit();
                if (!seen.insert(those).second) continue;
                std::vector<RuleNo> hits = hits_at_once(rules, selection, selected);
                if (hits.size() > kHitsMax) return TooManyHits{in_words(rules, selection), std::move(hits)};
            }
        }
    }
    return std::nullopt;
}

}  // namespace nostro
