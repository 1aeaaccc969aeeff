// The verifier proves sound journals and names what is wrong with others.
#include "nostro/journal/verify.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "nostro/journal/journal_reader.hpp"
#include "tests/unit/journal/busy_journal.hpp"

namespace nostro {
namespace {

using test::busy_commands;
using test::BusyJournal;
using test::proved;
using test::tiny_segments;

TEST(VerifyTest, ProvesAJournalOfEveryKindOfThing) {
    BusyJournal busy(60);
    MemoryDisk looking(busy.storage);
    const auto report = proved(looking);
    EXPECT_EQ(report.first, 1u);
    EXPECT_EQ(report.last, 61u);
    EXPECT_EQ(report.frames, 61u);
    EXPECT_EQ(report.payments, 180u);
    EXPECT_GT(report.states[static_cast<std::size_t>(Status::settled)], 60u);
    EXPECT_EQ(report.states[static_cast<std::size_t>(Status::held)], report.payments_open);
    EXPECT_EQ(std::accumulate(report.states.begin(), report.states.end(), std::uint64_t{0}), report.payments);
    EXPECT_EQ(report.decided_through, report.last);
    EXPECT_GT(report.decided, report.payments);
    EXPECT_GT(report.payments_open, 0u);
    EXPECT_EQ(report.currencies, std::vector<std::string>{"EUR"});
    EXPECT_GT(report.image, 10u);
    EXPECT_GT(report.ids_through, 10u);
    EXPECT_TRUE(report.whole_history);
    EXPECT_EQ(report.digest, busy.writer->head().digest);
}

TEST(VerifyTest, ProvesAnEmptyJournalAndSaysWhereThereIsNone) {
    auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    auto none = verify(disk);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::not_found);
    {
        SegmentJournal journal(disk, tiny_segments());
        ASSERT_TRUE(journal.take_over());
    }
    EXPECT_EQ(proved(disk).last, 0u);
}

TEST(VerifyTest, FollowsAnOwnerThatGoesOnWriting) {
    BusyJournal busy(20);
    for (std::uint64_t turn = 21; turn < 60; ++turn) {
        busy.writer->write(busy_commands(turn));
        if (turn % 7 == 0) busy.fold();
        MemoryDisk looking(busy.storage);
        EXPECT_EQ(proved(looking).last, turn + 1);
    }
}

// Lies that no checksum finds: frames that are whole and in the chain, but whose books are not.
TEST(VerifyTest, NamesFrameAndPaymentOfBooksThatDoNotAddUp) {
    const struct {
        const char* promise;
        const char* says;
        std::uint64_t payment;  // that is to be named; 0: none, as it is of an account
        std::function<void(Changes&)> spoil;
    } cases[] = {
        {"a balance changed beside the outcomes", "its image says", 0, [](Changes& c) { c.accounts[0].balance += 5; }},
        {"an account's image left out", "has no image", 0, [](Changes& c) { c.accounts.erase(c.accounts.begin()); }},
        {"a version left out", "version", 0, [](Changes& c) { ++c.accounts[0].version; }},
        {"a reservation that nothing holds", "reserve", 0, [](Changes& c) { c.accounts[0].held += 7; }},
        {"a hold left out", "do not agree", 778, [](Changes& c) { c.holds.clear(); }},
        {"an outcome that creates money", "does not arrive", 777,
         [](Changes& c) { c.outcomes[0].creditor_after += 1; }},
        {"an outcome with another begin", "before", 777,
         [](Changes& c) {
             c.outcomes[0].debtor_before += 1;
             c.outcomes[0].debtor_after += 1;
         }},
        {"a payment that does not spend its id", "spend its id", 777, [](Changes& c) { c.known.clear(); }},
        {"a capture of what is not open", "was not open", 777,
         [](Changes& c) { c.outcomes[0].event = Event::captured; }},
    };
    for (const auto& wrong : cases) {
        BusyJournal busy(6, false);
        const Seq seq =
            busy.append_spoilt({test::a_payment().id(777).of("EUR", 50).from("bob").to("cyd").command(),
                                test::a_payment().id(778).of("EUR", 60).from("bob").to("cyd").manual().command()},
                               wrong.spoil);
        MemoryDisk looking(busy.storage);
        auto report = verify(looking);
        ASSERT_TRUE(report);
        ASSERT_FALSE(report->proved()) << wrong.promise;
        const std::string text = describe(report->findings.front());
        EXPECT_NE(text.find(wrong.says), std::string::npos) << wrong.promise << ": " << text;
        EXPECT_NE(text.find("segments/"), std::string::npos) << text;
        EXPECT_NE(text.find("frame " + std::to_string(seq)), std::string::npos) << text;
        const VerifyFinding& finding = report->findings.front();
        EXPECT_EQ(finding.seq, seq) << text;
        EXPECT_EQ(finding.payment,
                  wrong.payment != 0 ? std::optional(test::payment_id_of(wrong.payment)) : std::nullopt)
            << wrong.promise << ": " << text;
    }
}

// Whoever reads the report by program finds the place without reading its words.
TEST(VerifyTest, NamesFileByteAndFrameOfWhatIsDamaged) {
    BusyJournal busy(40);
    std::vector<VerifyFinding> places;  // of a frame of a closed segment, and of one of the open segment
    {
        auto reader = JournalReader::open(*busy.disk);
        ASSERT_TRUE(reader);
        for (const Seq seq : {Seq{12}, (*reader)->last() - 1}) {
            const auto place = (*reader)->store().place(seq);
            ASSERT_TRUE(place);
            places.push_back({place->file, place->offset, seq, {}, {}});
        }
    }
    ASSERT_NE(places[0].file, places[1].file);
    for (const VerifyFinding& at : places) {
        auto spoilt = busy.storage->copy();
        spoilt->flip(at.file, at.offset + 150, 4);
        MemoryDisk disk(spoilt);
        const auto report = verify(disk);
        ASSERT_TRUE(report);
        ASSERT_FALSE(report->proved());
        const VerifyFinding& finding = report->findings.front();
        EXPECT_EQ(finding.file, at.file) << describe(finding);
        EXPECT_EQ(finding.offset, at.offset) << describe(finding);
        EXPECT_EQ(finding.seq, at.seq) << describe(finding);
        EXPECT_TRUE(describe(finding).starts_with(at.file + ", byte " + std::to_string(at.offset) + ": frame "))
            << describe(finding);
    }
    for (const std::string& file : busy.storage->names()) {
        if (!file.starts_with("image/") && !file.starts_with("ids/") && file != "superblock") continue;
        auto spoilt = busy.storage->copy();
        for (std::uint64_t at = 0; at < spoilt->bytes(file).size(); at += 64) spoilt->flip(file, at, 1);
        MemoryDisk disk(spoilt);
        const auto report = verify(disk);
        ASSERT_TRUE(report);
        const auto named = [&](const VerifyFinding& finding) { return finding.file == file; };
        // Of two images the newer one is looked at.
        if (report->proved() && file.starts_with("image/")) continue;
        EXPECT_TRUE(std::ranges::any_of(report->findings, named)) << file << ": " << describe(report->findings.front());
    }
}

TEST(VerifyTest, AnImageThatIsNotTheFoldIsFound) {
    BusyJournal busy(40);
    const Seq at = *newest_image(*busy.disk);
    std::vector<Changes> chunks;
    ImageHead head;
    {
        auto reader = ImageReader::open(
            *busy.disk, "image/" + std::string(18 - std::to_string(at).size(), '0') + std::to_string(at) + ".image");
        ASSERT_TRUE(reader) << reader.error().what;
        head = (*reader)->head();
        Changes chunk;
        while (*(*reader)->next(chunk)) chunks.push_back(chunk);
    }
    const auto rewrite = [&](const std::vector<Changes>& cells) {
        auto writer = ImageWriter::start(*busy.disk, head);
        ASSERT_TRUE(writer);
        for (const auto& chunk : cells) ASSERT_TRUE((*writer)->add(chunk));
        ASSERT_TRUE((*writer)->publish());
    };
    auto changed = chunks;
    changed[0].accounts[1].balance += 1;
    rewrite(changed);
    EXPECT_FALSE(verify(*busy.disk)->proved());
    auto shorter = chunks;
    shorter[0].accounts.pop_back();
    rewrite(shorter);
    EXPECT_FALSE(verify(*busy.disk)->proved());
    rewrite(chunks);
    proved(*busy.disk);
}

}  // namespace
}  // namespace nostro
