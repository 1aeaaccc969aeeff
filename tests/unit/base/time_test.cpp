#include "nostro/base/time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace nostro {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Instant at(std::int64_t seconds, std::int64_t nanoseconds = 0) {
    return Instant(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds));
}

TEST(Rfc3339Test, WritesUtcWithMicroseconds) {
    const std::pair<Instant, std::string_view> cases[] = {
        {at(0), "1970-01-01T00:00:00.000000Z"},
        {at(1'795'253'400, 123'456'000), "2026-11-21T09:30:00.123456Z"},
        {at(1'795'253'400, 123'456'999), "2026-11-21T09:30:00.123456Z"},  // cut, so that it never runs ahead
        {at(951'782'400), "2000-02-29T00:00:00.000000Z"},
        {at(1'709'251'199, 999'999'999), "2024-02-29T23:59:59.999999Z"},
        {kLatestInstant, "2200-12-31T23:59:59.999999Z"},
        {at(-1), "1969-12-31T23:59:59.000000Z"},
    };
    for (const auto& [instant, text] : cases) EXPECT_EQ(to_rfc3339(instant), text);
    std::string appended = "at ";
    append_rfc3339(appended, at(0));
    EXPECT_EQ(appended, "at 1970-01-01T00:00:00.000000Z");
}

TEST(Rfc3339Test, ReadsOffsetsAndUpToNineDecimals) {
    const std::pair<std::string_view, Instant> cases[] = {
        {"2026-11-21T09:30:00Z", at(1'795'253'400)},
        {"2026-11-21t09:30:00z", at(1'795'253'400)},
        {"2026-11-21T09:30:00.5Z", at(1'795'253'400, 500'000'000)},
        {"2026-11-21T09:30:00.123456789Z", at(1'795'253'400, 123'456'789)},
        {"2026-11-21T10:30:00+01:00", at(1'795'253'400)},
        {"2026-11-21T15:00:00+05:30", at(1'795'253'400)},
        {"2026-11-20T23:30:00-10:00", at(1'795'253'400)},
        {"2026-11-21T09:30:00-00:00", at(1'795'253'400)},
        {"1969-12-31T23:00:00-01:00", at(0)},
        {"1970-01-01T01:00:00+01:00", at(0)},
        {"2201-01-01T00:59:59.999999999+01:00", kLatestInstant},
    };
    for (const auto& [text, instant] : cases) {
        const auto parsed = parse_rfc3339(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().what;
        EXPECT_EQ(*parsed, instant) << text;
    }
}

TEST(Rfc3339Test, RefusesTheRestAndSaysWhichPart) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "is no RFC 3339 time"},
        {"2026-11-21", "is no RFC 3339 time"},
        {"2026-11-21T09:30Z", "is no RFC 3339 time"},
        {"2026-11-21T09:30:00", "is no RFC 3339 time"},
        {"2026-11-21 09:30:00Z", "is no RFC 3339 time"},
        {"2026-11-21T09:30:00.Z", "is no RFC 3339 time"},
        {"2026-11-21T09:30:00.1234567890Z", "is no RFC 3339 time"},
        {"2026-11-21T09:30:00+0100", "is no RFC 3339 time"},
        {"2026-11-21T09:30:00+01", "is no RFC 3339 time"},
        {"2026-11-21T09:30:00ZZ", "is no RFC 3339 time"},
        {" 2026-11-21T09:30:00Z", "is no RFC 3339 time"},
        {"26-11-21T09:30:00Z", "is no RFC 3339 time"},
        {"1795253400", "is no RFC 3339 time"},
        {"2026-02-29T00:00:00Z", "no such day"},
        {"2026-04-31T00:00:00Z", "no such day"},
        {"2026-13-01T00:00:00Z", "no such day"},
        {"2026-00-10T00:00:00Z", "no such day"},
        {"2026-01-00T00:00:00Z", "no such day"},
        {"2100-02-29T00:00:00Z", "no such day"},
        {"2026-11-21T24:00:00Z", "no such time of day"},
        {"2026-11-21T09:60:00Z", "no such time of day"},
        {"2026-11-21T09:30:61Z", "no such time of day"},
        {"2016-12-31T23:59:60Z", "leap seconds are not taken"},
        {"2026-11-21T09:30:00+24:00", "no such offset"},
        {"2026-11-21T09:30:00+01:60", "no such offset"},
        {"1969-12-31T23:59:59Z", "outside 1970-01-01 to 2200-12-31"},
        {"1970-01-01T00:00:00+00:01", "outside"},
        {"2201-01-01T00:00:00Z", "outside"},
        {"2200-12-31T23:59:59-00:01", "outside"},
        {"0000-01-01T00:00:00Z", "outside"},
        {"9999-12-31T23:59:59Z", "outside"},
    };
    for (const auto& [text, why] : cases) {
        const auto parsed = parse_rfc3339(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::invalid);
        EXPECT_THAT(parsed.error().what, HasSubstr(why)) << text;
    }
}

RC_GTEST_PROP(Rfc3339Test, EveryMicrosecondReadsBack, ()) {
    const auto micros = *rc::gen::inRange<std::int64_t>(0, kLatestInstant.time_since_epoch() / 1us);
    const Instant instant{std::chrono::microseconds(micros)};
    RC_ASSERT(parse_rfc3339(to_rfc3339(instant)).value() == instant);
}

RC_GTEST_PROP(Rfc3339Test, TextSortsAsTime, ()) {
    const auto any = rc::gen::inRange<std::int64_t>(0, kLatestInstant.time_since_epoch() / 1us);
    const Instant a{std::chrono::microseconds(*any)}, b{std::chrono::microseconds(*any)};
    RC_ASSERT((to_rfc3339(a) < to_rfc3339(b)) == (a < b));
}

TEST(DateTest, ReadsAndWritesDays) {
    EXPECT_EQ(parse_date("2026-11-21").value(), std::chrono::sys_days{std::chrono::year{2026} / 11 / 21});
    EXPECT_EQ(to_date(at(1'795'253'400)), "2026-11-21");
    for (const std::string_view text :
         {"", "2026-11-31", "2026-1-1", "2026-11-21T", "1969-12-31", "2201-01-01", "21-11-2026"}) {
        EXPECT_THAT(parse_date(text).error().what, HasSubstr("write it like 2026-11-21")) << text;
    }
}

TEST(ClockTest, AManualClockStandsUntilItIsTurned) {
    ManualClock clock(at(100));
    EXPECT_EQ(clock.now(), at(100));
    clock.advance(5s);
    EXPECT_EQ(clock.now(), at(105));
    clock.set(at(7));
    EXPECT_EQ(clock.now(), at(7));
}

TEST(ClockTest, TheSystemClockTellsAPlausibleTime) {
    const Instant before = SystemClock().now();
    EXPECT_GT(before, at(1'700'000'000));
    EXPECT_GE(SystemClock().now(), before);
    EXPECT_EQ(before.time_since_epoch() % 1us, 0ns);
    const SteadyTime start = steady_now();
    EXPECT_GE(elapsed_since(start), 0ns);
}

}  // namespace
}  // namespace nostro
