// Thousands of power cuts, by seed: nothing acknowledged is lost, nothing is refused that should start.
#include <gtest/gtest.h>

#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro {
namespace {

using test::FrameChain;
using test::same_bytes;
using test::tiny_segments;
using test::Written;

// One life of an owner: appends, completions in any order, upkeep now and then, then the power goes.
void live(const std::shared_ptr<MemoryStorage>& storage, Xoshiro256& random, Written& written, std::uint64_t seed) {
    MemoryDisk disk(storage, MemoryDisk::Writes::by_hand);
    auto options = tiny_segments();
    options.in_flight_max = 1 + random.below(4);
    SegmentJournal journal(disk, options);
    auto head = journal.take_over();
    ASSERT_TRUE(head) << "seed " << seed << ": " << head.error().what;
    ASSERT_GE(head->seq, written.accepted) << "seed " << seed << ": acknowledged frames are lost";
    ASSERT_LE(head->seq, written.frames.size()) << "seed " << seed;
    // What is there is what was written, also beyond what was acknowledged.
    auto frames = test::read_frames(journal);
    ASSERT_TRUE(frames) << "seed " << seed << ": " << frames.error().what;
    ASSERT_EQ(frames->size(), head->seq) << "seed " << seed;
    for (std::size_t i = 0; i < frames->size(); ++i) {
        ASSERT_TRUE(same_bytes((*frames)[i], written.frames[i])) << "seed " << seed << ", frame " << i + 1;
    }
    written.frames.resize(head->seq);
    written.accepted = head->seq;
    FrameChain chain(*head, seed);
    SteadyTime now{};
    for (auto steps = random.below(60); steps != 0; --steps) {
        const auto what = random.below(10);
        if (what < 5 && journal.in_flight() < options.in_flight_max) {
            ASSERT_TRUE(journal.ready(Journal::Need::intake));
            written.frames.push_back(chain.next(written.accepted, random.below(7000)));
            ASSERT_TRUE(journal.append(written.frames.back()));
        } else if (what < 9) {
            if (disk.under_way() != 0) disk.complete(random.below(disk.under_way()));
            auto accepted = journal.accepted();
            ASSERT_TRUE(accepted) << accepted.error().what;
            written.accepted = *accepted;
        } else {
            now += std::chrono::milliseconds(random.below(100));
            ASSERT_TRUE(journal.upkeep(now));
        }
    }
    disk.cut_power(random);
}

TEST(PowerCutTest, NothingAcknowledgedIsLostAndNothingWronglyRefused) {
    for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
        Xoshiro256 random(seed);
        auto storage = std::make_shared<MemoryStorage>();
        Written written;
        for (int lives = 0; lives < 4; ++lives) {
            live(storage, random, written, seed);
            if (HasFatalFailure()) return;
        }
    }
}

// The same with a bit flipped afterwards in an acknowledged frame that something says is durable.
TEST(PowerCutTest, DamageToAFrameThatIsKnownDurableIsNeverTakenForItsEnd) {
    int refused = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        Xoshiro256 random(seed);
        auto storage = std::make_shared<MemoryStorage>();
        Written written;
        live(storage, random, written, seed);
        if (HasFatalFailure()) return;
        if (written.accepted == 0) continue;
        // The newest frame that any frame on the disk calls durable.
        Seq durable = 0;
        for (std::size_t i = 0; i < written.accepted; ++i) {
            durable = std::max(durable, written.frames[i]->header.accepted);
        }
        if (durable == 0) continue;
        const auto& victim = written.frames[random.below(durable)];
        for (const auto& name : storage->names()) {
            if (!name.starts_with("segments/")) continue;
            const auto bytes = storage->bytes(name);
            for (std::size_t at = 4096; at + victim->bytes().size() <= bytes.size(); at += 4096) {
                if (std::memcmp(bytes.data() + at, victim->bytes().data(), kFrameHeaderBytes) != 0) continue;
                storage->flip(name, at + random.below(kFrameHeaderBytes + victim->header.body_bytes), 0x10);
            }
        }
        MemoryDisk disk(storage);
        SegmentJournal journal(disk, tiny_segments());
        auto head = journal.take_over();
        if (!head) {
            EXPECT_EQ(head.error().code, ErrorCode::corrupt) << head.error().what;
            EXPECT_NE(head.error().what.find("segments/"), std::string::npos) << head.error().what;
            EXPECT_NE(head.error().what.find("byte "), std::string::npos) << head.error().what;
            ++refused;
            continue;
        }
        // It stands in a closed segment: found when it is read.
        auto frames = test::read_frames(journal);
        ASSERT_FALSE(frames) << "seed " << seed << ": damage was not noticed";
        EXPECT_EQ(frames.error().code, ErrorCode::corrupt);
    }
    EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace nostro
