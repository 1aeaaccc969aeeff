#include "nostro/engine/settlement.hpp"

#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

using Kind = Answer::Kind;

class SettlementTest : public testing::Test {
protected:
    void start(const NodeOptions& options = {}) {
        options_ = options;
        restart();
        node->run(two_accounts());
    }
    void restart() {
        node.reset();
        node = std::make_unique<Node>(log, options_, now);
        node->start();
    }

    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    Instant now = kStart;
    NodeOptions options_;
    std::unique_ptr<Node> node;
};

TEST_F(SettlementTest, FirstFrameOfAnEmptyJournalBringsThePolicy) {
    node = std::make_unique<Node>(log, options_);
    ASSERT_TRUE(node->recover());
    EXPECT_EQ(node->policies.current(0), nullptr) << "not before it is accepted";
    node->settle();
    ASSERT_NE(node->policies.current(0), nullptr);
    EXPECT_EQ(node->policies.current(0)->version(), 1u);
    EXPECT_EQ(node->frame(1)->frame->header.epoch, 1u);
    ASSERT_EQ(node->frame(1)->commands.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<ChangePolicy>(node->frame(1)->commands[0].body));
}

TEST_F(SettlementTest, DecidesNothingBeforeItsTakeOverIsAccepted) {
    node = std::make_unique<Node>(log, options_);
    ASSERT_TRUE(node->recover());
    const auto told = node->submit(an_account("ada").command());
    node->turn();
    EXPECT_EQ(node->journal.under_way(), 1u) << "the take-over frame alone";
    EXPECT_EQ(node->book.account(account("ada")), nullptr);
    node->settle();
    EXPECT_EQ(told->one().place, (Place{2, 0}));
}

TEST_F(SettlementTest, TellsNothingBeforeItsFrameIsAccepted) {
    start();
    const auto told = node->submit(payments(1, 1, 500));
    node->turn();
    EXPECT_EQ(node->balance("bob"), 500) << "decided in memory";
    EXPECT_FALSE(told->yet());
    node->turn();
    EXPECT_FALSE(told->yet());
    node->journal.complete(1);
    EXPECT_FALSE(told->yet()) << "told in settlement's turn only";
    node->turn();
    ASSERT_EQ(told->times, 1);
    EXPECT_EQ(told->one().answer.kind, Kind::recorded);
    EXPECT_EQ(told->one().status, Status::settled);
    EXPECT_EQ(told->one().payment, payment_id_of(1));
    EXPECT_EQ(told->one().accepted_at, now);
    EXPECT_EQ(told->one().place, (Place{3, 0}));
    EXPECT_EQ(node->reply_rounds, 2);
}

TEST_F(SettlementTest, AReplayWaitsForTheFrameOfItsFirstAnswer) {
    start();
    const auto first = node->submit(payments(1, 1));
    node->turn();
    const auto again = node->submit(payments(1, 1));
    node->turn();
    EXPECT_EQ(node->journal.under_way(), 1u) << "a replay leaves no trace";
    EXPECT_FALSE(again->yet());
    node->settle();
    ASSERT_TRUE(again->yet());
    EXPECT_EQ(again->one().answer.kind, Kind::replayed);
    EXPECT_EQ(again->one().answer.first, first->one().place);
}

TEST_F(SettlementTest, EqualRequestsInOneTurnShareAFrame) {
    start();
    const auto first = node->submit(payments(1, 1));
    const auto again = node->submit(payments(1, 1));
    node->settle();
    EXPECT_EQ(first->one().answer.kind, Kind::recorded);
    EXPECT_EQ(again->one().answer.kind, Kind::replayed);
    EXPECT_EQ(again->one().answer.first, first->one().place);
}

TEST_F(SettlementTest, OtherMeaningOfAKnownIdIsReused) {
    start();
    node->run(payments(1, 1));
    const auto other = node->run(a_payment().id(1).meaning(2).command());
    EXPECT_EQ(other.one().answer.kind, Kind::reused);
}

TEST_F(SettlementTest, ARefusalIsToldAtOnceWhenNothingIsInFlight) {
    start();
    const Seq before = node->journal_head();
    const auto told = node->submit(a_command(VoidPayment{payment_id_of(77)}));
    node->turn();
    ASSERT_TRUE(told->yet());
    EXPECT_EQ(told->one().answer.kind, Kind::refused);
    EXPECT_EQ(told->one().reason, Reason::not_found);
    EXPECT_EQ(node->journal_head(), before) << "and leaves no frame";
    EXPECT_EQ(node->run(payments(1, 1)).one().place.seq, before + 1);
}

