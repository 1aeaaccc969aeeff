#include "nostro/wire/framework_dates.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "nostro/base/digit.hpp"

namespace nostro {
namespace {

using namespace std::chrono;

constexpr std::int64_t kSecondsMax = 20'000'000'000;  // larger numbers are milliseconds
constexpr std::string_view kTooShort = "input is too short";

FrameworkDate wrong(std::string_view why) { return {.day = {}, .fault = why, .inexact = false}; }

// Takes `count` digits off the front; nullopt: they are not all digits.
std::optional<unsigned> take_number(std::string_view& text, std::size_t count) {
    unsigned number = 0;
    for (const char c : text.substr(0, count)) {
        if (!is_digit(c)) return std::nullopt;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    text.remove_prefix(count);
    return number;
}

// Behind hours and minutes: seconds with decimals, and a zone, whatever it is: the day is the one that was written.
std::string_view rest_fault(std::string_view text, bool& is_zero) {
    if (text.starts_with(':')) {
        text.remove_prefix(1);
        if (text.size() < 2) return kTooShort;
        const auto second = take_number(text, 2);
        if (!second) return "invalid character in second";
        if (*second > 59) return "second value is outside expected range of 0-59";
        is_zero = is_zero && *second == 0;
        if (text.starts_with('.') || text.starts_with(',')) {
            const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
            if (end == 1) return "second fraction value is missing";
            is_zero = is_zero && text.substr(1, end - 1).find_first_not_of('0') == std::string_view::npos;
            text.remove_prefix(end);
        }
    }
    if (text.starts_with('Z') || text.starts_with('z')) {
        text.remove_prefix(1);
    } else if (text.starts_with('+') || text.starts_with('-')) {
        text.remove_prefix(1);
        if (text.size() < 4) return kTooShort;
        const auto hour = take_number(text, 2);
        if (text.starts_with(':')) text.remove_prefix(1);
        if (text.size() < 2) return kTooShort;
        const auto minute = take_number(text, 2);
        if (!hour || !minute) return "invalid timezone offset";
        if (*hour > 23) return "timezone offset must be less than 24 hours";
        if (*minute > 59) return "minute value is outside expected range of 0-59";
    }
    return text.empty() ? std::string_view() : "unexpected extra characters at the end of the input";
}

std::string_view time_fault(std::string_view text, bool& is_zero) {
    constexpr std::string_view kSeparators = "Tt_ ";
    if (kSeparators.find(text[0]) == std::string_view::npos) {
        return "invalid datetime separator, expected `T`, `t`, `_` or space";
    }
    text.remove_prefix(1);
    if (text.size() < 5) return kTooShort;
    const auto hour = take_number(text, 2);
    if (!hour) return "invalid character in hour";
    if (text[0] != ':') return "invalid time separator, expected `:`";
    text.remove_prefix(1);
    const auto minute = take_number(text, 2);
    if (!minute) return "invalid character in minute";
    if (*hour > 23) return "hour value is outside expected range of 0-23";
    if (*minute > 59) return "minute value is outside expected range of 0-59";
    is_zero = *hour == 0 && *minute == 0;
    return rest_fault(text, is_zero);
}

FrameworkDate read_calendar(std::string_view text) {
    if (text.size() < 10) return wrong(kTooShort);
    const auto y = take_number(text, 4);
    if (!y) return wrong("invalid character in year");
    if (text[0] != '-') return wrong("invalid date separator, expected `-`");
    text.remove_prefix(1);
    const auto m = take_number(text, 2);
    if (!m) return wrong("invalid character in month");
    if (text[0] != '-') return wrong("invalid date separator, expected `-`");
    text.remove_prefix(1);
    const auto d = take_number(text, 2);
    if (!d) return wrong("invalid character in day");
    const year_month_day date{year(static_cast<int>(*y)), month(*m), day(*d)};
    if (!date.month().ok()) return wrong("month value is outside expected range of 1-12");
    if (!date.ok()) return wrong("day value is outside expected range");
    if (*y == 0) return wrong("year 0 is out of range");
    FrameworkDate read{.day = sys_days(date), .fault = {}, .inexact = false};
    if (text.empty()) return read;
    bool is_zero = false;
    read.fault = time_fault(text, is_zero);
    read.inexact = read.fault.empty() && !is_zero;
    return read;
}

// Digits with an optional sign and decimals.
bool is_plain_number(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    const std::size_t point = std::min(text.find('.'), text.size());
    return point > 0 && std::ranges::all_of(text.substr(0, point), is_digit) &&
           std::ranges::all_of(text.substr(std::min(point + 1, text.size())), is_digit);
}

FrameworkDate read_timestamp(std::string_view text) {
    constexpr std::string_view kTooLate = "dates after 9999 are not supported as unix timestamps";
    constexpr std::string_view kTooEarly = "dates before 0000 are not supported as unix timestamps";
    const std::size_t point = std::min(text.find('.'), text.size());
    const bool negative = text.starts_with('-');
    std::string_view whole = text.substr(0, point);
    if (whole.starts_with('+')) whole.remove_prefix(1);
    std::int64_t number = 0;
    if (std::from_chars(whole.data(), whole.data() + whole.size(), number).ec != std::errc()) {
        return wrong(negative ? kTooEarly : kTooLate);
    }
    bool exact = text.substr(std::min(point + 1, text.size())).find_first_not_of('0') == std::string_view::npos;
    if (number > kSecondsMax || number < -kSecondsMax) {
        exact = exact && number % 1000 == 0;
        number /= 1000;
    }
    const auto at = sys_seconds(seconds(number));
    if (at >= sys_days(year(10'000) / 1 / 1)) return wrong(kTooLate);
    if (at < sys_days(year(1) / 1 / 1)) return wrong(kTooEarly);
    const auto midnight = floor<days>(at);
    return {.day = midnight, .fault = {}, .inexact = !exact || at != midnight};
}

}  // namespace

FrameworkDate read_framework_date(std::string_view text) {
    return is_plain_number(text) ? read_timestamp(text) : read_calendar(text);
}

}  // namespace nostro
