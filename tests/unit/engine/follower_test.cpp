// A process that does not own the Book, over a journal in memory: it installs what the owner decided, never decides
// itself, and can become the owner.
#include <gmock/gmock.h>

#include "tests/unit/engine/service_world.hpp"
#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

using testing::HasSubstr;

class FollowerTest : public testing::Test {
protected:
    // Everything that is durable, installed.
    static void catch_up(Node& standby) {
        ASSERT_TRUE(standby.journal.follow(0ms));
        standby.turn();
    }
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    NodeOptions options;
};

TEST_F(FollowerTest, IsEqualToTheOwnerAfterEveryFrame) {
    options.limits.payments_per_frame_max = 3;
    Node owner(log, options), standby(log, options);
    owner.start();
    ASSERT_TRUE(standby.settlement->follow());
    owner.run(two_accounts());
    for (std::uint64_t first = 1; first < 100; first += 5) {
        owner.run(payments(first, 5, static_cast<std::int64_t>(first)));
        catch_up(standby);
        ASSERT_EQ(standby.frames.accepted(), owner.frames.accepted());
        ASSERT_EQ(standby.book.digest(), owner.book.digest()) << "after frame " << owner.frames.accepted();
    }
    EXPECT_EQ(standby.journal.under_way(), 0u);
    EXPECT_EQ(log->void_frames(), 0u);
}

TEST_F(FollowerTest, KnowsTheHistoryThatWasThereBefore) {
    Node owner(log, options);
    owner.start();
    owner.run(two_accounts());
    owner.run(payments(1, 10));
    Node standby(log, options);
    ASSERT_TRUE(standby.settlement->follow());
    EXPECT_EQ(standby.book.digest(), owner.book.digest());
    EXPECT_EQ(standby.frames.accepted(), owner.frames.accepted());
    ASSERT_NE(standby.policies.current(0), nullptr);
}

TEST_F(FollowerTest, ReadsStandAtTheFrameThatIsInstalled) {
    Node owner(log, options), standby(log, options);
    owner.start();
    owner.run(two_accounts());
    ASSERT_TRUE(standby.settlement->follow());
    const auto before = standby.read("bob");
    standby.turn();
    ASSERT_TRUE(before->as_of);
    EXPECT_EQ(before->as_of->seq, 2u);
    EXPECT_EQ(before->account->balance, 0);
    owner.run(payments(1, 1, 700));
    const auto after = standby.read("bob");
    standby.turn();
    ASSERT_TRUE(after->as_of);
    EXPECT_EQ(after->as_of->seq, 3u);
    EXPECT_EQ(after->account->balance, 700);
}

TEST_F(FollowerTest, DecidesNothingOfWhatItIsAsked) {
    Node owner(log, options), standby(log, options);
    owner.start();
    owner.run(two_accounts());
    ASSERT_TRUE(standby.settlement->follow());
    const auto told = standby.submit(payments(1, 1));
    standby.turn();
    ASSERT_TRUE(told->error);
    EXPECT_EQ(told->error->code, ErrorCode::unavailable);
    EXPECT_EQ(refusal_word(*told->error), "standby");
    EXPECT_EQ(log->last(), owner.frames.accepted());
}

TEST_F(FollowerTest, ExpiresNoHoldByItself) {
    Node owner(log, options), standby(log, options);
    owner.start();
    owner.run(two_accounts());
    owner.run(a_payment().id(1).of("EUR", 500).manual().command());
    ASSERT_TRUE(standby.settlement->follow());
    standby.now += std::chrono::days(30);
    standby.turn();
    EXPECT_EQ(standby.book.digest(), owner.book.digest());
    EXPECT_EQ(standby.journal.under_way(), 0u);
}

TEST_F(FollowerTest, HearsEachFollowedFrameOnceAndInOrderAndCanReadItThen) {
    Node owner(log, options);
    owner.start();
    owner.run(two_accounts());
    Node standby(log, options);
    std::vector<Seq> heard;
    SettlementParts parts;
    parts.book = &standby.book;
    parts.journal = &standby.journal;
    parts.inbox = &standby.inbox;
    parts.frames = &standby.frames;
    parts.policies = &standby.policies;
    parts.metrics = &standby.metrics;
    parts.on_followed = [&](const DecodedPtr& frame) {
        heard.push_back(frame->seq());
        EXPECT_LE(frame->seq(), standby.frames.accepted());
        EXPECT_FALSE(frame->commands.empty());
    };
    Settlement settlement(std::move(parts), {});
    ASSERT_TRUE(settlement.follow());
    EXPECT_TRUE(heard.empty());
    owner.run(payments(1, 3));
    owner.run(payments(11, 3));
    ASSERT_TRUE(standby.journal.follow(0ms));
    ASSERT_TRUE(settlement.step(kStart));
    EXPECT_EQ(heard, (std::vector<Seq>{3, 4}));
}

