// Reading objects field by field, strictly. Inner part of the bodies' readers: the one place that sees simdjson.
//
// simdjson's functions are used in their form with error codes; none here throws. Values are read in one pass in the
// order in which they stand.
#pragma once
#include <simdjson.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/money.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/field_errors.hpp"
#include "nostro/wire/json_input.hpp"

namespace nostro {

namespace ondemand = simdjson::ondemand;

struct MetadataEntry {
    std::string_view key, value;
    bool is_text;
};

// In which order the fields of objects came last: clients keep to theirs. A guess, whatever stands in it.
struct FieldOrder {
    static constexpr std::size_t kFieldsMax = 32;
    const std::string_view* of = nullptr;              // names of the object that it is about
    std::array<std::uint8_t, kFieldsMax + 1> after{};  // [0]: the first field, [n + 1]: the one behind field n

    void begin(std::span<const std::string_view> names);
};

struct JsonReader::State {
    ondemand::parser parser;
    FieldOrder order;
    std::string padded;  // a copy of texts that have no room behind them
    std::vector<MetadataEntry> metadata;
    std::string text;
};

// One body that is being read: where its texts go, and what is wrong with it.
class JsonBody {
public:
    JsonBody(JsonReader::State& state_of, Arena& arena_of, FieldErrors& errors_of)
        : state(state_of), arena(arena_of), errors_(&errors_of) {}

    FieldErrors& errors() { return *errors_; }
    // From now on errors go here: each item of a batch has its own.
    void set_errors(FieldErrors& errors) { errors_ = &errors; }

    // False once the text turned out to be no JSON: then nothing more is read.
    bool ok() const { return !broken_; }
    // Notes a syntax error, once; returns false.
    bool broken(simdjson::error_code code);
    void wrong(std::string_view pointer, std::string_view code, std::string detail) {
        errors_->add(std::string(pointer), code, std::move(detail));
    }

    // The text as a document, with room behind it. nullopt: noted.
    std::optional<ondemand::document> open(const JsonInput& input);
    // The document's one object; nullopt: noted (not_an_object, json_invalid).
    std::optional<ondemand::object> object(ondemand::document& document);
    // After the last field: nothing but white space may follow.
    bool at_end(ondemand::document& document);

    // The input outlives what is read: texts that are in it as they are need no copy.
    void let_texts_stay() { texts_stay_ = true; }
    // A text of the input or of the parser's, in memory that outlives both.
    std::string_view keep(std::string_view text) {
        const bool stays = texts_stay_ && std::less_equal<>()(text_.data(), text.data()) &&
                           std::less<>()(text.data(), text_.data() + text_.size());
        return stays ? text : arena.copy(text);
    }

