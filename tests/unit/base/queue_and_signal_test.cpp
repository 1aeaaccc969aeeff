#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <memory>
#include <numeric>
#include <thread>

#include "nostro/base/bounded_queue.hpp"
#include "nostro/base/signal.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;

// Far enough that a test which needs it has failed.
constexpr auto kLong = 60s;

// --- BoundedQueue ---

TEST(BoundedQueueTest, AFullQueueRefusesAndLeavesTheItem) {
    BoundedQueue<std::unique_ptr<int>> queue(2);
    EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
    EXPECT_TRUE(queue.try_push(std::make_unique<int>(2)));
    auto third = std::make_unique<int>(3);
    EXPECT_FALSE(queue.try_push(std::move(third)));
    ASSERT_NE(third, nullptr);

    std::vector<std::unique_ptr<int>> out;
    EXPECT_EQ(queue.drain(out, 1), 1u);
    EXPECT_EQ(*out[0], 1);
    EXPECT_TRUE(queue.try_push(std::move(third)));
    EXPECT_EQ(queue.drain(out, 100), 2u);
    EXPECT_EQ(*out[2], 3);
    EXPECT_EQ(queue.drain(out, 100), 0u);
}

TEST(BoundedQueueTest, AGroupEntersWholeOrNotAtAll) {
    BoundedQueue<int> queue(3);
    std::vector<int> two{1, 2}, others{3, 4};
    EXPECT_TRUE(queue.try_push_all(two));
    EXPECT_TRUE(two.empty());
    EXPECT_FALSE(queue.try_push_all(others));
    EXPECT_EQ(others, (std::vector<int>{3, 4}));
    std::vector<int> out;
    queue.drain(out, 10);
    EXPECT_EQ(out, (std::vector<int>{1, 2}));
    EXPECT_TRUE(queue.try_push_all(others));
}

TEST(BoundedQueueTest, ClosedTakesNothingMoreButGivesWhatItHas) {
    BoundedQueue<int> queue(4);
    EXPECT_TRUE(queue.try_push(1));
    queue.close();
    EXPECT_TRUE(queue.closed());
    EXPECT_FALSE(queue.try_push(2));
    std::vector<int> group{3}, out;
    EXPECT_FALSE(queue.try_push_all(group));
    EXPECT_EQ(queue.drain(out, 10), 1u);
    EXPECT_EQ(out, std::vector<int>{1});
}

TEST(BoundedQueueTest, DrainingAllSwapsMemoryInsteadOfTakingNew) {
    BoundedQueue<int> queue(64);
    std::vector<int> a;
    queue.drain(a, 64);  // gives `a` its memory
    const int* memory = a.data();
    queue.try_push(7);
    queue.drain(a, 64);
    EXPECT_NE(a.data(), memory);
    a.clear();
    queue.try_push(8);
    queue.drain(a, 64);
    EXPECT_EQ(a.data(), memory);
}

// Any sequence of pushes and drains against a plain deque.
RC_GTEST_PROP(BoundedQueueTest, BehavesAsADequeWithABound, ()) {
    const auto capacity = *rc::gen::inRange<std::size_t>(1, 9);
    const auto script = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-9, 10));
    BoundedQueue<int> queue(capacity);
    std::deque<int> model;
    int next = 0;
    for (const int step : script) {
        if (step == 0) {
            RC_ASSERT(queue.try_push(int{next}) == (model.size() < capacity));
            if (model.size() < capacity) model.push_back(next++);
        } else if (step > 0) {
            std::vector<int> group(static_cast<std::size_t>(step));
            std::iota(group.begin(), group.end(), next);
            const bool fits = model.size() + group.size() <= capacity;
            RC_ASSERT(queue.try_push_all(group) == fits);
            for (int i = 0; fits && i < step; ++i) model.push_back(next++);
        } else {
            const auto max = static_cast<std::size_t>(-step - 1);
            std::vector<int> out(1, -1);
            RC_ASSERT(queue.drain(out, max) == std::min(max, model.size()));
            for (std::size_t i = 1; i < out.size(); ++i, model.pop_front()) RC_ASSERT(out[i] == model.front());
        }
        RC_ASSERT(queue.size() == model.size());
    }
}

// --- Signal ---

TEST(SignalTest, WithoutANotificationTheDeadlineEndsTheWait) {
    Signal signal;
    EXPECT_FALSE(signal.wait_until(std::chrono::steady_clock::now() - 1s));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(signal.wait_for(2ms));
    EXPECT_FALSE(signal.wait_for(2ms, 1ms));
    EXPECT_GE(std::chrono::steady_clock::now() - start, 4ms);
    EXPECT_FALSE(signal.wait_until(Signal::Deadline::min()));
}

TEST(SignalTest, ANotificationIsRememberedOnce) {
    Signal signal;
    signal.notify();
    signal.notify();
    EXPECT_TRUE(signal.wait_for(kLong));
    EXPECT_FALSE(signal.try_take());
    EXPECT_FALSE(signal.wait_for(0s));
    signal.notify();
    EXPECT_TRUE(signal.try_take());
    EXPECT_FALSE(signal.try_take());
}

TEST(SignalTest, ASleepingAndASpinningWaiterAreWoken) {
    for (const auto spin : {0ns, std::chrono::nanoseconds(kLong)}) {
        Signal signal;
        std::jthread other([&] { signal.notify(); });
        EXPECT_TRUE(signal.wait_for(kLong, spin));
    }
}

// Ball back and forth: a lost wake-up would run into the deadline, an unordered one into the sanitizer.
TEST(SignalTest, NoWakeUpIsLostAndWritesAreSeen) {
    constexpr int kRounds = 5000;
    Signal ping, pong;
    int ball = 0;  // plain on purpose: the signals alone order it
    std::jthread other([&] {
        for (int i = 0; i < kRounds; ++i) {
            if (!ping.wait_for(kLong)) return;
            ++ball;
            pong.notify();
        }
    });
    for (int i = 0; i < kRounds; ++i) {
        ++ball;
        ping.notify();
        ASSERT_TRUE(pong.wait_for(kLong, i % 2 == 0 ? 20us : 0us));
    }
    EXPECT_EQ(ball, 2 * kRounds);
}

// The way settlement is fed.
TEST(SignalTest, ManyProducersFeedOneConsumerThroughAQueue) {
    constexpr int kProducers = 3, kEach = 4000;
    BoundedQueue<int> queue(64);
    Signal filled;
    std::vector<std::jthread> producers;
    for (int p = 0; p < kProducers; ++p) {
        producers.emplace_back([&, p] {
            for (int i = 0; i < kEach; ++i) {
                while (!queue.try_push(p * kEach + i)) std::this_thread::yield();
                filled.notify();
            }
        });
    }
    std::vector<int> got, batch;
    while (got.size() < std::size_t{kProducers} * kEach) {
        batch.clear();
        if (queue.drain(batch, 50) == 0) {
            ASSERT_TRUE(filled.wait_for(kLong));
        }
        got.insert(got.end(), batch.begin(), batch.end());
    }
    std::vector<int> last(kProducers, -1);
    for (const int item : got) {  // each producer's own order is kept
        int& before = last[static_cast<std::size_t>(item / kEach)];
        EXPECT_LT(before, item);
        before = item;
    }
    std::sort(got.begin(), got.end());
    for (int i = 0; i < kProducers * kEach; ++i) ASSERT_EQ(got[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace nostro