TEST_F(SettlementTest, ARefusalWaitsForWhatItMayHaveSeen) {
    start();
    static_cast<void>(node->submit(payments(1, 1)));
    node->turn();
    const auto told = node->submit(a_command(VoidPayment{payment_id_of(1)}));
    node->turn();
    EXPECT_FALSE(told->yet());
    node->settle();
    EXPECT_EQ(told->one().reason, Reason::not_open);
}

TEST_F(SettlementTest, ABalanceIsToldWithTheNewestFrameThatItSaw) {
    start();
    const auto at_rest = node->read("ada");
    node->turn();
    ASSERT_TRUE(at_rest->yet());
    EXPECT_EQ(at_rest->account->balance, 100'000);
    EXPECT_EQ(at_rest->as_of->seq, 2u);

    static_cast<void>(node->submit(payments(1, 1, 500)));
    const auto moving = node->read("ada");
    node->turn();
    EXPECT_FALSE(moving->yet());
    node->settle();
    ASSERT_TRUE(moving->yet());
    EXPECT_EQ(moving->account->balance, 99'500);
    EXPECT_EQ(moving->as_of->seq, 3u);
}

TEST_F(SettlementTest, AFailedWriteTellsNothing) {
    start();
    const auto told = node->submit(payments(1, 1));
    node->turn();
    node->journal.complete(1);
    node->journal.fail();
    const auto done = node->step();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::unknown);
    EXPECT_FALSE(told->yet());
}

TEST_F(SettlementTest, OfTwoOwnersTheSecondGoesOnAndTheFirstTellsNothing) {
    start();
    const auto told = node->submit(payments(1, 1));
    node->turn();  // under way when the other takes over

    Node second(log, options_);
    second.start();
    const auto done_by_second = second.run(payments(1, 1));
    EXPECT_EQ(done_by_second.one().answer.kind, Kind::recorded);

    node->journal.complete(1);
    const auto done = node->step();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::fenced);
    EXPECT_FALSE(told->yet());
    EXPECT_EQ(log->void_frames(), 1u);
    EXPECT_EQ(second.frame(3)->frame->header.epoch, 2u);
}

TEST_F(SettlementTest, AnOwnerWhoWasOvertakenWhileItRecoveredDecidesNothing) {
    start();
    Node late(log, options_);
    ASSERT_TRUE(late.recover());  // its first frame is under way when yet another takes over
    const auto told = late.submit(payments(1, 1));
    Node newest(log, options_);
    newest.start();
    late.journal.complete(1);
    const auto done = late.step();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::fenced);
    EXPECT_FALSE(told->yet());
    EXPECT_EQ(late.balance("bob"), 0);
    EXPECT_EQ(newest.run(payments(1, 1)).one().status, Status::settled);
    EXPECT_EQ(newest.book.digest(), [&] {
        Node reader(log, options_);
        reader.start();
        return reader.book.digest();
    }());
}

TEST_F(SettlementTest, GivingUpSaysThatTheOutcomeIsUnknown) {
    start();
    const auto decided = node->submit(payments(1, 1));
    node->turn();
    const auto waiting = node->submit(payments(2, 1));
    node->settlement->give_up();
    ASSERT_TRUE(decided->error);
    EXPECT_EQ(decided->error->code, ErrorCode::unknown);
    ASSERT_TRUE(waiting->error);
    EXPECT_EQ(waiting->error->code, ErrorCode::unavailable);
}

