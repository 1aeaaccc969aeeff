#include "nostro/domain/policy_days.hpp"

#include <algorithm>
#include <chrono>

#include "nostro/domain/time_zone.hpp"

namespace nostro {
namespace {

constexpr std::int64_t kDay_s = 86'400;
constexpr std::int64_t kLongestDay_s = 3 * kDay_s;  // zones have moved across the date line, none by more than a day
constexpr std::uint64_t kDaysMax = 20'000;

// Finds the first instant at which a zone's clocks show `local_s` or later: a day's midnight, the first of two, or
// the end of the gap that swallowed it. To be asked in rising order.
class Midnights {
public:
    explicit Midnights(const std::vector<ZoneChange>& changes) : changes_(changes) {}
    std::int64_t operator()(std::int64_t local_s) {
        std::int64_t at_s = std::max(changes_[current_].at_s, local_s - changes_[current_].offset_s);
        while (current_ + 1 < changes_.size() && at_s >= changes_[current_ + 1].at_s) {
            ++current_;
            at_s = std::max(changes_[current_].at_s, local_s - changes_[current_].offset_s);
        }
        return at_s;
    }

private:
    const std::vector<ZoneChange>& changes_;
    std::size_t current_ = 0;
};

std::int64_t seconds_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

std::int64_t floor_days(std::int64_t seconds) { return (seconds >= 0 ? seconds : seconds - (kDay_s - 1)) / kDay_s; }

}  // namespace

std::uint64_t DayBorders::day_at(Instant now) const {
    const std::int64_t now_s = seconds_of(now);
    const auto after = std::upper_bound(begins_s.begin(), begins_s.end(), now_s);
    std::int64_t day = first_day + (after - begins_s.begin()) - 1;
    if (after == begins_s.begin()) day = first_day + floor_days(now_s - begins_s.front());
    if (after == begins_s.end()) day += floor_days(now_s - begins_s.back());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(day, 0));
}

Result<DayBorders> make_day_borders(const std::filesystem::path& database, std::string_view zone, Instant now) {
    const std::int64_t today = floor_days(seconds_of(now));
    const std::int64_t last_day = today + kBorderDaysAhead;
    const auto last_year = std::chrono::year_month_day(std::chrono::sys_days(std::chrono::days(last_day + 2))).year();
    const auto changes = read_zone(database, zone, static_cast<int>(last_year));
    if (!changes) return changes.error();

    DayBorders borders{std::string(zone), today - kBorderDaysBehind, {}};
    borders.begins_s.reserve(kBorderDaysBehind + kBorderDaysAhead + 1);
    Midnights midnight(*changes);
    for (std::int64_t day = borders.first_day; day <= last_day; ++day) {
        borders.begins_s.push_back(midnight(day * kDay_s));
    }
    return borders;
}

void write_day_borders(ByteWriter& writer, const DayBorders& borders) {
    writer.string(borders.zone);
    writer.zigzag(borders.first_day);
    writer.zigzag(borders.begins_s.front());
    writer.varint(borders.begins_s.size() - 1);
    for (std::size_t i = 1; i < borders.begins_s.size();) {
        const std::int64_t length = borders.begins_s[i] - borders.begins_s[i - 1];
        std::size_t end = i + 1;
        while (end < borders.begins_s.size() && borders.begins_s[end] - borders.begins_s[end - 1] == length) ++end;
        writer.varint(end - i);
        writer.varint(static_cast<std::uint64_t>(length));
        i = end;
    }
}

DayBorders read_day_borders(ByteReader& reader) {
    DayBorders borders;
    borders.zone = reader.string();
    borders.first_day = reader.zigzag();
    std::int64_t begin = reader.zigzag();
    std::uint64_t days = reader.varint_at_most(kDaysMax);
    // Far from the ends of 64 bits, so that no sum below can overflow. Instants reach 106,751 days either way.
    constexpr std::int64_t kFarthestDay = 200'000;
    if (borders.first_day < -kFarthestDay || borders.first_day > kFarthestDay) reader.fail();
    if (begin < -kFarthestDay * kDay_s || begin > kFarthestDay * kDay_s) reader.fail();
    if (!reader.ok()) return {};
    borders.begins_s.push_back(begin);
    while (days > 0) {
        const std::uint64_t run = reader.varint_at_most(days);
        const auto length = static_cast<std::int64_t>(reader.varint_at_most(kLongestDay_s));
        if (run == 0) reader.fail();
        if (!reader.ok()) return {};
        for (std::uint64_t i = 0; i < run; ++i) borders.begins_s.push_back(begin += length);
        days -= run;
    }
    return borders;
}

}  // namespace nostro
