#include "nostro/base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(MetricsTest, CountersAndGaugesAreWrittenAsPrometheusReadsThem) {
    MetricsRegistry registry;
    Counter& refused =
        registry.counter("nostro_intake_refused_total", "Requests refused, by reason.", {{"reason", "syntax"}});
    Gauge& depth = registry.gauge("nostro_inbox_depth", "Commands that wait.");
    registry.counter("nostro_intake_refused_total", "Requests refused, by reason.",
                     {{"reason", "full"}, {"door", "http"}});
    refused.add();
    refused.add(41);
    depth.set(3);
    depth.add(-0.5);
    EXPECT_EQ(registry.prometheus_text(),
              "# HELP nostro_intake_refused_total Requests refused, by reason.\n"
              "# TYPE nostro_intake_refused_total counter\n"
              "nostro_intake_refused_total{reason=\"syntax\"} 42\n"
              "nostro_intake_refused_total{reason=\"full\",door=\"http\"} 0\n"
              "# HELP nostro_inbox_depth Commands that wait.\n"
              "# TYPE nostro_inbox_depth gauge\n"
              "nostro_inbox_depth 2.5\n");
}

TEST(MetricsTest, HelpAndLabelValuesAreEscaped) {
    MetricsRegistry registry;
    registry.gauge("g", "a \\ and\na \"quote\"", {{"l", "a \\ and\na \"quote\""}}).set(1);
    EXPECT_EQ(registry.prometheus_text(),
              "# HELP g a \\\\ and\\na \"quote\"\n"
              "# TYPE g gauge\n"
              "g{l=\"a \\\\ and\\na \\\"quote\\\"\"} 1\n");
}

TEST(MetricsTest, GaugesThatAreNoNumbersHaveTheirNames) {
    MetricsRegistry registry;
    registry.gauge("a", "").set(std::numeric_limits<double>::quiet_NaN());
    registry.gauge("b", "").set(std::numeric_limits<double>::infinity());
    registry.gauge("c", "").set(-std::numeric_limits<double>::infinity());
    const std::string text = registry.prometheus_text();
    EXPECT_THAT(text, HasSubstr("\na NaN\n"));
    EXPECT_THAT(text, HasSubstr("\nb +Inf\n"));
    EXPECT_THAT(text, HasSubstr("\nc -Inf\n"));
}

// The samples of one histogram: (le, value).
std::vector<std::pair<std::string, std::uint64_t>> buckets_in(const std::string& text) {
    std::vector<std::pair<std::string, std::uint64_t>> buckets;
    for (const auto line : split(text, '\n')) {
        const std::size_t le = line.find("le=\"");
        if (le == std::string_view::npos) continue;
        const auto bound = split_once(line.substr(le + 4), '"').first;
        buckets.emplace_back(bound, parse_uint64(split_once(line, ' ').second).value());
    }
    return buckets;
}

TEST(HistogramTest, BucketsAreCumulativeAndEndWithAll) {
    MetricsRegistry registry;
    Histogram& histogram = registry.histogram("h_seconds", "Time.", Unit::nanoseconds, {{"stage", "write"}});
    histogram.record(1us);
    histogram.record(2us);
    histogram.record(1000s);  // beyond every bound
    histogram.record(-1s);    // a clock that went back counts as no time
    const std::string text = registry.prometheus_text();
    const auto buckets = buckets_in(text);
    ASSERT_GT(buckets.size(), 10u);
    EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end(), [](auto& a, auto& b) { return a.second < b.second; }));
    EXPECT_EQ(buckets.front(), std::pair(std::string("0.0000001"), std::uint64_t{1}));
    EXPECT_THAT(buckets, ::testing::Contains(std::pair(std::string("0.000001"), std::uint64_t{2})));
    EXPECT_THAT(buckets, ::testing::Contains(std::pair(std::string("0.0000025"), std::uint64_t{3})));
    EXPECT_THAT(buckets, ::testing::Contains(std::pair(std::string("100"), std::uint64_t{3})));
    EXPECT_EQ(buckets.back(), std::pair(std::string("+Inf"), std::uint64_t{4}));
    EXPECT_THAT(text, HasSubstr("\nh_seconds_bucket{stage=\"write\",le=\"0.000001\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("\nh_seconds_sum{stage=\"write\"} 1000.000003\n"));
    EXPECT_THAT(text, HasSubstr("\nh_seconds_count{stage=\"write\"} 4\n"));
}

