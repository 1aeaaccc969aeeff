// Those who read what settlement wrote: decoded frames, feeds, freshness.
#include <gmock/gmock.h>

#include <algorithm>

#include "nostro/base/log.hpp"
#include "nostro/engine/feed.hpp"
#include "nostro/engine/freshness.hpp"
#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

using testing::ElementsAre;
using testing::EndsWith;

class ReadersTest : public testing::Test {
protected:
    ReadersTest() : node(log, NodeOptions{}) {
        node.start();
        node.run(two_accounts());
    }
    void frames(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) node.run(payments(next_ + i, 1));
        next_ += count;
    }
    std::uint64_t next_ = 1;
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    Node node;
};

TEST_F(ReadersTest, FramesAreDecodedOnceForAll) {
    frames(1);
    EXPECT_EQ(node.frame(3), node.frame(3));
}

TEST_F(ReadersTest, NoFrameIsShownBeforeItIsAccepted) {
    static_cast<void>(node.submit(payments(1, 1)));
    node.turn();
    node.journal.complete(1);  // durable, but settlement has not said so
    const auto early = node.frames.frame(3);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::not_found);
    node.turn();
    EXPECT_TRUE(node.frames.frame(3));
}

TEST_F(ReadersTest, MoreFramesThanTheCacheHoldsAreReadFromTheJournal) {
    frames(30);
    FrameCache small(node.journal, 3 * kFrameAlign);
    small.set_accepted(node.journal_head());
    for (int round = 0; round < 2; ++round) {
        std::vector<DecodedPtr> all;
        const auto count = small.frames(1, 100, all);
        ASSERT_TRUE(count);
        EXPECT_EQ(*count, 32u);
        for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i]->seq(), i + 1);
    }
}

TEST_F(ReadersTest, AFrameOutlivesTheCacheForWhoeverHoldsIt) {
    frames(2);
    DecodedPtr held;
    {
        FrameCache cache(node.journal, 1);
        cache.set_accepted(node.journal_head());
        held = *cache.frame(3);
        static_cast<void>(cache.frame(4));
    }
    EXPECT_EQ(held->changes.outcomes.at(0).payment, payment_id_of(1));
}

TEST_F(ReadersTest, WhatIsLetGoIsReadAgain) {
    frames(3);
    const Seq newest = node.journal_head();
    std::vector<std::weak_ptr<const DecodedFrame>> before;
    for (Seq seq = 1; seq <= newest; ++seq) before.emplace_back(*node.frames.frame(seq));
    const DecodedPtr held = *node.frames.frame(newest - 1);
    static_cast<void>(node.frames.frame(newest));  // used last
    node.frames.let_go();
    EXPECT_TRUE(before.front().expired());
    EXPECT_EQ(before.back().lock(), *node.frames.frame(newest)) << "decoded once, still";
    EXPECT_EQ(held->seq(), newest - 1) << "whoever holds one keeps it";
    for (Seq seq = 1; seq <= newest; ++seq) EXPECT_EQ((*node.frames.frame(seq))->seq(), seq);
}

// Large frames and small ones in turns: used memory comes again, and never shows what was there before.
TEST_F(ReadersTest, UsedMemoryShowsNothingOfTheFrameBefore) {
    std::uint64_t next = 1;
    for (const std::size_t count : {400, 1, 400, 2, 300, 1}) {
        node.run(payments(next, count));
        next += count;
    }
    FrameCache none(node.journal, 1);  // keeps one: each decoding takes what the one before gave back
    none.set_accepted(node.journal_head());
    for (int round = 0; round < 3; ++round) {
        for (Seq seq = 1; seq <= node.journal_head(); ++seq) {
            const DecodedPtr used = *none.frame(seq), fresh = *node.frames.frame(seq);
            ASSERT_EQ(used->commands.size(), fresh->commands.size());
            ASSERT_EQ(used->changes.outcomes.size(), fresh->changes.outcomes.size());
            for (std::size_t i = 0; i < fresh->changes.outcomes.size(); ++i) {
                ASSERT_EQ(used->changes.outcomes[i].payment, fresh->changes.outcomes[i].payment);
            }
            ASSERT_EQ(used->changes.accounts.size(), fresh->changes.accounts.size());
            ASSERT_EQ(used->changes.known.size(), fresh->changes.known.size());
        }
    }
}

// Remembers what it was given; fails on demand.
class Notebook final : public Projection {
public:
    Result<Seq> next() override {
        if (trouble) return *trouble;
        return first;
    }
    Result<> project(std::span<const DecodedPtr> frames) override {
        if (trouble) return *trouble;
        for (const DecodedPtr& frame : frames) seen.push_back(frame->seq());
        return {};
    }
    Seq first = 1;
    std::vector<Seq> seen;
    std::optional<Error> trouble;
};

