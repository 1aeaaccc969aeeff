// Sources, sealed ids and suspects: what settlement does beside answering requests.
#include <csignal>
#include <cstdio>

#include "nostro/base/hex.hpp"
#include "tests/unit/engine/map_of_sealed.hpp"
#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

using Kind = Answer::Kind;

class SettlementDoorsTest : public testing::Test {
protected:
    void restart() {
        node.reset();
        node = std::make_unique<Node>(log, options);
        node->start();
    }
    void start() {
        restart();
        node->run(two_accounts());
    }

    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    NodeOptions options;
    std::unique_ptr<Node> node;
};

class SourcesTest : public SettlementDoorsTest {
protected:
    SourcesTest() { options.sources = {&source}; }
    MemorySource source{7};
};

TEST_F(SourcesTest, WhatASourceBringsCountsOnceOverRestarts) {
    start();
    for (const Command& command : payments(1, 30, 10)) source.put(command);
    node->settle();
    EXPECT_EQ(node->balance("bob"), 300);
    ASSERT_EQ(node->frame(node->journal_head())->last.size(), 1u);
    EXPECT_EQ(node->frame(node->journal_head())->last[0], (Cursor{7, 0, 30}));

    restart();
    EXPECT_EQ(source.position(), 30u) << "read on from the journal's cursor";
    for (const Command& command : payments(31, 5, 10)) source.put(command);
    node->settle();
    EXPECT_EQ(node->balance("bob"), 350);
}

TEST_F(SourcesTest, WhatWasInFlightAtACrashIsReadAgain) {
    start();
    for (const Command& command : payments(1, 5, 10)) source.put(command);
    node->turn();
    EXPECT_EQ(node->journal.under_way(), 1u);
    restart();
    node->settle();
    EXPECT_EQ(node->balance("bob"), 50);
}

TEST_F(SourcesTest, ACommandThatIsRefusedBecomesADeadLetter) {
    start();
    source.put(a_command(VoidPayment{payment_id_of(99)}));
    source.put(a_payment().id(1).of("EUR", 10).command());
    source.put(a_payment().id(1).of("EUR", 10).meaning(2).command());  // a conflict
    source.put(a_payment().id(1).of("EUR", 10).command());             // a replay: harmless
    node->settle();
    EXPECT_EQ(node->balance("bob"), 10);
    std::vector<std::string> whys, positions;
    const auto frame = node->frame(node->journal_head());
    for (const Command& command : frame->commands) {
        if (const auto* letter = std::get_if<KeepDeadLetter>(&command.body)) {
            whys.emplace_back(letter->why);
            positions.emplace_back(letter->position);
        }
    }
    ASSERT_EQ(whys.size(), 2u);
    EXPECT_EQ(whys[0], name(Reason::not_found));
    EXPECT_EQ(positions[0], "0:0");
    EXPECT_TRUE(whys[1].starts_with("conflict"));
    EXPECT_EQ(positions[1], "0:2");
    EXPECT_EQ(frame->last.at(0).next, 4u);
}

TEST_F(SourcesTest, ASourceThatIsDownStopsNobodyElse) {
    start();
    source.trouble(Error{ErrorCode::unavailable, "broker gone"});
    source.put(a_payment().id(1).of("EUR", 10).command());
    EXPECT_EQ(node->run(a_payment().id(2).of("EUR", 1).command()).one().status, Status::settled);
    EXPECT_EQ(node->balance("bob"), 1);
    source.trouble(std::nullopt);
    node->settle();
    EXPECT_EQ(node->balance("bob"), 11);
}

TEST_F(SourcesTest, WithoutSpaceASourceWaitsWhereItIs) {
    start();
    node->journal.set_full(true);
    static_cast<void>(node->submit(payments(50, 1)));
    node->turn();  // finds out
    source.put(a_payment().id(1).of("EUR", 10).command());
    node->settle();
    EXPECT_EQ(node->balance("bob"), 0);
    node->journal.set_full(false);
    node->settle();
    EXPECT_EQ(node->balance("bob"), 10);
}

