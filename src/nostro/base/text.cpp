#include "nostro/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <span>

#include "nostro/base/digit.hpp"

namespace nostro {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

enum class Digits { good, none, leading_zero, too_large };

// All of `text` as a number up to `most`.
Digits read_digits(std::string_view text, std::uint64_t most, std::uint64_t& value) {
    value = 0;
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return Digits::none;
    if (text.size() > 1 && text[0] == '0') return Digits::leading_zero;
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (most - digit) / 10) return Digits::too_large;
        value = value * 10 + digit;
    }
    return Digits::good;
}

Error number_error(Digits why, std::string_view text, std::string_view range) {
    std::string what = quoted(text);
    switch (why) {
        case Digits::leading_zero: what += " has leading zeros; write the number without them"; break;
        case Digits::too_large:
            what += " is out of range; it must be ";
            what += range;
            break;
        case Digits::none:
        case Digits::good: what += " is no whole number; write digits only, like 42"; break;
    }
    return Error{ErrorCode::invalid, std::move(what)};
}

Result<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t most, std::string_view range) {
    std::uint64_t value = 0;
    const Digits digits = read_digits(text, most, value);
    if (digits != Digits::good) return number_error(digits, text, range);
    return value;
}

struct Unit {
    std::string_view name;
    std::uint64_t size;
};

constexpr std::uint64_t kKi = 1024;
constexpr std::array kByteUnits{
    Unit{"TiB", kKi* kKi* kKi* kKi}, Unit{"GiB", kKi* kKi* kKi}, Unit{"MiB", kKi* kKi}, Unit{"KiB", kKi}, Unit{"B", 1},
    Unit{"TB", 1'000'000'000'000},   Unit{"GB", 1'000'000'000},  Unit{"MB", 1'000'000}, Unit{"kB", 1000}, Unit{"", 1},
};
constexpr std::size_t kByteUnitsWritten = 5;  // of which format_bytes chooses

constexpr std::array kTimeUnits{
    Unit{"d", 86'400'000'000'000},
    Unit{"h", 3'600'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},
    Unit{"us", 1000},
    Unit{"ns", 1},
};

// Takes the leading characters of `text` that satisfy `wanted`.
template <class Wanted>
std::string_view take_while(std::string_view& text, Wanted wanted) {
    const auto end = std::find_if_not(text.begin(), text.end(), wanted);
    const std::string_view taken(text.begin(), end);
    text.remove_prefix(taken.size());
    return taken;
}

Error duration_error(std::string_view text) {
    return Error{
        ErrorCode::invalid,
        quoted(text) + " is no span of time; write whole numbers with units, like 250ms, 30s, 5m, 24h, 7d or 1h30m"};
}

// `value` with one decimal more than whole: tenths of `unit`, rounded down.
std::string with_decimals(std::uint64_t value, std::uint64_t unit, std::uint64_t steps) {
    std::string text = human_count(value / unit);
    const std::uint64_t part = (value % unit) / (unit / steps == 0 ? 1 : unit / steps);
    text += '.';
    if (steps == 100 && part < 10) text += '0';
    return text += std::to_string(std::min(part, steps - 1));
}

}  // namespace

Result<std::uint64_t> parse_uint64(std::string_view text) {
    return parse_unsigned(text, UINT64_MAX, "0 to 18446744073709551615");
}

Result<std::uint32_t> parse_uint32(std::string_view text) {
    const auto value = parse_unsigned(text, UINT32_MAX, "0 to 4294967295");
    if (!value) return value.error();
    return static_cast<std::uint32_t>(*value);
}

Result<std::int64_t> parse_int64(std::string_view text) {
    constexpr std::string_view kRange = "-9223372036854775808 to 9223372036854775807";
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    const bool negative = text.starts_with('-');
    std::uint64_t value = 0;
    const Digits digits = read_digits(text.substr(negative ? 1 : 0), negative ? kMost + 1 : kMost, value);
    if (digits != Digits::good) return number_error(digits, text, kRange);
    return static_cast<std::int64_t>(negative ? 0 - value : value);
}

