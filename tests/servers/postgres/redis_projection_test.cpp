#include "nostro/adapters/redis/redis_projection.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "nostro/adapters/redis/comparison.hpp"
#include "tests/servers/postgres/redis_server.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro::redis::test {
namespace {

constexpr Seq kKeys = 7;

// Frames whose number is what they tell: of one of a few keys, and of a key of their own that stays for ever.
class RedisProjectionTest : public RedisTest {
protected:
    void SetUp() override {
        RedisTest::SetUp();
        Head head;
        head.time = system_now();
        chain_.emplace(head);
        projection_ = std::make_unique<RedisProjection>(std::make_unique<CacheStore>(store()), parts());
    }

    ProjectionParts parts() {
        return {.accepted = [this] { return Seq{frames_.size()}; },
                .render = [this](const DecodedPtr& frame, std::vector<Change>& into) -> Result<> {
                    const Seq seq = frame->seq();
                    if (not_yet_ == seq) return Error{ErrorCode::unavailable, "not yet"};
                    const std::string text = std::to_string(seq);
                    into.push_back({.key = "last:" + std::to_string(seq % kKeys), .version = {seq, 0}, .value = text});
                    into.push_back({.key = "own:" + text, .version = {seq, 1}, .value = text});
                    return {};
                },
                .clock = &clock_,
                .metrics = &metrics_};
    }
    Result<DecodedPtr> read(Seq seq) {
        read_.push_back(seq);
        if (seq < oldest_) return Error{ErrorCode::not_found, "dropped"};
        return frames_.at(seq - 1);
    }
    RedisBackfill backfill(std::optional<std::chrono::seconds> kept = std::nullopt) {
        return {std::make_unique<CacheStore>(store()), parts(), [this](Seq seq) { return read(seq); }, kept};
    }
    Comparison compared(std::size_t keys_max, bool mend = false) {
        RedisComparison comparison(
            std::make_unique<CacheStore>(store()), parts(), [this](Seq seq) { return read(seq); }, std::nullopt,
            keys_max);
        const auto found = comparison.compare(mend, {[] { return false; }, [](std::uint64_t, std::uint64_t) {}});
        EXPECT_TRUE(found) << found.error().what;
        return found ? *found : Comparison{};
    }
    void settle(Seq count) {
        for (Seq i = 0; i < count; ++i) {
            auto decoded = std::make_shared<DecodedFrame>();
            ASSERT_TRUE(decode_body(chain_->next(frames_.size()), Sections::all, *decoded));
            frames_.push_back(std::move(decoded));
        }
    }
    Result<> feed(Seq from, Seq to) { return projection_->project(std::span(frames_).subspan(from - 1, to - from)); }
    // No key tells what is older than the newest that was decided of it.
    void expect_nothing_old() {
        std::map<Seq, Seq> newest;
        for (Seq seq = 1; seq <= frames_.size(); ++seq) newest[seq % kKeys] = seq;
        for (const auto& [key, seq] : newest) {
            const Reply reply = say({"GET", "last:" + std::to_string(key)});
            if (reply.kind == Reply::Kind::nothing) continue;
            ASSERT_EQ(reply.text, std::to_string(seq));
        }
    }
    void expect_reached(Seq next, Seq filled) {
        const auto reach = store().begin(1'000'000);
        ASSERT_TRUE(reach) << reach.error().what;
        EXPECT_EQ(reach->next, next);
        EXPECT_EQ(reach->filled, filled);
    }
    Seq own_keys() { return say({"KEYS", "own:*"}).items.size(); }

