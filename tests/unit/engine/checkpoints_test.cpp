#include "nostro/engine/checkpoints.hpp"

#include <gtest/gtest.h>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro {
namespace {

class CheckpointsTest : public ::testing::Test {
protected:
    CheckpointsTest() {
        const auto head = journal_.take_over();
        chain_.emplace(*head);
    }
    void write(Seq frames) {
        for (Seq i = 0; i < frames; ++i) {
            frames_.push_back(chain_->next(frames_.size(), 1));
            ASSERT_TRUE(journal_.append(frames_.back()));
            ASSERT_TRUE(journal_.accepted());
        }
    }
    Checkpoints checkpoints(std::vector<Checkpoint> known = {}) {
        return {journal_, clock_, key_, std::move(known), [this](const Checkpoint& checkpoint) -> Result<> {
                    if (is_full_) return Error{ErrorCode::unavailable, "no space"};
                    kept_.push_back(checkpoint);
                    return {};
                }};
    }
    Seq accepted() const { return frames_.size(); }

    MemoryJournal journal_{std::make_shared<MemoryLog>()};
    ManualClock clock_{Instant{std::chrono::seconds{1'795'253'400}}};
    SigningKey key_ = SigningKey::random();
    std::optional<test::FrameChain> chain_;
    std::vector<FramePtr> frames_;
    std::vector<Checkpoint> kept_;
    bool is_full_ = false;
};

TEST_F(CheckpointsTest, OneIsSignedEverySoManyFrames) {
    Checkpoints signing = checkpoints();
    write(Checkpoints::kEvery - 1);
    EXPECT_FALSE(*signing.step(accepted()));
    write(Checkpoints::kEvery + 2);
    EXPECT_TRUE(*signing.step(accepted()));
    EXPECT_TRUE(*signing.step(accepted()));
    EXPECT_FALSE(*signing.step(accepted()));
    ASSERT_EQ(kept_.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(kept_[i].seq, (i + 1) * Checkpoints::kEvery);
        EXPECT_EQ(kept_[i].digest, frames_[kept_[i].seq - 1]->digest);
        EXPECT_EQ(kept_[i].key, key_.public_key());
        EXPECT_TRUE(is_genuine(kept_[i]));
    }
}

TEST_F(CheckpointsTest, WhatWasKeptIsNotSignedAgain) {
    write(2 * Checkpoints::kEvery);
    {
        Checkpoints first = checkpoints();
        EXPECT_TRUE(*first.step(Checkpoints::kEvery));
    }
    Checkpoints second = checkpoints(kept_);
    EXPECT_TRUE(*second.step(accepted()));
    EXPECT_FALSE(*second.step(accepted()));
    EXPECT_EQ(kept_.size(), 2u);
}

TEST_F(CheckpointsTest, OneThatCannotBeKeptIsSignedLater) {
    Checkpoints signing = checkpoints();
    write(Checkpoints::kEvery);
    is_full_ = true;
    EXPECT_EQ(signing.step(accepted()).error().code, ErrorCode::unavailable);
    is_full_ = false;
    EXPECT_TRUE(*signing.step(accepted()));
    EXPECT_EQ(kept_.size(), 1u);
}

TEST_F(CheckpointsTest, TheNewestFrameIsSignedWhenAskedFor) {
    Checkpoints signing = checkpoints();
    EXPECT_EQ(signing.newest(0).error().code, ErrorCode::not_found);
    write(3);
    const auto newest = signing.newest(accepted());
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->seq, 3u);
    EXPECT_EQ(newest->digest, frames_[2]->digest);
    EXPECT_TRUE(is_genuine(*newest));
    EXPECT_TRUE(kept_.empty());
}

TEST_F(CheckpointsTest, EveryOutcomeIsProvedUpToTheNextCheckpoint) {
    Checkpoints signing = checkpoints();
    write(Checkpoints::kEvery + 5);
    EXPECT_TRUE(*signing.step(accepted()));
    Recorded payment;
    payment.payment.id = test::numbered_payment(1);
    for (const Seq seq : {Seq{998}, Seq{1000}, Seq{1002}}) {
        Outcome outcome;
        outcome.payment = payment.payment.id;
        payment.outcomes.push_back(outcome);
        payment.places.push_back({seq, 0});
    }
    Outcome of_a_reversal;
    of_a_reversal.payment = test::numbered_payment(2);
    payment.outcomes.push_back(of_a_reversal);
    payment.places.push_back({1003, 0});

    const auto parts = signing.prove(payment, accepted());
    ASSERT_TRUE(parts) << parts.error().what;
    ASSERT_EQ(parts->size(), 3u);
    const Seq checkpoint[] = {1000, 1000, 1005};
    const std::size_t headers[] = {2, 0, 3};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*parts)[i].checkpoint.seq, checkpoint[i]);
        EXPECT_EQ((*parts)[i].headers.size(), headers[i] * kFrameHeaderBytes);
        EXPECT_EQ((*parts)[i].frame->header.seq, payment.places[i].seq);
    }
}

}  // namespace
}  // namespace nostro
