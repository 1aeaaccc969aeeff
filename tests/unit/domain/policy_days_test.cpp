#include "nostro/domain/policy_days.hpp"

#include <date/tz.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "nostro/base/time.hpp"
#include "nostro/domain/time_zone.hpp"

namespace nostro {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

Instant at(std::string_view text) { return parse_rfc3339(text).value(); }
std::uint64_t date_number(std::string_view text) {
    return static_cast<std::uint64_t>(parse_date(text).value().time_since_epoch().count());
}
DayBorders borders_of(std::string_view zone, std::string_view now = "2026-11-21T12:00:00Z") {
    auto made = make_day_borders(zone_database(), zone, at(now));
    EXPECT_TRUE(made) << made.error().what;
    return made ? *made : DayBorders{};
}

struct Day {
    std::string_view zone, date, begin;
    int length_h;
};

TEST(DayBordersTest, DaysBeginAtLocalMidnightWhateverTheClocksDo) {
    const Day table[] = {
        {"UTC", "2026-11-21", "2026-11-21T00:00:00Z", 24},
        {"Asia/Kolkata", "2026-11-21", "2026-11-20T18:30:00Z", 24},
        {"Asia/Kolkata", "2036-10-26", "2036-10-25T18:30:00Z", 24},
        {"Europe/Berlin", "2026-11-21", "2026-11-20T23:00:00Z", 24},
        {"Europe/Berlin", "2027-03-28", "2027-03-27T23:00:00Z", 23},  // clocks go forward
        {"Europe/Berlin", "2027-03-29", "2027-03-28T22:00:00Z", 24},
        {"Europe/Berlin", "2027-10-31", "2027-10-30T22:00:00Z", 25},  // and back
        {"Europe/Berlin", "2027-11-01", "2027-10-31T23:00:00Z", 24},
        {"America/New_York", "2027-03-14", "2027-03-14T05:00:00Z", 23},
        {"America/New_York", "2027-11-07", "2027-11-07T04:00:00Z", 25},
        {"America/New_York", "2027-11-08", "2027-11-08T05:00:00Z", 24},
        {"Africa/Cairo", "2027-04-30", "2027-04-29T22:00:00Z", 23},  // no midnight: the gap's end begins the day
        {"Africa/Cairo", "2027-10-28", "2027-10-27T21:00:00Z", 25},
        {"Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00Z", 24},
        {"America/Phoenix", "2027-07-01", "2027-07-01T07:00:00Z", 24},  // no summer time in a country that has it
    };
    for (const Day& day : table) {
        const DayBorders borders = borders_of(day.zone);
        const Instant begin = at(day.begin);
        const Instant end = begin + hours(day.length_h);
        const std::uint64_t number = date_number(day.date);
        EXPECT_EQ(borders.day_at(begin - 1ns), number - 1) << day.zone << " " << day.date;
        EXPECT_EQ(borders.day_at(begin), number) << day.zone << " " << day.date;
        EXPECT_EQ(borders.day_at(end - 1ns), number) << day.zone << " " << day.date;
        EXPECT_EQ(borders.day_at(end), number + 1) << day.zone << " " << day.date;
    }
}

TEST(DayBordersTest, OfTwoMidnightsTheFirstBeginsTheDay) {
    // St. John's put its clocks back at 00:01 in 2006: local time fell back into the day before for an hour.
    const DayBorders borders = borders_of("America/St_Johns", "2006-10-01T00:00:00Z");
    const Instant first_midnight = at("2006-10-29T02:30:00Z");
    EXPECT_EQ(borders.day_at(first_midnight - 1ns), date_number("2006-10-28"));
    EXPECT_EQ(borders.day_at(first_midnight), date_number("2006-10-29"));
    EXPECT_EQ(borders.day_at(first_midnight + 30min), date_number("2006-10-29"));
}

TEST(DayBordersTest, ADateThatAZoneSkippedHasNoInstant) {
    const DayBorders borders = borders_of("Pacific/Apia", "2011-12-20T00:00:00Z");  // 29 December, then the 31st
    const Instant jump = at("2011-12-30T10:00:00Z");
    EXPECT_EQ(borders.day_at(jump - 1ns), date_number("2011-12-29"));
    EXPECT_EQ(borders.day_at(jump), date_number("2011-12-31"));
}

TEST(DayBordersTest, TheTableReachesTenYearsAhead) {
    const DayBorders borders = borders_of("Europe/Berlin");
    EXPECT_EQ(borders.first_day, static_cast<std::int64_t>(date_number("2026-10-21")));
    EXPECT_GE(borders.first_day + static_cast<std::int64_t>(borders.begins_s.size()) - 1,
              static_cast<std::int64_t>(date_number("2036-11-21")));
    EXPECT_EQ(borders.day_at(at("2036-07-01T22:00:00Z")), date_number("2036-07-02"));  // summer time even then
}

TEST(DayBordersTest, OutsideOfTheTableDaysHave24Hours) {
    const DayBorders borders = borders_of("America/New_York");
    const auto last = static_cast<std::uint64_t>(borders.first_day) + borders.begins_s.size() - 1;
    const Instant last_begin{std::chrono::seconds(borders.begins_s.back())};
    EXPECT_EQ(borders.day_at(last_begin + hours(24) - 1ns), last);
    EXPECT_EQ(borders.day_at(last_begin + hours(24)), last + 1);
    EXPECT_EQ(borders.day_at(last_begin + hours(24) * 1000 - 1ns), last + 999);
    EXPECT_EQ(borders.day_at(last_begin + hours(24) * 1000), last + 1000);
    const Instant first_begin{std::chrono::seconds(borders.begins_s.front())};
    const auto first = static_cast<std::uint64_t>(borders.first_day);
    EXPECT_EQ(borders.day_at(first_begin), first);
    EXPECT_EQ(borders.day_at(first_begin - 1ns), first - 1);
    EXPECT_EQ(borders.day_at(first_begin - hours(24)), first - 1);
    EXPECT_EQ(borders.day_at(first_begin - hours(24) - 1ns), first - 2);
}

TEST(DayBordersTest, BeforeTheEpochEverythingIsDayZero) {
    const DayBorders borders = borders_of("America/New_York", "1970-01-05T00:00:00Z");
    EXPECT_EQ(borders.day_at(Instant{}), 0u);
    EXPECT_EQ(borders.day_at(Instant::min()), 0u);
    EXPECT_GT(borders.day_at(Instant::max()), 100'000u);
}

RC_GTEST_PROP(DayBordersTest, DatesNeverGoBack, ()) {
    static const DayBorders borders[] = {borders_of("America/St_Johns", "2006-10-01T00:00:00Z"),
                                         borders_of("Africa/Cairo", "2027-10-01T00:00:00Z"), borders_of("UTC")};
    const auto& table = *rc::gen::elementOf(std::vector<const DayBorders*>{&borders[0], &borders[1], &borders[2]});
    const auto now = Instant(std::chrono::seconds(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000)));
    const auto later = now + nanoseconds(*rc::gen::inRange<std::int64_t>(0, 200'000'000'000'000));
    RC_ASSERT(table->day_at(now) <= table->day_at(later));
}

// The other opinion: howard-hinnant's reading of the same files, which is right as far as they list changes.
TEST(DayBordersTest, AgreeWithTheDateLibraryForEveryZone) {
    std::size_t compared = 0;
    for (const date::time_zone& zone : date::get_tzdb().zones) {
        if (zone.name()[0] < 'A' || zone.name()[0] > 'Z') continue;  // "localtime", "posixrules"
        const auto listed = read_zone(zone_database(), zone.name(), 0);
        ASSERT_TRUE(listed) << listed.error().what;
        for (const char* now : {"2000-06-01T12:00:00Z", "2026-11-21T12:00:00Z"}) {
            const DayBorders made = borders_of(zone.name(), now);
            for (std::size_t i = 0; i < made.begins_s.size(); ++i) {
                if (made.begins_s[i] > listed->back().at_s) break;
                const date::local_days day{date::days{made.first_day + static_cast<std::int64_t>(i)}};
                const auto expected = zone.to_sys(day + std::chrono::seconds(0), date::choose::earliest);
                ASSERT_EQ(made.begins_s[i], expected.time_since_epoch().count()) << zone.name() << " day " << i;
                ++compared;
            }
        }
    }
    EXPECT_GT(compared, 10'000u);
}

TEST(DayBordersTest, StoredFormIsSmallAndReadsBackEqual) {
    for (const char* zone : {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Cairo"}) {
        const DayBorders borders = borders_of(zone);
        ByteBuffer buffer;
        {
            ByteWriter writer(buffer);
            write_day_borders(writer, borders);
        }
        EXPECT_LT(buffer.size(), 300u) << zone;
        ByteReader reader(buffer.view());
        EXPECT_EQ(read_day_borders(reader), borders);
        EXPECT_TRUE(reader.done());
    }
}

TEST(DayBordersTest, AnyCutOfTheStoredFormIsRefused) {
    ByteBuffer buffer;
    {
        ByteWriter writer(buffer);
        write_day_borders(writer, borders_of("Europe/Berlin"));
    }
    for (std::size_t size = 0; size < buffer.size(); ++size) {
        ByteReader reader(buffer.view().first(size));
        static_cast<void>(read_day_borders(reader));
        EXPECT_FALSE(reader.ok()) << size;
    }
}

// ---- files -----------------------------------------------------------------------------------------------------

// A file of version 2 whose first, 32-bit block is empty.
struct ZoneFile {
    std::vector<std::pair<std::int64_t, int>> changes;  // at, type
    std::vector<std::int32_t> offsets = {3600};
    std::string rule = "CET-1";
    char version = '2';
    std::uint32_t leap_seconds = 0;

    std::string bytes() const {
        std::string text;
        const auto number = [&](std::uint64_t value, int size) {
            for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
        };
        const auto header = [&](std::size_t change_count, std::size_t type_count) {
            text += "TZif";
            text += version;
            text.append(15, '\0');
            for (const std::size_t count : {std::size_t{0}, std::size_t{0}, std::size_t{leap_seconds}, change_count,
                                            type_count, std::size_t{0}}) {
                number(count, 4);
            }
        };
        header(0, 0);
        text.append(leap_seconds * 8, '\0');
        header(changes.size(), offsets.size());
        for (const auto& [when, type] : changes) number(static_cast<std::uint64_t>(when), 8);
        for (const auto& [when, type] : changes) number(static_cast<std::uint64_t>(type), 1);
        for (const std::int32_t offset : offsets) {
            number(static_cast<std::uint32_t>(offset), 4);
            number(0, 2);
        }
        text.append(leap_seconds * 12, '\0');
        return text + "\n" + rule + "\n";
    }
};

std::vector<ZoneChange> changes_by(std::string rule, int last_year, std::int64_t after_s) {
    ZoneFile file;
    file.rule = std::move(rule);
    file.changes = {{after_s, 0}};
    auto changes = parse_zone(file.bytes(), last_year);
    EXPECT_TRUE(changes) << changes.error().what;
    if (!changes) return {};
    changes->erase(changes->begin(), changes->begin() + 2);  // always, and the listed one
    return *changes;
}

std::int64_t seconds(std::string_view text) {
    return std::chrono::floor<std::chrono::seconds>(at(text)).time_since_epoch().count();
}

TEST(TimeZoneTest, TheRuleAtAFilesEndGoesOnForEver) {
    const struct {
        std::string rule;
        std::vector<ZoneChange> of_2050;
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3",
         {{seconds("2050-03-27T01:00:00Z"), 7200}, {seconds("2050-10-30T01:00:00Z"), 3600}}},
        {"EST5EDT,M3.2.0,M11.1.0",
         {{seconds("2050-03-13T07:00:00Z"), -14400}, {seconds("2050-11-06T06:00:00Z"), -18000}}},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3",  // the southern summer spans new year
         {{seconds("2050-04-02T16:00:00Z"), 36000}, {seconds("2050-10-01T16:00:00Z"), 39600}}},
        {"IST-2IDT,M3.4.4/26,M10.5.0",  // hours of the next day
         {{seconds("2050-03-25T00:00:00Z"), 10800}, {seconds("2050-10-29T23:00:00Z"), 7200}}},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",  // hours of the day before
         {{seconds("2050-03-27T01:00:00Z"), -3600}, {seconds("2050-10-30T01:00:00Z"), -7200}}},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
         {{seconds("2050-04-02T15:00:00Z"), 37800}, {seconds("2050-10-01T15:30:00Z"), 39600}}},
        {"XXX0YYY,J60/0,J300/0",  // 1 March, leap year or not
         {{seconds("2050-03-01T00:00:00Z"), 3600}, {seconds("2050-10-26T23:00:00Z"), 0}}},
        {"XXX0YYY,59/0,299/0:30:15", {{seconds("2050-03-01T00:00:00Z"), 3600}, {seconds("2050-10-26T23:30:15Z"), 0}}},
    };
    for (const auto& [rule, of_2050] : cases) {
        EXPECT_EQ(changes_by(rule, 2050, seconds("2050-01-02T00:00:00Z")), of_2050) << rule;
    }
}

