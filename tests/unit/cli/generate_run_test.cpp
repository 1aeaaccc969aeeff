#include "nostro/cli/generate_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <numeric>
#include <string>
#include <vector>

namespace nostro::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Currency kUsd = *Currency::parse("USD");

// Documents "1", "2", "3"...; what was written, write by write.
class GenerateRunTest : public ::testing::Test {
protected:
    GenerateStream stream(std::uint64_t count) {
        return {.unit = "documents",
                .count = count,
                .begin = {},
                .between = {},
                .after = {},
                .end = {},
                .next = [this](std::string& to) -> std::optional<generate::Made> {
                    if (made_ == supply_) return std::nullopt;
                    if (made_ + 1 == interrupted_at_) std::raise(SIGINT);
                    to += std::to_string(++made_);
                    return generate::Made{
                        .type = "T", .status = "S", .amount = Money(static_cast<std::int64_t>(made_), kUsd)};
                }};
    }
    GenerateSink sink(std::uint64_t documents_max = 0) {
        return {.write = [this](std::string_view text) -> Result<> {
                    if (writes_.size() == room_) return Error{ErrorCode::unavailable, "full"};
                    writes_.emplace_back(text);
                    return {};
                },
                .flush = {},
                .documents_max = documents_max};
    }
    std::string written() const { return std::accumulate(writes_.begin(), writes_.end(), std::string()); }

    std::uint64_t made_ = 0, supply_ = 1'000'000, interrupted_at_ = 0;
    std::size_t room_ = 1'000'000;
    std::vector<std::string> writes_;
};

TEST_F(GenerateRunTest, FramesWhatItWrites) {
    GenerateStream framed = stream(3);
    framed.begin = "[";
    framed.between = ",";
    framed.after = "!";
    framed.end = "]";
    const auto tally = run_generate(framed, {}, sink(), StopRequest(), false);
    ASSERT_TRUE(tally);
    EXPECT_EQ(tally->count(), 3u);
    EXPECT_EQ(written(), "[1!,2!,3!]");
}

TEST_F(GenerateRunTest, EndsWhereTheDocumentsEnd) {
    supply_ = 2;
    GenerateStream framed = stream(9);
    framed.between = ",";
    framed.end = "]";
    ASSERT_TRUE(run_generate(framed, {}, sink(), StopRequest(), false));
    EXPECT_EQ(written(), "1,2]");
}

TEST_F(GenerateRunTest, NoWriteHasMoreDocumentsThanTheSinkTakes) {
    ASSERT_TRUE(run_generate(stream(7), {}, sink(3), StopRequest(), false));
    EXPECT_THAT(writes_, ElementsAre("123", "456", "7"));
}

TEST_F(GenerateRunTest, APacedStreamComesInBatches) {
    ASSERT_TRUE(run_generate(stream(7), {.rate = 100'000, .batch = 3}, sink(2), StopRequest(), false));
    EXPECT_THAT(writes_, ElementsAre("12", "3", "45", "6", "7"));
}

TEST_F(GenerateRunTest, APacedStreamTakesItsTime) {
    const auto start = steady_now();
    ASSERT_TRUE(run_generate(stream(4), {.rate = 100, .batch = 0}, sink(), StopRequest(), false));
    EXPECT_GE(elapsed_since(start), std::chrono::milliseconds(40));
    EXPECT_THAT(writes_, ElementsAre("12", "34"));
}

TEST_F(GenerateRunTest, AFullSinkEndsIt) {
    room_ = 1;
    const auto tally = run_generate(stream(0), {}, sink(1), StopRequest(), false);
    ASSERT_FALSE(tally);
    EXPECT_EQ(tally.error().what, "full");
}

TEST_F(GenerateRunTest, AnEndlessStreamEndsWellWhenAskedTo) {
    interrupted_at_ = 5;
    GenerateStream framed = stream(0);
    framed.between = ",";
    framed.end = "]";
    const StopRequest stop;
    const auto tally = run_generate(framed, {.rate = 1'000'000'000, .batch = 1'000}, sink(), stop, false);
    ASSERT_TRUE(tally);
    EXPECT_EQ(tally->count(), 5u);
    EXPECT_EQ(written(), "1,2,3,4,5]");
}

TEST(StopRequestTest, WakesWhoWaitsAndRemembersIt) {
    const StopRequest stop;
    EXPECT_FALSE(stop.asked());
    EXPECT_FALSE(stop.wait_until(steady_now() + std::chrono::milliseconds(1)));
    std::raise(SIGTERM);
    EXPECT_TRUE(stop.asked());
    EXPECT_TRUE(stop.wait_until(steady_now() + std::chrono::hours(1)));
}

TEST(StopRequestTest, TheNextSignalIsAgainWhatItWasBefore) {
    EXPECT_EXIT(
        {
            const StopRequest stop;
            std::raise(SIGINT);
            std::raise(SIGINT);
        },
        ::testing::KilledBySignal(SIGINT), "");
    EXPECT_EXIT(
        {
            {
                const StopRequest stop;
            }
            std::raise(SIGTERM);
        },
        ::testing::KilledBySignal(SIGTERM), "");
}

TEST(TallyTextTest, ShowsTypesTotalsAndStatuses) {
    generate::Tally tally;
    tally.add({.type = "ACH", .status = "PENDING", .amount = Money(100, kUsd)});
    tally.add({.type = "ACH", .status = "FAILED", .amount = Money(300, kUsd)});
    tally.add({.type = "SEPA", .status = "FAILED", .amount = Money(1'234'567, *Currency::parse("EUR"))});
    EXPECT_EQ(tally_text(tally),
              "TYPE  COUNT  CURRENCY      MEAN       MIN       MAX\n"
              "ACH       2  USD           2.00      1.00      3.00\n"
              "SEPA      1  EUR       12345.67  12345.67  12345.67\n"
              "all       2  USD           2.00      1.00      3.00\n"
              "all       1  EUR       12345.67  12345.67  12345.67\n"
              "\n"
              "STATUS   COUNT\n"
              "FAILED       2\n"
              "PENDING      1\n");
    EXPECT_EQ(tally_json_members(tally),
              R"("count":3,"types":[{"type":"ACH","currency":"USD","count":2,"mean":"2.00","min":"1.00","max":"3.00"},)"
              R"({"type":"SEPA","currency":"EUR","count":1,"mean":"12345.67","min":"12345.67","max":"12345.67"}],)"
              R"("totals":[{"currency":"USD","count":2,"mean":"2.00","min":"1.00","max":"3.00"},)"
              R"({"currency":"EUR","count":1,"mean":"12345.67","min":"12345.67","max":"12345.67"}],)"
              R"("statuses":{"FAILED":2,"PENDING":1})");
}

}  // namespace
}  // namespace nostro::cli
