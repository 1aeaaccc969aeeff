#include <gtest/gtest.h>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

const PaymentId kPayment = payment_id_of(1);

constexpr const char* kReviewAll = R"(
[[rule]]
name = "everything"
kind = "amount_band"
above = { EUR = "0.01" }
advice = "review"
)";

DrivenBook two_people(std::string_view rules = "") {
    DrivenBook book(rules);
    book.open("ada", 5000);
    book.open("bob", 0);
    return book;
}

Command capture(std::optional<std::int64_t> amount = std::nullopt) {
    return a_command(CapturePayment{kPayment, amount});
}
Command approve() { return a_command(DecideReview{kPayment, true, "joe", "fine"}); }
Command refuse() { return a_command(DecideReview{kPayment, false, "joe", "not so"}); }

void expect_refused(const Answer& answer, Reason reason, Status state) {
    EXPECT_EQ(answer.kind, Answer::Kind::refused);
    EXPECT_EQ(answer.reason, reason) << name(answer.reason);
    EXPECT_EQ(answer.state, state) << name(answer.state);
}

// --- manual capture

TEST(BookHoldTest, AHoldThatWouldBeOverIsRefusedUnlessItWasTakenInTime) {
    DrivenBook book = two_people();
    const Instant due = book.now() + 1h;
    const Command in_time = a_payment().id(1).of("EUR", 3000).manual(due).command();
    book.run(in_time);
    book.pass(1h);
    const Command late = a_payment().id(2).of("EUR", 1000).manual(due).command();
    EXPECT_EQ(book.run(late).reason, Reason::hold_expired);
    EXPECT_EQ(book->known(payment_id_of(2)), std::nullopt) << "its id is not spent";
    EXPECT_EQ(book.held("ada"), 0);
    EXPECT_EQ(book.run(in_time).kind, Answer::Kind::replayed);
    const SubmitPayment items[] = {a_payment().id(3).of("EUR", 1).submit(),
                                   a_payment().id(4).of("EUR", 1).manual(due).submit()};
    const Answer group = book.run(a_command(SubmitGroup{items}, payment_id_of(5)));
    EXPECT_EQ(group.kind, Answer::Kind::refused);
    EXPECT_EQ(group.reason, Reason::hold_expired);
    EXPECT_EQ(group.item, 1u);
}

TEST(BookHoldTest, AManualCaptureHoldsTheFundsAndMovesNothing) {
    DrivenBook book = two_people();
    const Outcome outcome = book.decide(a_payment().id(1).of("EUR", 3000).manual().command());
    EXPECT_EQ(outcome.status, Status::held);
    EXPECT_EQ(outcome.expires_at, book.now() + 24h * 7);
    EXPECT_EQ(outcome.debtor_before, 5000);
    EXPECT_EQ(outcome.debtor_after, 5000);
    EXPECT_EQ(book.balance("ada"), 5000);
    EXPECT_EQ(book.held("ada"), 3000);
    EXPECT_EQ(book.balance("bob"), 0);
    ASSERT_NE(book->hold(kPayment), nullptr);
    EXPECT_EQ(book->hold(kPayment)->status, Status::held);
    EXPECT_EQ(book->hold(kPayment)->origin, (Place{book.seq(), 0}));
    EXPECT_EQ(book->next_due(), outcome.expires_at);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 2001).command()).reason, Reason::insufficient_funds);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 2000).command()).status, Status::settled);
}

