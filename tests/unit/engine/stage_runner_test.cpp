#include "nostro/engine/stage_runner.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

TEST(StageRunnerTest, StepsUntilItIsStopped) {
    std::atomic<int> steps{0};
    StageRunner runner(
        {.name = "test", .idle_max = 1ms},
        [&]() -> Result<std::size_t> {
            ++steps;
            return std::size_t{0};
        },
        [](const Error&) {});
    runner.start();
    while (steps < 3) std::this_thread::yield();
    runner.stop();
    const int after = steps;
    EXPECT_EQ(after, steps.load());
}

TEST(StageRunnerTest, AnErrorEndsTheLoopAndIsTold) {
    std::promise<Error> told;
    StageRunner runner(
        {.name = "test"}, []() -> Result<std::size_t> { return Error{ErrorCode::fenced, "out"}; },
        [&](const Error& error) { told.set_value(error); });
    runner.start();
    EXPECT_EQ(told.get_future().get().code, ErrorCode::fenced);
    runner.stop();
}

TEST(StageRunnerTest, ASignalWakesIt) {
    std::atomic<bool> work{false};
    std::promise<void> done;
    StageRunner runner(
        {.name = "test", .idle_max = 1h},
        [&]() -> Result<std::size_t> {
            if (!work.exchange(false)) return std::size_t{0};
            done.set_value();
            return std::size_t{1};
        },
        [](const Error&) {});
    runner.start();
    work = true;
    runner.signal().notify();
    EXPECT_EQ(done.get_future().wait_for(20s), std::future_status::ready);
}

}  // namespace
}  // namespace nostro::test
