#include "nostro/domain/time_zone.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <system_error>

#include "nostro/base/spelling.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDay_s = 86'400;
constexpr std::int64_t kOffsetMost_s = 26 * 3600 - 1;  // RFC 8536, 3.2
constexpr std::size_t kFileMax = 1 << 20;

Error damaged(std::string_view why) {
    return Error{ErrorCode::unavailable, "the file is no TZif file of version 2 or later: " + std::string(why)};
}

// Big-endian integers and text, forward only; after one read too far ok() is false and everything is 0.
class Cursor {
public:
    explicit Cursor(std::string_view bytes) : rest_(bytes) {}
    bool ok() const { return ok_; }
    std::string_view rest() const { return rest_; }
    std::string_view take(std::size_t n) {
        if (n > rest_.size()) {
            ok_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view taken = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return taken;
    }
    template <class Integer>
    Integer big_endian() {
        std::uint64_t value = 0;
        for (const char byte : take(sizeof(Integer))) value = value << 8 | static_cast<std::uint8_t>(byte);
        return static_cast<Integer>(value);
    }

private:
    std::string_view rest_;
    bool ok_ = true;
};

struct Header {
    std::uint8_t version;
    std::size_t ut_marks, standard_marks, leap_seconds, changes, types, letters;
    std::size_t block_size(std::size_t time_size) const {
        return changes * (time_size + 1) + types * 6 + letters + leap_seconds * (time_size + 4) + standard_marks +
               ut_marks;
    }
};

std::optional<Header> read_header(Cursor& cursor) {
    const bool magic = cursor.take(4) == "TZif";
    Header header{};
    header.version = cursor.big_endian<std::uint8_t>();
    cursor.take(15);
    for (std::size_t* count : {&header.ut_marks, &header.standard_marks, &header.leap_seconds, &header.changes,
                               &header.types, &header.letters}) {
        *count = cursor.big_endian<std::uint32_t>();
        if (*count > kFileMax) return std::nullopt;
    }
    if (!magic || !cursor.ok()) return std::nullopt;
    return header;
}

// The rule behind the last change, a TZ string of POSIX as RFC 8536 widens it: "CET-1CEST,M3.5.0,M10.5.0/3".
class PosixRule {
public:
    // What is not understood leaves ok() false.
    explicit PosixRule(std::string_view text) : rest_(text) {
        skip_name();
        standard_s_ = -time();
        summer_s_ = standard_s_;
        if (rest_.empty()) return;
        skip_name();
        summer_s_ = standard_s_ + 3600;
        if (!rest_.starts_with(',')) summer_s_ = -time();
        begin_ = date();
        end_ = date();
        changes_ = true;
        if (!rest_.empty()) ok_ = false;
    }

    bool ok() const { return ok_; }
    bool changes() const { return changes_; }
    std::int64_t standard_s() const { return standard_s_; }

    void append_changes(int year, std::vector<ZoneChange>& to) const {
        to.push_back({begin_.in(year)-standard_s_, summer_s_});
        to.push_back({end_.in(year)-summer_s_, standard_s_});
    }

private:
    struct Date {
        char form = '0';  // M: month, week, weekday; J: day 1..365 without 29 February; 0: day 0..365 with it
        int month = 1, week = 1, day = 0;
        std::int64_t time_s = 2 * 3600;

        std::int64_t in(int y) const {
            using namespace std::chrono;
            const std::chrono::year in_year(y);
            sys_days at = sys_days(in_year / January / 1) + days(day);
            if (form == 'J') at -= days(in_year.is_leap() && day < 60 ? 1 : in_year.is_leap() ? 0 : 1);
            if (form == 'M') {
                const std::chrono::month in_month(static_cast<unsigned>(month));
                const weekday on(static_cast<unsigned>(day));
                if (week == 5) {
                    at = sys_days(in_year / in_month / on[last]);
                } else {
                    at = sys_days(in_year / in_month / on[static_cast<unsigned>(week)]);
                }
            }
            return at.time_since_epoch().count() * kDay_s + time_s;
        }
    };