TEST_F(FollowerTest, TakesOverWithTheBookItHasAndTheOldOwnerIsFenced) {
    Node owner(log, options), standby(log, options);
    owner.start();
    owner.run(two_accounts());
    ASSERT_TRUE(standby.settlement->follow());
    owner.run(payments(1, 10));  // not followed yet: taking over installs it
    const auto lost = owner.submit(payments(100, 1));
    owner.turn();  // in flight when the other one takes over
    standby.start();
    EXPECT_EQ(standby.balance("bob"), 10);
    EXPECT_EQ(standby.run(payments(1, 1)).one().answer.kind, Answer::Kind::replayed);
    EXPECT_EQ(standby.run(payments(20, 1)).one().status, Status::settled);
    owner.journal.complete(1);
    const auto ended = owner.step();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::fenced);
    EXPECT_FALSE(lost->yet());
    EXPECT_EQ(standby.balance("bob"), 11);
}

TEST_F(FollowerTest, TwoStandbysFollowWhoeverOwns) {
    Node owner(log, options), second(log, options), third(log, options);
    owner.start();
    owner.run(two_accounts());
    ASSERT_TRUE(second.settlement->follow());
    ASSERT_TRUE(third.settlement->follow());
    owner.run(payments(1, 10));
    second.start();
    second.run(payments(11, 10));
    catch_up(third);
    EXPECT_EQ(third.book.digest(), second.book.digest());
    EXPECT_EQ(third.balance("bob"), 20);
}

// Ids that are sealed as far as a test says.
class SealedThrough final : public SealedIds {
public:
    Result<std::optional<Found>> find(PaymentId, Seq) const override { return std::optional<Found>(); }
    Seq through() const override { return sealed; }
    Seq sealed = 0;
};

TEST_F(FollowerTest, AStandbyWhoseIdsAreSealedLaterThanTheOwnersWaitsForThem) {
    SealedThrough of_owner, of_standby;
    options.book.known_max = 2'000;
    options.limits.payments_per_frame_max = 100;
    options.sealed = &of_owner;
    Node owner(log, options);
    options.sealed = &of_standby;
    Node standby(log, options);
    owner.start();
    ASSERT_TRUE(standby.settlement->follow());
    owner.run(two_accounts());
    for (std::uint64_t first = 1; first < 4'000; first += 100) {
        of_owner.sealed = owner.journal_head();
        owner.run(payments(first, 100));
    }
    for (int turn = 0; turn < 100; ++turn) catch_up(standby);
    EXPECT_GT(standby.frames.accepted(), 10u);
    EXPECT_LT(standby.frames.accepted(), owner.frames.accepted());
    for (int turn = 0; turn < 100; ++turn) {
        of_standby.sealed = standby.frames.accepted();
        catch_up(standby);
    }
    EXPECT_EQ(standby.frames.accepted(), owner.frames.accepted());
    EXPECT_EQ(standby.book.digest(), owner.book.digest());
}

TEST_F(FollowerTest, AnOwnerThatRestsAnswersWhatIsInFlightAndTurnsTheRestAway) {
    Node owner(log, options);
    owner.start();
    owner.run(two_accounts());
    const auto in_flight = owner.submit(payments(1, 1));
    owner.turn();
    owner.settlement->rest(true);
    const auto late = owner.submit(payments(2, 1));
    owner.settle();
    ASSERT_EQ(in_flight->receipts.size(), 1u);
    ASSERT_TRUE(late->error);
    EXPECT_EQ(refusal_word(*late->error), "handing_over");
    EXPECT_TRUE(owner.settlement->idle());
    const Seq last = owner.frames.accepted();
    owner.now += std::chrono::days(30);
    owner.settle();
    EXPECT_EQ(log->last(), last);
    owner.settlement->rest(false);
    EXPECT_EQ(owner.run(payments(2, 1)).one().status, Status::settled);
}

// The same with threads.
class StandbyTest : public ServiceTest {
protected:
    void SetUp() override {
        ServiceTest::SetUp();
        make_standby(nullptr);
    }
    void make_standby(Intake* writes) {
        standby.reset();
        standby_registry = std::make_unique<MetricsRegistry>();
        standby_journal = std::make_unique<MemoryJournal>(log);
        ServiceParts parts;
        parts.journal = standby_journal.get();
        parts.index = &standby_index;
        parts.projections = {{"index", &standby_index}};
        parts.clock = &clock;
        parts.metrics = standby_registry.get();
        parts.fatal = [](const Error& error) { ADD_FAILURE() << error.what; };
        parts.writes = writes;
        ServiceOptions options;
        options.book = kSmallBook;
        standby = std::make_unique<Service>(std::move(parts), options);
        const auto followed = standby->follow();
        ASSERT_TRUE(followed) << followed.error().what;
    }
    Result<BalanceNow> standby_balance(std::string_view name) {
        auto promise = std::make_shared<std::promise<Result<BalanceNow>>>();
        auto future = promise->get_future();
        standby->balance(account(name), [promise](Result<BalanceNow> now) { promise->set_value(std::move(now)); });
        return wait(std::move(future));
    }
    // What the owner has told is there after a moment.
    void wait_for(Seq seq) {
        while (standby->accepted() < seq) std::this_thread::yield();
    }
    Receipts standby_pay(std::string_view key) {
        auto promise = std::make_shared<std::promise<Receipts>>();
        auto future = promise->get_future();
        auto builder = standby->build(nullptr);
        EXPECT_TRUE(builder.payment(wish(key, 10)));
        standby->submit(builder.take([promise](Receipts receipts) { promise->set_value(std::move(receipts)); }));
        return wait(std::move(future));
    }

