// The engine among many threads: nothing is lost or doubled, and everybody is answered, also at the end.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "nostro/base/signal.hpp"
#include "tests/unit/engine/passing_journal.hpp"
#include "tests/unit/engine/service_world.hpp"

namespace nostro::test {
namespace {

TEST_F(ServiceTest, ManyThreadsLoseAndDoubleNothing) {
    open("ada", 100'000);
    open("bob", 0);
    constexpr int kThreads = 4, kEach = 200;
    std::atomic<int> settled{0};
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i) {
                const std::string key = "key-" + std::to_string(t % 2) + "-" + std::to_string(i);  // each key twice
                auto memory = std::make_shared<const std::string>(key);
                auto builder = service->build(memory);
                if (!builder.payment(wish(*memory, 1))) continue;
                const auto receipts = send(builder).get();
                if (receipts && receipts->at(0).answer.kind == Answer::Kind::recorded) ++settled;
            }
        });
    }
    threads.clear();
    EXPECT_EQ(settled, 2 * kEach);
    EXPECT_EQ(balance("bob")->account.balance, 2 * kEach);
}

TEST_F(ServiceTest, RoundsOfManyThreadsAreDecidedByWhoeverHasTheTurn) {
    open("ada", 1'000'000);
    open("bob", 0);
    std::atomic<int> settled{0}, answered_here{0};
    const auto rounds = [&](int thread) {
        for (int round = 0; round < 100; ++round) {
            std::vector<std::string> keys;
            for (int i = 0; i < 3; ++i) keys.push_back(fmt::format("key-{}-{}-{}", thread, round, i));
            const auto all = std::make_shared<std::promise<void>>();
            const auto left = std::make_shared<std::atomic<int>>(3);
            service->round_begins();
            for (const std::string& key : keys) {
                auto builder = service->build(nullptr);
                ASSERT_TRUE(builder.payment(wish(key, 1)));
                service->submit(builder.take([&, all, left, here = std::this_thread::get_id()](Receipts receipts) {
                    if (receipts && receipts->at(0).status == Status::settled) ++settled;
                    if (std::this_thread::get_id() == here) ++answered_here;
                    if (--*left == 0) all->set_value();
                }));
            }
            service->round_ends();
            wait(all->get_future());
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) threads.emplace_back(rounds, thread);
    }
    EXPECT_EQ(settled, 1'200);
    EXPECT_GT(answered_here, 0);
    EXPECT_EQ(balance("bob")->account.balance, 1'200);
}

// Tells of what is durable when the test wants it, and wakes as a disk does: from another thread.
class HeldJournal final : public PassingJournal {
public:
    using PassingJournal::PassingJournal;
    Result<Seq> accepted() override {
        const auto accepted = PassingJournal::accepted();
        if (!accepted || !held) return accepted;
        return std::min<Seq>(*accepted, told);
    }
    void on_progress(std::function<void()> wake) override { wake_ = std::move(wake); }
    void tell(Seq seq) {
        told = seq;
        std::jthread(wake_).join();
    }

    std::atomic<bool> held{false};
    std::atomic<Seq> told{0};

private:
    std::function<void()> wake_;
};

class SleepingReader final : public Waker {
public:
    void wake() override {
        ++wakes;
        signal.notify();
    }
    Signal signal;
    std::atomic<int> wakes{0};
};

TEST_F(ServiceTest, AReaderIsWokenWhenWhatItAppendedIsDurableAndAnswersIt) {
    HeldJournal held(begin_anew());
    const auto ends_first = start_over(held);
    open("ada", 100'000);
    open("bob", 0);

    held.told = service->accepted();
    held.held = true;
    const auto reader = std::make_shared<SleepingReader>();
    int by_reader = 0;
    // Settlement's own thread looks now and then, and may come first.
    for (int round = 0; round < 100; ++round) {
        const auto answer = std::make_shared<std::promise<std::thread::id>>();
        auto answered = answer->get_future();
        service->round_begins();
        const std::string key = fmt::format("key-{:04}", round);
        auto builder = service->build(nullptr);
        ASSERT_TRUE(builder.payment(wish(key, 1)));
        service->submit(builder.take([answer](Receipts receipts) {
            EXPECT_TRUE(receipts && receipts->at(0).status == Status::settled);
            answer->set_value(std::this_thread::get_id());
        }));
        service->round_ends(reader);
        EXPECT_EQ(answered.wait_for(0s), std::future_status::timeout) << "nothing is told before it is durable";
        const int before = reader->wakes;
        held.tell(held.told + 1);
        for (const auto until = steady_now() + 20s; answered.wait_for(0s) != std::future_status::ready;) {
            ASSERT_LT(steady_now(), until);
            if (reader->signal.wait_for(1ms)) service->round_ends(reader);
        }
        if (reader->wakes != before && answered.get() == std::this_thread::get_id()) ++by_reader;
    }
    EXPECT_GT(by_reader, 0);
    EXPECT_EQ(balance("bob")->account.balance, 100);
}

// Knows which thread decided.
class WatchedJournal final : public PassingJournal {
public:
    using PassingJournal::PassingJournal;
    Result<> append(FramePtr frame) override {
        appender = std::this_thread::get_id();
        return PassingJournal::append(std::move(frame));
    }

    std::atomic<std::thread::id> appender{};
};

// Sees what the program tells of its stages while a frame is being written by the thread that decided it.
class TimedJournal final : public PassingJournal {
public:
    TimedJournal(Journal& journal, MetricsRegistry& registry) : PassingJournal(journal), registry_(registry) {}
    Result<> append_and_wait(FramePtr frame) override {
        told = registry_.prometheus_text();
        return PassingJournal::append_and_wait(std::move(frame));
    }

    std::string told;

private:
    MetricsRegistry& registry_;
};

TEST_F(ServiceTest, WritingAFrameCountsToTheJournalAndNotToDeciding) {
    Journal& anew = begin_anew();
    TimedJournal timed(anew, *registry);
    {
        const auto ends_first = start_over(timed);
    }
    EXPECT_THAT(timed.told, testing::HasSubstr("nostro_settlement_frame_seconds_count 1\n"));
}

// Reading and deciding go on side by side then.
TEST_F(ServiceTest, MuchIsDecidedBySettlementsOwnThread) {
    WatchedJournal watched(begin_anew());
    const auto ends_first = start_over(watched);
    open("ada", 100'000);
    open("bob", 0);
    std::vector<std::string> keys;
    for (int i = 0; i < 300; ++i) keys.push_back(fmt::format("key-{:04}", i));
    auto builder = service->build(nullptr);
    for (const std::string& key : keys) ASSERT_TRUE(builder.payment(wish(key, 1)));
    service->round_begins();
    auto answer = send(builder);
    service->round_ends(std::make_shared<SleepingReader>());
    EXPECT_EQ(wait(std::move(answer))->size(), 300u);
    EXPECT_NE(watched.appender.load(), std::this_thread::get_id());
}

TEST_F(ServiceTest, AFailedWriteIsToldToItsOwnerOnceAndToNobodyElse) {
    open("ada", 1'000);
    journal->fail();
    auto builder = service->build(nullptr);
    ASSERT_TRUE(builder.payment(wish("key-0001", 300)));
    auto answer = send(builder);
    EXPECT_EQ(wait(fatal.get_future()).code, ErrorCode::unknown);
    EXPECT_FALSE(service->ready());
    EXPECT_EQ(answer.wait_for(0s), std::future_status::timeout) << "nothing is told";
    auto later = service->build(nullptr);
    ASSERT_TRUE(later.payment(wish("key-0002", 300)));
    const auto refused = wait(send(later));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusal_word(refused.error()), "stopping");
    service->stop();
    const auto unknown = wait(std::move(answer));
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().code, ErrorCode::invalid);
}

TEST_F(ServiceTest, StopSettlesAndAnswersWhatItHasTaken) {
    open("ada", 100'000);
    open("bob", 0);
    auto builder = service->build(nullptr);
    std::vector<std::string> keys;
    for (int i = 0; i < 500; ++i) keys.push_back("key-" + std::to_string(1'000 + i));
    for (const auto& key : keys) ASSERT_TRUE(builder.payment(wish(key, 1)));
    auto answer = send(builder);
    service->stop();
    const auto receipts = wait(std::move(answer));
    ASSERT_TRUE(receipts);
    EXPECT_EQ(receipts->size(), 500u);
    service->stop();
    auto later = service->build(nullptr);
    ASSERT_TRUE(later.payment(wish("key-0001", 1)));
    EXPECT_FALSE(wait(send(later)));
}

}  // namespace
}  // namespace nostro::test
