#include "nostro/domain/policy_parse.hpp"

#include <algorithm>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::int64_t kDay_s = 86'400;
constexpr std::size_t kNameMax = 64;

bool is_plain_name(std::string_view name) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), is_plain);
}

template <class Enum, std::size_t N>
std::vector<std::string_view> names_of(const std::array<Enum, N>& values) {
    std::vector<std::string_view> names;
    names.reserve(values.size());
    for (const Enum value : values) names.push_back(name(value));
    return names;
}

void read_thresholds(PolicyTable& table, Thresholds& thresholds) {
    auto inner = table.table("thresholds", "a table of scores, like { review = 70, reject = 100 }");
    if (!inner) return;
    const std::pair<std::string_view, std::int64_t*> all[] = {
        {"clear_with_conditions", &thresholds.clear_with_conditions},
        {"review", &thresholds.review},
        {"reject", &thresholds.reject}};
    std::int64_t last = 0;
    std::string_view last_key;
    for (const auto& [key, score] : all) {
        if (const auto given = inner->whole(key, 1, std::numeric_limits<std::int32_t>::max())) *score = *given;
        if (*score == kNever) continue;
        if (*score <= last) {
            inner->wrong(key, std::to_string(*score) + " is not above " + std::string(last_key) + ", " +
                                  std::to_string(last) + "; thresholds rise from clear_with_conditions to reject");
        }
        last = *score;
        last_key = key;
    }
    inner->refuse_unknown_keys();
}

void read_order(PolicyTable& top, std::array<Check, 7>& order) {
    const std::array<Check, 7> checks = {Check::accounts, Check::status, Check::same_account, Check::amount,
                                         Check::risk,     Check::limits, Check::funds};
    const auto given = top.texts("order", "the names of checks");
    if (!given) return;
    std::vector<Check> read;
    for (const PlacedText& each : *given) {
        const auto index = top.word("order", each, names_of(checks));
        if (!index) return;
        const Check check = checks[*index];
        if (std::find(read.begin(), read.end(), check) != read.end()) {
            return top.wrong("order", each.at, "'" + std::string(name(check)) + "' is there twice");
        }
        const bool needs_accounts = check != Check::accounts && check != Check::same_account && check != Check::amount;
        if (needs_accounts && std::find(read.begin(), read.end(), Check::accounts) == read.end()) {
            return top.wrong("order", each.at,
                             "'" + std::string(name(check)) + "' stands before 'accounts', which it needs");
        }
        read.push_back(check);
    }
    for (const Check check : checks) {
        if (std::find(read.begin(), read.end(), check) != read.end()) continue;
        return top.wrong("order", "'" + std::string(name(check)) + "' is not in it; all seven checks are made");
    }
    std::copy(read.begin(), read.end(), order.begin());
}

void read_opened_floor(PolicyTable& top, PolicyRules& rules) {
    constexpr std::string_view kExpected = "\"0\", \"none\", or an amount a currency, like { USD = \"-100.00\" }";
    if (top.is_table("opened_floor")) {
        if (auto floors = top.amounts("opened_floor", true)) rules.opened_floors = *floors;
        return;
    }
    const auto given = top.text("opened_floor", kExpected);
    if (!given) return;
    if (given->text == "none") {
        rules.opened_without_floor = true;
    } else if (given->text != "0") {
        top.wrong("opened_floor", "saw the text " + quoted(given->text) + "; expected " + std::string(kExpected));
    }
}

const Money* find_currency(const std::vector<Money>& amounts, Currency currency) {
    for (const Money& amount : amounts) {
        if (amount.currency() == currency) return &amount;
    }
    return nullptr;
}

