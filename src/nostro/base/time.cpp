#include "nostro/base/time.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

using std::chrono::days;
using std::chrono::nanoseconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr auto kTwoDigits = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

void put2(char* to, unsigned value) { std::memcpy(to, &kTwoDigits[std::size_t{2} * value], 2); }

void write_date(sys_days day, char* to) {
    const year_month_day date(day);
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    put2(to, year / 100 % 100);
    put2(to + 2, year % 100);
    to[4] = '-';
    put2(to + 5, static_cast<unsigned>(date.month()));
    to[7] = '-';
    put2(to + 8, static_cast<unsigned>(date.day()));
}

Error time_error(std::string_view text, std::string_view why) {
    std::string what = quoted(text);
    what += ": ";
    what += why;
    what += "; write it like 2026-11-21T09:30:00Z";
    return Error{ErrorCode::invalid, std::move(what)};
}

// Walks over the text; after the first mismatch everything fails.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool ok() const { return ok_; }
    bool at_end() const { return at_ == text_.size(); }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void one_of(std::string_view wanted) {
        if (at_end() || wanted.find(text_[at_]) == std::string_view::npos) ok_ = false;
        if (ok_) ++at_;
    }
    int digits(std::size_t count) {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const char c = peek();
            if (c < '0' || c > '9') ok_ = false;
            if (!ok_) return 0;
            value = value * 10 + (c - '0');
            ++at_;
        }
        return value;
    }
    // The digits after the point as nanoseconds.
    std::int64_t fraction() {
        std::int64_t value = 0;
        std::size_t count = 0;
        for (; peek() >= '0' && peek() <= '9'; ++count, ++at_) {
            if (count < 9) value = value * 10 + (peek() - '0');
        }
        if (count == 0 || count > 9) ok_ = false;
        for (; count < 9; ++count) value *= 10;
        return value;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

year_month_day scan_date(Scanner& scan) {
    const int year = scan.digits(4);
    scan.one_of("-");
    const int month = scan.digits(2);
    scan.one_of("-");
    const int day = scan.digits(2);
    return std::chrono::year{year} / std::chrono::month{static_cast<unsigned>(month)} /
           std::chrono::day{static_cast<unsigned>(day)};
}

bool in_range(sys_days day) {
    return day >= sys_days{std::chrono::year{1970} / 1 / 1} && day < sys_days{std::chrono::year{2201} / 1 / 1};
}

struct Parts {
    year_month_day date;
    int hour = 0, minute = 0, second = 0;
    std::int64_t nanosecond = 0;
    int offset_hour = 0, offset_minute = 0;
    bool west = false;
};

bool scan_parts(std::string_view text, Parts& parts) {
    Scanner scan(text);
    parts.date = scan_date(scan);
    scan.one_of("Tt");
    parts.hour = scan.digits(2);
    scan.one_of(":");
    parts.minute = scan.digits(2);
    scan.one_of(":");
    parts.second = scan.digits(2);
    if (scan.peek() == '.') {
        scan.one_of(".");
        parts.nanosecond = scan.fraction();
    }
    parts.west = scan.peek() == '-';
    const bool utc = scan.peek() == 'Z' || scan.peek() == 'z';
    scan.one_of("Zz+-");
    if (!utc) {
        parts.offset_hour = scan.digits(2);
        scan.one_of(":");
        parts.offset_minute = scan.digits(2);
    }
    return scan.ok() && scan.at_end();
}

}  // namespace

void write_rfc3339(Instant at, char* to) {
    const auto day = std::chrono::floor<days>(at);
    const auto of_day = static_cast<std::uint64_t>((at - day).count());
    const auto second = static_cast<unsigned>(of_day / 1'000'000'000);
    const auto micro = static_cast<unsigned>(of_day % 1'000'000'000 / 1000);
    write_date(day, to);
    to[10] = 'T';
    put2(to + 11, second / 3600);
    to[13] = ':';
    put2(to + 14, second / 60 % 60);
    to[16] = ':';
    put2(to + 17, second % 60);
    to[19] = '.';
    put2(to + 20, micro / 10'000);
    put2(to + 22, micro / 100 % 100);
    put2(to + 24, micro % 100);
    to[26] = 'Z';
}

void append_rfc3339(std::string& to, Instant at) {
    char text[kRfc3339Size];
    write_rfc3339(at, text);
    to.append(text, sizeof text);
}

std::string to_rfc3339(Instant at) {
    std::string text;
    append_rfc3339(text, at);
    return text;
}

Result<Instant> parse_rfc3339(std::string_view text) {
    Parts parts;
    if (!scan_parts(text, parts)) return time_error(text, "is no RFC 3339 time");
    if (!parts.date.ok()) return time_error(text, "there is no such day");
    if (parts.second == 60) return time_error(text, "leap seconds are not taken; send second 59 or the next minute");
    if (parts.hour > 23 || parts.minute > 59 || parts.second > 59)
        return time_error(text, "there is no such time of day");
    if (parts.offset_hour > 23 || parts.offset_minute > 59) return time_error(text, "there is no such offset");

    const sys_days day(parts.date);
    // A day of room on both sides for the offset, so that the sum below cannot leave the range of nanoseconds.
    if (!in_range(day + days{1}) && !in_range(day - days{1})) {
        return time_error(text, "is outside 1970-01-01 to 2200-12-31");
    }
    const auto offset = std::chrono::hours{parts.offset_hour} + std::chrono::minutes{parts.offset_minute};
    const Instant local = Instant(day) + std::chrono::hours{parts.hour} + std::chrono::minutes{parts.minute} +
                          std::chrono::seconds{parts.second} + nanoseconds{parts.nanosecond};
    const Instant at = parts.west ? local + offset : local - offset;
    if (at < kEarliestInstant || at > kLatestInstant) return time_error(text, "is outside 1970-01-01 to 2200-12-31");
    return at;
}

Result<sys_days> parse_date(std::string_view text) {
    Scanner scan(text);
    const year_month_day date = scan_date(scan);
    if (!scan.ok() || !scan.at_end() || !date.ok() || !in_range(sys_days(date))) {
        return Error{ErrorCode::invalid, quoted(text) + " is no day from 1970 to 2200; write it like 2026-11-21"};
    }
    return sys_days(date);
}

std::string to_date(Instant at) {
    std::string text(10, '\0');
    write_date(std::chrono::floor<days>(at), text.data());
    return text;
}

// In whole microseconds: a time that an answer shows can be asked for, and means the same instant.
Instant SystemClock::now() const { return std::chrono::floor<std::chrono::microseconds>(system_now()); }

Instant system_now() { return std::chrono::time_point_cast<nanoseconds>(std::chrono::system_clock::now()); }

}  // namespace nostro