TEST_F(SettlementTest, SinglesEnterBetweenTheFramesOfABulkSubmission) {
    NodeOptions options;
    options.limits.payments_per_frame_max = 20;
    options.in_flight_max = 1;
    start(options);
    const auto bulk = node->submit(payments(1, 100));
    node->turn();
    EXPECT_EQ(node->journal.under_way(), 1u);
    const auto single = node->submit(payments(1'000, 1));
    node->settle();
    ASSERT_EQ(bulk->receipts.size(), 100u);
    EXPECT_EQ(bulk->receipts[0].place.seq, 3u);
    EXPECT_EQ(single->one().place, (Place{4, 0})) << "in front of the bulk one's second part";
    EXPECT_EQ(bulk->receipts[99].place.seq, 8u);
    for (Seq seq = 3; seq <= 8; ++seq) EXPECT_LE(node->frame(seq)->commands.size(), 20u);
}

TEST_F(SettlementTest, SinglesLeaveRoomForABulkSubmission) {
    NodeOptions options;
    options.limits.payments_per_frame_max = 20;
    start(options);
    const auto bulk = node->submit(payments(1, 70));
    std::vector<ToldPtr> singles;
    for (std::uint64_t i = 0; i < 40; ++i) singles.push_back(node->submit(payments(1'000 + i, 1)));
    node->settle();
    EXPECT_EQ(bulk->receipts[0].place, (Place{3, 10}));
    EXPECT_EQ(singles[9]->one().place.seq, 3u);
    EXPECT_EQ(singles[10]->one().place.seq, 4u);
}

TEST_F(SettlementTest, FramesCloseAtTheirBytes) {
    NodeOptions options;
    options.limits.frame_bytes_max = 16u << 10;
    start(options);
    const auto told = node->run(payments(1, 200));
    ASSERT_EQ(told.receipts.size(), 200u);
    const Seq last = told.receipts.back().place.seq;
    EXPECT_GE(last, 5u);
    for (Seq seq = 3; seq <= last; ++seq) EXPECT_LE(node->frame(seq)->frame->bytes().size(), 32u << 10);
}

TEST_F(SettlementTest, NeverMoreFramesInFlightThanTheJournalTakes) {
    NodeOptions options;
    options.in_flight_max = 2;
    start(options);
    std::vector<ToldPtr> all;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        all.push_back(node->submit(payments(i, 1)));
        node->turn();
    }
    EXPECT_EQ(node->journal.under_way(), 2u);
    node->settle();
    EXPECT_EQ(all[4]->one().place.seq, 5u) << "the third frame took all that had arrived meanwhile";
}

TEST_F(SettlementTest, WithoutSpaceCommandsAreTurnedAwayAndReadsGoOn) {
    start();
    node->journal.set_full(true);
    const auto told = node->submit(payments(1, 1));
    const auto read = node->read("ada");
    node->turn();
    ASSERT_TRUE(told->error);
    EXPECT_EQ(told->error->code, ErrorCode::unavailable);
    EXPECT_EQ(told->error->what, "no_space: no space for the journal: it was set full");
    EXPECT_TRUE(read->as_of);
    EXPECT_EQ(node->settlement->turned_away(), "no_space: no space for the journal: it was set full");
    EXPECT_EQ(node->inbox.commands(), 0u);

    node->journal.set_full(false);
    node->turn();
    EXPECT_EQ(node->settlement->turned_away(), "") << "known without a new request";
    EXPECT_EQ(node->run(payments(1, 1)).one().status, Status::settled) << "nothing was spent";
}

TEST_F(SettlementTest, WhileTheJournalConfirmsNothingWhoeverIsInNoFrameIsTurnedAway) {
    NodeOptions options;
    options.in_flight_max = 1;
    options.limits.journal_slow_after = std::chrono::milliseconds(0);
    start(options);
    const auto under_way = node->submit(payments(1, 1));
    node->turn();
    const auto patient = node->submit(payments(2, 1));
    node->turn();
    EXPECT_FALSE(patient->yet()) << "the journal says that it will take a further frame";
    node->journal.set_full(true);
    const auto late = node->submit(payments(3, 1));
    node->turn();
    ASSERT_TRUE(patient->error);
    ASSERT_TRUE(late->error);
    EXPECT_EQ(late->error->code, ErrorCode::unavailable);
    EXPECT_FALSE(under_way->yet()) << "what became of it is not known";

    node->journal.set_full(false);
    node->settle();
    EXPECT_EQ(under_way->one().status, Status::settled);
    EXPECT_EQ(node->run(payments(3, 1)).one().status, Status::settled);
}

TEST_F(SettlementTest, WhenSpaceEndsWithinABulkSubmissionItsFirstPartIsAnswered) {
    NodeOptions options;
    options.limits.payments_per_frame_max = 50;
    start(options);
    const auto told = node->submit(payments(1, 100));
    node->turn();
    node->journal.set_full(true);
    node->turn();
    EXPECT_FALSE(told->yet());
    node->settle();
    ASSERT_TRUE(told->yet());
    EXPECT_EQ(told->receipts.size(), 50u);
    EXPECT_EQ(node->inbox.commands(), 0u);
}

TEST_F(SettlementTest, HoldsExpireInAFrameOfTheirOwnAndWithoutSpaceForOthers) {
    start();
    node->run(a_payment().id(1).of("EUR", 300).manual(now + 1h).command());
    EXPECT_EQ(node->book.account(account("ada"))->held, 300);
    node->journal.set_full(true);
    node->now += 59min;
    node->settle();
    EXPECT_EQ(node->journal_head(), 3u) << "not due yet";
    node->now += 1min;
    node->settle();
    EXPECT_EQ(node->journal_head(), 4u);
    EXPECT_EQ(node->book.account(account("ada"))->held, 0);
    EXPECT_EQ(node->frame(4)->changes.outcomes.at(0).status, Status::expired);

    node->run(a_payment().id(2).command());
    node->journal.set_full(false);
    node->run(a_payment().id(3).of("EUR", 300).manual(node->now + 1h).command());
    node->journal.set_full(true, true);
    node->now += 2h;
    node->settle();
    EXPECT_EQ(node->book.account(account("ada"))->held, 300) << "nothing is decided that has no place";
}

TEST_F(SettlementTest, TimeNeverGoesBack) {
    start();
    node->now -= 1h;
    const auto told = node->run(payments(1, 1));
    EXPECT_EQ(told.one().accepted_at, now);
    EXPECT_EQ(node->frame(3)->time(), now);
}

TEST_F(SettlementTest, AGroupHasAReceiptForEachPayment) {
    start();
    const std::vector<SubmitPayment> items = {a_payment().id(1).submit(), a_payment().id(2).submit()};
    const Command group = a_command(SubmitGroup{items}, payment_id_of(9), 5);
    const auto told = node->run(group);
    ASSERT_EQ(told.receipts.size(), 2u);
    EXPECT_EQ(told.receipts[0].status, Status::settled);
    EXPECT_EQ(told.receipts[1].payment, payment_id_of(2));
    EXPECT_EQ(told.receipts[1].place, (Place{3, 1}));
    const auto again = node->run(group);
    ASSERT_EQ(again.receipts.size(), 2u);
    EXPECT_EQ(again.receipts[1].answer.kind, Kind::replayed);
    EXPECT_EQ(again.receipts[1].answer.first, told.receipts[1].place);
}

TEST_F(SettlementTest, RecoversTheSameBookAndGoesOn) {
    start();
    node->run(payments(1, 50, 7));
    node->run(a_payment().id(100).manual().command());
    const Digest before = node->book.digest();
    static_cast<void>(node->submit(payments(200, 1)));
    node->turn();  // in flight, never accepted
    now = node->now + 1h;
    restart();
    EXPECT_EQ(node->book.digest(), before);
    EXPECT_EQ(node->policies.current(0)->version(), 1u);
    EXPECT_EQ(node->frame(node->journal_head())->frame->header.epoch, 2u);
    const auto again = node->run(payments(1, 1, 7));
    EXPECT_EQ(again.one().answer.kind, Kind::replayed);
    EXPECT_EQ(again.one().answer.first, (Place{3, 0}));
    EXPECT_EQ(node->run(payments(200, 1)).one().answer.kind, Kind::recorded) << "it was lost, and nobody was told";
    EXPECT_TRUE(node->book.is_balanced());
}

TEST_F(SettlementTest, WhatIsForgottenOfReversalsIsForgottenInTheJournalToo) {
    start();
    const Place original = node->run(payments(1, 1, 10)).one().place;
    ReversePayment reversal;
    reversal.payment = a_payment().id(2).from("bob").to("ada").of("EUR", 4).submit().payment;
    reversal.meaning = 2;
    reversal.original = payment_id_of(1);
    reversal.original_at = original;
    reversal.original_minor = 10;
    reversal.original_settled_at = node->now;
    ASSERT_EQ(node->run(a_command(reversal, payment_id_of(2), 2)).one().status, Status::settled);
    ASSERT_EQ(node->book.reversed_minor(payment_id_of(1)), 4);

    node->now += std::chrono::days(kReversalDaysMax + 1);
    const Seq before = node->journal_head();
    node->run(a_command(VoidPayment{payment_id_of(77)}));  // refused: nothing else is in its frame
    EXPECT_EQ(node->book.reversed_minor(payment_id_of(1)), 0);
    ASSERT_EQ(node->journal_head(), before + 1);
    ASSERT_EQ(node->frame(before + 1)->changes.reversed.size(), 1u);
    EXPECT_EQ(node->frame(before + 1)->changes.reversed[0].reversed_minor, 0);
    const Digest digest = node->book.digest();
    now = node->now;
    restart();
    EXPECT_EQ(node->book.digest(), digest);
}

TEST_F(SettlementTest, RefusesToStartWithABookThatIsTooSmallForItsJournal) {
    start();
    node.reset();
    NodeOptions options;
    options.book.accounts_max = 1;  // too small for what the journal holds
    Node tiny(log, options);
    const auto recovered = tiny.recover();
    ASSERT_FALSE(recovered);
    EXPECT_EQ(recovered.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace nostro::test
