#include "nostro/journal/frames_ahead.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro {
namespace {

using ::testing::HasSubstr;

class FramesAheadTest : public ::testing::Test {
protected:
    FramesAheadTest() {
        test::FrameChain chain(journal_.take_over().value());
        SteadyTime now{};
        for (std::size_t i = 0; i < 5 * FramesAhead::kFramesMax + 3; ++i) {
            test::write_accepted(journal_, chain, written_, i % 9 * 100);
            EXPECT_TRUE(journal_.upkeep(now += std::chrono::seconds(1)));
        }
    }
    // That `ahead` gives until it fails or ends.
    std::vector<FramePtr> all_of(FramesAhead& ahead, Error& failed) {
        std::vector<FramePtr> frames;
        for (;;) {
            const auto batch = ahead.next();
            if (!batch) failed = batch.error();
            if (!batch || batch->empty()) return frames;
            EXPECT_LE(batch->size(), FramesAhead::kFramesMax);
            for (const DecodedPtr& decoded : *batch) {
                EXPECT_FALSE(decoded->changes.known.empty() && decoded->seq() > 1);
                frames.push_back(decoded->frame);
            }
        }
    }

    std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
    MemoryDisk disk_{storage_};
    SegmentJournal journal_{disk_, test::tiny_segments()};
    test::Written written_;
};

TEST_F(FramesAheadTest, GivesEveryFrameOnceAndInOrder) {
    for (const Seq from : {Seq{1}, Seq{100}, written_.accepted, written_.accepted + 1}) {
        FramesAhead ahead(journal_, from);
        Error failed{};
        const auto frames = all_of(ahead, failed);
        EXPECT_EQ(failed.what, "");
        ASSERT_EQ(frames.size(), written_.accepted + 1 - from);
        for (std::size_t i = 0; i < frames.size(); ++i) {
            EXPECT_EQ(frames[i]->digest, written_.frames[from - 1 + i]->digest);
        }
        EXPECT_TRUE(ahead.next()->empty()) << "the end stays the end";
    }
}

TEST_F(FramesAheadTest, WhatIsNotTakenIsLeft) {
    for (int taken = 0; taken < 3; ++taken) {
        FramesAhead ahead(journal_, 1);
        for (int i = 0; i < taken; ++i) ASSERT_FALSE(ahead.next()->empty());
    }
}

TEST_F(FramesAheadTest, SaysWhichFrameIsDamagedAfterThoseBefore) {
    const auto& victim = *written_.frames[299];
    for (const auto& name : storage_->names()) {
        const auto bytes = storage_->bytes(name);
        for (std::size_t at = 0; at + kFrameHeaderBytes <= bytes.size(); at += kFrameAlign) {
            const auto here = std::span(bytes).subspan(at, kFrameHeaderBytes);
            if (std::ranges::equal(here, victim.bytes().first(kFrameHeaderBytes))) storage_->flip(name, at + 150, 4);
        }
    }
    FramesAhead ahead(journal_, 1);
    Error failed{};
    EXPECT_EQ(all_of(ahead, failed).size(), 299u);
    EXPECT_EQ(failed.code, ErrorCode::corrupt);
    EXPECT_THAT(failed.what, HasSubstr("frame 300 is damaged"));
    EXPECT_EQ(ahead.next().error().what, failed.what);
}

}  // namespace
}  // namespace nostro
