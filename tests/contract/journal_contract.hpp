// What ports/journal.hpp promises, as a suite that every adapter runs: a test file includes this once and names its
// adapters with INSTANTIATE_TEST_SUITE_P(Adapters, JournalContract, testing::Values(JournalAdapter{...}), name_of).
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/ports/journal.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro {

using test::FrameChain;
using test::same_bytes;

// What outlives a journal, and the way to open another one on it.
class JournalStore {
public:
    virtual ~JournalStore() = default;
    virtual Journal& open() = 0;  // closes the one before
};

struct JournalAdapter {
    const char* name;
    std::function<std::unique_ptr<JournalStore>()> make;
};

class JournalContract : public testing::TestWithParam<JournalAdapter> {
protected:
    std::unique_ptr<JournalStore> store_ = GetParam().make();
};

inline Head take_over(Journal& journal) {
    auto head = journal.take_over();
    EXPECT_TRUE(head) << (head ? "" : head.error().what);
    return head ? *head : Head{};
}

// A server that gets no processor for a while is not ready, and then it is.
inline Result<> wait_until_ready(Journal& journal) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
        auto ready = journal.ready();
        const bool is_later = !ready && ready.error().code == ErrorCode::unavailable;
        if (!is_later || std::chrono::steady_clock::now() > until) return ready;
        std::this_thread::yield();
    }
}

// Every other one by a caller who has time: the two go together.
inline Result<> append(Journal& journal, const FramePtr& frame) {
    return frame->header.seq % 2 == 0 ? journal.append(frame) : journal.append_and_wait(frame);
}

// Appends and waits by accepted() alone.
inline void append_accepted(Journal& journal, const FramePtr& frame) {
    const auto ready = wait_until_ready(journal);
    ASSERT_TRUE(ready) << ready.error().what;
    auto appended = append(journal, frame);
    ASSERT_TRUE(appended) << appended.error().what;
    for (;;) {
        auto accepted = journal.accepted();
        ASSERT_TRUE(accepted) << accepted.error().what;
        if (*accepted >= frame->header.seq) return;
    }
}

