#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

void expect_refused(const Answer& answer, Reason reason) {
    EXPECT_EQ(answer.kind, Answer::Kind::refused);
    EXPECT_EQ(answer.reason, reason) << name(answer.reason);
}

TEST(BookAccountTest, OpensWithABalanceFromEquityWhichOpensOnFirstUse) {
    DrivenBook book;
    const Answer answer = book.run(an_account("ada").with(500).floor(-20).risk(RiskLevel::low).command());
    const Outcome& outcome = book.outcome(answer);
    EXPECT_EQ(answer.index, 1u);
    EXPECT_EQ(book.changes().outcomes[0].debtor, account("house:equity:EUR"));
    EXPECT_EQ(outcome.event, Event::account_opened);
    EXPECT_EQ(outcome.debtor, account("ada"));
    EXPECT_EQ(outcome.creditor, account("house:equity:EUR"));
    EXPECT_EQ(outcome.amount, Money(500, currency("EUR")));
    EXPECT_EQ(outcome.debtor_before, 0);
    EXPECT_EQ(outcome.debtor_after, 500);
    EXPECT_EQ(outcome.creditor_after, -500);
    const AccountImage* image = book->account(account("ada"));
    ASSERT_NE(image, nullptr);
    EXPECT_EQ(image->balance, 500);
    EXPECT_EQ(image->floor, -20);
    EXPECT_EQ(image->version, 1u);
    EXPECT_EQ(image->risk_level, RiskLevel::low);
    EXPECT_EQ(image->opened_at, book.now());
    EXPECT_EQ(book.balance("house:equity:EUR"), -500);
}

TEST(BookAccountTest, WithoutABalanceEquityIsNotTouched) {
    DrivenBook book;
    EXPECT_EQ(book.decide(an_account("ada").command()).creditor, AccountId{});
    EXPECT_EQ(book.changes().outcomes.size(), 1u);
    EXPECT_EQ(book->account(account("house:equity:EUR")), nullptr);
}

TEST(BookAccountTest, MayOpenInDebt) {
    DrivenBook book;
    EXPECT_EQ(book.decide(an_account("ada").with(-500).command()).debtor_after, -500);
    EXPECT_EQ(book.balance("house:equity:EUR"), 500);
}

TEST(BookAccountTest, TheSameAgainIsNoErrorAndAnythingElseIs) {
    DrivenBook book;
    book.run(an_account("ada").with(500).meaning(7).command());
    const Answer same = book.run(an_account("ada").with(500).meaning(7).command());
    EXPECT_EQ(same.kind, Answer::Kind::replayed);
    EXPECT_EQ(same.first, Place{});
    expect_refused(book.run(an_account("ada").with(600).meaning(8).command()), Reason::account_exists);
    expect_refused(book.run(an_account("ada").with(500).meaning(0).command()), Reason::account_exists);
    EXPECT_EQ(book.balance("ada"), 500);
}

TEST(BookAccountTest, AKeyIsBoundToItsMeaning) {
    DrivenBook book;
    book.run(an_account("ada").meaning(7).key(payment_id_of(90)).command());
    const Place first{book.seq(), 0};
    const Answer again = book.run(an_account("ada").meaning(7).key(payment_id_of(90)).command());
    EXPECT_EQ(again.kind, Answer::Kind::replayed);
    EXPECT_EQ(again.first, first);
    EXPECT_EQ(book.run(an_account("bob").meaning(8).key(payment_id_of(90)).command()).kind, Answer::Kind::reused);
    EXPECT_EQ(book->account(account("bob")), nullptr);
}

TEST(BookAccountTest, AnAccountThatAPaymentOpenedExistsForWhoeverOpensIt) {
    DrivenBook book("unknown_accounts = \"open\"\n");
    book.run(a_payment().from("A").to("B").of("EUR", 5).opening(10, 0).command());
    expect_refused(book.run(an_account("A").meaning(7).command()), Reason::account_exists);
}

TEST(BookAccountTest, HouseAccountsAreNotForOpeningOrChanging) {
    DrivenBook book;
    expect_refused(book.run(an_account("house:cash:EUR").command()), Reason::house_account);
    expect_refused(book.run(an_account("house:rent:EUR").command()), Reason::house_account);
    expect_refused(book.run(an_account("vault").kind(AccountKind::house).command()), Reason::house_account);
    book.open("ada", 5);
    expect_refused(book.run(a_change("house:equity:EUR").status(AccountStatus::frozen).command()),
                   Reason::house_account);
}

