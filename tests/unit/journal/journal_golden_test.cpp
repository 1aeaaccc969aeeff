// A data directory of format version 1, as the first program wrote it, is a sound journal to every program for ever.
//
// golden/version_1 was written once and is never written again: ten frames of a Book (tests/support/book_writer.hpp),
// four to a segment. The first two segments are folded into an image and sealed ids, and the first is archived; the
// third is being written, the fourth is a spare. A format that changes gets a version of its own and a directory beside
// this one.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "nostro/base/hex.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/segment_format.hpp"
#include "nostro/journal/verify.hpp"
#include "tests/support/book_writer.hpp"
#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;
using test::BookWriter;
using test::busy_commands;
using test::read_frames;

constexpr JournalId kJournal{0x0123456789abcdef, 0xfedcba9876543210};
constexpr Seq kLast = 10;
constexpr std::uint64_t kIdRunBytes = 8456;
constexpr const char* kLastDigest = "ec7cc6a1c30689e29e0a684b137c28a16aaa05a0febbd3f2bdb81209e0f001f8";

SegmentJournalOptions four_frames_a_segment() {
    auto options = test::tiny_segments();
    options.segment_bytes = 6 * 4096;
    options.spares = 1;
    return options;
}

std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

std::shared_ptr<MemoryStorage> golden() {
    const std::filesystem::path root = NOSTRO_GOLDEN "/version_1";
    auto storage = std::make_shared<MemoryStorage>();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.is_regular_file()) {
            storage->set_bytes(std::filesystem::relative(entry.path(), root), bytes_of(entry.path()));
        }
    }
    return storage;
}

// A directory in which there is no more than the superblock of a new journal, with the id of the golden one.
std::shared_ptr<MemoryStorage> begun() {
    Superblock superblock;
    superblock.journal = kJournal;
    auto bytes = encode(superblock);
    bytes.resize(kSuperblockBytes);
    auto storage = std::make_shared<MemoryStorage>();
    storage->set_bytes(kSuperblockName, bytes);
    return storage;
}

void look_after(SegmentJournal& journal, Seq newest) {
    while (*journal.upkeep(SteadyTime(std::chrono::hours(newest)))) {
    }
}

void fold(Disk& disk, SegmentJournal& journal, Instant now) {
    auto ids = SealedRuns::open(disk, false);
    ASSERT_TRUE(ids) << ids.error().what;
    ImageFold folder(disk, journal.store(), **ids, journal.id(), {});
    for (;;) {
        auto did = folder.step(now);
        ASSERT_TRUE(did) << did.error().what;
        if (!*did) return;
    }
}

TEST(JournalGoldenTest, IsProved) {
    MemoryDisk disk(golden());
    const auto report = verify(disk);
    ASSERT_TRUE(report) << report.error().what;
    for (const auto& finding : report->findings) ADD_FAILURE() << describe(finding);
    EXPECT_EQ(report->first, 1u);
    EXPECT_EQ(report->last, kLast);
    EXPECT_EQ(to_hex(report->digest), kLastDigest);
    EXPECT_EQ(report->payments, 27u);
    EXPECT_EQ(report->image, 8u);
    EXPECT_EQ(report->ids_through, 8u);
    EXPECT_TRUE(report->whole_history);
    EXPECT_EQ(report->void_frames, 0u);
}

TEST(JournalGoldenTest, IsStartedAndGoesOn) {
    auto storage = golden();
    {
        MemoryDisk disk(storage);
        SegmentJournal journal(disk, four_frames_a_segment());
        BookWriter writer(journal);
        EXPECT_EQ(journal.id(), kJournal);
        EXPECT_EQ(writer.head().seq, kLast);
        EXPECT_EQ(to_hex(writer.head().digest), kLastDigest);
        EXPECT_EQ(writer.head().epoch, 2u);
        for (std::uint64_t turn = kLast; turn < kLast + 9; ++turn) {
            writer.pass(3h);
            writer.write(busy_commands(turn));
            look_after(journal, writer.head().seq);
        }
        fold(disk, journal, writer.now());
    }
    MemoryDisk disk(storage);
    const auto report = verify(disk);
    ASSERT_TRUE(report) << report.error().what;
    for (const auto& finding : report->findings) ADD_FAILURE() << describe(finding);
    EXPECT_EQ(report->last, kLast + 9);
    EXPECT_EQ(report->payments, 27u + 27u);
}

