#include "nostro/wire/framework_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "nostro/base/assert.hpp"
#include "nostro/base/digit.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/framework_dates.hpp"
#include "nostro/wire/framework_json_scan.hpp"
#include "nostro/wire/json_fault.hpp"

namespace nostro {
namespace {

constexpr std::size_t kAmountMax = 64;  // characters; what is longer is no amount of anything

bool is_ascii(std::string_view text) {
    constexpr std::uint64_t kHigh = 0x8080808080808080;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & kHigh) != 0) return false;
    }
    return std::ranges::all_of(text.substr(at), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// --- escapes ---

unsigned hex_value(std::string_view digits) {
    unsigned value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return value;
}

char* put_utf8(char* to, unsigned code) {
    const auto put = [&](unsigned byte) { *to++ = static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6);
        put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    }
    return to;
}

// A \uXXXX at the begin of `text`, or a pair of them; half a pair becomes three bytes that are no UTF-8.
char* put_code(char* to, std::string_view& text) {
    unsigned code = hex_value(text.substr(2, 4));
    text.remove_prefix(6);
    if (code >= 0xd800 && code < 0xdc00 && text.starts_with("\\u")) {
        const unsigned low = hex_value(text.substr(2, 4));
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            text.remove_prefix(6);
        }
    }
    return put_utf8(to, code);
}

// What is between the quotes of a JSON text, without its escapes; in the arena where there are any. It is no UTF-8
// where an escape spells half a surrogate pair.
std::string_view unescape(std::string_view text, Arena& arena) {
    if (text.find('\\') == std::string_view::npos) return text;
    constexpr std::string_view kNames = "bfnrt", kBytes = "\b\f\n\r\t";
    char* const begin = arena.alloc(text.size());
    char* to = begin;
    while (!text.empty()) {
        if (text[0] != '\\') {
            *to++ = text[0];
            text.remove_prefix(1);
        } else if (text[1] == 'u') {
            to = put_code(to, text);
        } else {
            const std::size_t known = kNames.find(text[1]);
            *to++ = known == std::string_view::npos ? text[1] : kBytes[known];
            text.remove_prefix(2);
        }
    }
    return {begin, static_cast<std::size_t>(to - begin)};
}

std::string_view inside(std::string_view quoted_text) { return quoted_text.substr(1, quoted_text.size() - 2); }

// --- amounts ---

// An optional minus, digits without needless zeros in front of them, decimals.
bool is_plain_decimal(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    const auto [whole, decimals] = split_once(text, '.');
    const bool has_point = whole.size() < text.size();
    if (whole.empty() || (whole.size() > 1 && whole[0] == '0') || (has_point && decimals.empty())) return false;
    return std::ranges::all_of(whole, is_digit) && std::ranges::all_of(decimals, is_digit);
}

// A JSON number with an exponent as a plain decimal of the same value, or what is wrong with it.
std::optional<FrameworkFault> write_plainly(std::string_view number, Arena& arena, std::string_view& into) {
    const std::size_t e = number.find_first_of("eE");
    std::string_view mantissa = number.substr(0, e);
    std::string_view power = number.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    int shift = 0;
    const bool far = std::from_chars(power.data(), power.data() + power.size(), shift).ec != std::errc() ||
                     shift > static_cast<int>(kAmountMax) || shift < -static_cast<int>(kAmountMax);
    const bool negative = mantissa.starts_with('-');
    if (negative) mantissa.remove_prefix(1);
    const auto [whole, decimals] = split_once(mantissa, '.');
    std::string digits = std::string(whole).append(decimals);
    const std::size_t leading = std::min(digits.find_first_not_of('0'), digits.size());
    if (leading == digits.size()) return FrameworkFault::money_not_positive;
    if (far) return power.starts_with('-') ? FrameworkFault::money_too_many_decimals : FrameworkFault::money_overflow;
    int point = static_cast<int>(whole.size() - leading) + shift;  // digits in front of it
    digits.erase(0, leading);
    if (point <= 0) {
        digits.insert(0, static_cast<std::size_t>(1 - point), '0');
        point = 1;
    }
    if (digits.size() < static_cast<std::size_t>(point))
        digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
    if (digits.size() > static_cast<std::size_t>(point)) digits.insert(static_cast<std::size_t>(point), 1, '.');
    if (negative) digits.insert(0, 1, '-');
    into = arena.copy(digits);
    return std::nullopt;
}

