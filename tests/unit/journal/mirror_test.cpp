// A journal on a server, here one in memory, and its mirror in a data folder: whatever becomes of the folder, the
// journal is started and nothing is told that is not in it.
#include "nostro/journal/mirror.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/adapters/memory/faulty_disk.hpp"
#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_file.hpp"
#include "nostro/journal/mirrored_journal.hpp"
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
using testing::HasSubstr;

const SteadyTime kLater = steady_now() + std::chrono::hours(1);

MirrorOptions small_mirror() {
    MirrorOptions options;
    options.segments.frame_bytes_max = 16 * 1024;
    options.segments.segment_bytes = 12 * 4096;
    options.segments.tail_bytes = 8 * 1024;
    options.write_every = 0ms;
    return options;
}

// The journal on the server, and who writes it.
struct Server {
    Server() { open(); }
    void open() {
        writer.reset();
        journal = std::make_unique<MemoryJournal>(log);
        writer = std::make_unique<BookWriter>(*journal);
    }
    void write(std::uint64_t turns) {
        for (; turns != 0; --turns) {
            writer->write(busy_commands(++turn));
            writer->pass(3h);
        }
    }
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    std::unique_ptr<MemoryJournal> journal;
    std::unique_ptr<BookWriter> writer;
    std::uint64_t turn = 0;
};

// One process that has a folder.
struct Follower {
    explicit Follower(const std::shared_ptr<MemoryStorage>& storage, MirrorOptions options = small_mirror())
        : disk(storage) {
        auto opened = Mirror::open(disk, std::move(options));
        if (!opened) throw std::runtime_error(opened.error().what);
        mirror = std::move(*opened);
        static constexpr std::string_view kOrigin = "1\n";
        EXPECT_TRUE(disk.replace(kOriginName, std::as_bytes(std::span(kOrigin))));
    }
    void fold() {
        for (;;) {
            const auto did = mirror->fold(Instant{});
            ASSERT_TRUE(did) << did.error().what;
            if (!*did) return;
        }
    }
    void expect_same_as(const Journal& journal) {
        const auto here = read_frames(*mirror->frames()), there = read_frames(journal);
        ASSERT_TRUE(here) << here.error().what;
        ASSERT_TRUE(there) << there.error().what;
        ASSERT_EQ(here->size(), there->size());
        for (std::size_t i = 0; i < here->size(); ++i) ASSERT_TRUE(same_bytes((*here)[i], (*there)[i])) << i;
    }
    void expect_proved() {
        const auto report = verify(disk);
        ASSERT_TRUE(report) << report.error().what;
        for (const auto& finding : report->findings) ADD_FAILURE() << describe(finding);
        EXPECT_EQ(report->last, mirror->last());
    }
    MemoryDisk disk;
    std::unique_ptr<Mirror> mirror;
};

TEST(MirrorTest, ABookFromTheImageOfTheMirrorAndTheRestOfTheJournalIsTheBookThatWrote) {
    Server server;
    auto storage = std::make_shared<MemoryStorage>();
    Seq image = 0;
    for (int round = 0; round < 5; ++round) {
        Follower follower(storage);
        ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
        server.write(20);
        ASSERT_TRUE(follower.mirror->step(*server.journal, kLater));
        follower.fold();
        EXPECT_GT(follower.mirror->image(), image);
        image = follower.mirror->image();
        server.write(3);  // more than the mirror has
        follower.expect_proved();
        const Digest digest = server.writer->book().digest();
        MirroredJournal both(std::make_unique<MemoryJournal>(server.log), *follower.mirror, {});
        EXPECT_EQ(BookWriter(both).book().digest(), digest) << round;
        server.open();
    }
}

TEST(MirrorTest, WhatIsNotThereIsMadeAndItsIdsAreSealed) {
    Server server;
    server.write(60);
    auto options = small_mirror();
    options.ids_max = 0;
    Follower follower(std::make_shared<MemoryStorage>(), options);
    EXPECT_EQ(follower.mirror->ids().through(), 0u);
    ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
    EXPECT_EQ(follower.mirror->last(), server.log->last());
    EXPECT_EQ(follower.mirror->image(), server.log->last());
    EXPECT_EQ(follower.mirror->ids().through(), server.log->last());
    const auto found = follower.mirror->ids().find(test::payment_id_of(6001), follower.mirror->ids().through());
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->place.seq, 61u);
    follower.expect_same_as(*server.journal);
    follower.expect_proved();
    server.write(20);
    ASSERT_TRUE(follower.mirror->step(*server.journal, kLater));
    follower.expect_same_as(*server.journal);
}

