#include <algorithm>
#include <limits>

#include "nostro/base/text.hpp"
#include "nostro/domain/policy_parse.hpp"

namespace nostro {
namespace {

struct KindWord {
    std::string_view word;
    RuleKind kind;
};
constexpr KindWord kKinds[] = {
    {"amount_band", RuleKind::amount_band},
    {"match", RuleKind::match},
    {"allow", RuleKind::allow},
    {"deny", RuleKind::deny},
    {"party_risk", RuleKind::party_risk},
    {"account_kind", RuleKind::account_kind},
    {"account_age", RuleKind::account_age},
};

// Texts of an allow list that silence rules by name, some of which may stand further down.
struct Skips {
    std::size_t rule;
    PolicyTable table;
    std::vector<PlacedText> names;
};

void read_types(PolicyRules& rules, PolicyTable& table, Rule& rule) {
    constexpr std::size_t kTypeMax = 32;
    const auto given = table.texts("types", "payment types, like \"TRANSFER\"");
    if (!given) return;
    rule.types = 0;
    for (const PlacedText& type : *given) {
        if (type.text.empty() || type.text.size() > kTypeMax) {
            table.wrong("types", type.at, quoted(type.text) + " is no type: those have 1 to 32 characters");
            continue;
        }
        const auto known = std::find(rules.types.begin(), rules.types.end(), type.text);
        const auto index = static_cast<std::size_t>(known - rules.types.begin());
        if (index == kTypesMax) return table.wrong("types", type.at, "is one type too many; at most 63 in all rules");
        if (known == rules.types.end()) rules.types.emplace_back(type.text);
        rule.types |= bit(index);
    }
}

// Bounds by currency; one that a currency does not have is open.
void read_bands(PolicyTable& table, Rule& rule) {
    constexpr std::string_view kExpected = "'above', 'at_least', 'below' or 'at_most', like { USD = \"10000.00\" }";
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    const auto band_of = [&](Currency currency) -> Band& {
        for (Band& band : rule.bands) {
            if (band.currency == currency) return band;
        }
        rule.bands.push_back({currency, 0, kMost});
        return rule.bands.back();
    };
    const auto read = [&](std::string_view key, std::string_view rival, auto set) {
        const auto amounts = table.amounts(key);
        if (amounts && table.has(rival)) table.wrong(key, "and '" + std::string(rival) + "' bound the same end");
        for (const Money& amount : amounts.value_or(std::vector<Money>{}))
            set(band_of(amount.currency()), amount.minor());
    };
    read("above", "at_least", [&](Band& band, std::int64_t minor) {
        if (minor == kMost) return table.wrong("above", "no amount is above it");
        band.least = minor + 1;
    });
    read("at_least", "", [](Band& band, std::int64_t minor) { band.least = minor; });
    read("below", "at_most", [](Band& band, std::int64_t minor) { band.most = minor - 1; });
    read("at_most", "", [](Band& band, std::int64_t minor) { band.most = minor; });
    for (const Band& band : rule.bands) {
        rule.currencies.push_back(band.currency);
        if (band.least <= band.most && band.most > 0) continue;
        table.wrong("", table.at(), "holds no amount of " + std::string(band.currency.code()));
    }
    const bool any_key = table.has("above") || table.has("at_least") || table.has("below") || table.has("at_most");
    if (!any_key) table.lacks("has no bound; expected " + std::string(kExpected));
}

void read_party(PolicyTable& table, Rule& rule) {
    table.missing("party", "debtor, creditor or either");
    if (const auto party = table.word("party", {"debtor", "creditor", "either"})) {
        rule.party = static_cast<Party>(*party);
    }
}

void read_accounts(PolicyRules& rules, PolicyTable& table, Rule& rule) {
    read_party(table, rule);
    table.missing("accounts", "an array of account names");
    const auto names = table.texts("accounts", "account names");
    if (!names) return;
    for (const PlacedText& each : *names) {
        if (const auto checked = check_account_name(each.text); !checked) {
            table.wrong("accounts", each.at, checked.error().what);
        }
        rule.accounts.push_back(account_id(rules.tenant, each.text));
    }
    std::sort(rule.accounts.begin(), rule.accounts.end());
    rule.accounts.erase(std::unique(rule.accounts.begin(), rule.accounts.end()), rule.accounts.end());
}

template <class Enum, std::size_t N>
void read_members(PolicyTable& table, Rule& rule, std::string_view key, const std::array<Enum, N>& values) {
    std::vector<std::string_view> words;
    words.reserve(values.size());
    for (const Enum value : values) words.push_back(name(value));
    read_party(table, rule);
    table.missing(key, "an array of them");
    const auto given = table.texts(key, key);
    for (const PlacedText& each : given.value_or(std::vector<PlacedText>{})) {
        if (const auto index = table.word(key, each, words))
            rule.members |= 1u << static_cast<unsigned>(values[*index]);
    }
}

void read_what_it_looks_at(PolicyRules& rules, PolicyTable& table, Rule& rule) {
    switch (rule.kind) {
        case RuleKind::amount_band: return read_bands(table, rule);
        case RuleKind::match:
            if (table.has("rails") || table.has("types") || table.has("currencies")) return;
            return table.lacks("selects nothing; expected 'rails', 'types' or 'currencies'");
        case RuleKind::allow:
        case RuleKind::deny: return read_accounts(rules, table, rule);
        case RuleKind::party_risk: {
            using enum RiskLevel;
            return read_members(table, rule, "levels", std::array{unrated, low, medium, high, prohibited});
        }
        case RuleKind::account_kind: {
            using enum AccountKind;
            return read_members(table, rule, "kinds", std::array{customer, merchant, bank, external, house});
        }
        case RuleKind::account_age:
            read_party(table, rule);
            table.missing("younger_than", "a span of time as text, like \"24h\"");
            rule.younger_than_s = table.duration_s("younger_than", 1, std::int64_t{36'500} * 86'400).value_or(0);
            return;
    }
}

void read_points(PolicyTable& table, Rule& rule, std::int64_t most) {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
    const auto points = table.whole("points", kLeast, most);
    if (!points) return;
    if (*points == 0) return table.wrong("points", "0 points change nothing");
    rule.points = static_cast<std::int32_t>(*points);
}

void read_effect(PolicyTable& table, Rule& rule) {
    read_points(table, rule, std::numeric_limits<std::int32_t>::max());
    if (const auto advice = table.word("advice", {"clear_with_conditions", "review", "reject"})) {
        rule.advice = static_cast<Advice>(*advice + 1);
    }
    const bool points = table.has("points"), advice = table.has("advice");
    if (points && advice) table.wrong("advice", "and 'points' exclude each other");
    if (!points && !advice) table.lacks("has no effect; expected 'points' or 'advice'");
}

void read_allow_effect(PolicyTable& table, Rule& rule, std::vector<Skips>& skips) {
    read_points(table, rule, -1);
    if (const auto names = table.texts("skips", "names of rules")) skips.push_back({rule.no - 1u, table, *names});
    if (!table.has("points") && !table.has("skips")) {
        table.lacks("has no effect; expected negative 'points', or 'skips' with names of rules");
    }
}

void resolve(PolicyRules& rules, Skips& skips) {
    const std::vector<std::string_view> names(rules.names.begin(), rules.names.end());
    for (const PlacedText& each : skips.names) {
        const auto index = skips.table.word("skips", each, names);
        if (!index) continue;
        if (rules.rules[*index].kind == RuleKind::allow) {
            skips.table.wrong("skips", each.at, "'" + std::string(each.text) + "' is an allow list itself");
        }
        rules.rules[skips.rule].skips |= bit(*index);
    }
}

Rule read_rule(PolicyParser& parser, PolicyTable& table, RuleNo no, std::vector<Skips>& skips) {
    Rule rule;
    rule.no = no;
    std::vector<std::string_view> kinds;
    for (const KindWord& each : kKinds) kinds.push_back(each.word);
    table.missing("kind", "one of the kinds of rules, like amount_band");
    const auto kind = table.word("kind", kinds);
    if (!kind) return rule;
    rule.kind = kKinds[*kind].kind;
    rule.rails = parser.read_rail_bits(table);
    read_types(parser.rules, table, rule);
    if (rule.kind != RuleKind::amount_band) {
        if (auto currencies = table.currencies("currencies")) rule.currencies = *currencies;
    }
    read_what_it_looks_at(parser.rules, table, rule);
    if (rule.kind == RuleKind::allow) {
        read_allow_effect(table, rule, skips);
    } else {
        read_effect(table, rule);
    }
    table.refuse_unknown_keys();
    return rule;
}

}  // namespace

void PolicyParser::read_rules(PolicyTable& top) {
    std::vector<Skips> skips;
    for (PolicyTable& table : top.tables("rule")) {
        if (rules.rules.size() == kRulesMax) return table.wrong("", table.at(), "is one too many; at most 64");
        const RuleNo no = number_name(read_name(table, "rule", rules.names), table.at());
        rules.rules.push_back(read_rule(*this, table, no, skips));
        const Rule& rule = rules.rules.back();
        if (rule.kind == RuleKind::allow) rules.allows |= rule.own_bit();
        if (is_of_parties(rule.kind)) rules.of_parties |= rule.own_bit();
    }
    for (Skips& each : skips) resolve(rules, each);
}

}  // namespace nostro
