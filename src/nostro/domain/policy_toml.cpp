#include "nostro/domain/policy_toml.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include "nostro/base/spelling.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

bool is_before(TextPosition a, TextPosition b) { return std::tie(a.line, a.column) < std::tie(b.line, b.column); }

std::string saw(const toml::node& node, std::string_view expected) {
    return "saw " + seen(node) + "; expected " + std::string(expected);
}

std::string listed(const std::vector<std::string_view>& words) {
    std::string list;
    for (const std::string_view word : words) {
        if (!list.empty()) list += ", ";
        list += word;
    }
    return list;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
    const auto nearest = nearest_word(word, known);
    return nearest ? "did you mean '" + std::string(*nearest) + "'? " : "";
}

}  // namespace

std::string seen(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::string: return "the text " + quoted(node.as_string()->get());
        case toml::node_type::integer: return "the number " + std::to_string(node.as_integer()->get());
        case toml::node_type::floating_point: return "a float";
        case toml::node_type::boolean: return node.as_boolean()->get() ? "true" : "false";
        case toml::node_type::array: return "an array";
        case toml::node_type::table: return "a table";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time: return "a date or time";
        case toml::node_type::none: break;
    }
    return "nothing";
}

void PolicyReading::keep_first(Mistake& kept, TextPosition at, std::string what) {
    if (!kept || is_before(at, kept->first)) kept.emplace(at, std::move(what));
}
void PolicyReading::wrong(TextPosition at, std::string what) { keep_first(wrong_, at, std::move(what)); }
void PolicyReading::lacks(TextPosition at, std::string what) { keep_first(lacks_, at, std::move(what)); }

Error PolicyReading::error() const {
    const auto& [at, what] = wrong_ ? *wrong_ : *lacks_;
    return Error{ErrorCode::invalid,
                 "policy line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + what};
}

PolicyTable::PolicyTable(const toml::table& table, std::string where, PolicyReading& reading)
    : table_(&table), where_(std::move(where)), reading_(&reading) {}

TextPosition PolicyTable::at(std::string_view key) const {
    const toml::node* node = table_->get(key);
    return node == nullptr ? at() : node->source().begin;
}

const toml::node* PolicyTable::find(std::string_view key) {
    known_.push_back(key);
    return table_->get(key);
}

std::string PolicyTable::place(std::string_view key) const {
    std::string text = where_;
    if (!text.empty() && !key.empty()) text += ", ";
    text += key;
    return text.empty() ? text : text + ": ";
}

void PolicyTable::wrong(std::string_view key, TextPosition at, std::string_view what) {
    reading_->wrong(at, place(key) + std::string(what));
}
void PolicyTable::wrong(std::string_view key, std::string_view what) { wrong(key, at(key), what); }

void PolicyTable::missing(std::string_view key, std::string_view expected) {
    if (!has(key)) reading_->lacks(at(), place(key) + "is missing; expected " + std::string(expected));
}
void PolicyTable::lacks(std::string_view what) { reading_->lacks(at(), place("") + std::string(what)); }

std::optional<PlacedText> PolicyTable::text(std::string_view key, std::string_view expected) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (const auto* text = node->as_string()) return PlacedText{text->get(), node->source().begin};
    wrong(key, saw(*node, expected));
    return std::nullopt;
}

std::optional<std::int64_t> PolicyTable::whole(std::string_view key, std::int64_t least, std::int64_t most) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (const auto* number = node->as_integer(); number != nullptr && number->get() >= least && number->get() <= most) {
        return number->get();
    }
    wrong(key, saw(*node, "a whole number from " + std::to_string(least) + " to " + std::to_string(most)));
    return std::nullopt;
}

std::optional<std::vector<PlacedText>> PolicyTable::texts(std::string_view key, std::string_view expected) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    const toml::array* array = node->as_array();
    if (array == nullptr || array->empty()) {
        wrong(key, saw(*node, array == nullptr ? "an array of " + std::string(expected)
                                               : std::string(expected) + " in it, or no such key"));
        return std::nullopt;
    }
    std::vector<PlacedText> all;
    for (const toml::node& each : *array) {
        if (const auto* text = each.as_string()) {
            all.push_back({text->get(), each.source().begin});
        } else {
            wrong(key, each.source().begin, saw(each, "an array of " + std::string(expected)));
            return std::nullopt;
        }
    }
    return all;
}

std::optional<PolicyTable> PolicyTable::table(std::string_view key, std::string_view expected) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    if (const auto* inner = node->as_table()) {
        return PolicyTable(*inner, where_.empty() ? std::string(key) : where_ + ", " + std::string(key), *reading_);
    }
    wrong(key, saw(*node, expected));
    return std::nullopt;
}

