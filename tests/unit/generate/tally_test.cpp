#include "nostro/generate/tally.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace nostro::generate {
namespace {

const Currency kUsd = *Currency::parse("USD");
const Currency kEur = *Currency::parse("EUR");

TEST(TallyTest, CountsByTypeAndStatusWithMeanMinAndMax) {
    Tally tally;
    tally.add({.type = "ACH", .status = "FAILED", .amount = Money(300, kUsd)});
    tally.add({.type = "SEPA", .status = "PENDING", .amount = Money(50, kEur)});
    tally.add({.type = "ACH", .status = "PENDING", .amount = Money(100, kUsd)});
    tally.add({.type = "WIRE", .status = "", .amount = Money(2'000, kUsd)});

    EXPECT_EQ(tally.count(), 4u);
    ASSERT_EQ(tally.by_type().size(), 3u);
    const auto& ach = tally.by_type()[0];
    EXPECT_EQ(ach.type, "ACH");
    EXPECT_EQ(ach.count, 2u);
    EXPECT_EQ(ach.mean_minor(), 200);
    EXPECT_EQ(ach.least_minor, 100);
    EXPECT_EQ(ach.most_minor, 300);
    ASSERT_EQ(tally.by_status().size(), 2u) << "what claims no status has none";
    EXPECT_EQ(tally.by_status()[1].status, "PENDING");
    EXPECT_EQ(tally.by_status()[1].count, 2u);

    const auto totals = tally.totals();
    ASSERT_EQ(totals.size(), 2u) << "dollars and euros do not add up";
    EXPECT_EQ(totals[0].currency, kUsd);
    EXPECT_EQ(totals[0].count, 3u);
    EXPECT_EQ(totals[0].mean_minor(), 800);
    EXPECT_EQ(totals[0].least_minor, 100);
    EXPECT_EQ(totals[0].most_minor, 2'000);
    EXPECT_EQ(totals[1].mean_minor(), 50);
}

TEST(TallyTest, TheMeanIsExactAndRoundsHalvesUp) {
    struct Case {
        std::int64_t first, second, third, mean;
    };
    for (const Case& c : {Case{1, 1, 2, 1}, Case{1, 2, 2, 2}, Case{0, 0, 1, 0}, Case{10, 10, 10, 10}}) {
        Tally tally;
        for (const std::int64_t minor : {c.first, c.second, c.third}) {
            tally.add({.type = "T", .status = "", .amount = Money(minor, kUsd)});
        }
        EXPECT_EQ(tally.by_type()[0].mean_minor(), c.mean);
    }
    Tally halves;
    halves.add({.type = "T", .status = "", .amount = Money(1, kUsd)});
    halves.add({.type = "T", .status = "", .amount = Money(2, kUsd)});
    EXPECT_EQ(halves.by_type()[0].mean_minor(), 2);
}

TEST(TallyTest, SumsThatNoAmountCouldHoldHaveAMeanAllTheSame) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    Tally tally;
    for (int i = 0; i < 3; ++i) tally.add({.type = "T", .status = "", .amount = Money(kMost, kUsd)});
    EXPECT_EQ(tally.by_type()[0].mean_minor(), kMost);
    EXPECT_EQ(Tally().totals().size(), 0u);
    EXPECT_EQ(Tally::Amounts().mean_minor(), 0);
}

}  // namespace
}  // namespace nostro::generate
