// All stages under a seed, with crashes, restarts, second owners, disks that fill up or fail, and stalled readers.
//
// NOSTRO_SIM_SEEDS: how many seeds. NOSTRO_SIM_SEED: this one alone, to look at a failure again.
#include <gtest/gtest.h>

#include <cerrno>  // program_invocation_name
#include <cstdlib>
#include <iostream>

#include "nostro/base/text.hpp"
#include "tests/sim/world.hpp"

namespace nostro::sim {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 50;  // half a minute
#else
constexpr std::uint64_t kSeeds = 200;  // ten seconds
#endif
constexpr int kActs = 700;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : parse_uint64(text).value_or(otherwise);
}

// Stops at the first seed that fails, and prints what repeats it alone.
template <class MakeStore>
void run_seeds(MakeStore make_store) {
    const std::uint64_t only = number_from("NOSTRO_SIM_SEED", 0);
    const std::uint64_t first = only != 0 ? only : 1;
    const std::uint64_t last = only != 0 ? only : number_from("NOSTRO_SIM_SEEDS", kSeeds);
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        World world(seed, make_store(seed));
        for (int i = 0; i < kActs && !testing::Test::HasFailure(); ++i) world.act();
        if (!testing::Test::HasFailure()) world.drain();
        if (!testing::Test::HasFailure()) world.check();
        if (only != 0 || seed == last) std::cout << "seed " << seed << ": " << world.story() << "\n";
        ASSERT_FALSE(testing::Test::HasFailure())
            << "seed " << seed << " fails (" << world.story() << ").\nAgain: NOSTRO_SIM_SEED=" << seed << " "
            << program_invocation_name << " --gtest_filter=" << test.test_suite_name() << "." << test.name();
    }
}

TEST(EngineSimulation, NothingIsLostOrDoubledOnALogThatManyMayOwn) {
    run_seeds([](std::uint64_t seed) { return std::make_unique<LogStore>(1 + seed % 4); });
}

TEST(EngineSimulation, NothingIsLostOrDoubledOnADiskThatLosesPower) {
    // Every other one writes small frames itself where it may.
    run_seeds([](std::uint64_t seed) {
        return std::make_unique<SegmentStoreOnMemoryDisk>(SegmentStoreOnMemoryDisk::Writes{
            .in_flight_max = 1 + seed / 2 % 4, .waited_bytes_max = seed % 2 == 0 ? 0u : 16u << 10});
    });
}

}  // namespace
}  // namespace nostro::sim