TEST(TimeZoneTest, DaysOfTheYearKnowLeapYears) {
    const auto march = [](std::string rule, int year) {
        const auto text = std::to_string(year) + "-01-02T00:00:00Z";
        return changes_by(std::move(rule), year, seconds(text)).front().at_s;
    };
    EXPECT_EQ(march("XXX0YYY,J60/0,J300/0", 2048), seconds("2048-03-01T00:00:00Z"));
    EXPECT_EQ(march("XXX0YYY,J59/0,J300/0", 2048), seconds("2048-02-28T00:00:00Z"));
    EXPECT_EQ(march("XXX0YYY,59/0,299/0", 2048), seconds("2048-02-29T00:00:00Z"));
    EXPECT_EQ(march("XXX0YYY,59/0,299/0", 2049), seconds("2049-03-01T00:00:00Z"));
}

TEST(TimeZoneTest, SummerTimeAllYearNeverEnds) {
    const auto changes = changes_by("XXX3EDT4,0/0,J365/23", 2052, seconds("2050-06-01T00:00:00Z"));
    ASSERT_FALSE(changes.empty());
    for (std::size_t i = 0; i + 1 < changes.size(); ++i) {
        // Whatever stands between two changes at one instant lasts no time.
        EXPECT_TRUE(changes[i].offset_s == -14400 || changes[i].at_s == changes[i + 1].at_s) << i;
    }
}

