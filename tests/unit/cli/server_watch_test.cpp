#include "nostro/cli/server_watch.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nostro/base/metrics.hpp"
#include "nostro/base/unique_fd.hpp"
#include "tests/unit/cli/listener.hpp"

namespace nostro::cli {
namespace {

using std::chrono::microseconds;

TEST(MetricsSampleTest, ReadsWhatTheRegistryPrints) {
    MetricsRegistry registry;
    registry.counter("a_total", "A.").add(7);
    registry.counter("b_total", "B.", {{"kind", "x"}}).add(9);
    const auto sample = MetricsSample::parse(registry.prometheus_text());
    EXPECT_EQ(sample.value("a_total"), 7);
    EXPECT_EQ(sample.value(R"(b_total{kind="x"})"), 9);
    EXPECT_EQ(sample.value("c_total"), 0);
}

TEST(StageTest, TellsOnlyWhatCameBetweenTheSamples) {
    MetricsRegistry registry;
    Histogram& histogram = registry.histogram("x_seconds", "X.", Unit::nanoseconds, {{"route", "/a"}});
    for (int i = 0; i < 1000; ++i) histogram.record(std::chrono::seconds(1));
    const auto before = MetricsSample::parse(registry.prometheus_text());
    EXPECT_FALSE(stage_between(before, before, "x", "x_seconds", R"(route="/a")"));
    for (int i = 0; i < 99; ++i) histogram.record(microseconds(80));
    histogram.record(microseconds(800));
    const auto after = MetricsSample::parse(registry.prometheus_text());
    const auto stage = stage_between(before, after, "x", "x_seconds", R"(route="/a")");
    ASSERT_TRUE(stage);
    EXPECT_EQ(stage->count, 100u);
    EXPECT_GE(stage->p50, microseconds(50));  // the bucket of 80 us ends at 100 us and begins at 50 us
    EXPECT_LE(stage->p90, microseconds(100));
    EXPECT_GT(stage->p999, microseconds(500));
    EXPECT_EQ(stage->p100, microseconds(1000));
    EXPECT_NEAR(static_cast<double>(stage->mean.count()), (99 * 80 + 800) * 10, 10);
}

TEST(StageTest, AHistogramWithoutLabelsAndOneThatIsNotThere) {
    MetricsRegistry registry;
    Histogram& histogram = registry.histogram("nostro_settlement_frame_seconds", "X.", Unit::nanoseconds);
    const auto before = MetricsSample::parse(registry.prometheus_text());
    histogram.record(microseconds(3));
    const auto stages = stages_between(before, MetricsSample::parse(registry.prometheus_text()));
    ASSERT_EQ(stages.size(), 1u);
    EXPECT_EQ(stages[0].stage, "decide");
}

// A process of its own that listens, works, and waits to be ended.
TEST(ListenerTest, FindsTheProcessThatListensAndWhatItSpent) {
    Url url;
    const UniqueFd listener = listen_anywhere(url);
    const std::uint16_t port = url.port;
    EXPECT_FALSE(listener_cpu(port)) << "the own process is not the server";
    int ready[2], end[2];
    ASSERT_EQ(pipe(ready), 0);
    ASSERT_EQ(pipe(end), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(end[1]);
        while (clock() < CLOCKS_PER_SEC / 20) {
        }
        char byte = 0;
        (void)!write(ready[1], &byte, 1);
        (void)!read(end[0], &byte, 1);
        _exit(0);
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    const auto cpu = listener_cpu(port);
    const auto memory = listener_memory(port);
    for (const int fd : {ready[0], ready[1], end[0], end[1]}) close(fd);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    ASSERT_TRUE(cpu);
    EXPECT_GE(*cpu, std::chrono::milliseconds(10));
    ASSERT_TRUE(memory);
    EXPECT_GT(memory->resident_bytes, 100'000u);
    EXPECT_GE(memory->peak_bytes, memory->resident_bytes);
}

}  // namespace
}  // namespace nostro::cli
