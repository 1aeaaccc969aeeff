#include "nostro/wire/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "nostro/base/assert.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/domain/account.hpp"
#include "nostro/wire/json_fault.hpp"
#include "nostro/wire/payment_json.hpp"

namespace nostro {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

JsonReader::JsonReader() : state_(std::make_unique<State>()) {}
JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;

std::string pointer_to(std::string_view parent, std::string_view name) {
    std::string pointer(parent);
    pointer += '/';
    for (const char c : name.substr(0, 100)) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    return pointer;
}

bool JsonBody::broken(simdjson::error_code code) {
    if (std::exchange(broken_, true)) return false;
    errors_->clear();  // what a field seemed to be counts for nothing then
    // The parser looks at the text out of order and often does not know; so it is read again from its begin.
    const auto at = code == simdjson::UTF8_ERROR ? utf8_fault(text_) : json_fault(text_);
    const bool cut = at && *at == text_.size();
    const std::string where = !at   ? std::string()
                              : cut ? fmt::format(" and it ends too early, with byte {}", *at)
                                    : fmt::format(" near byte {}", *at);
    if (code == simdjson::EMPTY) {
        wrong("", "body_empty", "there is no body; send JSON");
        return false;
    }
    const std::string_view what = code == simdjson::UTF8_ERROR        ? "it is not UTF-8"
                                  : code == simdjson::CAPACITY        ? "it is too large"
                                  : code == simdjson::DEPTH_ERROR     ? "it is nested too deep"
                                  : code == simdjson::UNESCAPED_CHARS ? "a string holds a control character"
                                  : code == simdjson::UNCLOSED_STRING ? "a string has no end"
                                  : code == simdjson::STRING_ERROR    ? "a string holds a bad escape"
                                                                      : "its syntax is wrong";
    wrong("", "json_invalid", fmt::format("this is no JSON: {}{}", what, where));
    return false;
}

std::optional<ondemand::document> JsonBody::open(const JsonInput& input) {
    std::string_view text = input.text;
    std::size_t capacity = input.capacity;
    if (capacity < text.size() + kJsonPadding) {
        state.padded.reserve(text.size() + kJsonPadding);
        state.padded.assign(text);
        text = state.padded;
        capacity = state.padded.capacity();
        texts_stay_ = false;
    }
    text_ = text;
    ondemand::document document;
    const auto error = state.parser.iterate(simdjson::padded_string_view(text, capacity)).get(document);
    if (error != simdjson::SUCCESS) {
        broken(error);
        return std::nullopt;
    }
    return document;
}

namespace {

// Of a document that is one value alone: whether it is more than something that begins like one.
bool is_json_scalar(ondemand::document& document) {
    std::string_view token;
    if (document.raw_json_token().get(token) != simdjson::SUCCESS) return false;
    token = trim(token);
    return token.starts_with('"') || token == "null" || token == "true" || token == "false" || is_json_number(token);
}

}  // namespace

std::optional<ondemand::object> JsonBody::object(ondemand::document& document) {
    ondemand::json_type type{};
    if (const auto error = document.type().get(type); error != simdjson::SUCCESS) {
        broken(error);
        return std::nullopt;
    }
    if (type != ondemand::json_type::object) {
        if (type != ondemand::json_type::array && !is_json_scalar(document)) {
            broken(simdjson::TAPE_ERROR);
            return std::nullopt;
        }
        wrong("", "not_an_object", "the body is no JSON object; send {\"name\": value, ...}");
        return std::nullopt;
    }
    ondemand::object object;
    if (const auto error = document.get_object().get(object); error != simdjson::SUCCESS) {
        broken(error);
        return std::nullopt;
    }
    return object;
}

bool JsonBody::at_end(ondemand::document& document) {
    if (!ok()) return false;
    const char* at = nullptr;
    if (document.current_location().get(at) == simdjson::OUT_OF_BOUNDS) return true;
    return broken(simdjson::TAPE_ERROR);
}

bool next_key(JsonBody& body, simdjson::simdjson_result<ondemand::field> result, ondemand::field& field,
              std::string_view& key) {
    auto error = std::move(result).get(field);
    if (error == simdjson::SUCCESS) error = field.unescaped_key().get(key);
    return error == simdjson::SUCCESS || body.broken(error);
}

void FieldOrder::begin(std::span<const std::string_view> names) {
    NOSTRO_ASSERT(names.size() <= kFieldsMax, "JSON: an object of too many fields");
    if (of == names.data()) return;
    of = names.data();
    for (std::size_t i = 0; i < after.size(); ++i) after[i] = static_cast<std::uint8_t>(i);
}

std::size_t find_name(JsonBody& body, ondemand::field& field, std::span<const std::string_view> names,
                      std::size_t expected, std::string_view& key) {
    if (expected >= names.size()) expected = 0;
    if (field.key().unsafe_is_equal(names[expected].substr(1))) return expected;
    if (const auto error = field.unescaped_key().get(key); error != simdjson::SUCCESS) {
        body.broken(error);
        return kBroken;
    }
    std::size_t number = 0;
    while (number < names.size() && names[number].substr(1) != key) ++number;
    return number;
}

namespace {

// The library's own switch over the first character is a jump that is guessed wrong at every other field.
constexpr auto kTypes = [] {
    std::array<std::uint8_t, 256> types{};
    const auto set = [&](std::string_view first, ondemand::json_type type) {
        for (const char c : first) types[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(type);
    };
    set("{", ondemand::json_type::object);
    set("[", ondemand::json_type::array);
    set("\"", ondemand::json_type::string);
    set("-0123456789", ondemand::json_type::number);
    set("tf", ondemand::json_type::boolean);
    set("n", ondemand::json_type::null);
    return types;
}();

}  // namespace

ondemand::json_type type_of(JsonBody& body, ondemand::value& value) {
    const std::string_view token = value.raw_json_token();
    const std::uint8_t type = token.empty() ? std::uint8_t{0} : kTypes[static_cast<unsigned char>(token.front())];
    if (type == 0) body.broken(simdjson::TAPE_ERROR);
    return static_cast<ondemand::json_type>(type);
}

std::optional<ondemand::object> as_object(JsonBody& body, ondemand::value& value) {
    ondemand::object object;
    const auto error = value.get_object().get(object);
    if (error == simdjson::SUCCESS) return object;
    body.broken(error);
    return std::nullopt;
}

std::optional<ondemand::array> as_array(JsonBody& body, ondemand::value& value) {
    ondemand::array array;
    const auto error = value.get_array().get(array);
    if (error == simdjson::SUCCESS) return array;
    body.broken(error);
    return std::nullopt;
}

bool take_null(JsonBody& body, ondemand::value& value) {
    bool is_null = false;
    const auto error = value.is_null().get(is_null);
    if (error == simdjson::SUCCESS && is_null) return true;
    return body.broken(error == simdjson::SUCCESS ? simdjson::N_ATOM_ERROR : error);
}

void require(JsonBody& body, const FieldSet& seen, std::span<const std::string_view> names,
             std::span<const std::size_t> required, std::string_view pointer) {
    if (!body.ok()) return;
    for (const std::size_t field : required) {
        if (seen.has(field)) continue;
        body.wrong(std::string(pointer).append(names[field]), "missing", "this field is required");
    }
}

bool expect(JsonBody& body, ondemand::value& value, ondemand::json_type type, std::string_view pointer,
            std::string_view wanted) {
    const auto found = type_of(body, value);
    if (found == kNoType) return false;
    if (found == type) return true;
    body.wrong(pointer, "wrong_type", fmt::format("send {} here", wanted));
    return false;
}

TextFault check_text(std::string_view text, const TextRule& rule) {
    if (text.empty() && !rule.may_be_empty) return {"empty", "this text must not be empty"};
    std::size_t wide = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool is_line = c == '\n' || c == '\r' || c == '\t';
        // C0, DEL and, in two bytes, C1.
        const bool is_control = c < 0x20 || c == 0x7f ||
                                (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0);
        if (is_control && !(is_line && rule.lines)) {
            return {"control_character", fmt::format("there is a control character at byte {}; remove it", i)};
        }
        wide += c >= 0x80 ? 1 : 0;
    }
    // Escapes can spell what is no text, such as half of a surrogate pair.
    if (wide != 0 && !is_valid_utf8(text)) return {"invalid_text", "this is no valid Unicode text"};
    const std::size_t length = wide == 0 ? text.size() : utf8_length(text);
    if (length > rule.max) return {"too_long", fmt::format("{} characters; at most {} are allowed", length, rule.max)};
    return {};
}

namespace {

// What is between the quotes, where nothing is escaped: nearly always. The parser has looked at every byte already (no
// control characters, UTF-8), so nothing is left to do. data() is nullptr: something is.
std::string_view plain_text(std::string_view token) {
    while (!token.empty() && token.back() != '"') token.remove_suffix(1);  // white space belongs to the token
    if (token.size() < 2 || token.find('\\') != std::string_view::npos) return {};
    return token.substr(1, token.size() - 2);
}

}  // namespace

std::optional<std::string_view> read_raw_text(JsonBody& body, ondemand::value& value, std::string_view pointer) {
    const std::string_view token = value.raw_json_token();
    if (!token.starts_with('"')) {
        expect(body, value, ondemand::json_type::string, pointer, "a text in quotes");
        return std::nullopt;
    }
    if (const auto plain = plain_text(token); plain.data() != nullptr) {
        // A value that is looked at and not taken would be skipped as if it might be a name: "a":"b":"c" would pass.
        ondemand::raw_json_string taken;
        const auto error = value.get_raw_json_string().get(taken);
        if (error == simdjson::SUCCESS) return plain;
        body.broken(error);
        return std::nullopt;
    }
    std::string_view text;
    if (const auto error = value.get_string().get(text); error != simdjson::SUCCESS) {
        body.broken(error);
        return std::nullopt;
    }
    return text;
}

std::optional<std::string_view> read_text(JsonBody& body, ondemand::value& value, std::string_view pointer,
                                          const TextRule& rule) {
    const auto text = read_raw_text(body, value, pointer);
    if (!text) return std::nullopt;
    if (auto fault = check_text(*text, rule); !fault.code.empty()) {
        body.wrong(pointer, fault.code, std::move(fault.detail));
        return std::nullopt;
    }
    return body.keep(*text);
}

std::optional<std::string_view> read_json_object(JsonBody& body, ondemand::value& value, std::string_view pointer) {
    if (!expect(body, value, ondemand::json_type::object, pointer, "an object")) return std::nullopt;
    auto object = as_object(body, value);
    if (!object) return std::nullopt;
    std::string_view text;
    if (const auto error = object->raw_json().get(text); error != simdjson::SUCCESS) {
        body.broken(error);
        return std::nullopt;
    }
    return body.arena.copy(text);
}

bool is_json_number(std::string_view text) {
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t first = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at - first;
    };
    if (at < text.size() && text[at] == '-') ++at;
    const bool zero_first = at < text.size() && text[at] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero_first && whole > 1)) return false;
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (digits() == 0) return false;
    }
    return at == text.size();
}

