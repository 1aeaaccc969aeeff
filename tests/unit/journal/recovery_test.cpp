// Where a chain ends, case by case: what starts, what is refused, and in which words.
#include "nostro/journal/recovery.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_file.hpp"
#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro {
namespace {

using test::FrameChain;
using test::read_frames;
using test::same_bytes;
using test::tiny_segments;
using test::write_accepted;
using test::Written;

// Ten frames of a block each over two segments (seven, then three), as they stand when the power goes: nothing in
// flight, the superblock still at its begin.
struct Stand {
    std::shared_ptr<MemoryStorage> storage;
    Written written;
};

Stand ten_frames() {
    auto live = std::make_shared<MemoryStorage>();
    MemoryDisk disk(live);
    SegmentJournal journal(disk, tiny_segments());
    Stand stand;
    auto head = journal.take_over();
    EXPECT_TRUE(head);
    FrameChain chain(*head);
    for (int i = 0; i < 10; ++i) write_accepted(journal, chain, stand.written);
    stand.storage = live->copy();
    return stand;
}

// Where frame `seq` stands: seven in the first segment.
std::string file_of(Seq seq) { return segment_name(seq <= 7 ? 1 : 2); }
std::uint64_t offset_of(Seq seq) { return 4096 * (seq <= 7 ? seq : seq - 7); }

void wipe(MemoryStorage& storage, Seq seq) {
    auto bytes = storage.bytes(file_of(seq));
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset_of(seq)), 4096, std::byte{0});
    storage.set_bytes(file_of(seq), bytes);
}

void set_watermark(MemoryStorage& storage, Seq seq, const Digest& digest) {
    MemoryDisk disk(std::shared_ptr<MemoryStorage>(&storage, [](MemoryStorage*) {}));
    auto superblock = read_superblock(disk);
    ASSERT_TRUE(superblock);
    superblock->watermark = seq;
    superblock->watermark_digest = digest;
    ++superblock->generation;
    const auto block = encode(*superblock);
    auto bytes = storage.bytes(kSuperblockName);
    std::copy(block.begin(), block.end(), bytes.begin() + (superblock->generation % 2 == 0 ? 0 : 4096));
    storage.set_bytes(kSuperblockName, bytes);
}

struct Case {
    const char* promise;
    std::function<void(Stand&)> spoil;
    Seq starts_at = 0;                   // the head's seq, or...
    std::vector<std::string> says = {};  // ...refused as corrupt in these words
    Seq floor = 0;
};

class RecoveryTable : public testing::TestWithParam<Case> {};

TEST_P(RecoveryTable, StartsOrRefuses) {
    const Case& wanted = GetParam();
    Stand stand = ten_frames();
    wanted.spoil(stand);
    MemoryDisk disk(stand.storage);
    SegmentJournal journal(disk, tiny_segments());
    journal.expect(wanted.floor, "the query index");
    auto head = journal.take_over();
    if (!wanted.says.empty()) {
        ASSERT_FALSE(head) << "started at " << head->seq;
        EXPECT_EQ(head.error().code, ErrorCode::corrupt);
        for (const auto& word : wanted.says) {
            EXPECT_NE(head.error().what.find(word), std::string::npos)
                << "'" << word << "' is not in: " << head.error().what;
        }
        return;
    }
    ASSERT_TRUE(head) << head.error().what;
    EXPECT_EQ(head->seq, wanted.starts_at);
    auto frames = read_frames(journal);
    ASSERT_TRUE(frames) << frames.error().what;
    ASSERT_EQ(frames->size(), wanted.starts_at);
    for (std::size_t i = 0; i < frames->size(); ++i) EXPECT_TRUE(same_bytes((*frames)[i], stand.written.frames[i]));
    // It goes on from there, and the next start finds both.
    FrameChain chain(*head, 5);
    for (int i = 0; i < 12; ++i) write_accepted(journal, chain, stand.written);
    MemoryDisk again(stand.storage->copy());
    SegmentJournal next(again, tiny_segments());
    auto second = next.take_over();
    ASSERT_TRUE(second) << second.error().what;
    EXPECT_EQ(second->seq, wanted.starts_at + 12);
}