TEST(TimeZoneTest, ListedChangesComeBeforeTheRule) {
    ZoneFile file;
    file.offsets = {3600, 7200};
    file.changes = {{1000, 1}, {2000, 0}};
    const auto changes = parse_zone(file.bytes(), 2030);
    ASSERT_TRUE(changes) << changes.error().what;
    const std::vector<ZoneChange> expected = {
        {std::numeric_limits<std::int64_t>::min(), 3600}, {1000, 7200}, {2000, 3600}};
    EXPECT_EQ(*changes, expected);
}

TEST(TimeZoneTest, RefusesWhatIsNoZoneFileAndSaysWhy) {
    ZoneFile old;
    old.version = '\0';
    ZoneFile leap;
    leap.leap_seconds = 1;
    ZoneFile disordered;
    disordered.changes = {{2000, 0}, {1000, 0}};
    ZoneFile no_type;
    no_type.changes = {{2000, 7}};
    ZoneFile no_types;
    no_types.offsets = {};
    ZoneFile far;
    far.offsets = {100'000};
    std::string no_end = ZoneFile{}.bytes();
    no_end.pop_back();
    const struct {
        std::string bytes, why;
    } cases[] = {
        {"", "its header is none"},
        {"hello, world", "its header is none"},
        {old.bytes(), "version 1"},
        {leap.bytes(), "it counts leap seconds"},
        {disordered.bytes(), "its changes are out of order"},
        {no_type.bytes(), "its changes are out of order"},
        {no_types.bytes(), "it ends too early"},
        {far.bytes(), "an offset is too large"},
        {no_end, "its end is missing"},
        {ZoneFile{}.bytes().substr(0, 60), "its second header is none"},
        {ZoneFile{}.bytes().substr(0, 90), "it ends too early"},
    };
    for (const auto& [bytes, why] : cases) {
        const auto changes = parse_zone(bytes, 2030);
        ASSERT_FALSE(changes) << why;
        EXPECT_EQ(changes.error().code, ErrorCode::unavailable);
        EXPECT_NE(changes.error().what.find(why), std::string::npos) << changes.error().what;
    }
}

TEST(TimeZoneTest, RefusesRulesThatItDoesNotUnderstand) {
    for (const char* rule :
         {"C", "5", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
          "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J5", "CET-1CEST,J366,J5", "CET-1CEST,366,5", "CET-168", "CET-1:60",
          "<CET-1", "CET-1 ", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1CEST,M3.5.0/,M10.5.0", "CET-99999999999"}) {
        ZoneFile file;
        file.rule = rule;
        const auto changes = parse_zone(file.bytes(), 2030);
        ASSERT_FALSE(changes) << rule;
        EXPECT_NE(changes.error().what.find("its last rule"), std::string::npos) << changes.error().what;
    }
}

TEST(TimeZoneTest, EveryCutOfARealFileIsRefusedOrHarmless) {
    std::ifstream file(zone_database() / "Europe/Berlin", std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    ASSERT_TRUE(parse_zone(bytes, 2036));
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(parse_zone(bytes.substr(0, size), 2036)) << size;
}

TEST(TimeZoneTest, AnUnknownZoneIsRefusedWithTheNearestName) {
    const struct {
        std::string_view zone, nearest;
    } cases[] = {
        {"Asia/Calcuta", "did you mean 'Asia/Calcutta'?"},
        {"europe/berlin", "did you mean 'Europe/Berlin'?"},
        {"America/NewYork", "did you mean 'America/New_York'?"},
        {"utc", "did you mean 'UTC'?"},
    };
    for (const auto& [zone, nearest] : cases) {
        const auto changes = read_zone(zone_database(), zone, 2030);
        ASSERT_FALSE(changes);
        EXPECT_EQ(changes.error().code, ErrorCode::invalid);
        EXPECT_NE(changes.error().what.find(nearest), std::string::npos) << changes.error().what;
    }
}

TEST(TimeZoneTest, RefusesNamesThatAreNoZonesButFilesOrFolders) {
    for (const char* zone : {"", "/", "localtime", "zone.tab", "posix/UTC", "Europe", "Europe/", "/UTC", "../UTC", "..",
                             "Europe/../UTC", "Asia/Kolkata ", "Asia\\Kolkata", "GMT+1:00"}) {
        const auto changes = read_zone(zone_database(), zone, 2030);
        ASSERT_FALSE(changes) << zone;
        EXPECT_EQ(changes.error().code, ErrorCode::invalid) << zone;
    }
}

TEST(TimeZoneTest, AMachineWithoutZonesIsToldWhatToInstall) {
    for (const char* database : {"", "/nowhere/zoneinfo"}) {
        const auto borders = make_day_borders(database, "Europe/Berlin", at("2026-11-21T12:00:00Z"));
        ASSERT_FALSE(borders);
        EXPECT_EQ(borders.error().code, ErrorCode::unavailable);
        EXPECT_NE(borders.error().what.find("install the package 'tzdata'"), std::string::npos) << borders.error().what;
    }
}

TEST(TimeZoneTest, ADamagedFileIsNamed) {
    const auto folder = std::filesystem::temp_directory_path() / ("nostro-zones-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "Nowhere") << "this is no zone";
    std::ofstream(folder / "Empty");
    const auto damaged = read_zone(folder, "Nowhere", 2030);
    const auto empty = read_zone(folder, "Empty", 2030);
    std::filesystem::remove_all(folder);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, ErrorCode::unavailable);
    EXPECT_NE(damaged.error().what.find("Nowhere: the file is no TZif file"), std::string::npos)
        << damaged.error().what;
    ASSERT_FALSE(empty);
    EXPECT_NE(empty.error().what.find("it cannot be read"), std::string::npos) << empty.error().what;
}

}  // namespace
}  // namespace nostro