namespace {

constexpr std::size_t kNumberMax = 64;

// A number's text, as it stands. nullopt: it is none, or endless.
std::optional<std::string_view> read_number_text(JsonBody& body, ondemand::value& value, std::string_view pointer) {
    const std::string_view text = trim(value.raw_json_token());
    if (!is_json_number(text)) {
        body.broken(simdjson::NUMBER_ERROR);
        return std::nullopt;
    }
    if (text.size() > kNumberMax) {
        body.wrong(pointer, "too_long", fmt::format("a number of {} characters; at most {}", text.size(), kNumberMax));
        return std::nullopt;
    }
    return body.arena.copy(text);
}

}  // namespace

std::optional<std::string_view> read_amount_text(JsonBody& body, ondemand::value& value, std::string_view pointer) {
    const auto type = type_of(body, value);
    if (type == kNoType) return std::nullopt;
    if (type == ondemand::json_type::number) return read_number_text(body, value, pointer);
    if (type != ondemand::json_type::string) {
        body.wrong(pointer, "wrong_type", "send an amount as text here, like \"12.50\"");
        return std::nullopt;
    }
    const auto text = read_raw_text(body, value, pointer);
    if (!text) return std::nullopt;
    if (text->size() > kNumberMax) {
        body.wrong(pointer, "amount_syntax", "this is no amount; write it like \"12.50\"");
        return std::nullopt;
    }
    return body.keep(*text);
}

