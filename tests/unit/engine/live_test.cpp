#include "nostro/engine/live.hpp"

#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

class LiveTest : public testing::Test {
protected:
    LiveTest() : node(log, NodeOptions{}), live(node.frames, 4, 2) {
        node.start();
        node.run(two_accounts());
        live.on_room([this] { ++room; });
    }
    std::unique_ptr<Subscription> subscribe(std::optional<Place> after = {}, Search filter = {}) {
        auto subscription = live.subscribe(after, std::move(filter), [this] { ++woken; });
        EXPECT_TRUE(subscription) << (subscription ? "" : subscription.error().what);
        return subscription ? std::move(*subscription) : nullptr;
    }
    // Everything that can be had now, as "seq.index status".
    std::vector<std::string> all(Subscription& subscription, std::size_t at_once = 100) {
        std::vector<std::string> got;
        for (;;) {
            EXPECT_TRUE(live.step());
            std::vector<StreamEvent> events;
            const auto count = subscription.take(at_once, events);
            EXPECT_TRUE(count);
            if (events.empty()) return got;
            for (const StreamEvent& event : events) {
                got.push_back(std::to_string(event.place.seq) + "." + std::to_string(event.place.index) + " " +
                              std::string(name(event.outcome->status)));
            }
        }
    }

    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    Node node;
    Live live;
    int woken = 0, room = 0;
};

TEST_F(LiveTest, TellsWhatIsAcceptedFromNowOn) {
    node.run(payments(1, 1));
    const auto subscription = subscribe();
    EXPECT_TRUE(all(*subscription).empty());
    node.run(payments(2, 2));
    EXPECT_EQ(all(*subscription), (std::vector<std::string>{"4.0 settled", "4.1 settled"}));
    EXPECT_GE(woken, 1);
}

TEST_F(LiveTest, TellsNothingThatIsInFlight) {
    const auto subscription = subscribe();
    static_cast<void>(node.submit(payments(1, 1)));
    node.turn();
    EXPECT_TRUE(all(*subscription).empty());
    node.settle();
    EXPECT_EQ(all(*subscription).size(), 1u);
}

TEST_F(LiveTest, ResumesBehindTheLastEventWithoutGapOrRepetition) {
    node.run(payments(1, 3));
    node.run(payments(4, 2));
    const auto subscription = subscribe(Place{3, 1});
    EXPECT_EQ(all(*subscription), (std::vector<std::string>{"3.2 settled", "4.0 settled", "4.1 settled"}));
    const auto last = subscribe(Place{3, 2});
    EXPECT_EQ(all(*last).size(), 2u);
}

TEST_F(LiveTest, ASlowSubscriberStaysBehindAndMissesNothing) {
    const auto slow = subscribe();
    for (std::uint64_t i = 0; i < 5; ++i) node.run(payments(10 * i, 3));
    EXPECT_TRUE(live.step());
    EXPECT_TRUE(live.step());
    std::vector<StreamEvent> events;
    ASSERT_EQ(slow->take(100, events).value_or(0), 4u) << "its queue is bounded";
    EXPECT_EQ(room, 2) << "subscribing, and room where there was none";
    EXPECT_EQ(all(*slow, 1).size(), 11u);
    EXPECT_EQ(slow->position().seq, 7u);
}

TEST_F(LiveTest, OneSubscriberDoesNotHoldUpAnother) {
    const auto slow = subscribe();
    const auto fast = subscribe();
    for (std::uint64_t i = 0; i < 5; ++i) node.run(payments(10 * i, 3));
    EXPECT_EQ(all(*fast).size(), 15u);
    EXPECT_EQ(all(*slow).size(), 15u);
}

TEST_F(LiveTest, FiltersByAccountStatusAmountAndReference) {
    Search by_account;
    by_account.account = account("carl");
    Search by_amount;
    by_amount.min_minor = 50;
    const auto of_carl = subscribe({}, by_account);
    const auto large = subscribe({}, by_amount);
    node.run(an_account("carl").command());
    node.run({a_payment().id(1).of("EUR", 10).to("carl").command(), a_payment().id(2).of("EUR", 60).command()});
    EXPECT_EQ(all(*of_carl), (std::vector<std::string>{"4.0 settled"}));
    EXPECT_EQ(all(*large), (std::vector<std::string>{"4.1 settled"}));
}

TEST_F(LiveTest, AFollowUpCarriesThePaymentOfItsFirstFrame) {
    Search by_type;
    by_type.type = "HOLD";
    const auto subscription = subscribe({}, by_type);
    node.run({a_payment().id(1).type("HOLD").manual().command(), a_payment().id(2).type("OTHER").command()});
    node.run(a_command(CapturePayment{payment_id_of(1), {}}));
    EXPECT_TRUE(live.step());
    std::vector<StreamEvent> events;
    ASSERT_EQ(subscription->take(9, events).value_or(0), 2u);
    EXPECT_EQ(events[0].outcome->status, Status::held);
    EXPECT_EQ(events[1].outcome->status, Status::settled);
    ASSERT_NE(events[1].payment, nullptr);
    EXPECT_EQ(events[1].payment->debtor_name, "ada");
    EXPECT_EQ(events[1].payment->type, "HOLD");
}

TEST_F(LiveTest, APositionBeyondTheJournalIsRefused) {
    const auto subscription = live.subscribe(Place{99, 0}, {}, [] {});
    ASSERT_FALSE(subscription);
    EXPECT_EQ(subscription.error().code, ErrorCode::invalid);
}

TEST_F(LiveTest, APositionOlderThanKeptHistoryEndsTheSubscription) {
    node.run(payments(1, 1));
    log->set_image(2, {}, true);
    FrameCache fresh(node.journal, 1u << 20);
    fresh.set_accepted(node.journal_head());
    Live other(fresh, 4, 2);
    auto subscription = other.subscribe(Place{1, 0}, {}, [this] { ++woken; });
    ASSERT_TRUE(subscription);
    EXPECT_TRUE(other.step());
    EXPECT_EQ(woken, 1);
    std::vector<StreamEvent> events;
    const auto count = (*subscription)->take(9, events);
    ASSERT_FALSE(count);
    EXPECT_EQ(count.error().code, ErrorCode::not_found);
    EXPECT_EQ(other.subscribers(), 0u);
}

TEST_F(LiveTest, SubscribersAreBoundedAndLeaveWithTheirObject) {
    auto first = subscribe();
    const auto second = subscribe();
    const auto third = live.subscribe({}, {}, [] {});
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, ErrorCode::unavailable);
    first.reset();
    EXPECT_EQ(live.subscribers(), 1u);
    EXPECT_TRUE(live.subscribe({}, {}, [] {}));
}

TEST_F(LiveTest, WhenTheEngineStopsWhatWaitsIsStillGivenThenItEnds) {
    const auto subscription = subscribe();
    node.run(payments(1, 1));
    EXPECT_TRUE(live.step());
    live.stop();
    std::vector<StreamEvent> events;
    EXPECT_EQ(subscription->take(9, events).value_or(0), 1u);
    const auto ended = subscription->take(9, events);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::unavailable);
    EXPECT_FALSE(live.subscribe({}, {}, [] {}));
}

}  // namespace
}  // namespace nostro::test
