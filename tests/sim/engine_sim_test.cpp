// All stages under a seed, with crashes, restarts, second owners, disks that fill up or fail, and stalled readers.
//
// NOSTRO_SIM_SEEDS: how many seeds. NOSTRO_SIM_SEED: this one alone, to look at a failure again.
#include <gtest/gtest.h>

#include <cerrno>  // program_invocation_name
#include <iostream>
#include <set>

#include "tests/sim/settings.hpp"
#include "tests/sim/world.hpp"

namespace nostro::sim {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 50;  // half a minute
#else
constexpr std::uint64_t kSeeds = 200;  // ten seconds
#endif
constexpr int kActs = 700;

void play(World& world) {
    for (int i = 0; i < kActs && !testing::Test::HasFailure(); ++i) world.act();
    if (!testing::Test::HasFailure()) world.drain();
}

// Stops at the first seed that fails, and prints what repeats it alone.
void run_seeds(std::unique_ptr<Store> (*make_store)(std::uint64_t)) {
    const std::uint64_t only = number_from("NOSTRO_SIM_SEED", 0);
    const std::uint64_t first = only != 0 ? only : 1;
    const std::uint64_t last = only != 0 ? only : number_from("NOSTRO_SIM_SEEDS", kSeeds);
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        begin_patience();
        World world(seed, make_store(seed));
        play(world);
        if (!testing::Test::HasFailure()) world.check();
        if (only != 0 || seed == last) std::cout << "seed " << seed << ": " << world.story() << "\n";
        ASSERT_FALSE(testing::Test::HasFailure())
            << "seed " << seed << " fails (" << world.story() << ").\nAgain: NOSTRO_SIM_SEED=" << seed << " "
            << program_invocation_name << " --gtest_filter=" << test.test_suite_name() << "." << test.name();
    }
}

std::unique_ptr<Store> log_of(std::uint64_t seed) { return std::make_unique<LogStore>(1 + seed % 4); }
// Every other one writes small frames itself where it may.
std::unique_ptr<Store> disk_of(std::uint64_t seed) {
    return std::make_unique<SegmentStoreOnMemoryDisk>(SegmentStoreOnMemoryDisk::Writes{
        .in_flight_max = 1 + seed / 2 % 4, .waited_bytes_max = seed % 2 == 0 ? 0u : 16u << 10});
}

TEST(EngineSimulation, NothingIsLostOrDoubledOnALogThatManyMayOwn) { run_seeds(log_of); }

TEST(EngineSimulation, NothingIsLostOrDoubledOnADiskThatLosesPower) { run_seeds(disk_of); }

// Else a seed that fails would tell nothing: looked at again, it might pass. The story ends with a digest of all
// frames.
TEST(SimulationSeed, TellsTheSameStoryAgain) {
    std::set<std::string> stories;
    for (const auto make_store : {log_of, disk_of}) {
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            World first(seed, make_store(seed)), again(seed, make_store(seed));
            play(first);
            play(again);
            EXPECT_EQ(first.story(), again.story()) << "seed " << seed;
            stories.insert(first.story());
        }
    }
    EXPECT_EQ(stories.size(), 12u) << "different seeds tell one story";
}

}  // namespace
}  // namespace nostro::sim
