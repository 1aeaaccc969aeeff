#include "nostro/app/rest.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "nostro/base/cpu_time.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;

// A process that is looked at every quarter of a second.
class Process {
public:
    // How often a rest began while it used so much of one processor for so long.
    int run(std::chrono::milliseconds time, int percent) {
        int begun = 0;
        for (auto left = time; left > 0ms; left -= 250ms) {
            now_ += 250ms;
            cpu_ += 250ms * percent / 100;
            begun += rest_.begins(now_, cpu_) ? 1 : 0;
        }
        return begun;
    }

private:
    Rest rest_;
    SteadyTime now_{};
    std::chrono::nanoseconds cpu_{};
};

TEST(RestTest, BeginsOnceAfterALoad) {
    Process process;
    EXPECT_EQ(process.run(10s, 150), 0) << "it is busy";
    EXPECT_EQ(process.run(3s, 1), 1);
    EXPECT_EQ(process.run(100s, 1), 0) << "nothing has been done since";
    EXPECT_EQ(process.run(2s, 100), 0);
    EXPECT_EQ(process.run(3s, 0), 1) << "after the next load, again";
}

TEST(RestTest, NeverBeginsWhereNothingWasDone) {
    Process process;
    EXPECT_EQ(process.run(100s, 1), 0);
}

TEST(RestTest, IsNoRestWhileALittleIsStillDone) {
    Process process;
    process.run(5s, 100);
    EXPECT_EQ(process.run(60s, 10), 0);
}

TEST(RestTest, ProcessorTimeAndFreedMemoryAreTheProcessesOwn) {
    const auto before = cpu_of_process();
    volatile std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < 50'000'000; ++i) sum = sum + i;
    EXPECT_GE(cpu_of_process(), before + 5ms);
    give_back_freed();
}

}  // namespace
}  // namespace nostro