void check_rail_amounts(PolicyTable& table, const Rail& rail) {
    for (const Money& min : rail.min) {
        const Money* max = find_currency(rail.max, min.currency());
        if (max == nullptr || min.minor() <= max->minor()) continue;
        table.wrong("max_amount", "in " + std::string(min.currency().code()) + " is " + max->decimal() +
                                      ", below min_amount " + min.decimal());
    }
    if (rail.currencies.empty()) return;
    for (const auto& [key, amounts] : {std::pair{"min_amount", &rail.min}, std::pair{"max_amount", &rail.max}}) {
        for (const Money& amount : *amounts) {
            const auto& taken = rail.currencies;
            if (std::find(taken.begin(), taken.end(), amount.currency()) != taken.end()) continue;
            table.wrong(key, std::string(amount.currency().code()) + " is not among the rail's currencies");
        }
    }
}

Rail read_rail(PolicyParser& parser, PolicyTable& table, const std::vector<std::string>& taken) {
    Rail rail;
    rail.name = parser.read_name(table, "rail", taken);
    table.missing("number", "the rail's number, which stays its own for life");
    if (const auto number = table.whole("number", 0, 65'535)) rail.number = static_cast<RailNo>(*number);
    if (table.has("number") && !rail.name.empty() && (rail.number == 0) != (rail.name == "internal")) {
        table.wrong("number", "number 0 is the rail 'internal', and no other");
    }
    if (auto currencies = table.currencies("currencies")) rail.currencies = *currencies;
    if (auto min = table.amounts("min_amount")) rail.min = *min;
    if (auto max = table.amounts("max_amount")) rail.max = *max;
    check_rail_amounts(table, rail);
    rail.thresholds = parser.rules.thresholds;
    read_thresholds(table, rail.thresholds);
    table.refuse_unknown_keys();
    return rail;
}

Error toml_error(const toml::parse_error& thrown) {
    PolicyReading reading(false);
    reading.wrong(thrown.source().begin, "is no TOML: " + std::string(thrown.description()));
    return reading.error();
}

}  // namespace

std::string PolicyParser::read_name(PolicyTable& table, std::string_view what, const std::vector<std::string>& taken) {
    constexpr std::string_view kExpected = "a name of 1 to 64 characters of A-Z a-z 0-9 _ -";
    table.missing("name", kExpected);
    const auto given = table.text("name", kExpected);
    if (!given) return "";
    table.rename(std::string(what) + " " + quoted(given->text));
    if (!is_plain_name(given->text)) {
        table.wrong("name", "saw the text " + quoted(given->text) + "; expected " + std::string(kExpected));
    } else if (std::find(taken.begin(), taken.end(), given->text) != taken.end()) {
        table.wrong("name", "there is another of this name");
    }
    return std::string(given->text);
}

RuleNo PolicyParser::number_name(std::string name, TextPosition at) {
    rules.names.push_back(std::move(name));
    places.push_back(at);
    return static_cast<RuleNo>(rules.names.size());
}

Bits PolicyParser::read_rail_bits(PolicyTable& table) {
    const auto names = table.texts("rails", "the names of rails");
    if (!names) return kAll;
    std::vector<std::string_view> known;
    known.reserve(rules.rails.size());
    for (const Rail& rail : rules.rails) known.push_back(rail.name);
    Bits bits = 0;
    for (const PlacedText& each : *names) {
        if (const auto index = table.word("rails", each, known)) bits |= bit(*index);
    }
    return bits;
}

void PolicyParser::read_head(PolicyTable& top) {
    constexpr std::string_view kTenant = "the name of the ledger that the policy is for: 1 to 64 of A-Z a-z 0-9 _ -";
    top.missing("tenant", kTenant);
    if (const auto tenant = top.text("tenant", kTenant)) {
        rules.tenant = tenant->text;
        if (!is_plain_name(tenant->text)) {
            top.wrong("tenant", "saw the text " + quoted(tenant->text) + "; expected " + std::string(kTenant));
        }
    }
    read_order(top, rules.order);
    if (const auto unknown = top.word("unknown_accounts", {"refuse", "open"})) {
        rules.unknown_accounts = *unknown == 0 ? UnknownAccounts::refuse : UnknownAccounts::open;
    }
    read_opened_floor(top, rules);
    if (const auto ttl_s = top.duration_s("hold_ttl", 1, 400 * kDay_s)) rules.hold_ttl = std::chrono::seconds(*ttl_s);
    if (const auto ttl_s = top.duration_s("review_ttl", 1, 400 * kDay_s)) {
        rules.review_ttl = std::chrono::seconds(*ttl_s);
    }
    if (const auto days = top.whole("reversal_days", 0, kReversalDaysMax))
        rules.reversal_days = static_cast<int>(*days);
    read_thresholds(top, rules.thresholds);
    // Names and sample data of whoever serves this ledger; no rule sees them.
    static_cast<void>(top.table("profile", "a table"));
}

void PolicyParser::read_rails(PolicyTable& top) {
    Rail internal;
    internal.name = "internal";
    internal.thresholds = rules.thresholds;
    rules.rails.push_back(std::move(internal));
    std::vector<std::string> taken;
    for (PolicyTable& table : top.tables("rail")) {
        Rail rail = read_rail(*this, table, taken);
        taken.push_back(rail.name);
        if (rail.number == 0) {
            rules.rails.front() = std::move(rail);
            continue;
        }
        if (rules.find_rail(rail.number) != nullptr) {
            table.wrong("number", "rail '" + rules.find_rail(rail.number)->name + "' has it already");
        }
        if (rules.rails.size() == kRailsMax) {
            return table.wrong("", table.at(), "is one too many; at most 62 besides 'internal'");
        }
        rules.rails.push_back(std::move(rail));
    }
}

void PolicyParser::number_rail_bounds() {
    const auto number = [&](const Rail& rail, std::string_view bound) {
        return number_name(rail.name + "." + std::string(bound), {});
    };
    for (Rail& rail : rules.rails) {
        if (!rail.currencies.empty()) rail.currencies_no = number(rail, "currencies");
        if (!rail.min.empty()) rail.min_no = number(rail, "min_amount");
        if (!rail.max.empty()) rail.max_no = number(rail, "max_amount");
    }
}

namespace {

// Refused because the outcome could not say why; the message names what would have to be explained.
void check_hits(const PolicyRules& rules, const std::vector<TextPosition>& places, PolicyReading& reading) {
    const auto found = too_many_hits(rules);
    if (!found) return;
    std::string what = "a payment " + found->payment + " could meet " + std::to_string(found->of.size()) +
                       " rules and limits at once, but its outcome explains at most " + std::to_string(kHitsMax) + ": ";
    for (std::size_t i = 0; i < found->of.size(); ++i) {
        if (i != 0) what += ", ";
        what += rules.names[found->of[i] - 1u];
    }
    reading.wrong(places[found->of.back() - 1u], what);
}

}  // namespace

Result<std::unique_ptr<PolicyRules>> read_policy(std::string_view text, PolicyVersion version, const DaysOf& days_of,
                                                 bool is_history) {
    if (text.size() > kPolicyTextMax) {
        return Error{ErrorCode::invalid,
                     "policy: has " + std::to_string(text.size()) + " bytes; at most 1 MiB is read"};
    }
    try {
        const toml::table parsed = toml::parse(text);
        auto rules = std::make_unique<PolicyRules>();
        rules->version = version;
        rules->text = text;
        PolicyReading reading(is_history);
        PolicyTable top(parsed, "", reading);
        PolicyParser parser{*rules, reading, days_of, {}};
        // Rules name rails, and limits stand on both: a mistake in one stage would only echo in the next.
        parser.read_head(top);
        parser.read_rails(top);
        if (!reading.has_errors()) parser.read_rules(top);
        if (!reading.has_errors()) parser.read_limits(top);
        if (!reading.has_errors()) {
            parser.number_rail_bounds();
            top.refuse_unknown_keys();
        }
        if (!reading.has_errors()) check_hits(*rules, parser.places, reading);
        if (reading.has_errors()) return reading.error();
        return rules;
    } catch (const toml::parse_error& thrown) {
        return toml_error(thrown);
    }
}

}  // namespace nostro
