// Deciding again finds books that add up and are wrong all the same.
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tests/unit/journal/busy_journal.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;
using test::a_payment;
using test::BusyJournal;

std::vector<Command> two_payments() {
    return {a_payment().id(777).of("EUR", 50).from("bob").to("cyd").command(),
            a_payment().id(778).of("EUR", 60).from("bob").to("cyd").manual().command()};
}

// As if the payment had been refused: nothing moves, and nothing is missing.
void refuse_first(Changes& changes) {
    Outcome& outcome = changes.outcomes[0];
    outcome.status = Status::rejected;
    outcome.reason = Reason::insufficient_funds;
    outcome.debtor_after = outcome.debtor_before;
    outcome.creditor_after = outcome.creditor_before;
    for (Outcome& other : changes.outcomes) {
        if (&other != &outcome) other.debtor_before = other.debtor_after = outcome.debtor_after;
        if (&other != &outcome) other.creditor_before = other.creditor_after = outcome.creditor_after;
    }
    for (AccountImage& image : changes.accounts) {
        if (image.id == outcome.debtor) image.balance = outcome.debtor_after;
    }
    std::erase_if(changes.accounts, [&](const AccountImage& image) { return image.id == outcome.creditor; });
}

TEST(VerifyDecideTest, NamesFrameAndPaymentOfAnOutcomeThatTheRulesDoNotGive) {
    const struct {
        const char* promise;
        const char* says;
        std::uint64_t payment;  // that is to be named; 0: none, as it is of another cell
        std::function<void(Changes&)> spoil;
    } cases[] = {
        {"refused, though it should have settled", "status settled, recorded: rejected", 777, refuse_first},
        {"another reason", "reason none, recorded: risk_rejected", 777,
         [](Changes& c) { c.outcomes[0].reason = Reason::risk_rejected; }},
        {"another score", "score 0, recorded: clear by policy 1, score 40", 778,
         [](Changes& c) { c.outcomes[1].why.score = 40; }},
        {"a hold that lasts longer", "another reservation", 778,
         [](Changes& c) {
             c.outcomes[1].expires_at += 1h;
             c.holds[0].expires_at += 1h;
         }},
        {"another number", "number", 778, [](Changes& c) { c.outcomes[1].number += 1; }},
        {"a limit that counts nothing", "0 limit counters, recorded: 1", 0,
         [](Changes& c) { c.counters.push_back({{1, 2}, 3, 4, 0, 5}); }},
        {"a floor that nobody set", "account", 0, [](Changes& c) { c.accounts[0].floor = -1; }},
        {"an id that another request spends", "another id", 778, [](Changes& c) { c.known[1].meaning += 1; }},
        {"a count of payments", "tenant 0", 0, [](Changes& c) { c.tenants[0].last_number += 1; }},
    };
    for (const auto& wrong : cases) {
        BusyJournal busy(6, false);
        const Seq seq = busy.append_spoilt(two_payments(), wrong.spoil);
        MemoryDisk looking(busy.storage);
        const auto report = verify(looking);
        ASSERT_TRUE(report);
        std::string all;
        for (const auto& finding : report->findings) all += describe(finding) + "\n";
        EXPECT_NE(all.find(wrong.says), std::string::npos) << wrong.promise << ": " << all;
        EXPECT_NE(all.find("frame " + std::to_string(seq)), std::string::npos) << all;
        EXPECT_EQ(report->decided_through, seq - 1) << wrong.promise;
        const VerifyFinding& finding = report->findings.front();
        EXPECT_EQ(finding.seq, seq) << all;
        EXPECT_EQ(finding.payment,
                  wrong.payment != 0 ? std::optional(test::payment_id_of(wrong.payment)) : std::nullopt)
            << wrong.promise << ": " << all;
        VerifyOptions quick;
        quick.decide = false;
        EXPECT_TRUE(verify(looking, quick)->proved()) << wrong.promise << ": it must be one that only deciding finds";
    }
}

TEST(VerifyDecideTest, TheFirstDifferenceIsToldAndWhatFollowsFromItIsNot) {
    BusyJournal busy(6, false);
    busy.append_spoilt(two_payments(), [](Changes& c) { c.outcomes[0].reason = Reason::broken; });
    MemoryDisk looking(busy.storage);
    const auto report = verify(looking);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->findings.size(), 1u);
    EXPECT_EQ(report->findings[0].payment, test::payment_id_of(777));
    EXPECT_EQ(report->findings[0].file, "segments/000000000001.seg");
    EXPECT_GT(report->findings[0].offset, 0u);
}

TEST(VerifyDecideTest, WhatWasDueAndDidNotExpireIsFound) {
    BusyJournal busy(6, false);
    busy.append_spoilt(two_payments(), [](Changes&) {}, 30 * 24h, 0);
    MemoryDisk looking(busy.storage);
    const auto report = verify(looking);
    ASSERT_TRUE(report);
    ASSERT_FALSE(report->proved());
    EXPECT_NE(report->findings[0].what.find("due to expire"), std::string::npos) << describe(report->findings[0]);
}

// What one frame may expire is bounded; the rest goes with the next.
TEST(VerifyDecideTest, FramesThatExpireAsMuchAsTheyMayAreRight) {
    BusyJournal busy(20, false);
    busy.append_spoilt(two_payments(), [](Changes& c) { EXPECT_EQ(c.outcomes[1].event, Event::expired); }, 30 * 24h, 2);
    MemoryDisk looking(busy.storage);
    EXPECT_EQ(test::proved(looking).expired, 2u);
}

// More accounts than it begins with, and frames that spend more ids than it remembers.
TEST(VerifyDecideTest, GrowsWithTheJournal) {
    MemoryDisk disk(std::make_shared<MemoryStorage>());
    SegmentJournalOptions options = test::tiny_segments();
    options.frame_bytes_max = 4 << 20;
    options.segment_bytes = 16 << 20;
    SegmentJournal journal(disk, options);
    test::BookWriter writer(journal, {.accounts_max = 100'000, .counters_max = 1'000, .known_max = 200'000});
    std::deque<std::string> names;
    std::uint64_t id = 0;
    for (const std::size_t payments : {900, 6'000, 5'000, 6'000, 100, 6'000}) {
        std::vector<Command> commands;
        for (std::size_t i = 0; i < payments; ++i) {
            const auto& from = names.emplace_back("from-" + std::to_string(++id));
            commands.push_back(a_payment().id(id).of("EUR", 7).from(from).to("bob").opening(10, 0).manual().command());
        }
        writer.write(commands);
        writer.pass(1min);
    }
    const auto report = test::proved(disk);
    EXPECT_EQ(report.payments, id);
    EXPECT_EQ(report.payments_open, id);
    EXPECT_EQ(report.decided_through, report.last);
}

TEST(VerifyDecideTest, BeginsWithAnImageWhereHistoryWasDropped) {
    BusyJournal busy(80, false);
    FoldOptions few;
    few.keep_segments = 2;
    few.memory_bytes = 1;
    busy.fold(few);
    for (std::uint64_t turn = 81; turn < 90; ++turn) busy.writer->write(test::busy_commands(turn));
    MemoryDisk looking(busy.storage);
    const auto report = test::proved(looking);
    EXPECT_FALSE(report.whole_history);
    EXPECT_GT(report.first, 1u);
    EXPECT_GE(report.begun_with + 1, report.first);
    EXPECT_EQ(report.decided_through, report.last);
    busy.append_spoilt(two_payments(), refuse_first);
    EXPECT_FALSE(verify(looking)->proved());
}

}  // namespace
}  // namespace nostro