const Case kCases[] = {
    {"nothing happened", [](Stand&) {}, 10},
    {"the last frame is torn and nobody calls it durable",
     [](Stand& s) { s.storage->flip(file_of(10), offset_of(10) + 200, 1); }, 9},
    {"the last frame never came to the disk", [](Stand& s) { wipe(*s.storage, 10); }, 9},
    {"the last frame's padding alone is hurt", [](Stand& s) { s.storage->flip(file_of(10), offset_of(10) + 4095, 1); },
     9},
    {"the last but one is damaged, and the last calls it durable",
     [](Stand& s) { s.storage->flip(file_of(9), offset_of(9) + 150, 1); },
     0,
     {"segments/000000000002.seg, byte 8192", "frame 9", "frame 10 at byte 12288", "frame 9 was durable", "backup"}},
    {"a frame in the middle is damaged",
     [](Stand& s) { s.storage->flip(file_of(3), offset_of(3) + 140, 4); },
     0,
     {"segments/000000000001.seg, byte 12288", "frame 3 cannot be read", "backup"}},
    {"a frame in the middle is gone without a trace",
     [](Stand& s) { wipe(*s.storage, 8); },
     0,
     {"segments/000000000002.seg, byte 4096", "frame 8 cannot be read"}},
    {"the superblock calls the damaged last frame durable",
     [](Stand& s) {
         set_watermark(*s.storage, 10, s.written.frames[9]->digest);
         s.storage->flip(file_of(10), offset_of(10) + 200, 1);
     },
     0,
     {"segments/000000000002.seg, byte 12288", "the superblock", "frame 10"}},
    {"a projection has seen the damaged last frame",
     [](Stand& s) { s.storage->flip(file_of(10), offset_of(10) + 200, 1); },
     0,
     {"the query index", "frame 10"},
     10},
    {"a projection is behind the end",
     [](Stand& s) { s.storage->flip(file_of(10), offset_of(10) + 200, 1); },
     9,
     {},
     9},
    {"an image is ahead of the chain",
     [](Stand& s) { s.storage->set_bytes(image_name(12), std::vector<std::byte>(4096)); },
     0,
     {"image/", "frame 12"}},
    {"a store knows more than the chain holds",
     [](Stand&) {},
     0,
     {"frame 11 cannot be read", "the query index says that frame 11 was durable", "backup"},
     11},
    {"a new directory, and a store that was told by another journal",
     [](Stand& s) { s.storage = std::make_shared<MemoryStorage>(); },
     0,
     {"there is no frame here", "the query index says that frame 1", "another journal", "backup"},
     1},
    {"a segment is missing",
     [](Stand& s) {
         auto storage = std::make_shared<MemoryStorage>();
         for (const auto& name : s.storage->names()) {
             if (name != segment_name(1)) storage->set_bytes(name, s.storage->bytes(name));
         }
         s.storage = storage;
     },
     0,
     {"frame 1 cannot be read", "was durable"}},
    {"a segment's header is damaged",
     [](Stand& s) { s.storage->flip(segment_name(2), 40, 1); },
     0,
     {"segments/000000000002.seg", "header (byte 0)", "backup"}},
    {"a segment of another journal lies between",
     [](Stand& s) {
         auto bytes = s.storage->bytes(segment_name(2));
         auto header = decode_segment_header(std::span(bytes).first(4096));
         header->journal.low ^= 1;
         const auto block = encode(*header);
         std::copy(block.begin(), block.end(), bytes.begin());
         s.storage->set_bytes(segment_name(2), bytes);
     },
     0,
     {"belongs to another journal"}},
    {"a segment is cut short",
     [](Stand& s) {
         auto bytes = s.storage->bytes(segment_name(2));
         bytes.resize(bytes.size() - 4096);
         s.storage->set_bytes(segment_name(2), bytes);
     },
     0,
     {"segments/000000000002.seg", "bytes"}},
    {"one copy of the superblock is damaged", [](Stand& s) { s.storage->flip(kSuperblockName, 4096 + 30, 1); }, 10},
    {"the other copy of the superblock is damaged", [](Stand& s) { s.storage->flip(kSuperblockName, 30, 1); }, 10},
    {"both copies of the superblock are damaged",
     [](Stand& s) {
         s.storage->flip(kSuperblockName, 30, 1);
         s.storage->flip(kSuperblockName, 4096 + 30, 1);
     },
     0,
     {"superblock", "both copies", "backup"}},
    {"half made files lie about",
     [](Stand& s) {
         s.storage->set_bytes("segments/000000000009.seg.new", std::vector<std::byte>(100));
         s.storage->set_bytes("image/000000000000000099.image.new", std::vector<std::byte>(100));
     },
     10},
    {"a spare holds a void frame",
     [](Stand& s) {
         MemoryDisk disk(s.storage);
         const auto header = encode(SegmentHeader{read_superblock(disk)->journal, 3, 3, 9 * 4096});
         ASSERT_TRUE(disk.create(segment_name(3), 9 * 4096, header));
         auto bytes = s.storage->bytes(segment_name(3));
         // Another owner's frame 11 behind a frame 10 that was never acknowledged.
         FrameChain other(Head{10, Digest{1}, 1, Instant{}, {}}, 77);
         const auto frame = other.next(9);
         std::copy(frame->bytes().begin(), frame->bytes().end(), bytes.begin() + 4096);
         s.storage->set_bytes(segment_name(3), bytes);
     },
     10},
};