    JsonReader::State& state;
    Arena& arena;

private:
    FieldErrors* errors_;
    std::string_view text_;
    bool texts_stay_ = false;
    bool broken_ = false;
};

// Which fields were there.
class FieldSet {
public:
    void add(std::size_t field) { bits_ |= std::uint32_t{1} << field; }
    bool has(std::size_t field) const { return (bits_ >> field & 1) != 0; }

private:
    std::uint32_t bits_ = 0;
};

// Reads an object: `each(field, value, pointer, type)` for every field of `names`, which says by its number which it
// is. Unknown and duplicate fields are noted. A null counts as absent, `each` is not called, but for fields in
// `nullable`.
template <class Each>
FieldSet each_field(JsonBody& body, ondemand::object& object, std::span<const std::string_view> names,
                    std::string_view pointer, Each each, FieldSet nullable = {});
// Reads an object whose names are free: `each(name, value, type)`; the name is in the arena. Duplicates are the
// caller's to find. False: broken.
template <class Each>
bool each_member(JsonBody& body, ondemand::object& object, Each each);

// Notes `missing` for each of the fields that was not there.
void require(JsonBody& body, const FieldSet& seen, std::span<const std::string_view> names,
             std::span<const std::size_t> required, std::string_view pointer);

// Values. nullopt: noted under `pointer`.
struct TextRule {
    std::size_t max;  // characters
    bool may_be_empty = true;
    bool lines = false;  // line ends and tabs may be in it
};
std::optional<std::string_view> read_text(JsonBody& body, ondemand::value& value, std::string_view pointer,
                                          const TextRule& rule);  // in the arena
// As above, but stays in the input or the parser's memory: gone with the next document.
std::optional<std::string_view> read_raw_text(JsonBody& body, ondemand::value& value, std::string_view pointer);
// A string, or a number's own text; in the arena. Not parsed: that needs a currency.
std::optional<std::string_view> read_amount_text(JsonBody& body, ondemand::value& value, std::string_view pointer);
std::optional<std::string_view> read_account_name(JsonBody& body, ondemand::value& value, std::string_view pointer);
std::optional<Currency> read_currency(JsonBody& body, ondemand::value& value, std::string_view pointer);
// A flat object as one canonical text, keys sorted; in the arena. Empty: no entries.
std::optional<std::string_view> read_metadata(JsonBody& body, ondemand::value& value, std::string_view pointer);
// An object as its own JSON text, unread; in the arena.
std::optional<std::string_view> read_json_object(JsonBody& body, ondemand::value& value, std::string_view pointer);
// Of the value's type, or `wrong_type` with `wanted` in its detail.
bool expect(JsonBody& body, ondemand::value& value, ondemand::json_type type, std::string_view pointer,
            std::string_view wanted);

bool is_json_number(std::string_view text);
// What a text of that kind may not hold: empty word, else code and detail.
struct TextFault {
    std::string_view code;
    std::string detail;
};
TextFault check_text(std::string_view text, const TextRule& rule);

// One step of an object's iteration: its key, unescaped. False: broken.
bool next_key(JsonBody& body, simdjson::simdjson_result<ondemand::field> result, ondemand::field& field,
              std::string_view& key);
// Which of `names` (each with a slash in front) a field has; names.size(): none of them, `key` tells it. `expected` is
// tried first. kBroken: broken. (An optional would go through memory, in pieces that are slow to read back at once.)
constexpr std::size_t kBroken = ~std::size_t{0};
std::size_t find_name(JsonBody& body, ondemand::field& field, std::span<const std::string_view> names,
                      std::size_t expected, std::string_view& key);
// A value as an object or array, of whose type it is already known to be. nullopt: broken.
std::optional<ondemand::object> as_object(JsonBody& body, ondemand::value& value);
std::optional<ondemand::array> as_array(JsonBody& body, ondemand::value& value);
// kNoType: broken.
constexpr ondemand::json_type kNoType{};
ondemand::json_type type_of(JsonBody& body, ondemand::value& value);
bool take_null(JsonBody& body, ondemand::value& value);

template <class Each>
FieldSet each_field(JsonBody& body, ondemand::object& object, std::span<const std::string_view> names,
                    std::string_view pointer, Each each, FieldSet nullable) {
    FieldSet named, seen;
    std::string field_pointer;
    FieldOrder& order = body.state.order;
    order.begin(names);
    std::size_t place = 0;
    for (auto result : object) {
        ondemand::field field;
        if (const auto error = std::move(result).get(field); error != simdjson::SUCCESS) {
            body.broken(error);
            return seen;
        }
        std::string_view key;
        const std::size_t number = find_name(body, field, names, order.after[place], key);
        if (number == kBroken) return seen;
        if (number == names.size()) {
            body.wrong(pointer_to(pointer, key), "unknown_field", "there is no such field here; remove it");
            continue;
        }
        order.after[place] = static_cast<std::uint8_t>(number);
        place = number + 1;
        std::string_view at = names[number];
        if (!pointer.empty()) at = field_pointer.assign(pointer).append(at);
        if (named.has(number)) {
            body.wrong(at, "duplicate_field", "this field stands here twice; send it once");
            continue;
        }
        named.add(number);
        ondemand::value value = field.value();
        const auto type = type_of(body, value);
        if (type == kNoType) return seen;
        if (type == ondemand::json_type::null) {
            if (!take_null(body, value)) return seen;
            if (!nullable.has(number)) continue;
        }
        seen.add(number);
        each(number, value, at, type);
        if (!body.ok()) return seen;
    }
    return seen;
}

template <class Each>
bool each_member(JsonBody& body, ondemand::object& object, Each each) {
    for (auto result : object) {
        ondemand::field field;
        std::string_view key;
        if (!next_key(body, std::move(result), field, key)) return false;
        key = body.arena.copy(key);
        ondemand::value value = field.value();
        const auto type = type_of(body, value);
        if (type == kNoType || (type == ondemand::json_type::null && !take_null(body, value))) return false;
        each(key, value, type);
        if (!body.ok()) return false;
    }
    return true;
}

}  // namespace nostro