TEST(HistogramTest, ThingsAreCountedInWholes) {
    MetricsRegistry registry;
    Histogram& histogram = registry.histogram("frame_payments", "Payments a frame.", Unit::things);
    histogram.record(std::uint64_t{0});
    histogram.record(std::uint64_t{1});
    histogram.record(std::uint64_t{8192});
    const std::string text = registry.prometheus_text();
    EXPECT_THAT(text, HasSubstr("frame_payments_bucket{le=\"1\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("frame_payments_bucket{le=\"10000\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("frame_payments_sum 8193\n"));
}

// Against the exact answer over the sorted values: half a bucket is at most a quarter of the value.
TEST(HistogramTest, BoundsThatAreGivenAreShownAsTheyWereMeant) {
    MetricsRegistry registry;
    constexpr std::uint64_t kBounds[] = {5'000'000, 1'000'000'000, 2'500'000'000};
    BoundedHistogram& seconds = registry.bounded_histogram("request_seconds", "Time.", kBounds, 9, {{"method", "GET"}});
    constexpr std::uint64_t kAmounts[] = {100, 5'000'000};
    BoundedHistogram& amounts = registry.bounded_histogram("transaction_amount", "Amounts.", kAmounts, 2);
    for (const std::uint64_t ns : {1ull, 5'000'000ull, 5'000'001ull, 2'500'000'001ull}) seconds.record(ns);
    for (const std::uint64_t minor : {0ull, 101ull, 15'000'050ull}) amounts.record(minor);
    EXPECT_EQ(registry.prometheus_text(),
              "# HELP request_seconds Time.\n"
              "# TYPE request_seconds histogram\n"
              "request_seconds_bucket{method=\"GET\",le=\"0.005\"} 2\n"
              "request_seconds_bucket{method=\"GET\",le=\"1.0\"} 3\n"
              "request_seconds_bucket{method=\"GET\",le=\"2.5\"} 3\n"
              "request_seconds_bucket{method=\"GET\",le=\"+Inf\"} 4\n"
              "request_seconds_sum{method=\"GET\"} 2.510000003\n"
              "request_seconds_count{method=\"GET\"} 4\n"
              "# HELP transaction_amount Amounts.\n"
              "# TYPE transaction_amount histogram\n"
              "transaction_amount_bucket{le=\"1.0\"} 1\n"
              "transaction_amount_bucket{le=\"50000.0\"} 2\n"
              "transaction_amount_bucket{le=\"+Inf\"} 3\n"
              "transaction_amount_sum 150001.51\n"
              "transaction_amount_count 3\n");
}

RC_GTEST_PROP(HistogramTest, QuantilesAreNearTheExactOnes, ()) {
    auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(
        rc::gen::map(rc::gen::inRange(0, 30), [](int shift) { return std::uint64_t{200} << shift; })));
    Histogram histogram(Unit::nanoseconds);
    for (auto& value : values) {
        value = std::min<std::uint64_t>(value, 90'000'000'000);
        histogram.record(value);
    }
    std::sort(values.begin(), values.end());
    const auto snapshot = histogram.snapshot();
    RC_ASSERT(snapshot.count == values.size());
    RC_ASSERT(snapshot.quantile(1) == values.back());
    for (const double q : {0.01, 0.5, 0.9, 0.99}) {
        const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(q * static_cast<double>(values.size()))));
        const double exact = static_cast<double>(values[rank - 1]);
        const double told = static_cast<double>(snapshot.quantile(q));
        RC_ASSERT(told >= exact * 0.7);
        RC_ASSERT(told <= exact * 1.35);
    }
}

TEST(HistogramTest, EveryValueFallsBetweenItsBounds) {
    for (std::uint64_t value :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{99}, std::uint64_t{100}, std::uint64_t{101},
          std::uint64_t{128}, std::uint64_t{99'999'999'999}, std::uint64_t{100'000'000'001}, UINT64_MAX}) {
        Histogram histogram(Unit::nanoseconds);
        histogram.record(value);
        const auto snapshot = histogram.snapshot();
        EXPECT_EQ(snapshot.count, 1u);
        EXPECT_EQ(snapshot.quantile(1), value);
        EXPECT_LE(snapshot.quantile(0.5), value);
    }
}

TEST(HistogramTest, NothingRecordedIsNothing) {
    const auto snapshot = Histogram(Unit::nanoseconds).snapshot();
    EXPECT_EQ(snapshot.count, 0u);
    EXPECT_EQ(snapshot.quantile(0.99), 0u);
}

TEST(HistogramTest, ASnapshotSinceAnEarlierOneHasWhatCameBetween) {
    Histogram histogram(Unit::nanoseconds);
    for (int i = 0; i < 100; ++i) histogram.record(1s);
    const auto before = histogram.snapshot();
    for (int i = 0; i < 10; ++i) histogram.record(1us);
    const auto since = histogram.snapshot().since(before);
    EXPECT_EQ(since.count, 10u);
    EXPECT_EQ(since.sum, 10'000u);
    EXPECT_LE(since.quantile(0.99), 1000u);
}

TEST(MetricsTest, NothingIsLostWhenManyThreadsRecordAndOneReads) {
    MetricsRegistry registry;
    Counter& counter = registry.counter("c_total", "");
    Gauge& gauge = registry.gauge("g", "");
    Histogram& histogram = registry.histogram("h_seconds", "", Unit::nanoseconds);
    constexpr int kThreads = 4, kEach = 5000;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    counter.add();
                    gauge.add(1);
                    histogram.record(std::chrono::nanoseconds(i));
                }
            });
        }
        for (int i = 0; i < 20; ++i) EXPECT_THAT(registry.prometheus_text(), HasSubstr("c_total"));
    }
    EXPECT_EQ(counter.value(), std::uint64_t{kThreads} * kEach);
    EXPECT_EQ(gauge.value(), kThreads * kEach);
    EXPECT_EQ(histogram.snapshot().count, std::uint64_t{kThreads} * kEach);
    EXPECT_EQ(histogram.snapshot().max, kEach - 1u);
}

