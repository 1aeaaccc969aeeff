// A bit of every byte of a small journal is flipped: each flip is found, or it changes nothing. Never a silent
// difference.
//
// NOSTRO_FLIP_ALL=1: of the zeros that fill up files every one, too; a minute.
#include <gtest/gtest.h>

#include <cstdlib>

#include "nostro/journal/checkpoint_files.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_fold.hpp"
#include "tests/unit/journal/busy_journal.hpp"
#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro {
namespace {

using test::FrameChain;
using test::read_frames;
using test::same_bytes;
using test::tiny_segments;
using test::write_accepted;
using test::Written;

struct Small {
    std::shared_ptr<MemoryStorage> storage = std::make_shared<MemoryStorage>();
    Written written;
};

// Archive, closed segment, open segment with two frames, image, sealed ids, superblock.
Small small_journal(bool is_closed_in_order) {
    Small small;
    auto live = std::make_shared<MemoryStorage>();
    {
        MemoryDisk disk(live);
        SegmentJournal journal(disk, tiny_segments());
        auto head = journal.take_over();
        EXPECT_TRUE(head);
        FrameChain chain(*head);
        for (int i = 0; i < 16; ++i) write_accepted(journal, chain, small.written, 150);
        if (is_closed_in_order) {
            while (*journal.upkeep(SteadyTime(std::chrono::hours(1)))) {
            }
            auto ids = SealedRuns::open(disk, false);
            EXPECT_TRUE(ids);
            ImageFold fold(disk, journal.store(), **ids, journal.id(), {});
            while (*fold.step(Instant{})) {
            }
        } else {
            small.storage = live->copy();  // the power goes: the superblock is old
        }
    }
    if (is_closed_in_order) small.storage = live;
    return small;
}

// Bytes that say something, all of them; of long runs of zeros one in 61, unless all are asked for.
std::vector<std::uint64_t> places(const std::vector<std::byte>& bytes) {
    const std::uint64_t every = std::getenv("NOSTRO_FLIP_ALL") != nullptr ? 1 : 61;
    std::vector<std::uint64_t> at;
    std::uint64_t last_set = 0;
    for (std::uint64_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != std::byte{0}) last_set = i;
        if (bytes[i] != std::byte{0} || i - last_set < 12 || i % every == 0) at.push_back(i);
    }
    return at;
}

// Empty: no difference, or it was found. Else what went unnoticed.
std::string unnoticed(const std::shared_ptr<MemoryStorage>& storage, const Written& written, Seq at_least) {
    MemoryDisk disk(storage);
    SegmentJournal journal(disk, tiny_segments());
    auto head = journal.take_over();
    if (!head) return head.error().code == ErrorCode::corrupt ? "" : "refused as " + head.error().what;
    if (head->seq < at_least) return "starts at frame " + std::to_string(head->seq);
    auto frames = read_frames(journal);
    if (frames) {
        if (frames->size() != head->seq) return "reads " + std::to_string(frames->size()) + " frames";
        for (std::size_t i = 0; i < frames->size(); ++i) {
            if (!same_bytes((*frames)[i], written.frames[i])) return "frame " + std::to_string(i + 1) + " differs";
        }
    } else if (frames.error().code != ErrorCode::corrupt) {
        return frames.error().what;
    }
    auto ids = SealedRuns::open(disk, true);
    if (!ids) return ids.error().code == ErrorCode::corrupt ? "" : ids.error().what;
    for (Seq seq = 1; seq <= (*ids)->through(); ++seq) {
        auto found = (*ids)->find(test::numbered_payment(seq), (*ids)->through());
        if (!found) continue;
        if (!*found || (*found)->place.seq != seq || (*found)->meaning != seq * 3) {
            return "id of frame " + std::to_string(seq) + " differs";
        }
    }
    return "";
}

void flip_all(const Small& small, Seq at_least) {
    std::size_t flips = 0;
    for (const auto& name : small.storage->names()) {
        if (name == "lock") continue;
        for (const auto at : places(small.storage->bytes(name))) {
            auto spoilt = small.storage->copy();
            spoilt->flip(name, at, static_cast<std::uint8_t>(1u << (at % 8)));
            const auto what = unnoticed(spoilt, small.written, at_least);
            ASSERT_EQ(what, "") << name << ", byte " << at;
            ++flips;
        }
    }
    EXPECT_GT(flips, 3000u);
}