std::optional<FrameworkFault> read_money(std::string_view raw, Arena& arena, std::string_view& into) {
    const bool is_text = raw[0] == '"';
    if (!is_text && raw[0] != '-' && !is_digit(raw[0])) return FrameworkFault::float_type;
    into = is_text ? unescape(inside(raw), arena) : raw;
    if (!is_text && into.find_first_of("eE") != std::string_view::npos) {
        if (const auto fault = write_plainly(raw, arena, into)) return fault;
    }
    if (!is_plain_decimal(into)) return FrameworkFault::float_parsing;
    if (into.starts_with('-') || into.find_first_of("123456789") == std::string_view::npos) {
        return FrameworkFault::money_not_positive;
    }
    return std::nullopt;
}

// --- fields ---

// One body while its fields are looked at.
struct Fields {
    std::span<const FrameworkField> fields;
    Arena& arena;
    FrameworkErrors& errors;

    void wrong(FrameworkFault fault, std::size_t number, const FrameworkValue& value,
               std::string_view cause = {}) const {
        errors.add(fault, {.field = fields[number].name, .order = number}, compact_json(value.raw), cause);
    }
    void read(std::size_t number, FrameworkValue& value) const;
    void read_text(std::size_t number, FrameworkValue& value) const;
    void read_date(std::size_t number, FrameworkValue& value) const;
};

void Fields::read_text(std::size_t number, FrameworkValue& value) const {
    const FrameworkField& field = fields[number];
    if (value.raw[0] != '"') return wrong(FrameworkFault::string_type, number, value);
    value.text = unescape(inside(value.raw), arena);
    if (value.text.data() != value.raw.data() + 1 && !is_valid_utf8(value.text)) {
        return wrong(FrameworkFault::string_unicode, number, value);
    }
    if (field.kind == FrameworkKind::currency) {
        if (!Currency::parse(value.text)) wrong(FrameworkFault::currency_unknown, number, value);
        return;
    }
    if (value.text.empty() && !field.may_be_empty) return wrong(FrameworkFault::string_empty, number, value);
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::ranges::any_of(value.text, is_control)) {
        return wrong(FrameworkFault::string_control_character, number, value);
    }
    if (value.text.size() > field.max && utf8_length(value.text) > field.max) {
        wrong(FrameworkFault::string_too_long, number, value, std::to_string(field.max));
    }
}

void Fields::read_date(std::size_t number, FrameworkValue& value) const {
    std::string_view text = value.raw;
    if (text[0] == '"') {
        text = unescape(inside(text), arena);
    } else if (text[0] != '-' && !is_digit(text[0])) {
        return wrong(FrameworkFault::date_type, number, value);
    } else if (text.find_first_of("eE") != std::string_view::npos) {
        if (write_plainly(text, arena, text) == FrameworkFault::money_not_positive) text = "0";
    }
    const FrameworkDate date = read_framework_date(text);
    if (!date.fault.empty()) return wrong(FrameworkFault::date_from_datetime_parsing, number, value, date.fault);
    if (date.inexact) return wrong(FrameworkFault::date_from_datetime_inexact, number, value);
    value.day = date.day;
    const std::chrono::year_month_day ymd(date.day);
    value.text = arena.copy(fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()),
                                        static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day())));
}

void Fields::read(std::size_t number, FrameworkValue& value) const {
    switch (fields[number].kind) {
        case FrameworkKind::text:
        case FrameworkKind::currency: return read_text(number, value);
        case FrameworkKind::date: return read_date(number, value);
        case FrameworkKind::money:
            if (const auto fault = read_money(value.raw, arena, value.text)) {
                // Its currency may not be known yet, but none has more than these.
                const bool too_fine = *fault == FrameworkFault::money_too_many_decimals;
                wrong(*fault, number, value, too_fine ? "4" : "");
            }
            return;
    }
}

// --- the body ---

// Absent is JSON too, as the originals have it.
bool is_json_type(std::string_view content_type) {
    std::string_view type = trim(split_once(content_type, ';').first);
    if (type.empty()) return true;
    constexpr std::string_view kFamily = "application/", kSuffix = "+json";
    if (type.size() <= kFamily.size() || !equal_ignoring_case(type.substr(0, kFamily.size()), kFamily)) return false;
    type.remove_prefix(kFamily.size());
    return equal_ignoring_case(type, "json") ||
           (type.size() >= kSuffix.size() && equal_ignoring_case(type.substr(type.size() - kSuffix.size()), kSuffix));
}

void no_json(std::string_view what, std::string_view before, FrameworkErrors& errors) {
    errors.add(FrameworkFault::json_invalid, {.position = utf8_length(before)}, "{}", what);
}