TEST(BookHoldTest, CapturesSettleAllOrPartAndReleaseTheRestAtOnce) {
    const struct {
        std::optional<std::int64_t> amount;
        std::int64_t moved;
    } cases[] = {{std::nullopt, 3000}, {3000, 3000}, {1, 1}, {2999, 2999}};
    for (const auto& [amount, moved] : cases) {
        DrivenBook book = two_people();
        const Outcome first = book.decide(a_payment().id(1).of("EUR", 3000).manual().command());
        book.pass(1h);
        const Outcome outcome = book.decide(capture(amount));
        EXPECT_EQ(outcome.event, Event::captured);
        EXPECT_EQ(outcome.status, Status::settled);
        EXPECT_EQ(outcome.amount.minor(), moved);
        EXPECT_EQ(outcome.origin, first.origin);
        EXPECT_EQ(outcome.accepted_at, first.accepted_at);
        EXPECT_EQ(outcome.number, first.number);
        EXPECT_EQ(outcome.debtor_before, 5000);
        EXPECT_EQ(outcome.debtor_after, 5000 - moved);
        EXPECT_EQ(outcome.creditor_after, moved);
        EXPECT_EQ(book.held("ada"), 0);
        EXPECT_EQ(book.balance("bob"), moved);
        EXPECT_EQ(book->hold(kPayment), nullptr);
        EXPECT_EQ(book->next_due(), Instant::max());
        EXPECT_EQ(book->known(kPayment)->state, Status::settled);
        EXPECT_EQ(book.standby().known(kPayment)->state, Status::settled);
    }
}

TEST(BookHoldTest, ACaptureThatCannotBeIsRefusedAndThePaymentStaysHeld) {
    const struct {
        const char* what;
        std::optional<std::int64_t> amount;
        Reason reason;
    } cases[] = {
        {"one cent more than held", 3001, Reason::amount_exceeds_held},
        {"nothing", 0, Reason::amount_out_of_range},
        {"less than nothing", -1, Reason::amount_out_of_range},
    };
    for (const auto& [what, amount, reason] : cases) {
        DrivenBook book = two_people();
        book.run(a_payment().id(1).of("EUR", 3000).manual().command());
        expect_refused(book.run(capture(amount)), reason, Status::held);
        EXPECT_TRUE(book.changes().outcomes.empty()) << what;
        EXPECT_TRUE(book.changes().accounts.empty()) << what;
        EXPECT_EQ(book.held("ada"), 3000) << what;
    }
}

TEST(BookHoldTest, ThereIsOneCaptureAndThenItsStateIsToldToWhoeverAsksAgain) {
    DrivenBook book = two_people();
    expect_refused(book.run(capture()), Reason::not_found, Status::accepted);
    book.run(a_payment().id(1).of("EUR", 3000).manual().command());
    book.run(capture(1000));
    expect_refused(book.run(capture(1000)), Reason::not_open, Status::settled);
    expect_refused(book.run(a_command(VoidPayment{kPayment})), Reason::not_open, Status::settled);
    EXPECT_EQ(book.balance("bob"), 1000);
}

TEST(BookHoldTest, ACaptureWithItsOwnKeyMayBeRetried) {
    DrivenBook book = two_people();
    book.run(a_payment().id(1).of("EUR", 3000).manual().command());
    const Command command = a_command(CapturePayment{kPayment, 1000}, payment_id_of(99), 5);
    book.run(command);
    const Place place{book.seq(), 0};
    const Answer again = book.run(command);
    EXPECT_EQ(again.kind, Answer::Kind::replayed);
    EXPECT_EQ(again.first, place);
    EXPECT_EQ(book.run(a_command(CapturePayment{kPayment, 2000}, payment_id_of(99), 6)).kind, Answer::Kind::reused);
}

TEST(BookHoldTest, ARefusedCaptureDoesNotSpendItsKey) {
    DrivenBook book = two_people();
    book.run(a_payment().id(1).of("EUR", 3000).manual().command());
    expect_refused(book.run(a_command(CapturePayment{kPayment, 4000}, payment_id_of(99), 5)),
                   Reason::amount_exceeds_held, Status::held);
    EXPECT_EQ(book.run(a_command(CapturePayment{kPayment, 3000}, payment_id_of(99), 6)).kind, Answer::Kind::recorded);
}

