// Every operation on the disk fails once, tears once, ends the process once; and the disk is full for a while.
#include <gtest/gtest.h>

#include "nostro/adapters/memory/faulty_disk.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/verify.hpp"
#include "tests/support/book_writer.hpp"
#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro {
namespace {

using test::FrameChain;
using test::read_frames;
using test::same_bytes;
using test::tiny_segments;
using test::write_accepted;
using test::Written;

// One process: takes over, writes, folds, ends. Stops at the first error, as the program does.
void run_process(Disk& disk, Written& written, std::uint64_t nonce) {
    SegmentJournal journal(disk, tiny_segments());
    auto head = journal.take_over();
    if (!head) return;
    written.frames.resize(head->seq);
    FrameChain chain(*head, nonce);
    for (int i = 0; i < 9; ++i) {
        if (!journal.ready(Journal::Need::intake)) return;
        auto frame = chain.next(chain.head().seq, 300 * static_cast<std::size_t>(i));
        written.frames.push_back(frame);
        if (!journal.append(frame)) return;
        auto accepted = journal.accepted();
        if (!accepted) return;
        written.accepted = *accepted;
        if (!journal.upkeep(SteadyTime(std::chrono::seconds(i)))) return;
    }
    auto ids = SealedRuns::open(disk, false);
    if (!ids) return;
    ImageFold fold(disk, journal.store(), **ids, journal.id(), {});
    for (;;) {
        auto did = fold.step(Instant{});
        if (!did || !*did) return;
    }
}

void expect_nothing_lost(const std::shared_ptr<MemoryStorage>& storage, Written& written, const std::string& where) {
    MemoryDisk disk(storage);
    SegmentJournal journal(disk, tiny_segments());
    auto head = journal.take_over();
    ASSERT_TRUE(head) << where << ": " << head.error().what;
    ASSERT_GE(head->seq, written.accepted) << where;
    auto frames = read_frames(journal);
    ASSERT_TRUE(frames) << where << ": " << frames.error().what;
    ASSERT_EQ(frames->size(), head->seq) << where;
    for (std::size_t i = 0; i < frames->size(); ++i) {
        ASSERT_TRUE(same_bytes((*frames)[i], written.frames[i])) << where << ", frame " << i + 1;
    }
    auto ids = SealedRuns::open(disk, true);
    ASSERT_TRUE(ids) << where << ": " << ids.error().what;
    auto image = journal.image([](const Changes&) {});
    ASSERT_TRUE(image) << where << ": " << image.error().what;
    ASSERT_LE(*image, (*ids)->through()) << where << ": ids of an image's frames are not sealed";
    VerifyOptions options;
    options.decide = false;  // these frames carry no books, only ids; what is found may be of nothing else
    auto report = verify(disk, options);
    ASSERT_TRUE(report) << where;
    for (const auto& finding : report->findings) ADD_FAILURE() << where << ": " << describe(finding);
}

TEST(DiskFaultTest, EveryOperationFailsOrTearsOnceAndNothingIsLost) {
    std::uint64_t operations = 0;
    {
        MemoryDisk disk(std::make_shared<MemoryStorage>());
        FaultyDisk counted(disk);
        Written written;
        run_process(counted, written, 1);
        run_process(counted, written, 2);
        operations = counted.operations();
        ASSERT_EQ(written.accepted, 18u);
    }
    ASSERT_GT(operations, 100u);
    for (const auto fault : {FaultyDisk::Plan::Fault::fails, FaultyDisk::Plan::Fault::tears}) {
        for (const bool dead : {false, true}) {
            for (std::uint64_t at = 1; at <= operations; ++at) {
                const std::string where = "operation " + std::to_string(at) +
                                          (fault == FaultyDisk::Plan::Fault::tears ? " tears" : " fails") +
                                          (dead ? " and the process ends" : "");
                auto storage = std::make_shared<MemoryStorage>();
                Written written;
                {
                    MemoryDisk disk(storage);
                    FaultyDisk faulty(disk);
                    faulty.plan({at, fault, dead});
                    run_process(faulty, written, 1);
                    if (!faulty.has_failed()) run_process(faulty, written, 2);
                    ASSERT_TRUE(faulty.has_failed()) << where;
                }
                expect_nothing_lost(storage, written, where);
                if (HasFailure()) return;
            }
        }
    }
}

TEST(DiskFaultTest, AFailedWriteEndsTheOwnerAndSaysWhere) {
    MemoryDisk disk(std::make_shared<MemoryStorage>());
    FaultyDisk faulty(disk);
    SegmentJournal journal(faulty, tiny_segments());
    auto head = journal.take_over();
    ASSERT_TRUE(head);
    FrameChain chain(*head);
    faulty.plan({1, FaultyDisk::Plan::Fault::tears, false});
    ASSERT_TRUE(journal.append(chain.next(0)));
    for (int i = 0; i < 2; ++i) {
        auto accepted = journal.accepted();
        ASSERT_FALSE(accepted);
        EXPECT_EQ(accepted.error().code, ErrorCode::unknown);
        EXPECT_NE(accepted.error().what.find("segments/000000000001.seg at byte 4096"), std::string::npos)
            << accepted.error().what;
    }
    EXPECT_FALSE(journal.ready(Journal::Need::upkeep));
}

TEST(DiskFaultTest, AFullDiskRefusesIntakeKeepsTheLastSegmentForUpkeepAndRecovers) {
    MemoryDisk disk(std::make_shared<MemoryStorage>());
    FaultyDisk faulty(disk);
    SegmentJournal journal(faulty, tiny_segments());
    auto head = journal.take_over();
    ASSERT_TRUE(head);
    FrameChain chain(*head);
    Written written;
    SteadyTime now{std::chrono::hours(1)};
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(journal.upkeep(now));  // two spares
    faulty.set_full(true);
    std::size_t taken = 0;
    while (journal.ready(Journal::Need::intake)) {
        ASSERT_LT(taken, 100u);
        write_accepted(journal, chain, written);
        now += std::chrono::seconds(2);
        ASSERT_TRUE(journal.upkeep(now));
        ++taken;
    }
    EXPECT_GE(taken, 7u);
    auto refused = journal.ready(Journal::Need::intake);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_NE(refused.error().what.find("no space"), std::string::npos) << refused.error().what;
    // Holds expire in frames of their own, and what was written is read.
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(journal.ready(Journal::Need::upkeep)) << i;
        ASSERT_TRUE(journal.append(chain.next(chain.head().seq)));
        ASSERT_TRUE(journal.accepted());
        EXPECT_FALSE(journal.ready(Journal::Need::intake));
    }
    EXPECT_EQ(read_frames(journal)->size(), taken + 6);
    faulty.set_full(false);
    now += std::chrono::milliseconds(500);
    ASSERT_TRUE(journal.upkeep(now));
    EXPECT_FALSE(journal.ready(Journal::Need::intake)) << "it asks the disk once a second at most";
    now += std::chrono::seconds(1);
    while (*journal.upkeep(now)) {
    }
    EXPECT_TRUE(journal.ready(Journal::Need::intake));
}