INSTANTIATE_TEST_SUITE_P(Cases, RecoveryTable, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& which) {
                             std::string name = which.param.promise;
                             for (auto& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                             return name;
                         });

TEST(RecoveryTest, AWholeFrameBehindATornOneIsVoidAndNeverMetAgain) {
    auto storage = std::make_shared<MemoryStorage>();
    {
        MemoryDisk disk(storage, MemoryDisk::Writes::by_hand);
        SegmentJournal journal(disk, tiny_segments());
        auto head = journal.take_over();
        ASSERT_TRUE(head);
        FrameChain chain(*head);
        ASSERT_TRUE(journal.append(chain.next(0)));
        disk.complete_all();
        ASSERT_EQ(*journal.accepted(), 1u);
        ASSERT_TRUE(journal.append(chain.next(1)));
        ASSERT_TRUE(journal.append(chain.next(1)));
        disk.complete(1);  // frame 3; frame 2 stays behind
        EXPECT_EQ(*journal.accepted(), 1u);
        storage = storage->copy();
    }
    for (int start = 0; start < 3; ++start) {
        MemoryDisk disk(storage);
        SegmentJournal journal(disk, tiny_segments());
        auto head = journal.take_over();
        ASSERT_TRUE(head) << head.error().what;
        EXPECT_EQ(head->seq, 1u);
        EXPECT_EQ(journal.void_frames(), start == 0 ? 1u : 0u);
    }
}

// Whoever sends a payment chooses bytes of its frame, so they may look like a frame of an earlier owner's.
TEST(RecoveryTest, BytesOfAPaymentThatLookLikeAnEarlierOwnersFrameSayNothing) {
    auto storage = std::make_shared<MemoryStorage>();
    Seq end = 0;
    for (std::uint64_t owner = 1; owner <= 2; ++owner) {
        MemoryDisk disk(storage);
        SegmentJournal journal(disk, tiny_segments());
        auto head = journal.take_over();
        ASSERT_TRUE(head);
        ASSERT_EQ(head->epoch, owner);
        FrameChain chain(*head, owner);
        Written written;
        for (int i = 0; i < 2; ++i) write_accepted(journal, chain, written);
        end = chain.head().seq;
        if (owner == 2) storage = storage->copy();  // the power goes
    }
    // Of the next frame, which was never accepted, the first block is torn and the second is what a client sent.
    FrameChain forged(Head{90, Digest{1}, 1, Instant{}, {}}, 5);
    const auto frame = forged.next(90);
    auto bytes = storage->bytes(segment_name(1));
    const auto torn = static_cast<std::ptrdiff_t>(kSegmentFramesBegin + end * 4096);
    std::fill_n(bytes.begin() + torn, 4096, std::byte{7});
    std::copy(frame->bytes().begin(), frame->bytes().end(), bytes.begin() + torn + 4096);
    storage->set_bytes(segment_name(1), bytes);

    MemoryDisk disk(storage);
    SegmentJournal journal(disk, tiny_segments());
    auto head = journal.take_over();
    ASSERT_TRUE(head) << head.error().what;
    EXPECT_EQ(head->seq, end);
}