TEST(BookHoldTest, AVoidFreesTheFunds) {
    DrivenBook book = two_people();
    book.run(a_payment().id(1).of("EUR", 3000).manual().command());
    const Outcome outcome = book.decide(a_command(VoidPayment{kPayment}));
    EXPECT_EQ(outcome.event, Event::voided);
    EXPECT_EQ(outcome.status, Status::voided);
    EXPECT_EQ(outcome.reason, Reason::none);
    EXPECT_EQ(outcome.amount.minor(), 3000);
    EXPECT_EQ(book.held("ada"), 0);
    EXPECT_EQ(book.balance("ada"), 5000);
    expect_refused(book.run(capture()), Reason::not_open, Status::voided);
}

TEST(BookHoldTest, AnAccountsStatusIsCheckedAgainAtCapture) {
    const struct {
        const char* who;
        AccountStatus status;
        Reason reason;
    } cases[] = {
        {"ada", AccountStatus::frozen, Reason::account_frozen},
        {"ada", AccountStatus::frozen_debit, Reason::account_frozen},
        {"bob", AccountStatus::frozen, Reason::account_frozen},
        {"bob", AccountStatus::closed, Reason::account_closed},
        {"bob", AccountStatus::frozen_debit, Reason::none},
    };
    for (const auto& [who, status, reason] : cases) {
        DrivenBook book = two_people();
        book.run(a_payment().id(1).of("EUR", 3000).manual().command());
        EXPECT_EQ(book.run(a_change(who).status(status).command()).kind, Answer::Kind::recorded);
        const Answer answer = book.run(capture());
        if (reason == Reason::none) {
            EXPECT_EQ(answer.kind, Answer::Kind::recorded);
            continue;
        }
        expect_refused(answer, reason, Status::held);
        EXPECT_EQ(book.held("ada"), 3000);
        EXPECT_EQ(book.run(a_command(VoidPayment{kPayment})).kind, Answer::Kind::recorded);
    }
}

TEST(BookHoldTest, ACaptureThatWouldOverflowTheCreditorWaits) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    DrivenBook book = two_people();
    book.open("debt", -100'000, kNoFloor);
    book.run(a_payment().id(1).of("EUR", 3000).manual().command());
    book.run(a_command(AdjustBalance{account("bob"), kMost - 10, "windfall"}));
    expect_refused(book.run(capture()), Reason::amount_out_of_range, Status::held);
    EXPECT_EQ(book.decide(capture(10)).status, Status::settled);
}

// --- expiry

TEST(BookHoldTest, AHoldExpiresAtItsTimeAndGivesItsFundsBack) {
    DrivenBook book = two_people();
    const Instant due = book.now() + 1h;
    EXPECT_EQ(book.decide(a_payment().id(1).of("EUR", 3000).manual(due).command()).expires_at, due);
    EXPECT_TRUE(book.wait(1h - 1ns).outcomes.empty());
    const Changes& changes = book.wait(1ns);
    ASSERT_EQ(changes.outcomes.size(), 1u);
    const Outcome& outcome = changes.outcomes[0];
    EXPECT_EQ(outcome.event, Event::expired);
    EXPECT_EQ(outcome.status, Status::expired);
    EXPECT_EQ(outcome.reason, Reason::hold_expired);
    EXPECT_EQ(outcome.command, kNoCommand);
    EXPECT_EQ(outcome.payment, kPayment);
    EXPECT_EQ(outcome.amount.minor(), 3000);
    EXPECT_EQ(book.held("ada"), 0);
    expect_refused(book.run(capture()), Reason::not_open, Status::expired);
}

TEST(BookHoldTest, ExpiriesComeFirstInTheFrameInOrderOfTimeThenId) {
    DrivenBook book = two_people();
    const Instant due = book.now() + 1h;
    for (const std::uint64_t id : {5u, 3u, 4u}) {
        book.run(a_payment().id(PaymentId{1, id}).of("EUR", 10).manual(due).command());
    }
    book.run(a_payment().id(PaymentId{1, 9}).of("EUR", 10).manual(due - 1s).command());
    book.pass(2h);
    book.begin();
    book.apply(a_payment().id(77).command());
    book.end();
    std::vector<std::uint64_t> order;
    for (const Outcome& outcome : book.changes().outcomes) order.push_back(outcome.payment.low);
    EXPECT_EQ(order, (std::vector<std::uint64_t>{9, 3, 4, 5, 77}));
}

