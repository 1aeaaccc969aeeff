// Where the days of a zone begin, as instants: what a calendar window needs to know of time zones.
//
// Made once from the zone database, then kept with the policy, so that a decision compares instants only and
// a program with a newer database decides the same. Internal to policy*.cpp.
// Threads: values.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/bytes.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

struct DayBorders {
    std::string zone;
    std::int64_t first_day = 0;          // local date of begins_s[0], as days since 1970-01-01
    std::vector<std::int64_t> begins_s;  // never falling; a date that a zone skipped has no second of its own

    // The local date of `now`, as days since 1970-01-01, never below 0. Before and behind the table days have 24
    // hours, counted from its nearest end, so dates go on without a jump.
    std::uint64_t day_at(Instant now) const;

    friend bool operator==(const DayBorders&, const DayBorders&) = default;
};

constexpr int kBorderDaysBehind = 31, kBorderDaysAhead = 3660;  // of a table made at an instant

// Errors as read_zone's.
Result<DayBorders> make_day_borders(const std::filesystem::path& database, std::string_view zone, Instant now);

// Days of 24 h come in long runs, so a table is stored as runs of equal lengths: a few hundred bytes for ten years.
void write_day_borders(ByteWriter& writer, const DayBorders& borders);
DayBorders read_day_borders(ByteReader& reader);  // fails the reader when it is none

}  // namespace nostro