class FeedTest : public ReadersTest {
protected:
    FeedTest() : metrics(node.registry, "notebook"), feed("notebook", node.frames, notebook, metrics) {}
    std::size_t step() { return feed.step(now).value_or(999); }

    Notebook notebook;
    FeedMetrics metrics;
    Feed feed;
    SteadyTime now = steady_now();
};

TEST_F(FeedTest, GivesEachAcceptedFrameOnceAndInOrder) {
    frames(3);
    static_cast<void>(node.submit(payments(1'000, 1)));
    node.turn();
    EXPECT_EQ(step(), 5u);
    EXPECT_EQ(step(), 0u) << "what is in flight is not told";
    node.settle();
    EXPECT_EQ(step(), 1u);
    EXPECT_EQ(notebook.seen, (std::vector<Seq>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(feed.next(), 7u);
    EXPECT_EQ(feed.lag(), 0u);
}

TEST_F(FeedTest, GoesOnWhereTheTargetSaysItStands) {
    frames(3);
    notebook.first = 4;
    EXPECT_EQ(feed.lag(), 5u) << "not known yet: all";
    step();
    EXPECT_EQ(notebook.seen, (std::vector<Seq>{4, 5}));
}

TEST_F(FeedTest, ATargetThatFailsIsAskedAgainAndLosesNothing) {
    frames(1);
    notebook.trouble = Error{ErrorCode::unavailable, "store is down"};
    EXPECT_EQ(step(), 0u);
    EXPECT_EQ(feed.trouble(), "store is down");
    EXPECT_EQ(metrics.failures.value(), 1u);
    notebook.trouble.reset();
    EXPECT_EQ(step(), 0u) << "not before its pause is over";
    now += 1s;
    EXPECT_EQ(step(), 3u);
    EXPECT_EQ(feed.trouble(), "");
    EXPECT_EQ(notebook.seen, (std::vector<Seq>{1, 2, 3}));
}

TEST_F(FeedTest, TheLogHearsThatATargetIsAwayAndThatItIsBackAndNothingBetween) {
    configure_log({});
    std::vector<std::string> lines;
    set_log_sink([&](std::string_view line) { lines.emplace_back(line); });
    notebook.trouble = Error{ErrorCode::unavailable, "store is down"};
    for (int i = 0; i < 5; ++i, now += 1s) step();
    EXPECT_EQ(metrics.failures.value(), 5u);
    notebook.trouble.reset();
    step();
    notebook.trouble = Error{ErrorCode::corrupt, "a row is damaged"};
    frames(1);
    step();
    set_log_sink({});
    EXPECT_THAT(lines, ElementsAre(EndsWith("warn feed_failed of=notebook why=\"store is down\""),
                                   EndsWith("info feed_recovered of=notebook"),
                                   EndsWith("warn feed_failed of=notebook why=\"a row is damaged\""),
                                   EndsWith("error feed_stopped of=notebook why=\"a row is damaged\"")));
}

TEST_F(FeedTest, ATargetAheadOfTheJournalIsNotFedAnyMore) {
    notebook.first = 9;
    step();
    EXPECT_NE(feed.trouble().find("frame 8"), std::string::npos) << feed.trouble();
    frames(20);
    now += 1h;
    EXPECT_EQ(step(), 0u);
    EXPECT_TRUE(notebook.seen.empty());
}

TEST(FreshnessTest, CallsBackOnceItsFrameIsReached) {
    Freshness freshness;
    std::string log;
    const SteadyTime now = steady_now();
    freshness.when(5, now + 1s, [&] { log += "5"; });
    freshness.when(3, now + 1s, [&] { log += "3"; });
    freshness.reached(4);
    EXPECT_EQ(log, "3");
    freshness.when(4, now + 1s, [&] { log += "4"; });
    EXPECT_EQ(log, "34") << "at once";
    freshness.reached(9);
    EXPECT_EQ(log, "345");
    EXPECT_EQ(freshness.waiting(), 0u);
}

TEST(FreshnessTest, NobodyWaitsPastTheDeadline) {
    Freshness freshness;
    int called = 0;
    const SteadyTime now = steady_now();
    freshness.when(5, now + 100ms, [&] { ++called; });
    freshness.expire(now + 99ms);
    EXPECT_EQ(called, 0);
    freshness.expire(now + 100ms);
    EXPECT_EQ(called, 1);
    freshness.when(5, now + 1h, [&] { ++called; });
    freshness.expire_all();
    EXPECT_EQ(called, 2);
    freshness.when(7, now + 1h, [&] { ++called; });
    EXPECT_EQ(called, 3) << "nobody waits for an engine that ends";
}

}  // namespace
}  // namespace nostro::test
