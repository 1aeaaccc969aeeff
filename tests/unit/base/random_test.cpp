#include "nostro/base/random.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "nostro/base/assert.hpp"
#include "nostro/base/unique_fd.hpp"

namespace nostro {
namespace {

// Generated files must be the same bytes everywhere and for ever, so these numbers may never change.
TEST(RandomTest, ASeedGivesItsPublishedSequence) {
    SplitMix64 split(1234567);
    EXPECT_EQ(split.next(), 6457827717110365317u);
    EXPECT_EQ(split.next(), 3203168211198807973u);
    EXPECT_EQ(split.next(), 9817491932198370423u);

    static_assert(Xoshiro256(42).below(1) == 0);
    Xoshiro256 random(42);
    EXPECT_EQ(random.next(), 1546998764402558742u);
    EXPECT_EQ(random.next(), 6990951692964543102u);
    EXPECT_EQ(random.below(1000), 680u);
    EXPECT_EQ(random.between(-5, 5), 5);
}

RC_GTEST_PROP(RandomTest, BelowAndBetweenStayInTheirRange, (std::uint64_t seed)) {
    Xoshiro256 random(seed);
    const auto n = *rc::gen::inRange<std::uint64_t>(1, UINT64_MAX);
    RC_ASSERT(random.below(n) < n);
    const auto a = *rc::gen::arbitrary<std::int64_t>(), b = *rc::gen::arbitrary<std::int64_t>();
    const auto drawn = random.between(std::min(a, b), std::max(a, b));
    RC_ASSERT(drawn >= std::min(a, b) && drawn <= std::max(a, b));
}

TEST(RandomTest, TheWholeRangeCanBeDrawn) {
    Xoshiro256 random(1);
    bool negative = false, positive = false;
    for (int i = 0; i < 100; ++i) {
        const auto drawn = random.between(INT64_MIN, INT64_MAX);
        (drawn < 0 ? negative : positive) = true;
    }
    EXPECT_TRUE(negative && positive);
}

// Chi-square by hand: 60,000 throws of six sides, each 10,000 +- 500 (more than five standard deviations).
TEST(RandomTest, EachSideOfADieFallsEquallyOften) {
    Xoshiro256 random(2026);
    int sides[6] = {};
    for (int i = 0; i < 60'000; ++i) ++sides[random.below(6)];
    for (const int side : sides) EXPECT_NEAR(side, 10'000, 500);
}

// A range just above half of all numbers is where a remainder or an unrefused product favours some values most.
TEST(RandomTest, AWideRangeHasNoBias) {
    Xoshiro256 random(7);
    const std::uint64_t n = (std::uint64_t{3} << 62);
    int thirds[3] = {};
    for (int i = 0; i < 30'000; ++i) ++thirds[random.below(n) >> 62];
    for (const int third : thirds) EXPECT_NEAR(third, 10'000, 500);
}

TEST(RandomTest, ChanceIsRight) {
    Xoshiro256 random(3);
    int hits = 0;
    for (int i = 0; i < 100'000; ++i) hits += random.chance(129, 100'000) ? 1 : 0;
    EXPECT_NEAR(hits, 129, 60);
    EXPECT_FALSE(random.chance(0, 5));
    EXPECT_TRUE(random.chance(5, 5));
}

TEST(RandomTest, TheSystemGivesOtherNumbersEachTime) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 100; ++i) seen.insert(random_u64());
    EXPECT_EQ(seen.size(), 100u);
}

TEST(RandomDeathTest, NothingToChooseFromIsABug) {
    EXPECT_DEATH(Xoshiro256(1).below(0), "nothing to choose from");
    EXPECT_DEATH(Xoshiro256(1).between(2, 1), "first is after last");
}

TEST(AssertDeathTest, ABrokenInvariantNamesItselfAndItsPlace) {
    NOSTRO_ASSERT(1 + 1 == 2, "arithmetic holds");
    EXPECT_DEATH(NOSTRO_ASSERT(1 + 1 == 3, "books do not balance"),
                 "broken invariant: books do not balance \\(1 \\+ 1 == 3\\) at .*random_test.cpp:[0-9]+");
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFdTest, ClosesOnceWithItsLastOwner) {
    int fd = -1;
    {
        UniqueFd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        ASSERT_TRUE(first);
        fd = first.get();
        UniqueFd second(std::move(first));
        EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): an owner that gave away is empty
        EXPECT_EQ(second.get(), fd);
        first = std::move(second);
        EXPECT_TRUE(is_open(fd));
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFdTest, ReleaseKeepsItOpenAndResetCloses) {
    UniqueFd owner(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int fd = owner.release();
    EXPECT_FALSE(owner);
    EXPECT_TRUE(is_open(fd));
    owner.reset(fd);
    owner.reset();
    EXPECT_FALSE(is_open(fd));
}

}  // namespace
}  // namespace nostro