// Of a Book that is full of ids no further frame comes.
TEST(MirrorTest, IdsThatWaitAreSealedWithoutAFurtherFrame) {
    Server server;
    server.write(2);
    Follower follower(std::make_shared<MemoryStorage>());
    MirroredJournal both(std::make_unique<MemoryJournal>(server.log), *follower.mirror, {});
    ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
    follower.fold();
    EXPECT_EQ(follower.mirror->ids().through(), 0u) << "its segment is open";
    EXPECT_FALSE(both.close_through(2)) << "it asks for no frame";
    ASSERT_TRUE(follower.mirror->step(*server.journal, kLater));
    follower.fold();
    EXPECT_EQ(follower.mirror->ids().through(), 3u);
    server.write(1);
    ASSERT_TRUE(follower.mirror->step(*server.journal, kLater));
    both.close_through(2);  // asked again, and it is closed already
    ASSERT_TRUE(follower.mirror->step(*server.journal, kLater));
    follower.fold();
    EXPECT_EQ(follower.mirror->ids().through(), 3u);
    follower.expect_same_as(*server.journal);
    follower.expect_proved();
}

// Many frames are one write, so a power cut may leave a frame that says an earlier one was durable, and not that one.
TEST(MirrorTest, WhatAPowerCutToreIsCutOffAndCopiedAgain) {
    Server server;
    server.write(1);
    auto storage = std::make_shared<MemoryStorage>();
    std::uint64_t torn = 0;
    {
        Follower follower(storage);
        ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
        const Seq whole = follower.mirror->last();
        server.write(3);
        ASSERT_TRUE(follower.mirror->step(*server.journal, kLater));
        torn = follower.mirror->frames()->store().place(whole + 1)->offset;
    }
    auto bytes = storage->bytes(segment_name(1));
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(torn), 4096, std::byte{0});
    storage->set_bytes(segment_name(1), bytes);
    EXPECT_TRUE(verify(*std::make_unique<MemoryDisk>(storage))->findings.empty()) << "what is left is proved";
    Follower follower(storage);
    EXPECT_EQ(follower.mirror->damage(), "");
    EXPECT_EQ(follower.mirror->last(), 2u);
    ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
    follower.expect_same_as(*server.journal);
    follower.expect_proved();
}

TEST(MirrorTest, EveryOperationFailsOrTearsOnceAndTheNextStartHasAll) {
    const auto live = [](Disk& disk, Server& server) -> Result<> {
        auto mirror = Mirror::open(disk, small_mirror());
        if (!mirror) return mirror.error();
        if (auto caught_up = (*mirror)->catch_up(*server.journal); !caught_up) return caught_up;
        server.write(24);
        for (int i = 0; i < 3; ++i) {  // a step that failed is tried again
            const auto stepped = (*mirror)->step(*server.journal, kLater + std::chrono::seconds(i));
            for (bool more = stepped.has_value(); more;) {
                const auto did = (*mirror)->fold(Instant{});
                more = did && *did;
            }
        }
        return (*mirror)->finish(*server.journal);
    };
    std::uint64_t operations = 0;
    {
        Server server;
        server.write(24);
        MemoryDisk disk(std::make_shared<MemoryStorage>());
        FaultyDisk counted(disk);
        ASSERT_TRUE(live(counted, server));
        operations = counted.operations();
    }
    ASSERT_GT(operations, 100u);
    using Fault = FaultyDisk::Plan::Fault;
    for (const auto& [fault, dead] :
         {std::pair(Fault::fails, false), std::pair(Fault::tears, false), std::pair(Fault::tears, true)}) {
        for (std::uint64_t at = 1; at <= operations; ++at) {
            const testing::ScopedTrace where(__FILE__, __LINE__, std::to_string(at) + (dead ? ", dead" : ""));
            Server server;
            server.write(24);
            auto storage = std::make_shared<MemoryStorage>();
            {
                MemoryDisk disk(storage);
                FaultyDisk faulty(disk);
                faulty.plan({at, fault, dead});
                static_cast<void>(live(faulty, server).has_value());
                ASSERT_TRUE(faulty.has_failed());
            }
            Follower follower(storage);
            const auto caught_up = follower.mirror->catch_up(*server.journal);
            ASSERT_TRUE(caught_up) << caught_up.error().what;
            follower.fold();
            follower.expect_same_as(*server.journal);
            follower.expect_proved();
            if (testing::Test::HasFailure()) return;
        }
    }
}