TEST(FlippedBytesTest, AreFoundOrHarmlessInAJournalThatRests) { flip_all(small_journal(true), 16); }

// Then the last frame may go, and only that one: nothing says that it was durable.
TEST(FlippedBytesTest, MayCostTheLastFrameAloneAfterAPowerCut) { flip_all(small_journal(false), 15); }

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kEvery = 7;
#else
constexpr std::uint64_t kEvery = 1;
#endif

// Books, too: whoever proves them finds the flip, or the journal says what it said.
TEST(FlippedBytesTest, AreFoundOrHarmlessToWhoeverProvesTheBooks) {
    test::BusyJournal busy(9);
    const auto whole = test::proved(*busy.disk);
    std::size_t flips = 0, said = 0, found = 0;
    for (const auto& name : busy.storage->names()) {
        if (name == "lock") continue;
        const auto bytes = busy.storage->bytes(name);
        for (const auto at : places(bytes)) {
            if (at % kEvery != 0) continue;
            auto spoilt = busy.storage->copy();
            spoilt->flip(name, at, static_cast<std::uint8_t>(1u << (at % 8)));
            MemoryDisk disk(spoilt);
            const auto report = verify(disk);
            ++flips;
            said += bytes[at] != std::byte{0} ? 1 : 0;
            if (!report || !report->proved()) {
                ++found;
                continue;
            }
            ASSERT_EQ(report->digest, whole.digest) << name << ", byte " << at;
            ASSERT_EQ(report->last, whole.last) << name << ", byte " << at;
            ASSERT_EQ(report->payments, whole.payments) << name << ", byte " << at;
            ASSERT_EQ(report->ids, whole.ids) << name << ", byte " << at;
        }
    }
    EXPECT_GT(flips, 5000u / kEvery);
    EXPECT_GT(found, said / 2);
}

std::string checkpoints_of(Disk& disk) {
    std::string text;
    const auto files = CheckpointFiles::open(disk);
    EXPECT_TRUE(files);
    for (const Checkpoint& each : files->known()) {
        JsonWriter json(text);
        write_checkpoint(json, each);
    }
    return text;
}

// All bits, as a text has few bytes and each of them says something.
TEST(FlippedBytesTest, AreFoundOrHarmlessInSignedCheckpoints) {
    test::BusyJournal busy(9);
    const SigningKey key = SigningKey::random();
    {
        auto files = CheckpointFiles::open(*busy.disk);
        ASSERT_TRUE(files);
        for (const Seq seq : {3u, 6u}) {
            ASSERT_TRUE(files->add(sign_checkpoint(seq, busy.digest_of(seq), busy.writer->now(), key)));
        }
    }
    const auto whole = test::proved(*busy.disk);
    ASSERT_EQ(whole.checkpoints, 2u);
    const auto known = checkpoints_of(*busy.disk);
    const std::string name = "checkpoints/000000000000.ndjson";
    const auto bits = busy.storage->bytes(name).size() * 8;
    std::size_t flips = 0, found = 0;
    for (std::size_t bit = 0; bit < bits; bit += kEvery) {
        auto spoilt = busy.storage->copy();
        spoilt->flip(name, bit / 8, static_cast<std::uint8_t>(1u << bit % 8));
        MemoryDisk disk(spoilt);
        const auto report = verify(disk);
        ++flips;
        if (!report || !report->proved()) {
            ASSERT_TRUE(report) << report.error().what;
            EXPECT_NE(describe(report->findings.front()).find("checkpoints"), std::string::npos) << "bit " << bit;
            ++found;
            continue;
        }
        // A digit in another case, say.
        ASSERT_EQ(report->checkpoints, whole.checkpoints) << "byte " << bit / 8;
        ASSERT_EQ(checkpoints_of(disk), known) << "byte " << bit / 8;
    }
    EXPECT_GT(found, flips * 9 / 10);
}

}  // namespace
}  // namespace nostro
