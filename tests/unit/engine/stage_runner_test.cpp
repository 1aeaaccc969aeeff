#include "nostro/engine/stage_runner.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

int nice_of_this_thread() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

// Of the calling thread and of those it begins.
void may_raise_no_thread() {
    const rlimit none{0, 0};
    ASSERT_EQ(::setrlimit(RLIMIT_NICE, &none), 0);
    __user_cap_header_struct whose{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    ASSERT_EQ(::syscall(SYS_capget, &whose, sets.data()), 0);
    for (auto& set : sets) set.effective = set.permitted = 0;
    ASSERT_EQ(::syscall(SYS_capset, &whose, sets.data()), 0);
}

bool may_raise_threads() {
    bool may = false;
    std::thread([&] {
        may = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19) == 0 &&
              ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 18) == 0;
    }).join();
    return may;
}

// The tests may be run niced themselves, and there is nothing beyond 19.
std::vector<int> from_own_nice(std::vector<int> more) {
    const int own = nice_of_this_thread();
    for (int& each : more) each = std::min(own + each, 19) - own;
    return more;
}

// How far a stage gives way while it is so far behind, one after the other.
std::vector<int> niceness_while(const std::vector<double>& behind) {
    const int own = nice_of_this_thread();
    std::atomic<double> now{behind.front()};
    std::atomic<int> asked{0}, steps{0}, found{0};
    const auto tell = [&] {
        ++asked;
        return now.load();
    };
    StageRunner runner(
        {.name = "test", .idle_max = 1ms, .gives_way = true, .behind = tell},
        [&]() -> Result<std::size_t> {
            runner.keep_pace();  // a long step looks in between
            found = nice_of_this_thread() - own;
            ++steps;
            return std::size_t{0};
        },
        [](const Error&) {});
    runner.start();
    std::vector<int> all;
    for (const double much : behind) {
        now = much;
        for (const int before = asked; asked < before + 2;) std::this_thread::yield();
        for (const int before = steps; steps < before + 2;) std::this_thread::yield();
        all.push_back(found);
    }
    runner.stop();
    return all;
}

TEST(StageRunnerTest, ItGivesWayLessTheFurtherItIsBehindAndMoreAgain) {
    const std::vector<double> behind{0, StageRunner::kBehindLittle, 0.5, StageRunner::kBehindMuch, 2, 0};
    const std::vector<int> all{10, 10, 5, 0, 0, 10}, a_little(behind.size(), 3);
    EXPECT_EQ(niceness_while(behind), from_own_nice(may_raise_threads() ? all : a_little));
}

TEST(StageRunnerTest, WhereNoThreadMayBeRaisedAgainItGivesWayALittleAllTheTime) {
    std::thread([] {
        may_raise_no_thread();
        EXPECT_EQ(niceness_while({0, 2, 0}), from_own_nice({3, 3, 3}));
    }).join();
}

}  // namespace
}  // namespace nostro::test