std::vector<PolicyTable> PolicyTable::tables(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return {};
    const std::string expected = "tables, each begun by [[" + std::string(key) + "]]";
    const toml::array* array = node->as_array();
    if (array == nullptr) {
        wrong(key, saw(*node, expected));
        return {};
    }
    std::vector<PolicyTable> all;
    for (const toml::node& each : *array) {
        if (const auto* inner = each.as_table()) {
            all.emplace_back(*inner, std::string(key) + " " + std::to_string(all.size() + 1), *reading_);
        } else {
            wrong(key, each.source().begin, saw(each, expected));
            return {};
        }
    }
    return all;
}

std::optional<std::int64_t> PolicyTable::duration_s(std::string_view key, std::int64_t least_s, std::int64_t most_s) {
    using std::chrono::seconds;
    const auto in_words = [](std::int64_t span_s) { return "'" + format_duration(seconds(span_s)) + "'"; };
    const std::string expected =
        "a span of time in whole seconds as text, from " + in_words(least_s) + " to " + in_words(most_s);
    const auto given = text(key, expected);
    if (!given) return std::nullopt;
    const auto span = parse_duration(given->text);
    if (span && *span % seconds(1) == seconds(0)) {
        const std::int64_t span_s = *span / seconds(1);
        if (span_s >= least_s && span_s <= most_s) return span_s;
    }
    wrong(key, "saw the text " + quoted(given->text) + "; expected " + expected);
    return std::nullopt;
}

std::optional<Money> PolicyTable::amount(const toml::key& code, const toml::node& value, std::string_view key,
                                         bool is_signed) {
    const std::string entry = std::string(key) + "." + std::string(code.str());
    const auto currency = reading_->currency(code.str());
    if (!currency) {
        wrong(entry, code.source().begin, currency.error().what);
        return std::nullopt;
    }
    const auto* text = value.as_string();
    if (text == nullptr) {
        wrong(entry, value.source().begin,
              saw(value, "an amount as text, like \"10000.00\": money is never a number of TOML"));
        return std::nullopt;
    }
    const auto money = is_signed ? Money::parse_signed(text->get(), *currency) : Money::parse(text->get(), *currency);
    if (money) return *money;
    wrong(entry, value.source().begin, money.error().what);
    return std::nullopt;
}

std::optional<std::vector<Money>> PolicyTable::amounts(std::string_view key, bool is_signed) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    const toml::table* by_currency = node->as_table();
    if (by_currency == nullptr || by_currency->empty()) {
        wrong(key, saw(*node, "an amount a currency, like { USD = \"10000.00\" }"));
        return std::nullopt;
    }
    std::vector<Money> all;
    for (const auto& [code, value] : *by_currency) {
        if (const auto money = amount(code, value, key, is_signed)) all.push_back(*money);
    }
    return all;
}

std::optional<std::size_t> PolicyTable::word(std::string_view key, const std::vector<std::string_view>& words) {
    const auto given = text(key, "one of " + listed(words));
    return given ? word(key, *given, words) : std::nullopt;
}

std::optional<std::size_t> PolicyTable::word(std::string_view key, const PlacedText& given,
                                             const std::vector<std::string_view>& words) {
    const auto found = std::find(words.begin(), words.end(), given.text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    wrong(key, given.at,
          "saw the text " + quoted(given.text) + "; " + did_you_mean(given.text, words) + "expected one of " +
              listed(words));
    return std::nullopt;
}

std::optional<Currency> PolicyTable::currency(std::string_view key) {
    const auto code = text(key, "a currency code, like \"USD\"");
    if (!code) return std::nullopt;
    const auto currency = reading_->currency(code->text);
    if (currency) return *currency;
    wrong(key, currency.error().what);
    return std::nullopt;
}

std::optional<std::vector<Currency>> PolicyTable::currencies(std::string_view key) {
    const auto codes = texts(key, "currency codes, like \"USD\"");
    if (!codes) return std::nullopt;
    std::vector<Currency> all;
    for (const PlacedText& code : *codes) {
        const auto currency = reading_->currency(code.text);
        if (!currency) {
            wrong(key, code.at, currency.error().what);
        } else if (std::find(all.begin(), all.end(), *currency) != all.end()) {
            wrong(key, code.at, quoted(code.text) + " is there twice");
        } else {
            all.push_back(*currency);
        }
    }
    return all;
}

void PolicyTable::refuse_unknown_keys() {
    std::vector<std::string_view> known = known_;
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (const auto& [key, value] : *table_) {
        const std::string_view word = key.str();
        if (std::find(known.begin(), known.end(), word) != known.end()) continue;
        reading_->wrong(key.source().begin, place("") + "there is no key " + quoted(word) + "; " +
                                                did_you_mean(word, known) + "expected " + listed(known));
    }
}

}  // namespace nostro