inline std::vector<FramePtr> write_some(Journal& journal, FrameChain& chain, std::size_t count) {
    std::vector<FramePtr> frames;
    for (std::size_t i = 0; i < count; ++i) {
        frames.push_back(chain.next(chain.head().seq, 100 + i * 997 % 20'000));
        append_accepted(journal, frames.back());
    }
    return frames;
}

inline std::vector<FramePtr> read_all(Journal& journal, Seq from = 1) {
    std::vector<FramePtr> frames;
    auto next = journal.read(from, [&](const FramePtr& frame) {
        frames.push_back(frame);
        return true;
    });
    EXPECT_TRUE(next) << (next ? "" : next.error().what);
    if (next) {
        EXPECT_EQ(*next, from + frames.size());
    }
    return frames;
}

inline void expect_same(const std::vector<FramePtr>& written, const std::vector<FramePtr>& read) {
    ASSERT_EQ(written.size(), read.size());
    for (std::size_t i = 0; i < written.size(); ++i) EXPECT_TRUE(same_bytes(written[i], read[i])) << "frame " << i + 1;
}

TEST_P(JournalContract, AnEmptyJournalBeginsBeforeItsFirstFrame) {
    const Head head = take_over(store_->open());
    EXPECT_EQ(head.seq, 0u);
    EXPECT_EQ(head.digest, Digest{});
    EXPECT_EQ(head.epoch, 1u);
    EXPECT_TRUE(head.cursors.empty());
}

TEST_P(JournalContract, AcceptedFramesAreReadBackByteForByte) {
    Journal& journal = store_->open();
    FrameChain chain(take_over(journal));
    const auto written = write_some(journal, chain, 40);
    expect_same(written, read_all(journal));
}

TEST_P(JournalContract, AReopenedJournalHasEveryAcceptedFrameAndItsHead) {
    Journal& first = store_->open();
    FrameChain chain(take_over(first));
    const auto written = write_some(first, chain, 40);
    Journal& second = store_->open();
    const Head head = take_over(second);
    EXPECT_EQ(head.seq, chain.head().seq);
    EXPECT_EQ(head.digest, chain.head().digest);
    EXPECT_EQ(head.time, chain.head().time);
    EXPECT_EQ(head.cursors, chain.head().cursors);
    EXPECT_EQ(*second.accepted(), head.seq);
    expect_same(written, read_all(second));
}

TEST_P(JournalContract, EachTakeOverRaisesTheEpochEvenWithoutAFrame) {
    EXPECT_EQ(take_over(store_->open()).epoch, 1u);
    EXPECT_EQ(take_over(store_->open()).epoch, 2u);
    Journal& third = store_->open();
    FrameChain chain(take_over(third));
    write_some(third, chain, 1);
    EXPECT_EQ(take_over(store_->open()).epoch, 4u);
}

TEST_P(JournalContract, TheChainGoesOnAfterEveryReopening) {
    std::vector<FramePtr> written;
    for (int turn = 0; turn < 6; ++turn) {
        Journal& journal = store_->open();
        FrameChain chain(take_over(journal), 1000 + static_cast<std::uint64_t>(turn));
        for (auto& frame : write_some(journal, chain, 7)) written.push_back(std::move(frame));
    }
    Journal& journal = store_->open();
    take_over(journal);
    expect_same(written, read_all(journal));
}

TEST_P(JournalContract, SeveralFramesInFlightAreAcceptedInOrder) {
    Journal& journal = store_->open();
    FrameChain chain(take_over(journal));
    std::vector<FramePtr> written;
    Seq accepted = 0;
    while (accepted < 60) {
        while (written.size() < 60 && written.size() - accepted < journal.in_flight_max()) {
            const auto ready = journal.ready();
            // One in flight has waited for long, perhaps only for us to ask what became of it.
            if (!ready && ready.error().code == ErrorCode::unavailable) break;
            ASSERT_TRUE(ready) << ready.error().what;
            written.push_back(chain.next(accepted, written.size() * 911 % 20'000));
            ASSERT_TRUE(append(journal, written.back()));
        }
        auto now = journal.accepted();
        ASSERT_TRUE(now) << now.error().what;
        EXPECT_GE(*now, accepted);
        accepted = *now;
    }
    expect_same(written, read_all(journal));
}

TEST_P(JournalContract, ReadingBeginsAnywhereAndStopsWhenTold) {
    Journal& journal = store_->open();
    FrameChain chain(take_over(journal));
    const auto written = write_some(journal, chain, 30);
    for (Seq from = 1; from <= 30; ++from) {
        std::vector<FramePtr> got;
        auto next = journal.read(from, [&](const FramePtr& frame) {
            got.push_back(frame);
            return got.size() < 3;
        });
        ASSERT_TRUE(next) << next.error().what;
        EXPECT_EQ(*next, std::min<Seq>(from + 3, 31));
        ASSERT_FALSE(got.empty());
        EXPECT_TRUE(same_bytes(got.front(), written[from - 1]));
    }
    EXPECT_EQ(*journal.read(31, [](const FramePtr&) { return true; }), 31u);
}

TEST_P(JournalContract, HeadersAreThoseOfTheFrames) {
    Journal& journal = store_->open();
    FrameChain chain(take_over(journal));
    const auto written = write_some(journal, chain, 30);
    for (const auto& [from, through] : {std::pair<Seq, Seq>{1, 30}, {1, 1}, {7, 22}, {30, 30}, {12, 11}}) {
        std::vector<std::byte> expected;
        for (Seq seq = from; seq <= through; ++seq) {
            const auto header = written[seq - 1]->bytes().first(kFrameHeaderBytes);
            expected.insert(expected.end(), header.begin(), header.end());
        }
        std::vector<std::byte> got;
        const auto read = journal.headers(from, through, got);
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(got, expected) << from << " to " << through;
    }
    std::vector<std::byte> got;
    const auto beyond = journal.headers(29, 31, got);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, ErrorCode::not_found);
}

TEST_P(JournalContract, AFrameThatDoesNotContinueTheChainIsRefusedAndLeavesNoTrace) {
    Journal& journal = store_->open();
    const Head head = take_over(journal);
    FrameChain chain(head);
    const auto written = write_some(journal, chain, 3);
    const struct {
        const char* what;
        std::function<void(Head&)> spoil;
    } cases[] = {
        {"a gap", [](Head& at) { ++at.seq; }},
        {"a frame once more", [](Head& at) { --at.seq; }},
        {"another frame before it", [](Head& at) { at.digest[0] ^= 1; }},
        {"time that goes back", [](Head& at) { at.time -= std::chrono::hours(1); }},
        {"sources read from elsewhere", [](Head& at) { at.cursors[0].next += 1; }},
        {"a source left out", [](Head& at) { at.cursors.clear(); }},
        {"an older epoch", [](Head& at) { --at.epoch; }},
        {"a newer epoch", [](Head& at) { ++at.epoch; }},
    };
    for (const auto& wrong : cases) {
        Head spoiled = chain.head();
        wrong.spoil(spoiled);
        FrameChain other(spoiled);
        const FramePtr frame = other.next(3);
        EXPECT_FALSE(journal.append(frame)) << wrong.what;
        EXPECT_FALSE(journal.append_and_wait(frame)) << wrong.what;
        EXPECT_EQ(*journal.accepted(), 3u) << wrong.what;
    }
    FrameChain ahead(chain.head());
    EXPECT_FALSE(journal.append(ahead.next(4))) << "says of itself that it is durable";
    append_accepted(journal, chain.next(3));
    EXPECT_EQ(read_all(journal).size(), 4u);
}

TEST_P(JournalContract, AFrameAboveTheBoundIsRefused) {
    Journal& journal = store_->open();
    FrameChain chain(take_over(journal));
    const FramePtr frame = chain.next(0, journal.frame_bytes_max() + 1);
    EXPECT_FALSE(journal.append(frame));
    EXPECT_FALSE(journal.append_and_wait(frame));
}

TEST_P(JournalContract, NothingIsAppendedBeforeTakingOverAndThatOnce) {
    Journal& journal = store_->open();
    FrameChain chain(Head{0, {}, 1, {}, {}});
    const FramePtr frame = chain.next(0);
    EXPECT_FALSE(journal.append(frame));
    EXPECT_FALSE(journal.append_and_wait(frame));
    take_over(journal);
    EXPECT_FALSE(journal.take_over());
}

TEST_P(JournalContract, AJournalWithoutImageSaysSo) {
    Journal& journal = store_->open();
    take_over(journal);
    auto seq = journal.image([](const Changes&) { FAIL() << "there is no image"; });
    ASSERT_TRUE(seq) << seq.error().what;
    EXPECT_EQ(*seq, 0u);
}

inline void expect_a_wake(Journal& journal, Result<> (Journal::*append)(FramePtr)) {
    const auto woken = std::make_shared<std::atomic<bool>>(false);
    journal.on_progress([woken] {
        *woken = true;
        woken->notify_all();
    });
    FrameChain chain(take_over(journal));
    const auto ready = wait_until_ready(journal);
    ASSERT_TRUE(ready) << ready.error().what;
    ASSERT_TRUE((journal.*append)(chain.next(0)));
    woken->wait(false);
    EXPECT_EQ(*journal.accepted(), 1u);
}

TEST_P(JournalContract, TheOwnerIsWokenWhenAFrameMayBeAccepted) { expect_a_wake(store_->open(), &Journal::append); }

TEST_P(JournalContract, WhoeverHasTimeIsWokenToo) { expect_a_wake(store_->open(), &Journal::append_and_wait); }

TEST_P(JournalContract, WhatIsClosedEarlyIsReadAndGoneOnWithAsEverBefore) {
    std::vector<FramePtr> written;
    for (int turn = 0; turn < 3; ++turn) {
        Journal& journal = store_->open();
        FrameChain chain(take_over(journal), 1000 + static_cast<std::uint64_t>(turn));
        for (int i = 0; i < 6; ++i) {
            journal.close_through(chain.head().seq);
            for (auto& frame : write_some(journal, chain, 2)) written.push_back(std::move(frame));
        }
        journal.close_through(chain.head().seq);
    }
    Journal& journal = store_->open();
    take_over(journal);
    expect_same(written, read_all(journal));
}

TEST_P(JournalContract, ReadersOnOtherThreadsSeeAcceptedFramesOnly) {
    Journal& journal = store_->open();
    FrameChain chain(take_over(journal));
    std::atomic<bool> ended{false};
    Seq read = 0;
    std::jthread reader([&] {
        while (read < 120) {
            const bool last_round = ended;
            auto next = journal.read(read + 1, [&](const FramePtr& frame) {
                EXPECT_EQ(frame->header.seq, read + 1);
                read = frame->header.seq;
                return true;
            });
            ASSERT_TRUE(next) << next.error().what;
            if (last_round) break;
        }
    });
    for (int i = 0; i < 120; ++i) append_accepted(journal, chain.next(chain.head().seq, 5000));
    ended = true;
    reader.join();
    EXPECT_EQ(read, 120u);
}

}  // namespace nostro