    void skip_name() {
        const bool in_brackets = rest_.starts_with('<');
        const auto end = in_brackets ? rest_.find('>') : rest_.find_first_of("+-,0123456789");
        if (end == std::string_view::npos || end == 0) {
            ok_ = false;
            rest_ = {};
            return;
        }
        rest_.remove_prefix(in_brackets ? end + 1 : end);
    }

    int number(int least, int most) {
        int value = 0;
        std::size_t digits = 0;
        while (digits < rest_.size() && digits < 4 && rest_[digits] >= '0' && rest_[digits] <= '9') {
            value = value * 10 + (rest_[digits++] - '0');
        }
        rest_.remove_prefix(digits);
        if (digits == 0 || value < least || value > most) ok_ = false;
        return ok_ ? value : least;
    }

    bool skip(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!skip(c)) ok_ = false;
    }

    std::int64_t time() {  // [+-]h[h[h]][:mm[:ss]]
        const bool negative = skip('-');
        if (!negative) skip('+');
        std::int64_t seconds = 3600 * number(0, 167);
        if (skip(':')) seconds += 60 * number(0, 59);
        if (skip(':')) seconds += number(0, 59);
        return negative ? -seconds : seconds;
    }

    Date date() {
        Date date;
        expect(',');
        if (skip('M')) {
            date.form = 'M';
            date.month = number(1, 12);
            expect('.');
            date.week = number(1, 5);
            expect('.');
            date.day = number(0, 6);
        } else if (skip('J')) {
            date.form = 'J';
            date.day = number(1, 365);
        } else {
            date.day = number(0, 365);
        }
        if (skip('/')) date.time_s = time();
        return date;
    }

    std::string_view rest_;
    bool ok_ = true, changes_ = false;
    std::int64_t standard_s_ = 0, summer_s_ = 0;
    Date begin_, end_;
};

int year_of(std::int64_t at_s) {
    const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(at_s)));
    return static_cast<int>(std::chrono::year_month_day(day).year());
}

// The changes that the file lists, between "always" and the rule at its end.
Result<std::vector<ZoneChange>> read_block(Cursor& cursor, const Header& header) {
    Cursor times(cursor.take(header.changes * 8));
    const std::string_view type_of = cursor.take(header.changes);
    Cursor types(cursor.take(header.types * 6));
    cursor.take(header.letters + header.standard_marks + header.ut_marks);
    if (!cursor.ok() || header.types == 0) return damaged("it ends too early");
    std::vector<std::int64_t> offsets;
    for (std::size_t i = 0; i < header.types; ++i) {
        offsets.push_back(types.big_endian<std::int32_t>());
        types.take(2);
        if (offsets.back() < -kOffsetMost_s || offsets.back() > kOffsetMost_s) return damaged("an offset is too large");
    }
    std::vector<ZoneChange> changes{{std::numeric_limits<std::int64_t>::min(), offsets.front()}};
    for (const char type : type_of) {
        const auto at_s = times.big_endian<std::int64_t>();
        const auto number = static_cast<std::uint8_t>(type);
        if (number >= offsets.size() || at_s <= changes.back().at_s) return damaged("its changes are out of order");
        changes.push_back({at_s, offsets[number]});
    }
    return changes;
}

void append_by_rule(const PosixRule& rule, int last_year, std::vector<ZoneChange>& changes) {
    if (!rule.changes()) return;
    const std::int64_t listed_until_s = changes.back().at_s;
    // Years 1 to 9999 only: what a calendar can count with, and more than instants reach.
    const int first_year = listed_until_s < 0 ? 1970 : std::min(year_of(std::min(listed_until_s, 253402300799)), 9999);
    std::vector<ZoneChange> by_rule;
    for (int year = first_year; year <= std::min(last_year, 9999); ++year) rule.append_changes(year, by_rule);
    // Stable: where summer time ends and begins at one instant, it goes on.
    std::stable_sort(by_rule.begin(), by_rule.end(), [](const auto& a, const auto& b) { return a.at_s < b.at_s; });
    for (const ZoneChange& change : by_rule) {
        if (change.at_s > listed_until_s) changes.push_back(change);
    }
}