TEST(DiskFaultTest, WhatKeepsASegmentFromBeingMadeIsNotCalledAFullDisk) {
    MemoryDisk disk(std::make_shared<MemoryStorage>());
    FaultyDisk faulty(disk);
    SegmentJournal journal(faulty, tiny_segments());
    ASSERT_TRUE(journal.take_over());
    // The next one's name is taken by nobody knows what.
    const auto names = *disk.list(kSegmentsFolder);
    const auto next = segment_name(*segment_number(names.back()) + 1);
    ASSERT_TRUE(disk.replace(next, std::vector<std::byte>(10)));
    auto did = Result<bool>(true);
    while (did && *did) did = journal.upkeep(SteadyTime{std::chrono::hours(1)});
    ASSERT_FALSE(did);
    EXPECT_EQ(did.error().code, ErrorCode::conflict);
    EXPECT_NE(did.error().what.find(next), std::string::npos) << did.error().what;
    EXPECT_EQ(did.error().what.find("no space"), std::string::npos) << did.error().what;
    EXPECT_FALSE(journal.accepted()) << "its owner ends";
}

// A segment that is being made gives way to no other write then.
TEST(DiskFaultTest, TheDiskHurriesWhileNoSegmentIsLeft) {
    MemoryDisk disk(std::make_shared<MemoryStorage>());
    SegmentJournalOptions options = tiny_segments();
    options.spares = 1;
    SegmentJournal journal(disk, options);
    auto head = journal.take_over();
    ASSERT_TRUE(head);
    while (*journal.upkeep(steady_now())) {
    }
    FrameChain chain(*head);
    Written written;
    bool has_hurried = false;
    for (int i = 0; i < 20 && !has_hurried; ++i) {
        EXPECT_FALSE(disk.hurries());
        write_accepted(journal, chain, written);
        has_hurried = disk.hurries();
    }
    ASSERT_TRUE(has_hurried) << "the only spare is in use";
    while (*journal.upkeep(steady_now())) {
    }
    EXPECT_FALSE(disk.hurries()) << "there is another one";
}

TEST(DiskFaultTest, AJournalWithoutSpaceForItsFirstSegmentSaysSo) {
    MemoryDisk disk(std::make_shared<MemoryStorage>(20'000));
    SegmentJournal journal(disk, tiny_segments());
    auto head = journal.take_over();
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace nostro