TEST(BookHoldTest, AFrameExpiresABoundedNumberAndTheRestIsRefusedUntilItsTurn) {
    DrivenBook book = two_people();
    const Instant due = book.now() + 1h;
    for (std::uint64_t id = 1; id <= 5; ++id) {
        book.run(a_payment().id(PaymentId{1, id}).of("EUR", 10).manual(due).command());
    }
    book.pass(1h);
    book.begin(2);
    EXPECT_EQ(book->hold({1, 2}), nullptr);
    expect_refused(book.apply(a_command(CapturePayment{PaymentId{1, 3}, {}})), Reason::not_open, Status::expired);
    expect_refused(book.apply(a_command(VoidPayment{PaymentId{1, 3}})), Reason::not_open, Status::expired);
    book.end();
    EXPECT_EQ(book.changes().outcomes.size(), 2u);
    EXPECT_EQ(book->next_due(), due);
    book.begin(2);
    book.end();
    book.begin(2);
    book.end();
    EXPECT_EQ(book.changes().outcomes.size(), 1u);
    EXPECT_EQ(book.held("ada"), 0);
}

TEST(BookHoldTest, FundsThatExpireAreFreeForTheSameFramesPayments) {
    DrivenBook book = two_people();
    book.run(a_payment().id(1).of("EUR", 5000).manual(book.now() + 1h).command());
    book.pass(1h);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 5000).command()).status, Status::settled);
}

// --- reviews

TEST(BookReviewTest, APaymentInReviewReservesItsFunds) {
    DrivenBook book = two_people(kReviewAll);
    const Outcome outcome = book.decide(a_payment().id(1).of("EUR", 3000).command());
    EXPECT_EQ(outcome.status, Status::in_review);
    EXPECT_EQ(outcome.expires_at, book.now() + 24h);
    EXPECT_EQ(book.held("ada"), 3000);
    EXPECT_EQ(book->hold(kPayment)->status, Status::in_review);
    expect_refused(book.run(capture()), Reason::not_open, Status::in_review);
    expect_refused(book.run(a_command(VoidPayment{kPayment})), Reason::not_open, Status::in_review);
}

TEST(BookReviewTest, ApprovalSettles) {
    DrivenBook book = two_people(kReviewAll);
    book.run(a_payment().id(1).of("EUR", 3000).command());
    const Outcome outcome = book.decide(approve());
    EXPECT_EQ(outcome.event, Event::approved);
    EXPECT_EQ(outcome.status, Status::settled);
    EXPECT_EQ(outcome.debtor_after, 2000);
    EXPECT_EQ(book.balance("bob"), 3000);
    EXPECT_EQ(book.held("ada"), 0);
}

TEST(BookReviewTest, ApprovalOfAManualCaptureHolds) {
    for (const bool has_time : {false, true}) {
        DrivenBook book = two_people(kReviewAll);
        const Instant due = has_time ? book.now() + 72h : Instant{};
        book.run(a_payment().id(1).of("EUR", 3000).manual(due).command());
        EXPECT_EQ(book->next_due(), book.now() + 24h);
        book.pass(1h);
        const Outcome outcome = book.decide(approve());
        EXPECT_EQ(outcome.status, Status::held);
        EXPECT_EQ(outcome.expires_at, has_time ? due : book.now() + 24h * 7);
        EXPECT_EQ(book->next_due(), outcome.expires_at);
        EXPECT_EQ(book.held("ada"), 3000);
        EXPECT_EQ(book.decide(capture(1)).status, Status::settled);
        EXPECT_EQ(book.balance("bob"), 1);
    }
}

TEST(BookReviewTest, RefusalFreesTheFunds) {
    DrivenBook book = two_people(kReviewAll);
    book.run(a_payment().id(1).of("EUR", 3000).command());
    const Outcome outcome = book.decide(refuse());
    EXPECT_EQ(outcome.event, Event::refused);
    EXPECT_EQ(outcome.status, Status::rejected);
    EXPECT_EQ(outcome.reason, Reason::review_rejected);
    EXPECT_EQ(book.held("ada"), 0);
    EXPECT_EQ(book.balance("ada"), 5000);
}

