// Images equal the Book, sealed ids equal what was known, archives equal the segments; all behind the journal's back.
#include "nostro/journal/image_fold.hpp"

#include <gtest/gtest.h>

#include "nostro/journal/backup.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/verify.hpp"
#include "tests/support/book_writer.hpp"
#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;
using test::BookWriter;
using test::busy_commands;
using test::read_frames;
using test::same_bytes;
using test::tiny_segments;

SegmentJournalOptions small_segments() {
    auto options = tiny_segments();
    options.frame_bytes_max = 16 * 1024;
    options.segment_bytes = 12 * 4096;
    return options;
}

class Folded {
public:
    explicit Folded(FoldOptions options = {}) : options_(std::move(options)) { open(); }
    void open() {
        writer.reset();
        fold.reset();
        ids.reset();
        journal.reset();
        disk = std::make_unique<MemoryDisk>(storage);
        journal = std::make_unique<SegmentJournal>(*disk, small_segments());
        writer = std::make_unique<BookWriter>(*journal);
        ids = std::move(*SealedRuns::open(*disk, false));
        fold = std::make_unique<ImageFold>(*disk, journal->store(), *ids, journal->id(), options_);
    }
    void write(std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t turn = from; turn <= to; ++turn) {
            writer->write(busy_commands(turn));
            written.push_back(turn);
            writer->pass(3h);
        }
        upkeep();
    }
    void upkeep() {
        while (*journal->upkeep(steady_now())) {
        }
    }
    std::size_t fold_all() {
        for (std::size_t steps = 0;; ++steps) {
            auto did = fold->step(writer->now());
            EXPECT_TRUE(did) << did.error().what;
            if (!did || !*did) return steps;
        }
    }
    void expect_proved() {
        auto report = verify(*disk);
        ASSERT_TRUE(report) << report.error().what;
        for (const auto& finding : report->findings) ADD_FAILURE() << describe(finding);
    }

    std::shared_ptr<MemoryStorage> storage = std::make_shared<MemoryStorage>();
    std::unique_ptr<MemoryDisk> disk;
    std::unique_ptr<SegmentJournal> journal;
    std::unique_ptr<SealedRuns> ids;
    std::unique_ptr<ImageFold> fold;
    std::unique_ptr<BookWriter> writer;
    std::vector<std::uint64_t> written;

private:
    FoldOptions options_;
};

TEST(ImageFoldTest, ABookFromImageAndTheRestIsTheBookThatWrote) {
    Folded folded;
    for (std::uint64_t round = 0; round < 6; ++round) {
        folded.write(round * 20 + 1, round * 20 + 20);
        folded.fold_all();
        EXPECT_GT(folded.fold->image(), round * 20);
        EXPECT_EQ(folded.ids->through(), folded.fold->image());
        const Digest digest = folded.writer->book().digest();
        folded.open();  // installs image and frames
        EXPECT_EQ(folded.writer->book().digest(), digest) << "round " << round;
        folded.expect_proved();
    }
}

TEST(ImageFoldTest, EveryKnownIdIsSealedOrInTheBookAndNoOtherIs) {
    Folded folded;
    folded.write(1, 120);
    folded.fold_all();
    folded.open();
    std::size_t sealed = 0;
    for (const auto turn : folded.written) {
        for (std::uint64_t n = 1; n <= 3; ++n) {
            const PaymentId id = test::payment_id_of(turn * 100 + n);
            auto found = folded.ids->find(id, folded.writer->book().forgotten_through());
            ASSERT_TRUE(found) << found.error().what;
            const auto known = folded.writer->book().known(id);
            ASSERT_TRUE(*found || known) << "turn " << turn << ", payment " << n << " is forgotten";
            if (!*found) continue;
            ++sealed;
            EXPECT_EQ((*found)->meaning, 1u);
            EXPECT_EQ((*found)->place.seq, turn + 1);
        }
        EXPECT_FALSE(*folded.ids->find(test::payment_id_of(turn * 100 + 50), folded.ids->through()));
    }
    EXPECT_GT(sealed, 300u);
}

