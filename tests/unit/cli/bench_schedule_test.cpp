#include "nostro/cli/bench_schedule.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace nostro::cli {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(BenchScheduleTest, RequestsAreEvenlySpreadFromTheStartOn) {
    const SteadyTime start{seconds(100)};
    const BenchSchedule schedule(start, 4, 1);
    EXPECT_EQ(schedule.due(0), start);
    EXPECT_EQ(schedule.due(1), start + nanoseconds(250'000'000));
    EXPECT_EQ(schedule.due(8), start + seconds(2));
}

TEST(BenchScheduleTest, ABatchCountsAsItsPayments) {
    const BenchSchedule schedule(SteadyTime{}, 100'000, 1'000);
    EXPECT_EQ(schedule.due(100), SteadyTime{seconds(1)});
}

TEST(BenchScheduleTest, NothingIsDueBeforeTheStart) {
    const BenchSchedule schedule(SteadyTime{seconds(1)}, 10, 1);
    EXPECT_EQ(schedule.due_by(SteadyTime{seconds(1)} - nanoseconds(1)), 0u);
    EXPECT_EQ(schedule.due_by(SteadyTime{seconds(1)}), 1u);
}

TEST(BenchScheduleTest, RoundingDoesNotAddUpOverAnHour) {
    const BenchSchedule schedule(SteadyTime{}, 333'333, 1);
    EXPECT_EQ(schedule.due(333'333ull * 3600), SteadyTime{seconds(3600)});
}

RC_GTEST_PROP(BenchScheduleTest, WhatIsDueByATimeWasDueAtItOrBefore, ()) {
    const auto rate = *rc::gen::inRange<std::uint64_t>(1, 5'000'000);
    const auto batch = *rc::gen::inRange<std::uint64_t>(1, 10'000);
    const auto now = SteadyTime{nanoseconds(*rc::gen::inRange<std::int64_t>(0, 3'600'000'000'000))};
    const BenchSchedule schedule(SteadyTime{}, rate, batch);
    const std::uint64_t due = schedule.due_by(now);
    RC_ASSERT(due > 0);
    RC_ASSERT(schedule.due(due - 1) <= now);
    RC_ASSERT(schedule.due(due) > now - nanoseconds(1));  // the next one is due later, but for a cut nanosecond
}

}  // namespace
}  // namespace nostro::cli