TEST(MirrorTest, AFullDiskIsToldAndMendsItself) {
    Server server;
    server.write(5);
    auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    FaultyDisk faulty(disk);
    auto mirror = std::move(*Mirror::open(faulty, small_mirror()));
    ASSERT_TRUE(mirror->catch_up(*server.journal));
    faulty.set_full(true);
    server.write(40);
    EXPECT_FALSE(mirror->step(*server.journal, kLater));
    EXPECT_THAT(mirror->trouble(), HasSubstr("no space"));
    EXPECT_LT(mirror->last(), server.log->last());
    MirroredJournal both(std::make_unique<MemoryJournal>(server.log), *mirror, {});
    EXPECT_EQ(read_frames(both)->size(), server.log->last()) << "what it lacks is read from the journal";
    faulty.set_full(false);
    auto stepped = mirror->step(*server.journal, kLater + 10s);
    if (!stepped) stepped = mirror->step(*server.journal, kLater + 20s);
    ASSERT_TRUE(stepped) << stepped.error().what;
    EXPECT_EQ(mirror->trouble(), "");
    EXPECT_EQ(mirror->last(), server.log->last());
}

struct Damage {
    const char* what;
    std::string (*file)(const MemoryStorage&);
    bool at_open;  // else it is met by the fold
};
std::string newest_of(const MemoryStorage& storage, const std::string& folder) {
    std::string found;
    for (const auto& name : storage.names()) {
        if (name.starts_with(folder + "/")) found = name;
    }
    return found;
}

class DamagedMirror : public testing::TestWithParam<Damage> {};

TEST_P(DamagedMirror, IsMadeAgainUnlessTheJournalHasLostItsBeginning) {
    Server server;
    server.write(30);
    auto storage = std::make_shared<MemoryStorage>();
    {
        Follower follower(storage);
        ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
        if (GetParam().at_open) follower.fold();
    }
    const std::string name = GetParam().file(*storage);
    ASSERT_NE(name, "");
    auto bytes = storage->bytes(name);
    // Of a segment a frame, and neither its header nor its footer.
    const std::size_t begin = GetParam().at_open ? 100 : 4096 + 100;
    const std::size_t end = GetParam().at_open ? bytes.size() : begin + 1000;
    for (std::size_t at = begin; at < end; at += 256) bytes[at] ^= std::byte{0x40};
    storage->set_bytes(name, bytes);
    if (!GetParam().at_open) {
        Follower follower(storage);
        EXPECT_EQ(follower.mirror->damage(), "") << "nobody has read it yet";
        const auto did = follower.mirror->fold(Instant{});
        ASSERT_FALSE(did);
        EXPECT_NE(follower.mirror->trouble(), "");
        MirroredJournal both(std::make_unique<MemoryJournal>(server.log), *follower.mirror, {});
        EXPECT_EQ(read_frames(both)->size(), server.log->last()) << "the journal has it still";
    }
    {
        auto trimmed = std::make_shared<MemoryLog>();
        MemoryJournal other(trimmed);
        BookWriter writer(other);
        trimmed->set_image(1, {}, true);
        const auto names = storage->names();
        Follower follower(storage);
        EXPECT_NE(follower.mirror->damage(), "");
        const auto caught_up = follower.mirror->catch_up(other);
        ASSERT_FALSE(caught_up);
        EXPECT_EQ(caught_up.error().code, ErrorCode::corrupt);
        EXPECT_THAT(caught_up.error().what, HasSubstr("restore the folder from a backup"));
        EXPECT_EQ(storage->names(), names) << "nothing is removed that cannot be made again";
    }
    {
        Follower follower(storage);
        EXPECT_NE(follower.mirror->damage(), "");
        EXPECT_EQ(follower.mirror->last(), 0u);
        const auto caught_up = follower.mirror->catch_up(*server.journal);
        ASSERT_TRUE(caught_up) << caught_up.error().what;
        follower.fold();
        follower.expect_same_as(*server.journal);
        follower.expect_proved();
    }
    EXPECT_EQ(Follower(storage).mirror->damage(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Damages, DamagedMirror,
    testing::Values(Damage{"image", [](const MemoryStorage& from) { return newest_of(from, kImageFolder); }, true},
                    Damage{"ids", [](const MemoryStorage& from) { return newest_of(from, kIdsFolder); }, true},
                    Damage{"superblock", [](const MemoryStorage&) { return std::string(kSuperblockName); }, true},
                    Damage{"segment", [](const MemoryStorage&) { return segment_name(1); }, false}),
    [](const testing::TestParamInfo<Damage>& parameter) { return parameter.param.what; });

TEST(MirrorTest, AnIdThatCannotBeReadIsNotTakenForANewOne) {
    Server server;
    server.write(30);
    auto storage = std::make_shared<MemoryStorage>();
    auto options = small_mirror();
    options.ids_max = 0;
    ASSERT_TRUE(Follower(storage, options).mirror->catch_up(*server.journal));
    storage->flip(newest_of(*storage, kIdsFolder), 40, 1);
    {
        Follower follower(storage);
        EXPECT_EQ(follower.mirror->damage(), "") << "its pages are read when they are asked for";
        const auto found = follower.mirror->ids().find(test::payment_id_of(3001), follower.mirror->ids().through());
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, ErrorCode::corrupt);
    }
    Follower follower(storage, options);
    EXPECT_NE(follower.mirror->damage(), "");
    ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
    const auto found = follower.mirror->ids().find(test::payment_id_of(3001), follower.mirror->ids().through());
    EXPECT_TRUE(found && *found);
}

TEST(MirrorTest, AJournalThatEndsBeforeItIsRefused) {
    Server server;
    server.write(10);
    Follower follower(std::make_shared<MemoryStorage>());
    ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
    Server restored;
    restored.write(4);
    MirroredJournal both(std::make_unique<MemoryJournal>(restored.log), *follower.mirror, {});
    const auto head = both.take_over();
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, ErrorCode::corrupt);
    EXPECT_THAT(head.error().what, HasSubstr("acknowledged frames are missing"));
}