TEST(BookAccountTest, AnOpeningBalanceThatEquityCannotGiveIsRefused) {
    DrivenBook book;
    expect_refused(book.run(an_account("ada").with(kLeast).command()), Reason::opening_out_of_range);
    EXPECT_EQ(book.run(an_account("ada").with(kMost).command()).kind, Answer::Kind::recorded);
    EXPECT_EQ(book.run(an_account("bob").with(1).command()).kind, Answer::Kind::recorded);
    expect_refused(book.run(an_account("carol").with(1).command()), Reason::opening_out_of_range);
    EXPECT_EQ(book.balance("house:equity:EUR"), kLeast);
    EXPECT_EQ(book->account(account("carol")), nullptr);
}

// --- changes

TEST(BookAccountTest, EveryStatusMayFollowEveryOtherExceptAfterClosed) {
    const AccountStatus all[] = {AccountStatus::active, AccountStatus::frozen_debit, AccountStatus::frozen,
                                 AccountStatus::closed};
    for (const AccountStatus from : all) {
        for (const AccountStatus to : all) {
            DrivenBook book;
            book.open("ada", 0);
            book.run(a_change("ada").status(from).command());
            const Answer answer = book.run(a_change("ada").status(to).command());
            if (from == AccountStatus::closed) {
                expect_refused(answer, Reason::account_closed);
                continue;
            }
            EXPECT_EQ(answer.kind, Answer::Kind::recorded) << name(from) << " to " << name(to);
            EXPECT_EQ(book->account(account("ada"))->status, to);
            EXPECT_EQ(book.outcome(answer).event, Event::account_changed);
            EXPECT_EQ(book.outcome(answer).debtor, account("ada"));
        }
    }
}

TEST(BookAccountTest, ClosesOnlyWhenEmptyAndWithoutHoldsOfItsOwn) {
    DrivenBook book;
    book.open("ada", 100, -50);
    book.open("bob", 0);
    const Command close_ada = a_change("ada").status(AccountStatus::closed).command();
    const Command close_bob = a_change("bob").status(AccountStatus::closed).command();
    expect_refused(book.run(close_ada), Reason::balance_not_zero);
    book.run(a_payment().id(1).of("EUR", 50).manual().command());
    book.run(a_command(AdjustBalance{account("ada"), -100, "gone"}));
    expect_refused(book.run(close_ada), Reason::holds_open);
    EXPECT_EQ(book.run(close_bob).kind, Answer::Kind::recorded) << "a hold in its favour does not keep it open";
    expect_refused(book.run(a_command(CapturePayment{payment_id_of(1), {}})), Reason::account_closed);
    book.run(a_command(VoidPayment{payment_id_of(1)}));
    EXPECT_EQ(book.run(close_ada).kind, Answer::Kind::recorded);
    expect_refused(book.run(a_change("ada").floor(0).command()), Reason::account_closed);
    expect_refused(book.run(a_command(AdjustBalance{account("ada"), 5, "late"})), Reason::account_closed);
}

TEST(BookAccountTest, WhatAChangeDoesNotNameStaysAsItWas) {
    DrivenBook book;
    book.run(an_account("ada").with(100).floor(-5).risk(RiskLevel::high).command());
    book.run(a_change("ada").floor(10).command());
    const AccountImage image = *book->account(account("ada"));
    EXPECT_EQ(image.floor, 10);
    EXPECT_EQ(image.risk_level, RiskLevel::high);
    EXPECT_EQ(image.status, AccountStatus::active);
    EXPECT_EQ(image.version, 2u);
    EXPECT_EQ(image.balance, 100);
}

TEST(BookAccountTest, ARaisedFloorBindsFromThenOnAndHoldsKeepTheirs) {
    DrivenBook book;
    book.open("ada", 100);
    book.open("bob", 0);
    book.run(a_payment().id(1).of("EUR", 60).manual().command());
    book.run(a_change("ada").floor(50).command());
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).reason, Reason::insufficient_funds);
    EXPECT_EQ(book.decide(a_command(CapturePayment{payment_id_of(1), {}})).status, Status::settled);
}

TEST(BookAccountTest, WhatIsNotThereCannotBeChanged) {
    DrivenBook book;
    expect_refused(book.run(a_change("nobody").floor(1).command()), Reason::not_found);
    expect_refused(book.run(a_command(AdjustBalance{account("nobody"), 5, ""})), Reason::not_found);
}

// --- adjustments