    std::optional<nostro::test::FrameChain> chain_;
    std::vector<DecodedPtr> frames_;
    std::vector<Seq> read_;
    Seq not_yet_ = 0, oldest_ = 1;
    SystemClock clock_;
    MetricsRegistry registry_;
    ProjectionMetrics metrics_{registry_};
    std::unique_ptr<RedisProjection> projection_;
};

TEST_F(RedisProjectionTest, TheSameFramesAgainChangeNothing) {
    settle(30);
    ASSERT_TRUE(store().begin(0));
    ASSERT_EQ(*projection_->next(), 1u);
    ASSERT_TRUE(feed(1, 31));
    const std::string before = text("nostro:v:last:3");
    ASSERT_TRUE(feed(1, 31));
    ASSERT_TRUE(feed(1, 11));
    EXPECT_EQ(*projection_->next(), 31u);
    EXPECT_EQ(text("nostro:v:last:3"), before);
    EXPECT_EQ(own_keys(), 30u);
    expect_nothing_old();
}

TEST_F(RedisProjectionTest, AnEmptyDatabaseIsFilledBackwards) {
    settle(200);
    EXPECT_EQ(*projection_->next(), 201u);
    auto fill = backfill();
    while (true) {
        const auto done = fill.step();
        ASSERT_TRUE(done) << done.error().what;
        if (*done == 0) break;
        expect_nothing_old();
    }
    EXPECT_EQ(own_keys(), 200u);
    EXPECT_EQ(read_.front(), 200u);
    EXPECT_TRUE(std::ranges::is_sorted(read_, std::greater<>()));
}

TEST_F(RedisProjectionTest, AFlushInTheMiddleLosesNothingForLong) {
    settle(100);
    ASSERT_TRUE(store().begin(0));
    ASSERT_TRUE(feed(1, 60));
    say({"FLUSHDB"});
    ASSERT_TRUE(feed(60, 80));
    expect_reached(80, 80);
    auto fill = backfill();
    ASSERT_EQ(*fill.step(), RedisBackfill::kFramesMax);
    say({"FLUSHDB"});  // again, while it is being filled
    ASSERT_TRUE(feed(80, 101));
    while (*fill.step() != 0) expect_nothing_old();
    EXPECT_EQ(own_keys(), 100u);
    expect_reached(101, 1);
}

TEST_F(RedisProjectionTest, WhatCannotBeToldYetIsAskedAgain) {
    settle(20);
    ASSERT_TRUE(store().begin(0));
    not_yet_ = 15;
    EXPECT_EQ(feed(1, 21).error().code, ErrorCode::unavailable);
    EXPECT_EQ(*projection_->next(), 1u) << "the cursor stays in front of it";
    not_yet_ = 0;
    ASSERT_TRUE(feed(1, 21));
    EXPECT_EQ(own_keys(), 20u);

    say({"FLUSHDB"});
    ASSERT_TRUE(store().begin(20));
    auto fill = backfill();
    not_yet_ = 5;
    EXPECT_EQ(fill.step().error().code, ErrorCode::unavailable);
    not_yet_ = 0;
    EXPECT_EQ(*fill.step(), 20u);
    EXPECT_EQ(own_keys(), 20u);
}

TEST_F(RedisProjectionTest, HistoryThatIsDroppedOrHasRunOutEndsTheFilling) {
    settle(100);
    ASSERT_TRUE(store().begin(100));
    oldest_ = 91;
    auto fill = backfill();
    EXPECT_EQ(*fill.step(), 100u);
    EXPECT_EQ(own_keys(), 10u);
    EXPECT_EQ(*fill.step(), 0u);

    say({"FLUSHDB"});
    ASSERT_TRUE(store().begin(100));
    oldest_ = 1;
    auto short_lived = backfill(std::chrono::seconds(-10));  // whatever is recorded has run out
    EXPECT_EQ(*short_lived.step(), 100u);
    EXPECT_EQ(own_keys(), 0u);
}

std::vector<std::string> keys_of(const Comparison& comparison) {
    std::vector<std::string> keys;
    for (const Drift& drift : comparison.drifts) keys.push_back(drift.key);
    std::ranges::sort(keys);
    return keys;
}

TEST_F(RedisProjectionTest, MoreKeysThanMemoryHoldsAreComparedInParts) {
    settle(90);
    ASSERT_TRUE(store().begin(0));
    ASSERT_TRUE(feed(1, 91));
    const std::vector<std::string> edited{"last:3", "last:6", "own:1", "own:44", "own:90"};
    for (const std::string& key : edited) say({"SET", key, "edited"});
    for (const std::size_t keys_max : {std::size_t{1'000}, std::size_t{20}, std::size_t{7}, std::size_t{1}}) {
        read_.clear();
        const Comparison found = compared(keys_max);
        EXPECT_EQ(keys_of(found), edited) << keys_max;
        EXPECT_EQ(found.rows, kKeys + 90) << keys_max;
        const std::size_t parts_least = (kKeys + 90 + keys_max - 1) / keys_max;
        EXPECT_GE(read_.size(), 90 * parts_least) << keys_max;
    }
    EXPECT_EQ(compared(7, true).mended, edited.size());
    EXPECT_EQ(compared(7).drift, 0u);
    expect_nothing_old();
}

TEST(RedisChangesTest, OfAKeyTheNewestIsSent) {
    Changes changes;
    std::vector<Change> some;
    some.push_back({.key = "a", .version = {2, 0}, .value = "new"});
    some.push_back({.key = "b", .version = {1, 0}, .value = "b"});
    changes.add(some);
    std::vector<Change> more;
    more.push_back({.key = "a", .version = {1, 9}, .value = "old"});
    more.push_back({.key = "b", .version = {1, 1}, .value = Removed{}});
    changes.add(more);
    ASSERT_EQ(changes.all().size(), 2u);
    EXPECT_EQ(std::get<std::string>(changes.all()[0].value), "new");
    EXPECT_TRUE(std::holds_alternative<Removed>(changes.all()[1].value));
}

}  // namespace
}  // namespace nostro::redis::test