TEST_F(SourcesTest, ASourceThatWaitsForRoomInTheBookLetsOthersPass) {
    MemorySource other(8), third(9);
    options.book.holds_max = 1;
    options.sources = {&other, &source, &third};
    start();
    const auto held = [](std::uint64_t id) { return a_payment().id(id).of("EUR", 10).manual().command(); };
    while (node->run(held(100 + node->journal_head())).one().answer.kind == Kind::recorded) {
        ASSERT_LT(node->journal_head(), 2'000u);
    }
    source.put(held(1));
    source.put(a_payment().id(2).of("EUR", 10).command());
    for (std::uint64_t turn = 0; turn < 3; ++turn) {
        other.put(a_payment().id(10 + turn).of("EUR", 1).command());
        third.put(a_payment().id(20 + turn).of("EUR", 1).command());
        node->settle();
        EXPECT_EQ(node->balance("bob"), static_cast<std::int64_t>(2 * turn + 2));
    }
    other.put(held(3));  // two of them wait now
    node->settle();
    const auto done = node->step();
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(*done, 0u) << "it must not spin";
    EXPECT_FALSE(node->book.known(payment_id_of(2))) << "what a source brings is in order";
    node->now += std::chrono::days(60);  // the holds end
    node->settle();
    node->now += std::chrono::days(60);  // so does that of whoever came first
    node->settle();
    EXPECT_EQ(node->balance("bob"), 16);
    EXPECT_TRUE(node->book.known(payment_id_of(1)) && node->book.known(payment_id_of(3)));
    node.reset();  // before the sources go
}

TEST_F(SourcesTest, WithoutRoomInTheBookASourceWaitsWhereItIs) {
    options.book.holds_max = 1;
    start();
    const auto held = [](std::uint64_t id) { return a_payment().id(id).of("EUR", 10).manual().command(); };
    while (node->run(held(100 + node->journal_head())).one().answer.kind == Kind::recorded) {
        ASSERT_LT(node->journal_head(), 2'000u);
    }
    const Seq before = node->journal_head();
    source.put(held(1));
    source.put(a_payment().id(2).of("EUR", 10).command());
    for (int i = 0; i < 3; ++i) {
        const auto done = node->step();
        ASSERT_TRUE(done) << done.error().what;
        EXPECT_EQ(*done, 0u) << "it must not spin";
    }
    node->settle();
    EXPECT_EQ(node->journal_head(), before) << "neither a dead letter nor an empty frame";
    EXPECT_EQ(node->balance("bob"), 0) << "in order";
    EXPECT_EQ(node->run(two_accounts()).receipts.size(), 2u) << "others are answered";
    node->now += std::chrono::days(60);  // the holds end
    node->settle();
    EXPECT_EQ(node->balance("bob"), 10);
    EXPECT_EQ(node->frame(node->journal_head())->last.at(0).next, 2u);
    EXPECT_TRUE(node->book.known(payment_id_of(1)));
}

class SealedIdsTest : public SettlementDoorsTest {
protected:
    // So small that four generations are full after a few frames.
    SealedIdsTest() {
        options.sealed = &sealed;
        options.book.known_max = 2'000;
        options.limits.payments_per_frame_max = 100;
    }
    // Settles payments until the Book has dropped the ids of the first frames.
    void forget_some() {
        for (std::uint64_t first = 1; node->book.forgotten_through() < 3 && first < 8'000; first += 100) {
            const auto told = node->run(payments(first, 100));
            for (std::size_t i = 0; i < told.receipts.size(); ++i) {
                if (told.receipts[i].answer.kind != Kind::recorded) continue;
                sealed.ids[told.receipts[i].payment] = {told.receipts[i].place, 1};
            }
            sealed.sealed_through = node->journal_head();
            node->turn();
        }
        ASSERT_GE(node->book.forgotten_through(), 3u);
        ASSERT_FALSE(node->book.known(payment_id_of(1)));
    }
    MapOfSealed sealed;
};

TEST_F(SealedIdsTest, WhoBuildsASubmissionLearnsHowFarTheBookHasForgotten) {
    start();
    EXPECT_EQ(node->settlement->forgotten_through(), node->book.forgotten_through());
    forget_some();
    EXPECT_EQ(node->settlement->forgotten_through(), node->book.forgotten_through());
    EXPECT_LE(node->settlement->forgotten_through(), sealed.sealed_through);
}

TEST_F(SealedIdsTest, AnIdThatLeftMemoryIsStillKnown) {
    start();
    forget_some();
    const auto again = node->run(payments(1, 1));  // intake asked before ids had left: asked again
    EXPECT_EQ(again.one().answer.kind, Kind::replayed);
    EXPECT_EQ(again.one().answer.first, sealed.ids[payment_id_of(1)].place);
    const auto other = node->run(a_payment().id(1).meaning(3).command());
    EXPECT_EQ(other.one().answer.kind, Kind::reused);
}

TEST_F(SealedIdsTest, WhatIntakeFoundIsNotAskedAgain) {
    start();
    forget_some();
    auto told = std::make_shared<Told>();
    auto submission = a_submission(payments(1, 1), told);
    submission->ids_asked_through = sealed.sealed_through;
    submission->sealed.push_back({0, Place{3, 0}, 1});
    sealed.asked = 0;
    node->inbox.submit(std::move(submission));
    node->settle();
    EXPECT_EQ(told->one().answer.kind, Kind::replayed);
    EXPECT_EQ(told->one().answer.first, (Place{3, 0}));
    EXPECT_EQ(sealed.asked, 0);
}

TEST_F(SealedIdsTest, AGroupWithASealedItemIsRefused) {
    start();
    forget_some();
    const std::vector<SubmitPayment> items = {a_payment().id(99'001).submit(), a_payment().id(1).submit()};
    const auto told = node->run(a_command(SubmitGroup{items}, payment_id_of(99'009), 5));
    ASSERT_EQ(told.receipts.size(), 2u);
    EXPECT_EQ(told.one().answer.kind, Kind::refused);
    EXPECT_EQ(told.one().answer.item, 1u);
}

TEST_F(SealedIdsTest, AGroupThatTheBookStillKnowsIsReplayedThoughItsItemsAreSealed) {
    start();
    forget_some();
    const std::vector<SubmitPayment> items = {a_payment().id(99'001).submit(), a_payment().id(99'002).submit()};
    const Command group = a_command(SubmitGroup{items}, payment_id_of(99'009), 5);
    const auto first = node->run(group);
    ASSERT_EQ(first.one().answer.kind, Kind::recorded);
    for (const Receipt& receipt : first.receipts) sealed.ids[receipt.payment] = {receipt.place, 1};
    sealed.ids[payment_id_of(99'009)] = {first.one().place, 5};
    const auto again = node->run(group);
    EXPECT_EQ(again.one().answer.kind, Kind::replayed);
    EXPECT_EQ(again.one().answer.first, first.one().place);
}

TEST_F(SealedIdsTest, APaymentThatEndedBeforeItsIdLeftMemoryIsNotOpenRatherThanNotFound) {
    start();
    forget_some();
    const std::vector<CommandBody> follow_ups = {CapturePayment{payment_id_of(1), {}}, VoidPayment{payment_id_of(1)},
                                                 DecideReview{payment_id_of(1), true, "rita", ""}};
    for (const CommandBody& body : follow_ups) {
        const auto told = node->run(a_command(body));
        EXPECT_EQ(told.one().answer.kind, Kind::refused);
        EXPECT_EQ(told.one().answer.reason, Reason::not_open);
        EXPECT_EQ(told.one().answer.state, Status::accepted) << "only the history knows how it ended";
    }
    const auto unknown = node->run(a_command(VoidPayment{payment_id_of(99'999)}));
    EXPECT_EQ(unknown.one().answer.reason, Reason::not_found);
}

TEST_F(SealedIdsTest, WithoutAnAnswerFromTheRunsNothingIsDecided) {
    start();
    forget_some();
    sealed.trouble = Error{ErrorCode::corrupt, "a run is damaged"};
    static_cast<void>(node->submit(payments(1, 1)));
    EXPECT_FALSE(node->step());
}

class SuspectsTest : public SettlementDoorsTest {
protected:
    SuspectsTest() {
        options.disk = &disk;
        // The bug: whoever settles payment 13 breaks the books.
        options.audit = [](const Changes& changes) {
            for (const Outcome& outcome : changes.outcomes) {
                if (outcome.payment == payment_id_of(13) && outcome.status == Status::settled) return false;
            }
            return true;
        };
    }
    std::string file() const {
        const auto bytes = storage->bytes("suspects");
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    std::shared_ptr<MemoryStorage> storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk{storage};
};

TEST_F(SuspectsTest, TheOneThatBreaksTwiceIsQuarantinedAndTheRestGoesOn) {
    start();
    const auto told = node->submit(payments(11, 5));
    const auto broken = node->step();
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, ErrorCode::corrupt);
    EXPECT_FALSE(told->yet());
    EXPECT_EQ(node->journal.under_way(), 0u);
    EXPECT_NE(file().find(to_hex(payment_id_of(13)) + " suspect"), std::string::npos);

    // Second start: the client asks again; 11 and 12 pass, each alone; 13 breaks again.
    restart();
    const auto retried = node->submit(payments(11, 5));
    for (int i = 0; i < 2; ++i) {
        node->turn();
        node->journal.complete(1);
    }
    EXPECT_FALSE(node->step());
    EXPECT_FALSE(retried->yet());
    EXPECT_NE(file().find(to_hex(payment_id_of(13)) + " trying"), std::string::npos);
    EXPECT_EQ(file().find(to_hex(payment_id_of(11))), std::string::npos) << "cleared";

    // Third start: 13 is not looked at any more.
    restart();
    const auto third = node->run(payments(11, 5));
    ASSERT_EQ(third.receipts.size(), 5u);
    EXPECT_EQ(third.receipts[0].answer.kind, Kind::replayed);
    EXPECT_EQ(third.receipts[2].status, Status::quarantined);
    EXPECT_EQ(third.receipts[2].reason, Reason::broken);
    EXPECT_EQ(third.receipts[4].status, Status::settled);
    EXPECT_EQ(node->run(payments(13, 1)).one().answer.kind, Kind::replayed);
    EXPECT_EQ(node->balance("bob"), 4);
}

TEST_F(SuspectsTest, AGroupThatBreaksTwiceIsQuarantinedAsOne) {
    start();
    const std::vector<SubmitPayment> items = {a_payment().id(12).submit(), a_payment().id(13).submit(),
                                              a_payment().id(14).submit()};
    const Command group = a_command(SubmitGroup{items}, payment_id_of(9), 5);
    for (int i = 0; i < 2; ++i) {
        static_cast<void>(node->submit(group));
        ASSERT_FALSE(node->step());
        restart();
    }
    const auto told = node->run(group);
    ASSERT_EQ(told.receipts.size(), 3u);
    const auto again = node->run(group);
    ASSERT_EQ(again.receipts.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(told.receipts[i].payment, items[i].payment.id);
        EXPECT_EQ(told.receipts[i].status, Status::quarantined);
        EXPECT_EQ(told.receipts[i].place, told.one().place) << "one record stands for all of them";
        EXPECT_EQ(again.receipts[i].answer.kind, Kind::replayed);
        EXPECT_EQ(again.receipts[i].answer.first, told.one().place);
    }
    EXPECT_EQ(node->balance("bob"), 0);
}

TEST_F(SuspectsTest, ASuspectIsAloneInItsFrame) {
    start();
    static_cast<void>(node->submit(payments(11, 3)));
    ASSERT_FALSE(node->step());
    restart();
    const auto told = node->submit(payments(11, 1));
    const auto others = node->submit(payments(50, 4));
    node->settle();
    const Place place = told->one().place;
    EXPECT_EQ(node->frame(place.seq)->commands.size(), 1u);
    EXPECT_NE(others->receipts[0].place.seq, place.seq);
    EXPECT_EQ(node->run(payments(60, 3)).receipts.size(), 3u);
}

TEST(SuspectsFileTest, SaysWhatItCannotRead) {
    auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    const std::string text = "nonsense\n";
    ASSERT_TRUE(disk.replace("suspects", std::as_bytes(std::span(text))));
    Suspects suspects(&disk);
    const auto loaded = suspects.load();
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::corrupt);
    EXPECT_NE(loaded.error().what.find("nonsense"), std::string::npos);
}

TEST(SuspectsFileTest, CommandsWithoutAnIdAreKnownByTheirBytes) {
    std::vector<std::byte> one, other;
    encode_command(a_command(VoidPayment{payment_id_of(1)}), one);
    encode_command(a_command(VoidPayment{payment_id_of(2)}), other);
    const Command command = a_command(VoidPayment{payment_id_of(1)});
    EXPECT_EQ(Suspects::key(command, one), Suspects::key(command, one));
    EXPECT_NE(Suspects::key(command, one), Suspects::key(command, other));
    EXPECT_EQ(Suspects::key(a_payment().id(5).command(), one), payment_id_of(5));
}

MemoryStorage* shown_at_the_end = nullptr;
extern "C" void show_suspects(int) {
    const auto bytes = shown_at_the_end->bytes("suspects");
    std::fwrite(bytes.data(), 1, bytes.size(), stderr);
}

TEST_F(SuspectsTest, AnAssertionLeavesTheNamesOfWhatWasDecided) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            shown_at_the_end = storage.get();
            std::signal(SIGABRT, show_suspects);
            options.audit = [](const Changes& changes) {
                NOSTRO_ASSERT(changes.outcomes.front().payment != payment_id_of(13), "unlucky");
                return true;
            };
            start();
            static_cast<void>(node->submit(payments(13, 1)));
            static_cast<void>(node->step());
        },
        to_hex(payment_id_of(13)) + " suspect");
}

}  // namespace
}  // namespace nostro::test