// Its archive is of the program that compressed frame by frame.
TEST(JournalGoldenTest, PartsOfItsFramesAreRead) {
    MemoryDisk disk(golden()->copy());
    SegmentJournal journal(disk, four_frames_a_segment());
    ASSERT_TRUE(journal.take_over());
    const auto frames = read_frames(journal);
    ASSERT_TRUE(frames) << frames.error().what;
    ASSERT_TRUE(journal.store().segments().front().archived);
    for (const auto& frame : *frames) {
        const auto all = frame->bytes();
        for (const std::size_t begin : {std::size_t{0}, std::size_t{300}, all.size() - 20}) {
            std::vector<std::byte> some(std::min<std::size_t>(all.size() - begin, 1'000));
            const auto read = journal.store().bytes(frame->header.seq, static_cast<std::uint32_t>(begin), some);
            ASSERT_TRUE(read) << read.error().what;
            EXPECT_TRUE(std::ranges::equal(some, all.subspan(begin, some.size()))) << frame->header.seq;
        }
        std::vector<std::byte> headers;
        ASSERT_TRUE(journal.store().headers(frame->header.seq, frame->header.seq, headers));
        EXPECT_TRUE(std::ranges::equal(headers, all.first(kFrameHeaderBytes)));
    }
}

// The frames are taken from the golden journal itself, so that only a format may make a difference, and no decision.
// Archives are left out, as a newer library may compress otherwise, and the superblock, whose generation is a count of
// the moments at which it was due.
TEST(JournalGoldenTest, IsStillWrittenByteForByte) {
    auto storage = golden();
    MemoryDisk golden_disk(storage->copy());
    SegmentJournal golden_journal(golden_disk, four_frames_a_segment());
    ASSERT_TRUE(golden_journal.take_over());
    const auto frames = read_frames(golden_journal);
    ASSERT_TRUE(frames) << frames.error().what;
    ASSERT_EQ(frames->size(), kLast);

    auto again = begun();
    MemoryDisk disk(again);
    SegmentJournal journal(disk, four_frames_a_segment());
    ASSERT_TRUE(journal.take_over());
    for (const auto& frame : *frames) {
        ASSERT_TRUE(journal.ready(Journal::Need::intake));
        ASSERT_TRUE(journal.append(frame));
        ASSERT_EQ(*journal.accepted(), frame->header.seq);
        look_after(journal, frame->header.seq);
        if (frame->header.seq == 9) fold(disk, journal, frame->header.time);
    }
    EXPECT_EQ(again->names(), storage->names());
    std::size_t compared = 0;
    for (const auto& name : storage->names()) {
        if (name == kSuperblockName || name == archive_name(1)) continue;
        EXPECT_TRUE(again->bytes(name) == storage->bytes(name)) << name;
        ++compared;
    }
    EXPECT_EQ(compared, 5u);
}

TEST(JournalGoldenTest, ItsSuperblockIsStillWrittenByteForByte) {
    const auto bytes = golden()->bytes(kSuperblockName);
    ASSERT_EQ(bytes.size(), kSuperblockBytes);
    for (const std::uint64_t copy : {std::uint64_t{0}, std::uint64_t{1}}) {
        const auto block = std::span(bytes).subspan(copy * kDiskBlock, kDiskBlock);
        const auto superblock = decode_superblock(block);
        ASSERT_TRUE(superblock) << superblock.error().what;
        EXPECT_EQ(superblock->journal, kJournal);
        EXPECT_EQ(superblock->epoch, 1u);
        EXPECT_EQ(superblock->generation % 2, copy);
        EXPECT_TRUE(std::ranges::equal(encode(*superblock), block));
    }
}

// A file of a version to come is refused by name and version, and never read as one of today's.
TEST(JournalGoldenTest, AnotherVersionIsNamedAndNotRead) {
    const struct {
        std::string name;
        std::uint64_t block;  // where the block with the version begins: sealed ids have theirs at the end
    } cases[] = {
        {segment_name(2), 0}, {image_name(8), 0}, {archive_name(1), 0}, {id_run_name(1, 8, 0), kIdRunBytes - 256}};
    for (const auto& [name, block] : cases) {
        auto storage = golden();
        storage->flip(name, block + 8, 3);  // 1 becomes 2
        MemoryDisk disk(storage);
        const auto report = verify(disk);
        const std::string says = !report            ? report.error().what
                                 : report->proved() ? "nothing"
                                                    : describe(report->findings.front());
        EXPECT_NE(says.find("has version 2, this program knows 1"), std::string::npos) << name << ": " << says;
        EXPECT_NE(says.find(name), std::string::npos) << name << ": " << says;
    }
}

}  // namespace
}  // namespace nostro