// Zone names begin every part with a capital; what else lies in the folder ("localtime", "posix/UTC",
// "zone.tab", "..") is none.
bool is_zone_name(std::string_view zone) {
    for (const std::string_view part : split(zone, '/')) {
        if (part.empty() || part[0] < 'A' || part[0] > 'Z') return false;
        for (const char c : part) {
            const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '+') return false;
        }
    }
    return true;
}

Error unknown_zone(const fs::path& database, std::string_view zone) {
    std::vector<std::string> names;
    std::error_code failed;
    for (auto at = fs::recursive_directory_iterator(database, failed); !failed && at != fs::end(at);
         at.increment(failed)) {
        const std::string name = at->path().lexically_relative(database).string();
        if (!at->is_directory(failed) && is_zone_name(name)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    const std::vector<std::string_view> known(names.begin(), names.end());
    std::string what = quoted(zone) + " is no time zone";
    const auto nearest = nearest_word(zone, known);
    // 'IST' is near to 'EST' in letters alone.
    if (nearest && (zone.size() > 3 || equal_ignoring_case(zone, *nearest)))
        what += "; did you mean " + quoted(*nearest) + "?";
    return Error{ErrorCode::invalid, what + "; expected a name like 'Asia/Kolkata', 'Europe/Berlin' or 'UTC'"};
}

}  // namespace

fs::path zone_database() {
    // Nobody sets variables while the program runs.
    if (const char* chosen = std::getenv("TZDIR");  // NOLINT(concurrency-mt-unsafe)
        chosen != nullptr && *chosen != 0)
        return chosen;
    for (const char* usual : {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"}) {
        std::error_code failed;
        if (fs::is_directory(usual, failed)) return usual;
    }
    return {};
}

Result<std::vector<ZoneChange>> parse_zone(std::string_view bytes, int last_year) {
    Cursor cursor(bytes);
    const auto first = read_header(cursor);
    if (!first) return damaged("its header is none");
    if (first->version < '2') return damaged("it is of version 1");
    cursor.take(first->block_size(4));  // the same again in 32 bits, for programs of the last century
    const auto header = read_header(cursor);
    if (!header) return damaged("its second header is none");
    if (header->leap_seconds != 0) return damaged("it counts leap seconds");
    auto changes = read_block(cursor, *header);
    if (!changes) return changes;

    std::string_view rule_text = cursor.rest();
    if (rule_text.size() < 2 || rule_text.front() != '\n' || rule_text.back() != '\n')
        return damaged("its end is missing");
    rule_text = rule_text.substr(1, rule_text.size() - 2);
    if (rule_text.empty()) return changes;  // nothing is known of the future: it stays as it is
    const PosixRule rule(rule_text);
    if (!rule.ok()) return damaged("its last rule " + quoted(rule_text) + " is none");
    append_by_rule(rule, last_year, *changes);
    return changes;
}

Result<std::vector<ZoneChange>> read_zone(const fs::path& database, std::string_view zone, int last_year) {
    std::error_code failed;
    if (database.empty() || !fs::is_directory(database, failed)) {
        const std::string where = database.empty() ? "" : " at " + database.string();
        return Error{ErrorCode::unavailable, "there is no time zone database" + where +
                                                 "; install the package 'tzdata', or name its folder in TZDIR"};
    }
    const fs::path path = database / zone;
    if (!is_zone_name(zone) || !fs::is_regular_file(path, failed)) return unknown_zone(database, zone);
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto changes = file.bad() || bytes.empty() ? damaged("it cannot be read") : parse_zone(bytes, last_year);
    if (!changes) return Error{changes.error().code, path.string() + ": " + changes.error().what};
    return changes;
}

}  // namespace nostro