    SlowIndex standby_index;
    std::unique_ptr<MetricsRegistry> standby_registry;
    std::unique_ptr<MemoryJournal> standby_journal;
    std::unique_ptr<Service> standby;
};

TEST_F(StandbyTest, ReadsAreTheOwnersAtTheSameFrame) {
    open("ada", 1'000);
    open("bob", 0);
    const Receipt receipt = pay("key-0001", 300);
    wait_for(service->accepted());
    const auto here = balance("ada"), there = standby_balance("ada");
    ASSERT_TRUE(there);
    EXPECT_EQ(there->account, here->account);
    EXPECT_EQ(there->as_of.seq, here->as_of.seq);
    EXPECT_EQ(there->as_of.at, here->as_of.at);
    const auto found = standby->history().payment(receipt.payment);
    ASSERT_TRUE(found);
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->last().status, Status::settled);
    EXPECT_EQ(standby->role(), Role::standby);
}

TEST_F(StandbyTest, IsNotReadyForPaymentsAndSaysWhy) {
    const auto refused = standby_pay("key-0001");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusal_word(refused.error()), "standby");
    EXPECT_FALSE(standby->ready());
    EXPECT_THAT(standby->parts().at(1).reason, HasSubstr("another process owns the Book"));
    EXPECT_EQ(standby->lag().frames, 0u);
}

TEST_F(StandbyTest, WithAWayInForCommandsItPassesThemOn) {
    open("ada", 1'000);
    open("bob", 0);
    make_standby(service.get());
    const auto receipts = standby_pay("key-0001");
    ASSERT_TRUE(receipts);
    EXPECT_EQ(receipts->at(0).status, Status::settled);
    EXPECT_TRUE(standby->ready());
    wait_for(receipts->at(0).place.seq);
    EXPECT_EQ(standby_balance("bob")->account.balance, 10);
}

TEST_F(StandbyTest, AfterAHandOverTheStandbyOwnsTheBook) {
    open("ada", 1'000);
    open("bob", 0);
    pay("key-0001", 300);
    const auto last = service->hand_over();
    ASSERT_TRUE(last) << last.error().what;
    ASSERT_TRUE(standby->take_over());
    EXPECT_EQ(standby->role(), Role::owner);
    EXPECT_EQ(standby->accepted(), *last + 1);  // the take-over frame
    const auto receipts = standby_pay("key-0002");
    ASSERT_TRUE(receipts);
    EXPECT_EQ(receipts->at(0).status, Status::settled);
    EXPECT_TRUE(standby->ready());
    // The old owner's frames would be void; it knows that it gave the Book away, and tries none.
    auto builder = service->build(nullptr);
    ASSERT_TRUE(builder.payment(wish("key-0003", 1)));
    const auto refused = wait(send(builder));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusal_word(refused.error()), "handing_over");
    EXPECT_EQ(log->void_frames(), 0u);
    EXPECT_FALSE(standby->take_over());  // it is the owner already
}

TEST_F(StandbyTest, AHandOverThatNobodyTakesCanBeUndone) {
    open("ada", 1'000);
    open("bob", 0);
    ASSERT_TRUE(service->hand_over());
    service->resume();
    EXPECT_EQ(pay("key-0001", 300).status, Status::settled);
}

// It asks a server for its place, which takes a while.
struct SlowSource final : Source {
    explicit SlowSource(std::function<void()> meanwhile) : meanwhile_(std::move(meanwhile)) {}
    Result<> seek(std::span<const Cursor> cursors) override {
        meanwhile_();
        return input.seek(cursors);
    }
    Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) override {
        return input.poll(count_max, arrivals);
    }
    MemorySource input{7};

private:
    const std::function<void()> meanwhile_;
};

TEST_F(StandbyTest, SourcesAndProjectionsBeginWithTheOwnership) {
    open("ada", 1'000);
    open("bob", 0);
    ASSERT_TRUE(service->hand_over());
    ASSERT_TRUE(standby->take_over());
    SlowIndex late;
    standby->add_projection({"late", &late});
    SlowSource source([&] { EXPECT_TRUE(standby_balance("bob")) << "it holds up whoever has the turn"; });
    ASSERT_TRUE(standby->add_source(source));
    source.input.put(a_payment().id(9).of("EUR", 5).command());
    while (standby_balance("bob")->account.balance != 5) std::this_thread::yield();
    while (late.read_through() < standby->accepted()) std::this_thread::yield();
    standby->stop();
}

TEST(FollowableJournals, OneThatNobodyCanFollowSaysSo) {
    MemoryJournal journal(std::make_shared<MemoryLog>());
    ASSERT_TRUE(journal.take_over());
    const auto followed = journal.follow(0ms);
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace nostro::test