// Text that is JSON, and an object; its members are in `into`. False: noted.
bool scan_body(std::string_view text, std::span<const FrameworkField> fields, Arena& arena,
               std::span<FrameworkValue> into, FrameworkErrors& errors) {
    if (!is_ascii(text)) {
        if (const auto fault = utf8_fault(text)) {
            no_json("Invalid UTF-8", text.substr(0, *fault), errors);
            return false;
        }
    }
    FrameworkScan scan(text);
    std::size_t expected = 0;  // clients send fields in one order: the one behind the last is looked at first
    const bool whole = scan.document([&](std::string_view name, std::string_view value) {
        if (expected < fields.size() && fields[expected].name == name) {
            into[expected++].raw = value;
            return;
        }
        const auto found = std::ranges::find(fields, unescape(name, arena), &FrameworkField::name);
        if (found == fields.end()) return;
        expected = static_cast<std::size_t>(found - fields.begin());
        into[expected++].raw = value;
    });
    if (!whole) {
        no_json(scan.what(), text.substr(0, scan.at()), errors);
        return false;
    }
    const std::string_view value = trim(text);
    if (value.starts_with('{')) return true;
    if (value == "null") {
        errors.add(FrameworkFault::missing, {}, "null");
    } else {
        errors.add(FrameworkFault::model_attributes_type, {}, compact_json(value));
    }
    return false;
}

}  // namespace

bool read_framework_body(const Request& request, std::span<const FrameworkField> fields, Arena& arena,
                         std::span<FrameworkValue> into, FrameworkErrors& errors) {
    NOSTRO_ASSERT(into.size() == fields.size(), "a body's fields and values are not as many");
    errors.clear();
    std::ranges::fill(into, FrameworkValue{});
    if (request.body.empty()) {
        errors.add(FrameworkFault::missing, {}, "null");
        return false;
    }
    if (!is_json_type(request.content_type)) {
        std::string input;
        append_json_string(input, request.body);
        errors.add(FrameworkFault::model_attributes_type, {}, input);
        return false;
    }
    std::string_view text = request.body;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
    if (!scan_body(text, fields, arena, into, errors)) return false;
    const Fields body{fields, arena, errors};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!into[i].raw.empty()) {
            body.read(i, into[i]);
        } else if (fields[i].required) {
            errors.add(FrameworkFault::missing, {.field = fields[i].name, .order = i}, compact_json(text));
        } else {
            into[i].text = fields[i].otherwise;
        }
    }
    return errors.empty();
}

bool fits_numeric_20_4(Money amount) {
    constexpr std::int64_t kWholeEnd = 10'000'000'000'000'000;
    std::int64_t whole = amount.minor();
    for (int i = 0; i < amount.currency().decimals(); ++i) whole /= 10;
    return whole > -kWholeEnd && whole < kWholeEnd;
}

std::optional<Money> framework_money(std::span<const FrameworkField> fields, std::size_t number,
                                     const FrameworkValue& value, Currency currency, FrameworkErrors& errors) {
    const auto money = Money::parse(value.text, currency);
    if (money && fits_numeric_20_4(*money)) return *money;
    const std::string_view decimals = split_once(value.text, '.').second;
    const std::size_t last = decimals.find_last_not_of('0');
    const bool too_fine =
        !money && last != std::string_view::npos && last >= static_cast<std::size_t>(currency.decimals());
    errors.add(too_fine ? FrameworkFault::money_too_many_decimals : FrameworkFault::money_overflow,
               {.field = fields[number].name, .order = number}, compact_json(value.raw),
               too_fine ? std::to_string(currency.decimals()) : std::string());
    return std::nullopt;
}

std::optional<std::int64_t> framework_integer(std::string_view text) {
    text = trim(text);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const auto [whole, decimals] = split_once(text, '.');
    if (whole.empty() || !std::ranges::all_of(whole, is_digit)) return std::nullopt;
    if (decimals.find_first_not_of('0') != std::string_view::npos) return std::nullopt;
    if (decimals.empty() && whole.size() < text.size()) return std::nullopt;  // "1."
    std::int64_t number = 0;
    const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), number);
    using Limits = std::numeric_limits<std::int64_t>;
    if (read.ec == std::errc::result_out_of_range) return negative ? Limits::min() : Limits::max();
    return negative ? -number : number;
}

std::string compact_json(std::string_view json) {
    std::string compact;
    Arena arena(256);
    while (!json.empty()) {
        const char c = json[0];
        if (c == '"') {
            std::size_t end = 1;
            while (json[end] != '"') end += json[end] == '\\' ? 2 : 1;
            append_json_string(compact, unescape(json.substr(1, end - 1), arena));
            json.remove_prefix(end + 1);
            continue;
        }
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') compact += c;
        json.remove_prefix(1);
    }
    return compact;
}

}  // namespace nostro