TEST(MetricsDeathTest, ARegistrationAgainstTheRulesIsABug) {
    MetricsRegistry registry;
    registry.counter("taken_total", "help", {{"a", "b"}});
    EXPECT_DEATH(registry.counter("taken_total", "help", {{"a", "b"}}), "registered twice");
    EXPECT_DEATH(registry.counter("taken_total", "other help", {{"a", "c"}}), "registered before as something else");
    EXPECT_DEATH(registry.counter("no_ending", ""), "end in _total");
    EXPECT_DEATH(registry.gauge("gauge_total", ""), "end in _total");
    EXPECT_DEATH(registry.gauge("1gauge", ""), "does not take");
    EXPECT_DEATH(registry.gauge("a-b", ""), "does not take");
    EXPECT_DEATH(registry.gauge("", ""), "does not take");
    EXPECT_DEATH(registry.gauge("g", "", {{"__name__", "x"}}), "no good name");
    EXPECT_DEATH(registry.gauge("g", "", {{"le", "x"}}), "no good name");
    EXPECT_DEATH(registry.histogram("h", "", Unit::nanoseconds), "end in _seconds");
    EXPECT_DEATH(registry.histogram("h_seconds", "", Unit::things), "end in _seconds");
}

}  // namespace
}  // namespace nostro