std::optional<std::string_view> read_account_name(JsonBody& body, ondemand::value& value, std::string_view pointer) {
    const auto name = read_raw_text(body, value, pointer);
    if (!name) return std::nullopt;
    if (const auto checked = check_account_name(*name); !checked) {
        body.wrong(pointer, "invalid_account", checked.error().what);
        return std::nullopt;
    }
    if (is_house_name(*name)) {
        if (const auto house = house_currency(*name); !house) {
            body.wrong(pointer, "invalid_account", house.error().what);
            return std::nullopt;
        }
    }
    return body.keep(*name);
}

std::optional<Currency> read_currency(JsonBody& body, ondemand::value& value, std::string_view pointer) {
    const auto code = read_raw_text(body, value, pointer);
    if (!code) return std::nullopt;
    const auto currency = Currency::parse(*code);
    if (currency) return *currency;
    body.wrong(pointer, "currency_unknown", currency.error().what);
    return std::nullopt;
}

namespace {

// One entry of a metadata object; false: noted.
bool read_entry(JsonBody& body, std::string_view key, ondemand::value& value, std::string_view pointer,
                ondemand::json_type type) {
    if (auto fault = check_text(key, {.max = kMetadataKeyMax, .may_be_empty = false}); !fault.code.empty()) {
        body.wrong(pointer, fault.code, "its name: " + fault.detail);
        return false;
    }
    std::optional<std::string_view> text;
    bool flag = false;
    switch (type) {
        case ondemand::json_type::string: text = read_text(body, value, pointer, {.max = kMetadataTextMax}); break;
        case ondemand::json_type::number: text = read_number_text(body, value, pointer); break;
        case ondemand::json_type::boolean:
            if (const auto error = value.get_bool().get(flag); error != simdjson::SUCCESS) return body.broken(error);
            text = flag ? "true" : "false";
            break;
        default: body.wrong(pointer, "wrong_type", "send a text, a number, true or false here"); return false;
    }
    if (!text) return false;
    body.state.metadata.push_back({key, *text, type == ondemand::json_type::string});
    return true;
}

}  // namespace