TEST(BookAccountTest, AdjustmentsGoAgainstEquityEitherWay) {
    DrivenBook book;
    book.run(an_account("ada").floor(0).command());
    const Answer answer = book.run(a_command(AdjustBalance{account("ada"), -70, "found less"}));
    const Outcome& outcome = book.outcome(answer);
    EXPECT_EQ(outcome.event, Event::balance_adjusted);
    EXPECT_EQ(outcome.amount.minor(), -70);
    EXPECT_EQ(outcome.debtor_before, 0);
    EXPECT_EQ(outcome.debtor_after, -70);
    EXPECT_EQ(outcome.creditor, account("house:equity:EUR"));
    EXPECT_EQ(outcome.creditor_before, 0);
    EXPECT_EQ(outcome.creditor_after, 70);
    EXPECT_EQ(book.changes().outcomes.size(), 2u) << "equity opened in front";
    EXPECT_EQ(book.decide(a_command(AdjustBalance{account("ada"), 100, "found more"})).debtor_after, 30);
    EXPECT_EQ(book.balance("house:equity:EUR"), -30);
}

TEST(BookAccountTest, AnAdjustmentThatCannotBeIsRefused) {
    DrivenBook book;
    book.open("ada", 100);
    book.open("debt", -1000);
    const struct {
        const char* what;
        AdjustBalance body;
        Reason reason;
    } cases[] = {
        {"above the most", {account("ada"), kMost, ""}, Reason::amount_out_of_range},
        {"equity cannot take it", {account("ada"), kLeast, ""}, Reason::amount_out_of_range},
        {"equity against itself", {account("house:equity:EUR"), 5, ""}, Reason::same_account},
    };
    for (const auto& [what, body, reason] : cases) {
        expect_refused(book.run(a_command(body)), reason);
        EXPECT_TRUE(book.changes().outcomes.empty()) << what;
    }
    EXPECT_EQ(book.balance("ada"), 100);
}

// --- kept, and nothing else

TEST(BookKeptTest, ARecordSpendsItsKeyAndMovesNothing) {
    DrivenBook book;
    const Command refused = a_command(KeepRecord{payment_id_of(1), Reason::unreadable, "{}"}, payment_id_of(1), 3);
    const Outcome outcome = book.decide(refused);
    EXPECT_EQ(outcome.event, Event::record_kept);
    EXPECT_EQ(outcome.status, Status::rejected);
    EXPECT_EQ(outcome.reason, Reason::unreadable);
    EXPECT_EQ(outcome.number, 1u) << "among the payments of its tenant";
    EXPECT_TRUE(book.changes().accounts.empty());
    EXPECT_EQ(book.run(refused).kind, Answer::Kind::replayed);
    EXPECT_EQ(book.run(a_payment().id(1).meaning(4).command()).kind, Answer::Kind::reused);
    EXPECT_EQ(book.decide(a_command(KeepRecord{payment_id_of(2), Reason::none, ""}, payment_id_of(2))).status,
              Status::accepted);
}

TEST(BookKeptTest, DeadLettersAreKeptAndResolved) {
    DrivenBook book;
    const Outcome kept = book.decide(a_command(KeepDeadLetter{"csv", "17", "paysim", "no amount", "a,b"}));
    EXPECT_EQ(kept.event, Event::dead_letter_kept);
    EXPECT_EQ(kept.origin, (Place{book.seq(), 0}));
    const Outcome resolved = book.decide(a_command(ResolveDeadLetter{kept.origin, true, "ops", ""}));
    EXPECT_EQ(resolved.event, Event::dead_letter_resolved);
    EXPECT_EQ(resolved.origin, kept.origin);
}

// --- totals

TEST(BookTotalsTest, AreKeptByCurrencyAndKindAndSumToZero) {
    DrivenBook book;
    book.open("ada", 100);
    book.run(an_account("shop").with(50).kind(AccountKind::merchant).command());
    book.run(an_account("yen").in("JPY").with(7).command());
    book.open("bob", 0);
    book.run(a_payment().of("EUR", 30).manual().command());
    std::string text;
    for (const Book::KindTotal& total : book->totals()) {
        text += std::string(total.currency.code()) + " " + std::string(name(total.kind)) + " " +
                std::to_string(total.accounts) + " " + std::to_string(static_cast<std::int64_t>(total.posted)) + " " +
                std::to_string(static_cast<std::int64_t>(total.held)) + "\n";
    }
    EXPECT_EQ(text,
              "EUR customer 2 100 30\n"
              "EUR merchant 1 50 0\n"
              "EUR house 1 -150 0\n"
              "JPY customer 1 7 0\n"
              "JPY house 1 -7 0\n");
    EXPECT_EQ(book.standby().totals().size(), 5u);
}

}  // namespace
}  // namespace nostro::test