TEST(BookReviewTest, AReviewThatNobodyDecidesExpires) {
    DrivenBook book = two_people(kReviewAll);
    book.run(a_payment().id(1).of("EUR", 3000).command());
    const Changes& changes = book.wait(24h);
    ASSERT_EQ(changes.outcomes.size(), 1u);
    EXPECT_EQ(changes.outcomes[0].status, Status::expired);
    EXPECT_EQ(changes.outcomes[0].reason, Reason::review_expired);
    EXPECT_EQ(book.held("ada"), 0);
    expect_refused(book.run(approve()), Reason::not_open, Status::expired);
}

TEST(BookReviewTest, TheSameDecisionAgainAnswersAsTheFirstAndTheOtherIsTooLate) {
    const struct {
        const char* what;
        bool approve, is_manual, is_captured;
        Status state;
    } cases[] = {
        {"approved and settled", true, false, false, Status::settled},
        {"approved and held", true, true, false, Status::held},
        {"approved, held, captured", true, true, true, Status::settled},
        {"refused", false, false, false, Status::rejected},
    };
    for (const auto& [what, is_approved, is_manual, is_captured, state] : cases) {
        DrivenBook book = two_people(kReviewAll);
        auto payment = a_payment().id(1).of("EUR", 3000);
        if (is_manual) payment.manual();
        book.run(payment.command());
        const Place first{book.seq(), 0};
        book.run(is_approved ? approve() : refuse());
        if (is_captured) book.run(capture(5));
        const Answer same = book.run(is_approved ? approve() : refuse());
        EXPECT_EQ(same.kind, Answer::Kind::replayed) << what;
        EXPECT_EQ(same.first, first) << what;
        EXPECT_EQ(same.state, state) << what;
        expect_refused(book.run(is_approved ? refuse() : approve()), Reason::already_decided, state);
        EXPECT_TRUE(book.changes().outcomes.empty()) << what;
    }
}

TEST(BookReviewTest, WhatWasNeverInReviewCannotBeDecided) {
    DrivenBook book = two_people();
    expect_refused(book.run(approve()), Reason::not_found, Status::accepted);
    book.run(a_payment().id(1).of("EUR", 30).command());
    expect_refused(book.run(approve()), Reason::not_open, Status::settled);
    book.run(a_payment().id(2).of("EUR", 30).manual().command());
    expect_refused(book.run(a_command(DecideReview{payment_id_of(2), false, "joe", ""})), Reason::not_open,
                   Status::held);
}

TEST(BookReviewTest, AnAccountsStatusIsCheckedAgainAtApprovalButNotAtRefusal) {
    DrivenBook book = two_people(kReviewAll);
    book.run(a_payment().id(1).of("EUR", 3000).command());
    book.run(a_change("ada").status(AccountStatus::frozen).command());
    expect_refused(book.run(approve()), Reason::account_frozen, Status::in_review);
    EXPECT_EQ(book.held("ada"), 3000);
    EXPECT_EQ(book.decide(refuse()).status, Status::rejected);
}

TEST(BookReviewTest, AHoldOpenedAndEndedInOneFrameLeavesNothingBehind) {
    DrivenBook book = two_people();
    book.begin();
    book.apply(a_payment().id(1).of("EUR", 3000).manual().command());
    book.apply(a_command(VoidPayment{kPayment}));
    book.apply(a_payment().id(2).of("EUR", 3000).manual().command());
    book.end();
    EXPECT_EQ(book.held("ada"), 3000);
    EXPECT_EQ(book->hold(kPayment), nullptr);
    EXPECT_NE(book->hold(payment_id_of(2)), nullptr);
    ASSERT_EQ(book.changes().holds.size(), 2u);
    EXPECT_EQ(book.changes().holds[0].status, Status::voided);
    EXPECT_EQ(book.changes().holds[1].status, Status::held);
}

}  // namespace
}  // namespace nostro::test
