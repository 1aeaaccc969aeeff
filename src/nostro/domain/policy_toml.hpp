// Reads the tables of a policy's TOML and says what is wrong in them, and where. Internal to policy*.cpp.
//
// A reader asks for keys one after the other and goes on after a mistake with whatever stands in for the value;
// at the end PolicyReading has the mistake that stands first in the text. So one place, not every line, checks.
#pragma once
#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/money.hpp"

namespace nostro {

using TextPosition = toml::source_position;

// One reading of one text.
class PolicyReading {
public:
    // Of history: a policy that was taken once stays readable when one of its currencies has gone.
    explicit PolicyReading(bool is_history) : is_history_(is_history) {}

    // Everything goes into one line: "policy line 7, column 10: <what>".
    void wrong(TextPosition at, std::string what);
    // For what should be there and is not. Told only if nothing is wrong: a key that is mistyped is missing too, and
    // the typing error is the better news.
    void lacks(TextPosition at, std::string what);
    bool has_errors() const { return wrong_ || lacks_; }
    Error error() const;  // the one that stands first

    Result<Currency> currency(std::string_view code) const {
        return is_history_ ? Currency::parse_historic(code) : Currency::parse(code);
    }

private:
    bool is_history_;
    using Mistake = std::optional<std::pair<TextPosition, std::string>>;
    static void keep_first(Mistake& kept, TextPosition at, std::string what);
    Mistake wrong_, lacks_;
};

// A text and where it stands.
struct PlacedText {
    std::string_view text;
    TextPosition at;
};

class PolicyTable {
public:
    // `where` begins every message: "", "rail 'upi'".
    PolicyTable(const toml::table& table, std::string where, PolicyReading& reading);

    TextPosition at() const { return table_->source().begin; }
    TextPosition at(std::string_view key) const;  // of its value; of the table when it is not there
    bool has(std::string_view key) const { return table_->contains(key); }
    bool is_table(std::string_view key) const {
        const toml::node* node = table_->get(key);
        return node != nullptr && node->is_table();
    }
    void rename(std::string where) { where_ = std::move(where); }

    // Each gives nothing when the key is not there, or when it is wrong, which it has reported then.
    std::optional<PlacedText> text(std::string_view key, std::string_view expected);
    std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most);
    std::optional<std::vector<PlacedText>> texts(std::string_view key, std::string_view expected);
    std::optional<PolicyTable> table(std::string_view key, std::string_view expected);
    std::vector<PolicyTable> tables(std::string_view key);  // [[key]]
    std::optional<std::int64_t> duration_s(std::string_view key, std::int64_t least_s, std::int64_t most_s);
    // { USD = "10000.00", JPY = "1000000" }. Signed: floors; else > 0.
    std::optional<std::vector<Money>> amounts(std::string_view key, bool is_signed = false);
    std::optional<Currency> currency(std::string_view key);
    std::optional<std::vector<Currency>> currencies(std::string_view key);
    // One of `words`, as its place in them.
    std::optional<std::size_t> word(std::string_view key, const std::vector<std::string_view>& words);
    std::optional<std::size_t> word(std::string_view key, const PlacedText& given,
                                    const std::vector<std::string_view>& words);

    // "<where>, <key>: <what>" at the key's value.
    void wrong(std::string_view key, std::string_view what);
    void wrong(std::string_view key, TextPosition at, std::string_view what);
    void missing(std::string_view key, std::string_view expected);
    void lacks(std::string_view what);  // the table as a whole
    // At the end: keys that nobody has asked for, with the nearest that somebody has.
    void refuse_unknown_keys();

private:
    const toml::node* find(std::string_view key);
    std::string place(std::string_view key) const;
    std::optional<Money> amount(const toml::key& code, const toml::node& value, std::string_view key, bool is_signed);

    const toml::table* table_;
    std::string where_;
    PolicyReading* reading_;
    std::vector<std::string_view> known_;
};

// What stands there, for "saw ...": "the text 'abc'", "the number 5", "a float".
std::string seen(const toml::node& node);

}  // namespace nostro
