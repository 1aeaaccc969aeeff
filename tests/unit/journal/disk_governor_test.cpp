#include "nostro/journal/disk_governor.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace nostro {
namespace {

using namespace std::chrono_literals;
using Lane = DiskGovernor::Lane;

constexpr std::size_t kPiece = DiskGovernor::kPieceBytes;

// A disk whose time goes on while somebody sleeps, with frames that are written meanwhile.
class DiskGovernorTest : public testing::Test {
protected:
    void frames(std::size_t bytes_per_second) { frame_bytes_ = bytes_per_second; }
    void pass(std::chrono::nanoseconds time) {
        for (const SteadyTime end = now_ + time; now_ < end;) {
            const auto step = std::min<std::chrono::nanoseconds>(1ms, end - now_);
            now_ += step;
            const auto bytes = frame_bytes_ * static_cast<std::uint64_t>(step.count()) / 1'000'000'000;
            if (frame_bytes_ == 0) continue;
            governor_.began();
            governor_.ended(bytes);
        }
    }
    // Seconds that so many bytes take, if writing them took no time.
    double write(std::size_t bytes, Lane lane) {
        const SteadyTime began = now_;
        for (std::size_t done = 0; done < bytes; done += kPiece) governor_.before(kPiece, lane);
        return std::chrono::duration<double>(now_ - began).count();
    }

    SteadyTime now_{1h};
    std::size_t frame_bytes_ = 0;
    std::function<void()> asleep_;
    DiskGovernor governor_{{.now = [this] { return now_; },
                            .sleep =
                                [this](std::chrono::nanoseconds time) {
                                    pass(time);
                                    if (asleep_) asleep_();
                                }}};
};

TEST_F(DiskGovernorTest, HoldsNobodyUpWhileNobodyWaits) {
    EXPECT_EQ(write(1u << 30, Lane::other), 0);
    EXPECT_EQ(write(1u << 30, Lane::segment), 0);
    EXPECT_FALSE(governor_.before(kPiece, Lane::other));
    frames(1 << 20);
    pass(2s);
    EXPECT_TRUE(governor_.before(kPiece, Lane::other));
    frames(0);
    pass(DiskGovernor::kUnusedAfter + 2ms);
    EXPECT_EQ(write(1u << 30, Lane::other), 0) << "the load has ended";
}

TEST_F(DiskGovernorTest, AWriteThatTakesLongIsStillWaitedFor) {
    governor_.began();
    pass(10s);
    EXPECT_TRUE(governor_.before(kPiece, Lane::other));
    governor_.ended(4096);
    pass(DiskGovernor::kUnusedAfter + 2ms);
    EXPECT_FALSE(governor_.before(kPiece, Lane::other));
}

TEST_F(DiskGovernorTest, SpreadsABurstWhileFramesAreFew) {
    frames(1 << 20);
    pass(3s);
    EXPECT_NEAR(write(24u << 20, Lane::other), 1, 0.05);
    EXPECT_NEAR(write(64u << 20, Lane::segment), 1, 0.05);
}

// All that is made from a frame takes less than four times its bytes: nothing falls behind at any load.
TEST_F(DiskGovernorTest, IsFourTimesAsFastAsFramesAre) {
    frames(100 << 20);
    pass(3s);
    EXPECT_NEAR(write(400u << 20, Lane::other), 1, 0.05);
    EXPECT_NEAR(write(400u << 20, Lane::segment), 1, 0.05);
}

TEST_F(DiskGovernorTest, ALoadThatBeginsCountsAtOnce) {
    frames(1 << 20);
    pass(3s);
    frames(100 << 20);
    pass(100ms);
    EXPECT_LT(write(40u << 20, Lane::other), 0.5);
}

TEST_F(DiskGovernorTest, ALongQueueOfOthersIsNotInASegmentsWay) {
    frames(1 << 20);
    pass(3s);
    bool is_segment = false;
    asleep_ = [&] {  // while another one waits for 0.2 s
        if (std::exchange(is_segment, true)) return;
        EXPECT_LT(write(kPiece, Lane::segment), 0.005);
    };
    write(5u << 20, Lane::other);
    EXPECT_TRUE(is_segment);
}

TEST_F(DiskGovernorTest, AHurryEndsTheWaitForTheSegmentAlone) {
    frames(1 << 20);
    pass(3s);
    write(1u << 20, Lane::segment);
    const SteadyTime began = now_;
    asleep_ = [this] { governor_.hurry(Lane::segment, true); };
    EXPECT_LE(write(64u << 20, Lane::segment), 0.006) << "a look after 5 ms tells of it";
    asleep_ = {};
    EXPECT_TRUE(governor_.before(kPiece, Lane::other));
    governor_.hurry(Lane::segment, false);
    EXPECT_TRUE(governor_.before(kPiece, Lane::segment));
    EXPECT_LT(now_ - began, 100ms);
}

}  // namespace
}  // namespace nostro