TEST(ImageFoldTest, LittleMemoryMeansMorePiecesAndTheSameImage) {
    FoldOptions little;
    little.memory_bytes = 1;
    Folded small(little), large;
    small.write(1, 60);
    large.write(1, 60);
    EXPECT_GT(small.fold_all(), 4u);
    large.fold_all();
    EXPECT_EQ(small.fold->image(), large.fold->image());
    // All but the head, which names the journal.
    auto a = small.storage->bytes(image_name(small.fold->image()));
    auto b = large.storage->bytes(image_name(large.fold->image()));
    a.erase(a.begin(), a.begin() + 4096);
    b.erase(b.begin(), b.begin() + 4096);
    EXPECT_EQ(a, b);
    small.expect_proved();
}

TEST(ImageFoldTest, ArchivesGiveTheSameFramesAndTakeThePlaceOfTheirSegments) {
    Folded folded;
    folded.write(1, 80);
    const auto before = read_frames(*folded.journal);
    folded.fold_all();
    EXPECT_GT(folded.disk->list(kArchiveFolder)->size(), 3u);
    EXPECT_LE(folded.disk->list(kSegmentsFolder)->size(), 5u);  // one closed, the open one, spares
    const auto after = read_frames(*folded.journal);
    ASSERT_TRUE(after) << after.error().what;
    ASSERT_EQ(before->size(), after->size());
    for (std::size_t i = 0; i < before->size(); ++i) EXPECT_TRUE(same_bytes((*before)[i], (*after)[i]));
    folded.open();
    EXPECT_EQ(read_frames(*folded.journal)->size(), after->size());
    folded.expect_proved();
}

TEST(ImageFoldTest, HistoryIsDroppedOnlyWhenAskedAndOnlyBehindAnImage) {
    FoldOptions few;
    few.keep_segments = 2;
    Folded folded(few);
    folded.write(1, 80);
    folded.fold_all();
    EXPECT_EQ(folded.disk->list(kArchiveFolder)->size(), 2u);
    auto gone = folded.journal->read(1, [](const FramePtr&) { return true; });
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, ErrorCode::not_found);
    const Seq first = folded.journal->store().first();
    EXPECT_NE(gone.error().what.find(std::to_string(first)), std::string::npos) << gone.error().what;
    EXPECT_EQ(read_frames(*folded.journal, first)->front()->header.seq, first);
    const Digest digest = folded.writer->book().digest();
    folded.open();
    EXPECT_EQ(folded.writer->book().digest(), digest);
    folded.expect_proved();
    EXPECT_FALSE(verify(*folded.disk)->whole_history);
    // Without the image the rest of the history proves nothing.
    const auto images = *folded.disk->list(kImageFolder);
    for (const auto& file : images) ASSERT_TRUE(folded.disk->remove("image/" + file));
    MemoryDisk again(folded.storage->copy());
    SegmentJournal journal(again, small_segments());
    auto head = journal.take_over();
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, ErrorCode::corrupt);
    EXPECT_NE(head.error().what.find("no image"), std::string::npos) << head.error().what;
}

TEST(ImageFoldTest, DaysKeepHistoryToo) {
    FoldOptions days;
    days.keep_segments = 1;
    days.keep_days = std::chrono::days(1000);
    Folded folded(days);
    folded.write(1, 80);
    folded.fold_all();
    EXPECT_EQ(folded.journal->store().first(), 1u);
}

TEST(ImageFoldTest, ItIsBehindByClosedSegmentsThatNoImageStandsFor) {
    FoldOptions options;
    options.ids_max = 1000;
    Folded folded(options);
    folded.write(1, 20);
    EXPECT_TRUE(*folded.fold->step(folded.writer->now()));
    EXPECT_EQ(folded.fold->behind(), 0) << "the open segment waits for nobody";
    folded.write(21, 40);
    const double some = folded.fold->behind();
    folded.write(41, 80);
    const double more = folded.fold->behind();
    EXPECT_GT(some, 0);
    EXPECT_GT(more, some);
    EXPECT_TRUE(*folded.fold->step(folded.writer->now()));
    EXPECT_EQ(folded.fold->behind(), 0);
}

