#include <algorithm>
#include <limits>

#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"
#include "nostro/domain/policy_parse.hpp"

namespace nostro {
namespace {

constexpr std::int64_t kDay_s = 86'400;

std::uint32_t hash32(std::string_view text) {
    const Digest digest = sha256(text);
    return static_cast<std::uint32_t>(digest[0]) << 24 | static_cast<std::uint32_t>(digest[1]) << 16 |
           static_cast<std::uint32_t>(digest[2]) << 8 | digest[3];
}

// What a limit counts, in one text; whoever changes it begins to count anew.
std::uint32_t counters_key(const PolicyRules& rules, const Limit& limit, std::string_view name, Bits rails) {
    std::string text(name);
    text += limit.side == Limit::Side::debit ? "/debit" : "/credit";
    text += limit.measure == Limit::Measure::count ? "/count" : "/sum";
    if (const auto* rolling = std::get_if<Rolling>(&limit.window)) {
        text += "/" + std::to_string(rolling->bucket_s) + "s*" + std::to_string(rolling->buckets);
    } else {
        const auto& calendar = std::get<Calendar>(limit.window);
        text += "/" + std::to_string(calendar.days) + "d in " + rules.zones[calendar.zone].zone;
    }
    text += "/" + (limit.any_currency ? "any" : std::string(limit.currency.code()));
    if (rails == kAll) return hash32(text);
    std::vector<RailNo> numbers;
    for (std::size_t i = 0; i < rules.rails.size(); ++i) {
        if ((rails & bit(i)) != 0) numbers.push_back(rules.rails[i].number);
    }
    std::sort(numbers.begin(), numbers.end());
    for (const RailNo number : numbers) text += "/" + std::to_string(number);
    return hash32(text);
}

void read_rolling(PolicyTable& window, Limit& limit, std::string& text) {
    const auto span_s = window.duration_s("rolling", 1, 400 * kDay_s);
    const std::int64_t buckets = window.whole("buckets", 1, 200).value_or(24);
    if (!span_s) return;
    if (*span_s % buckets != 0) {
        window.wrong("rolling", "cannot be cut into " + std::to_string(buckets) +
                                    " buckets of whole seconds; give 'buckets' another number");
        return;
    }
    limit.window = Rolling{static_cast<std::uint32_t>(*span_s / buckets), static_cast<std::uint8_t>(buckets)};
    limit.ring = static_cast<std::uint8_t>(buckets + 1);
    text = window.text("rolling", "a span of time")->text;
}

void read_calendar(PolicyParser& parser, PolicyTable& window, Limit& limit) {
    const std::int64_t days = window.whole("days", 1, 100).value_or(1);
    window.missing("zone", "the time zone of the days, like \"Asia/Kolkata\" or \"UTC\"");
    const auto zone = window.text("zone", "the name of a time zone, like \"Asia/Kolkata\" or \"UTC\"");
    if (!zone) return;
    auto& zones = parser.rules.zones;
    const auto known =
        std::find_if(zones.begin(), zones.end(), [&](const auto& each) { return each.zone == zone->text; });
    const auto index = static_cast<std::uint16_t>(known - zones.begin());
    if (known == zones.end()) {
        auto made = parser.days_of(zone->text);
        if (!made) return window.wrong("zone", made.error().what);
        zones.push_back(std::move(*made));
    }
    limit.window = Calendar{index, static_cast<std::uint8_t>(days)};
    limit.ring = static_cast<std::uint8_t>(days);
}

void read_window(PolicyParser& parser, PolicyTable& table, Limit& limit, std::string& text) {
    constexpr std::string_view kExpected =
        "{ days = 1, zone = \"Asia/Kolkata\" } or { rolling = \"24h\", buckets = 24 }";
    table.missing("window", kExpected);
    auto window = table.table("window", kExpected);
    if (!window) return;
    if (window->has("rolling")) {
        read_rolling(*window, limit, text);
    } else {
        window->missing("days", "'days' and 'zone', or 'rolling' and 'buckets'");
        read_calendar(parser, *window, limit);
    }
    window->refuse_unknown_keys();
}

void read_at_most(PolicyTable& table, Limit& limit) {
    if (limit.measure == Limit::Measure::count) {
        table.missing("at_most", "a number of payments");
        limit.at_most = table.whole("at_most", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
        return;
    }
    constexpr std::string_view kExpected = "an amount as text, like \"10000.00\": money is never a number of TOML";
    table.missing("at_most", kExpected);
    const auto text = table.text("at_most", kExpected);
    if (!text || limit.any_currency) return;
    const auto money = Money::parse_signed(text->text, limit.currency);
    if (!money) return table.wrong("at_most", money.error().what);
    if (money->minor() < 0) return table.wrong("at_most", quoted(text->text) + " is negative");
    limit.at_most = money->minor();
}

Limit read_limit(PolicyParser& parser, PolicyTable& table, std::string& window_text) {
    Limit limit{};
    limit.any_currency = true;
    table.missing("side", "debit or credit");
    if (const auto side = table.word("side", {"debit", "credit"})) limit.side = static_cast<Limit::Side>(*side);
    table.missing("measure", "count or sum");
    if (const auto measure = table.word("measure", {"count", "sum"})) {
        limit.measure = static_cast<Limit::Measure>(*measure);
    }
    if (const auto currency = table.currency("currency")) {
        limit.currency = *currency;
        limit.any_currency = false;
    }
    if (limit.measure == Limit::Measure::sum) table.missing("currency", "the currency of a sum, like \"USD\"");
    read_at_most(table, limit);
    read_window(parser, table, limit, window_text);
    limit.when_exceeded = Advice::reject;
    if (const auto advice = table.word("when_exceeded", {"review", "reject"})) {
        limit.when_exceeded = *advice == 0 ? Advice::review : Advice::reject;
    }
    return limit;
}

void check_limit_keys(PolicyTable& table, const PolicyRules& rules, const Limit& limit) {
    for (const Limit& other : rules.limits) {
        if (other.key != limit.key && other.name_key != limit.name_key) continue;
        table.wrong("name", "has the hash of '" + rules.names[other.rule - 1u] + "'; give it another name");
    }
}

}  // namespace

void PolicyParser::read_limits(PolicyTable& top) {
    for (PolicyTable& table : top.tables("limit")) {
        const std::string name = read_name(table, "limit", rules.names);
        std::string window_text;
        Limit limit = read_limit(*this, table, window_text);
        const Bits rails = read_rail_bits(table);
        table.refuse_unknown_keys();
        if (rules.limits.size() == kLimitsMax) return table.wrong("", table.at(), "is one too many; at most 64");
        if (reading.has_errors()) continue;  // what follows needs a whole limit

        limit.key = counters_key(rules, limit, name, rails);
        limit.name_key = hash32(name);
        check_limit_keys(table, rules, limit);
        limit.rule = number_name(name, table.at());
        rules.limits.push_back(limit);
        rules.windows.push_back(window_text);
        for (std::size_t i = 0; i < rules.rails.size(); ++i) {
            if ((rails & bit(i)) != 0) rules.rails[i].limits.push_back(limit);
        }
        if ((rails & bit(kOtherBit)) != 0) rules.limits_anywhere.push_back(limit);
    }
}

}  // namespace nostro