std::optional<std::string_view> read_metadata(JsonBody& body, ondemand::value& value, std::string_view pointer) {
    if (!expect(body, value, ondemand::json_type::object, pointer, "an object of texts, numbers and booleans")) {
        return std::nullopt;
    }
    auto object = as_object(body, value);
    if (!object) return std::nullopt;
    auto& entries = body.state.metadata;
    entries.clear();
    std::size_t count = 0;
    bool all_good = true;
    const bool whole =
        each_member(body, *object, [&](std::string_view key, ondemand::value& entry, ondemand::json_type type) {
            if (++count > kMetadataMax) return;
            all_good &= read_entry(body, key, entry, pointer_to(pointer, key), type);
        });
    if (!whole) return std::nullopt;
    if (count > kMetadataMax) {
        body.wrong(pointer, "too_many_entries", fmt::format("{} entries; at most {} are allowed", count, kMetadataMax));
        return std::nullopt;
    }
    std::sort(entries.begin(), entries.end(),
              [](const MetadataEntry& a, const MetadataEntry& b) { return a.key < b.key; });
    const auto twice = std::adjacent_find(
        entries.begin(), entries.end(), [](const MetadataEntry& a, const MetadataEntry& b) { return a.key == b.key; });
    if (twice != entries.end()) {
        body.wrong(pointer_to(pointer, twice->key), "duplicate_field", "this name stands here twice; send it once");
        return std::nullopt;
    }
    if (!all_good) return std::nullopt;
    if (entries.empty()) return std::string_view();
    std::string& text = body.state.text;
    text.clear();
    JsonWriter json(text);
    json.begin_object();
    for (const auto& entry : entries) {
        json.key(entry.key);
        entry.is_text ? json.string(entry.value) : json.raw(entry.value);
    }
    json.end_object();
    return body.arena.copy(text);
}

}  // namespace nostro