TEST(RecoveryTest, AFullSegmentWithoutAFooterIsTakenAsItStands) {
    auto storage = std::make_shared<MemoryStorage>();
    Written written;
    {
        MemoryDisk disk(storage);
        SegmentJournal journal(disk, tiny_segments());
        auto head = journal.take_over();
        ASSERT_TRUE(head);
        FrameChain chain(*head);
        for (int i = 0; i < 7; ++i) write_accepted(journal, chain, written);
        ASSERT_TRUE(journal.upkeep(steady_now()));  // a spare stands behind it
    }
    MemoryDisk disk(storage);
    SegmentJournal journal(disk, tiny_segments());
    auto head = journal.take_over();
    ASSERT_TRUE(head) << head.error().what;
    EXPECT_EQ(head->seq, 7u);
    EXPECT_EQ(journal.void_frames(), 0u);
    EXPECT_EQ(journal.store().segments().front().about.number, 1u) << "it was copied";
    EXPECT_EQ(read_frames(journal)->size(), 7u);
}

TEST(RecoveryTest, ADamagedFooterCostsAWalkAndNothingElse) {
    auto storage = std::make_shared<MemoryStorage>();
    Written written;
    {
        MemoryDisk disk(storage);
        SegmentJournal journal(disk, tiny_segments());
        auto head = journal.take_over();
        ASSERT_TRUE(head);
        FrameChain chain(*head);
        for (int i = 0; i < 20; ++i) {
            write_accepted(journal, chain, written);
            ASSERT_TRUE(journal.upkeep(steady_now()));
        }
    }
    const auto bytes = storage->bytes(segment_name(1));
    storage->flip(segment_name(1), bytes.size() - footer_bytes(bytes.size()) + 50, 1);
    MemoryDisk disk(storage);
    SegmentJournal journal(disk, tiny_segments());
    auto head = journal.take_over();
    ASSERT_TRUE(head) << head.error().what;
    EXPECT_EQ(head->seq, 20u);
    EXPECT_EQ(read_frames(journal)->size(), 20u);
}

TEST(RecoveryTest, OptionsThatCannotBeAreRefusedWithTheirNames) {
    const struct {
        const char* says;
        std::function<void(SegmentJournalOptions&)> spoil;
    } cases[] = {
        {"segment_bytes must be a multiple", [](auto& o) { o.segment_bytes += 1; }},
        {"segment_bytes must be at least", [](auto& o) { o.segment_bytes = 8192; }},
        {"segment_bytes must be at most", [](auto& o) { o.segment_bytes = std::uint64_t{1} << 41; }},
        {"frame_bytes_max must be", [](auto& o) { o.frame_bytes_max = 5000; }},
        {"frame_bytes_max must be", [](auto& o) { o.frame_bytes_max = 0; }},
        {"spares and in_flight_max", [](auto& o) { o.spares = 0; }},
        {"spares and in_flight_max", [](auto& o) { o.in_flight_max = 0; }},
    };
    for (const auto& wrong : cases) {
        MemoryDisk disk(std::make_shared<MemoryStorage>());
        auto options = tiny_segments();
        wrong.spoil(options);
        SegmentJournal journal(disk, options);
        auto head = journal.take_over();
        ASSERT_FALSE(head) << wrong.says;
        EXPECT_EQ(head.error().code, ErrorCode::invalid);
        EXPECT_NE(head.error().what.find(wrong.says), std::string::npos) << head.error().what;
    }
}

TEST(RecoveryTest, ASecondOwnerIsRefusedUntilTheFirstIsGone) {
    auto storage = std::make_shared<MemoryStorage>();
    auto first = std::make_unique<MemoryDisk>(storage);
    SegmentJournal owner(*first, tiny_segments());
    ASSERT_TRUE(owner.take_over());
    MemoryDisk second(storage);
    {
        SegmentJournal other(second, tiny_segments());
        auto refused = other.take_over();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::conflict);
    }
}

}  // namespace
}  // namespace nostro