std::size_t utf8_sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const unsigned first = byte(0);
    if (text.empty()) return 0;
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return continues(1) ? 2 : 0;
    if (first < 0xF0) {
        if (!continues(1) || !continues(2)) return 0;
        if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
        if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
        return 3;
    }
    if (first > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (first == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
    return 4;
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::size_t utf8_length(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string to_lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = lower(c);
    return result;
}

std::string to_upper(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = upper(c);
    return result;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::pair<std::string_view, std::string_view> split_once(std::string_view text, char separator) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) return {text, {}};
    return {text.substr(0, at), text.substr(at + 1)};
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kShown = 40;
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string_view shown = text.substr(0, kShown);
    // Not in the middle of a character.
    while (shown.size() < text.size() && !shown.empty() &&
           (static_cast<unsigned char>(text[shown.size()]) & 0xC0) == 0x80) {
        shown.remove_suffix(1);
    }
    const bool readable = is_valid_utf8(shown);
    std::string result = "'";
    for (const char c : shown) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7F && (byte < 0x80 || readable)) {
            result += c;
        } else {
            result += "\\x";
            result += kHex[byte >> 4];
            result += kHex[byte & 15];
        }
    }
    return result += shown.size() < text.size() ? "...'" : "'";
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
    std::string_view unit_name = text;
    const std::string_view number = take_while(unit_name, is_digit);
    const auto unit =
        std::find_if(kByteUnits.begin(), kByteUnits.end(), [&](const Unit& u) { return u.name == unit_name; });
    std::uint64_t value = 0;
    if (unit == kByteUnits.end() || read_digits(number, UINT64_MAX, value) != Digits::good) {
        return Error{ErrorCode::invalid,
                     quoted(text) + " is no size; write a whole number and a unit, like 512B, 64KiB, 16MiB or 2GiB"};
    }
    if (__builtin_mul_overflow(value, unit->size, &value)) {
        return Error{ErrorCode::invalid, quoted(text) + " is out of range; sizes end before 2^64 bytes"};
    }
    return value;
}

std::string format_bytes(std::uint64_t bytes) {
    for (const Unit& unit : std::span(kByteUnits).first(kByteUnitsWritten)) {
        if (bytes >= unit.size && bytes % unit.size == 0) return std::to_string(bytes / unit.size).append(unit.name);
    }
    return "0B";
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    std::uint64_t total = 0;
    std::uint64_t unit_before = UINT64_MAX;
    std::string_view rest = text;
    do {
        const std::string_view number = take_while(rest, is_digit);
        const std::string_view name = take_while(rest, [](char c) { return !is_digit(c); });
        const auto unit =
            std::find_if(kTimeUnits.begin(), kTimeUnits.end(), [&](const Unit& u) { return u.name == name; });
        std::uint64_t value = 0;
        const Digits digits = read_digits(number, UINT64_MAX, value);
        if (unit == kTimeUnits.end() || unit->size >= unit_before) return duration_error(text);
        if (digits == Digits::none || digits == Digits::leading_zero) return duration_error(text);
        if (digits == Digits::too_large || __builtin_mul_overflow(value, unit->size, &value) ||
            __builtin_add_overflow(total, value, &total) || total > kMost) {
            return Error{ErrorCode::invalid, quoted(text) + " is out of range; the longest span is 106751d"};
        }
        unit_before = unit->size;
    } while (!rest.empty());
    return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

std::string format_duration(std::chrono::nanoseconds duration) {
    auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    std::string text;
    for (const Unit& unit : kTimeUnits) {
        if (left < unit.size) continue;
        text += std::to_string(left / unit.size);
        text += unit.name;
        left %= unit.size;
    }
    return text.empty() ? "0s" : text;
}

std::string human_count(std::uint64_t count) {
    const std::string digits = std::to_string(count);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
        text += digits[i];
    }
    return text;
}

std::string human_bytes(std::uint64_t bytes) {
    for (const Unit& unit : std::span(kByteUnits).first(kByteUnitsWritten - 1)) {
        if (bytes >= unit.size) return with_decimals(bytes, unit.size, 10) + " " + std::string(unit.name);
    }
    return std::to_string(bytes) + " B";
}

std::string human_duration(std::chrono::nanoseconds duration) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    const std::uint64_t seconds = ns / 1'000'000'000;
    if (ns < 1000) return std::to_string(ns) + " ns";
    if (ns < 1'000'000) return std::to_string(ns / 1000) + " us";
    if (ns < 1'000'000'000) return with_decimals(ns, 1'000'000, 10) + " ms";
    if (seconds < 60) return with_decimals(ns, 1'000'000'000, 100) + " s";
    if (seconds < 3600) return std::to_string(seconds / 60) + "m " + std::to_string(seconds % 60) + "s";
    if (seconds < 86'400) return std::to_string(seconds / 3600) + "h " + std::to_string(seconds / 60 % 60) + "m";
    return std::to_string(seconds / 86'400) + "d " + std::to_string(seconds / 3600 % 24) + "h";
}

std::string human_rate(std::uint64_t count, std::chrono::nanoseconds in) {
    if (in.count() <= 0) return "-/s";
    const auto rate = static_cast<unsigned __int128>(count) * 1'000'000'000u / static_cast<std::uint64_t>(in.count());
    return human_count(static_cast<std::uint64_t>(std::min<unsigned __int128>(rate, UINT64_MAX))) + "/s";
}

}  // namespace nostro