TEST(ImageFoldTest, AFullDiskDelaysItAndStopsNothing) {
    Folded folded;
    folded.write(1, 40);
    folded.storage->set_capacity(folded.storage->used() + 100);
    EXPECT_FALSE(*folded.fold->step(folded.writer->now()));
    EXPECT_NE(folded.fold->trouble().find("no space"), std::string::npos) << folded.fold->trouble();
    EXPECT_EQ(folded.fold->image(), 0u);
    folded.storage->set_capacity(std::uint64_t{1} << 30);
    EXPECT_FALSE(*folded.fold->step(folded.writer->now() + 9s));
    EXPECT_TRUE(*folded.fold->step(folded.writer->now() + 10s));
    EXPECT_TRUE(folded.fold->trouble().empty());
    EXPECT_GT(folded.fold->image(), 0u);
    folded.expect_proved();
}

TEST(ImageFoldTest, WhateverIsWrongIsToldAndTriedAgainAfterGrowingPauses) {
    Folded folded;
    folded.write(1, 40);
    const auto damaged = segment_name(folded.journal->store().segments().front().about.number);
    folded.storage->flip(damaged, kSegmentFramesBegin + 100, 0x20);
    Instant now = folded.writer->now();
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        EXPECT_FALSE(folded.fold->step(now));
        EXPECT_NE(folded.fold->trouble().find(damaged), std::string::npos) << folded.fold->trouble();
        now += pause;
        const std::string before = folded.fold->trouble();
        folded.storage->flip(damaged, kSegmentFramesBegin + 100, 0x20);  // whole, but it does not look yet
        EXPECT_FALSE(*folded.fold->step(now - 1ms));
        EXPECT_EQ(folded.fold->trouble(), before);
        folded.storage->flip(damaged, kSegmentFramesBegin + 100, 0x20);
    }
    EXPECT_EQ(folded.fold->image(), 0u);
    folded.storage->flip(damaged, kSegmentFramesBegin + 100, 0x20);
    EXPECT_TRUE(*folded.fold->step(now));
    EXPECT_EQ(folded.fold->trouble(), "");
    EXPECT_GT(folded.fold->image(), 0u);
    folded.expect_proved();
}

TEST(BackupTest, ABackupOfARunningJournalRestoresToTheSameChain) {
    Folded folded;
    folded.write(1, 70);
    folded.fold_all();
    folded.write(71, 77);
    auto copy = std::make_shared<MemoryStorage>();
    MemoryDisk looking(folded.storage), target(copy);
    auto made = backup(looking, target, {});
    ASSERT_TRUE(made) << made.error().what;
    // The last frame's own successor would have told that it is durable; the superblock does when the owner rests.
    EXPECT_GE(made->through, folded.writer->head().seq - 1);
    EXPECT_EQ(made->first, 1u);
    MemoryDisk from(copy), to(std::make_shared<MemoryStorage>());
    auto restored = restore(from, to, {});
    ASSERT_TRUE(restored) << restored.error().what;
    EXPECT_EQ(restored->through, made->through);
    SegmentJournal journal(to, small_segments());
    BookWriter writer(journal);
    EXPECT_EQ(writer.head().seq, made->through);
    writer.write(busy_commands(500));
    EXPECT_TRUE(verify(to)->proved());
}

TEST(BackupTest, WhatIsNotAsTheListSaysIsRefusedByName) {
    Folded folded;
    folded.write(1, 40);
    folded.fold_all();
    auto copy = std::make_shared<MemoryStorage>();
    {
        MemoryDisk looking(folded.storage), target(copy);
        ASSERT_TRUE(backup(looking, target, {}));
    }
    for (const auto& name : copy->names()) {
        auto spoilt = copy->copy();
        spoilt->flip(name, copy->bytes(name).size() / 2, 0x20);
        MemoryDisk from(spoilt), to(std::make_shared<MemoryStorage>());
        auto restored = restore(from, to, {});
        ASSERT_FALSE(restored) << name;
        EXPECT_EQ(restored.error().code, ErrorCode::corrupt) << restored.error().what;
        EXPECT_NE(restored.error().what.find(name), std::string::npos) << restored.error().what;
    }
    MemoryDisk from(copy), taken(folded.storage->copy());
    auto onto = restore(from, taken, {});
    ASSERT_FALSE(onto);
    EXPECT_EQ(onto.error().code, ErrorCode::conflict);
    MemoryDisk nothing(std::make_shared<MemoryStorage>()), to(std::make_shared<MemoryStorage>());
    EXPECT_EQ(restore(nothing, to, {}).error().code, ErrorCode::not_found);
    EXPECT_EQ(backup(nothing, to, {}).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace nostro