TEST(MirrorTest, AJournalThatGoesOnFromAnotherFrameIsRefused) {
    Server server, other;
    server.write(10);
    Follower follower(std::make_shared<MemoryStorage>());
    ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
    other.writer->pass(1h);
    other.write(10);
    MirroredJournal both(std::make_unique<MemoryJournal>(other.log), *follower.mirror, {});
    const auto head = both.take_over();
    ASSERT_FALSE(head);
    EXPECT_THAT(head.error().what, HasSubstr("with another one"));
    other.open();
    other.write(1);
    const auto caught_up = follower.mirror->catch_up(*other.journal);
    ASSERT_FALSE(caught_up);
    EXPECT_EQ(caught_up.error().code, ErrorCode::corrupt);
    EXPECT_THAT(caught_up.error().what, HasSubstr("does not continue it"));
    EXPECT_EQ(follower.mirror->last(), 11u);
}

TEST(MirrorTest, AJournalWithoutItsBeginningIsStartedWhereTheImageReachesBehindIt) {
    Server server;
    server.write(40);
    auto storage = std::make_shared<MemoryStorage>();
    Seq image = 0;
    {
        Follower follower(storage);
        ASSERT_TRUE(follower.mirror->catch_up(*server.journal));
        follower.fold();
        image = follower.mirror->image();
        ASSERT_GT(image, 20u);
    }
    server.write(5);
    const Digest digest = server.writer->book().digest();
    server.log->set_image(image, {}, true);  // which it gives to nobody here: only its frames are gone
    {
        Follower follower(storage);
        const auto caught_up = follower.mirror->catch_up(*server.journal);
        ASSERT_TRUE(caught_up) << caught_up.error().what;
        MirroredJournal both(std::make_unique<MemoryJournal>(server.log), *follower.mirror, {});
        EXPECT_EQ(BookWriter(both).book().digest(), digest);
        EXPECT_EQ(read_frames(both)->size(), server.log->last());
    }
    Follower empty(std::make_shared<MemoryStorage>());
    const auto caught_up = empty.mirror->catch_up(*server.journal);
    ASSERT_FALSE(caught_up);
    EXPECT_EQ(caught_up.error().code, ErrorCode::corrupt);
    EXPECT_THAT(caught_up.error().what, HasSubstr("reaches to frame 0, and what comes then is gone"));
}

}  // namespace
}  // namespace nostro
