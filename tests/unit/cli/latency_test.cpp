#include "nostro/cli/latency.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace nostro::cli {
namespace {

using std::chrono::nanoseconds;

TEST(LatenciesTest, NoneIsZero) {
    const Latencies latencies;
    EXPECT_EQ(latencies.p50(), nanoseconds(0));
    EXPECT_EQ(latencies.p100(), nanoseconds(0));
}

TEST(LatenciesTest, TheWorstIsExact) {
    Latencies latencies;
    for (int i = 1; i <= 1000; ++i) latencies.add(nanoseconds(i));
    latencies.add(nanoseconds(123'456'789));
    EXPECT_EQ(latencies.p100(), nanoseconds(123'456'789));
    EXPECT_EQ(latencies.count(), 1001u);
}

RC_GTEST_PROP(LatenciesTest, AQuantileIsWithinOneThirtySecondOfTheTrueOne, ()) {
    auto values =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0u, 4'000'000'000u)));
    Latencies latencies;
    for (const auto value : values) latencies.add(nanoseconds(value));
    std::ranges::sort(values);
    const std::uint64_t exact = values[values.size() / 2];
    const auto told = static_cast<std::uint64_t>(latencies.p50().count());
    RC_ASSERT(told >= exact);
    RC_ASSERT(told <= exact + exact / 32 + 1);
}

TEST(LatenciesTest, SumsAreAsIfAllWereAddedToOne) {
    Latencies one, other, both;
    for (int i = 0; i < 500; ++i) {
        one.add(nanoseconds(i * 7));
        other.add(nanoseconds(i * 1'000));
        both.add(nanoseconds(i * 7));
        both.add(nanoseconds(i * 1'000));
    }
    one.add(other);
    EXPECT_EQ(one.p50(), both.p50());
    EXPECT_EQ(one.p99(), both.p99());
    EXPECT_EQ(one.count(), both.count());
}

}  // namespace
}  // namespace nostro::cli
