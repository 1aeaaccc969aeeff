#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(BookPaymentTest, ASettledPaymentMovesItsAmountAndSaysSo) {
    DrivenBook book;
    book.open("ada", 5000);
    book.open("bob", 200);
    const Outcome& outcome = book.decide(a_payment().id(7).of("EUR", 1250).command());
    EXPECT_EQ(outcome.event, Event::submitted);
    EXPECT_EQ(outcome.status, Status::settled);
    EXPECT_EQ(outcome.reason, Reason::none);
    EXPECT_EQ(outcome.payment, payment_id_of(7));
    EXPECT_EQ(outcome.debtor_before, 5000);
    EXPECT_EQ(outcome.debtor_after, 3750);
    EXPECT_EQ(outcome.creditor_before, 200);
    EXPECT_EQ(outcome.creditor_after, 1450);
    EXPECT_EQ(outcome.amount, Money(1250, currency("EUR")));
    EXPECT_EQ(outcome.number, 1u);
    EXPECT_EQ(outcome.origin, (Place{book.seq(), 0}));
    EXPECT_EQ(outcome.accepted_at, book.now());
    EXPECT_EQ(outcome.why.version, 1u);
    EXPECT_EQ(book.balance("ada"), 3750);
    EXPECT_EQ(book.balance("bob"), 1450);
}

TEST(BookPaymentTest, ARefusalTellsItsReasonAndMovesNothing) {
    const struct {
        const char* what;
        Command command;
        Reason reason;
    } cases[] = {
        {"debtor unknown", a_payment().from("nobody").command(), Reason::account_unknown},
        {"creditor unknown", a_payment().to("nobody").command(), Reason::account_unknown},
        {"no such house", a_payment().to("house:rent:EUR").command(), Reason::account_unknown},
        {"debtor closed", a_payment().from("closed").command(), Reason::account_closed},
        {"creditor closed", a_payment().to("closed").command(), Reason::account_closed},
        {"debtor frozen", a_payment().from("frozen").command(), Reason::account_frozen},
        {"debtor frozen for debits", a_payment().from("no debits").command(), Reason::account_frozen},
        {"creditor frozen", a_payment().to("frozen").command(), Reason::account_frozen},
        {"same account", a_payment().to("ada").command(), Reason::same_account},
        {"other currency of the payment", a_payment().of("USD", 10).command(), Reason::currency_mismatch},
        {"other currency of the creditor", a_payment().to("yen").command(), Reason::currency_mismatch},
        {"house of another currency", a_payment().to("house:cash:USD").command(), Reason::currency_mismatch},
        {"one cent too much", a_payment().of("EUR", 10'001).command(), Reason::insufficient_funds},
        {"below its floor", a_payment().from("floored").of("EUR", 51).command(), Reason::insufficient_funds},
        {"far too much", a_payment().of("EUR", kMost).command(), Reason::insufficient_funds},
        {"creditor would overflow", a_payment().to("full").of("EUR", 10).command(), Reason::amount_out_of_range},
        {"nothing", a_payment().of("EUR", 0).command(), Reason::amount_out_of_range},
        {"less than nothing", a_payment().of("EUR", -5).command(), Reason::amount_out_of_range},
    };
    DrivenBook book;
    book.open("ada", 10'000);
    book.open("bob", 0);
    book.open("floored", 100, 50);
    book.open("debt", -1'000'000, kNoFloor);  // or equity could not give so much
    book.open("full", kMost - 5);
    for (const char* name : {"closed", "frozen", "no debits"}) book.open(name, name[0] == 'c' ? 0 : 100'000);
    book.run(an_account("yen").in("JPY").command());
    book.run(a_change("closed").status(AccountStatus::closed).command());
    book.run(a_change("frozen").status(AccountStatus::frozen).command());
    book.run(a_change("no debits").status(AccountStatus::frozen_debit).command());
    for (const auto& [what, command, reason] : cases) {
        const Outcome& outcome = book.decide(command);
        EXPECT_EQ(outcome.status, Status::rejected) << what;
        EXPECT_EQ(outcome.reason, reason) << what << ": " << name(outcome.reason);
        EXPECT_EQ(outcome.debtor_before, outcome.debtor_after) << what;
        EXPECT_TRUE(book.changes().accounts.empty()) << what;
        EXPECT_TRUE(book.changes().counters.empty()) << what;
        EXPECT_EQ(book.changes().known.size(), 1u) << what;
    }
    EXPECT_EQ(book.balance("ada"), 10'000);
}

TEST(BookPaymentTest, WhatAFrozenDebitAccountMayStillDoIsReceive) {
    DrivenBook book;
    book.open("ada", 100);
    book.open("bob", 0);
    book.run(a_change("bob").status(AccountStatus::frozen_debit).command());
    EXPECT_EQ(book.decide(a_payment().of("EUR", 40).command()).status, Status::settled);
}

TEST(BookPaymentTest, TheLastCentDownToTheFloorCanBePaid) {
    DrivenBook book;
    book.open("ada", 100, -50);
    book.open("bob", 0);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 150).command()).status, Status::settled);
    EXPECT_EQ(book.balance("ada"), -50);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).reason, Reason::insufficient_funds);
}

TEST(BookPaymentTest, TheFirstCheckOfThePolicysOrderGivesTheReason) {
    // ada is frozen, has no funds and pays herself.
    const struct {
        const char* order;
        Reason reason;
    } cases[] = {
        {R"(order = ["accounts","status","same_account","amount","risk","limits","funds"])", Reason::account_frozen},
        {R"(order = ["accounts","funds","status","same_account","amount","risk","limits"])",
         Reason::insufficient_funds},
        {R"(order = ["same_account","accounts","status","amount","risk","limits","funds"])", Reason::same_account},
    };
    for (const auto& [order, reason] : cases) {
        DrivenBook book(order);
        book.open("ada", 0);
        book.run(a_change("ada").status(AccountStatus::frozen).command());
        EXPECT_EQ(book.decide(a_payment().to("ada").command()).reason, reason) << order;
    }
}

// --- keys

TEST(BookPaymentTest, TheSameKeyAgainAnswersWithTheFirstPlaceAndLeavesNoTrace) {
    DrivenBook book;
    book.open("ada", 5000);
    book.open("bob", 0);
    const Command command = a_payment().id(7).of("EUR", 1000).meaning(11).command();
    book.run(command);
    const Place first{book.seq(), 0};
    for (int i = 0; i < 2; ++i) {
        const Answer again = book.run(command);
        EXPECT_EQ(again.kind, Answer::Kind::replayed);
        EXPECT_EQ(again.first, first);
        EXPECT_EQ(again.state, Status::settled);
        EXPECT_TRUE(book.changes().outcomes.empty());
        EXPECT_TRUE(book.changes().known.empty());
    }
    EXPECT_EQ(book.balance("ada"), 4000);
}

TEST(BookPaymentTest, TheSameKeyWithAnotherMeaningIsReused) {
    DrivenBook book;
    book.open("ada", 5000);
    book.open("bob", 0);
    book.run(a_payment().id(7).meaning(11).command());
    const Answer other = book.run(a_payment().id(7).of("EUR", 2).meaning(12).command());
    EXPECT_EQ(other.kind, Answer::Kind::reused);
    EXPECT_TRUE(book.changes().outcomes.empty());
    EXPECT_EQ(book.balance("ada"), 4000);
}

TEST(BookPaymentTest, TwiceInOneFrameCountsOnce) {
    DrivenBook book;
    book.open("ada", 5000);
    book.open("bob", 0);
    book.begin();
    EXPECT_EQ(book.apply(a_payment().id(7).command()).kind, Answer::Kind::recorded);
    EXPECT_EQ(book.apply(a_payment().id(7).command()).kind, Answer::Kind::replayed);
    book.end();
    EXPECT_EQ(book.balance("ada"), 4000);
}

TEST(BookPaymentTest, ARejectedKeyStaysRejectedWhenTheReasonIsGone) {
    DrivenBook book;
    book.open("ada", 0);
    book.open("bob", 0);
    const Command command = a_payment().id(7).command();
    EXPECT_EQ(book.decide(command).reason, Reason::insufficient_funds);
    book.run(a_command(AdjustBalance{account("ada"), 5000, "found"}));
    const Answer again = book.run(command);
    EXPECT_EQ(again.kind, Answer::Kind::replayed);
    EXPECT_EQ(again.state, Status::rejected);
    EXPECT_EQ(book.balance("ada"), 5000);
}

TEST(BookPaymentTest, AKeyThatASealedRunHoldsIsReplayedFromThere) {
    DrivenBook book;
    book.open("ada", 5000);
    book.open("bob", 0);
    const Answer answer = book.run(a_payment().sealed_at({3, 9}).command());
    EXPECT_EQ(answer.kind, Answer::Kind::replayed);
    EXPECT_EQ(answer.first, (Place{3, 9}));
    EXPECT_EQ(book.balance("ada"), 5000);
}

TEST(BookPaymentTest, NumbersCountEveryPaymentTheRejectedToo) {
    DrivenBook book;
    book.open("ada", 1000);
    book.open("bob", 0);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).number, 1u);
    EXPECT_EQ(book.decide(a_payment().from("nobody").command()).number, 2u);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).number, 3u);
    ASSERT_EQ(book.changes().tenants.size(), 1u);
    EXPECT_EQ(book.changes().tenants[0], (TenantImage{0, 3, 1}));
}

TEST(BookPaymentTest, WithoutAPolicyNothingIsDecided) {
    Book book(kSmallBook);
    Changes changes;
    book.begin_frame(1, kStart, 10, changes);
    for (const Command& command : {a_payment().command(), an_account("ada").command()}) {
        const Answer answer = book.apply(command, 0);
        EXPECT_EQ(answer.kind, Answer::Kind::refused);
        EXPECT_EQ(answer.reason, Reason::no_policy);
    }
    book.end_frame();
    EXPECT_TRUE(changes.outcomes.empty());
    EXPECT_EQ(book.policy(0), nullptr);
}

// --- risk

constexpr const char* kRisk = R"(
[thresholds]
review = 50
reject = 100
[[rule]]
name = "big"
kind = "amount_band"
above = { EUR = "10.00" }
points = 50
[[rule]]
name = "risky"
kind = "party_risk"
party = "either"
levels = ["high"]
points = 50
)";

TEST(BookPaymentTest, RulesOfAmountAndPartiesDecideTogether) {
    const struct {
        const char* from;
        std::int64_t minor;
        Status status;
        Reason reason;
        std::size_t hits;
        std::int32_t score;
    } cases[] = {
        {"ada", 1000, Status::settled, Reason::none, 0, 0},
        {"ada", 1001, Status::in_review, Reason::none, 1, 50},
        {"eve", 1000, Status::in_review, Reason::none, 1, 50},
        {"eve", 1001, Status::rejected, Reason::risk_rejected, 2, 100},
    };
    for (const auto& [from, minor, status, reason, hits, score] : cases) {
        DrivenBook book(kRisk);
        book.open("ada", 5000);
        book.open("bob", 0);
        book.run(an_account("eve").with(5000).risk(RiskLevel::high).command());
        const Outcome& outcome = book.decide(a_payment().from(from).of("EUR", minor).command());
        EXPECT_EQ(outcome.status, status) << from << minor;
        EXPECT_EQ(outcome.reason, reason) << from << minor;
        EXPECT_EQ(outcome.why.hit_count, hits) << from << minor;
        EXPECT_EQ(outcome.why.score, score) << from << minor;
    }
}

TEST(BookPaymentTest, AnAssessmentOfTheRunningVersionIsTakenAndAnOlderOneMadeAgain) {
    DrivenBook book(kRisk);
    book.open("ada", 50'000);
    book.open("bob", 0);
    Assessment trusted;
    trusted.version = 1;
    EXPECT_EQ(book.decide(a_payment().of("EUR", 2000).assessed(trusted).command()).status, Status::settled);
    trusted.version = 7;
    const Outcome& outcome = book.decide(a_payment().of("EUR", 2000).assessed(trusted).command());
    EXPECT_EQ(outcome.status, Status::in_review);
    EXPECT_EQ(outcome.why.version, 1u);
}

TEST(BookPaymentTest, ReviewIsTakenOnlyIfNothingAfterItRefuses) {
    DrivenBook book(kRisk);
    book.open("ada", 1500);
    book.open("bob", 0);
    const Outcome& outcome = book.decide(a_payment().of("EUR", 1501).command());
    EXPECT_EQ(outcome.status, Status::rejected);
    EXPECT_EQ(outcome.reason, Reason::insufficient_funds);
    EXPECT_EQ(outcome.why.advice, Advice::review);
}

TEST(BookPaymentTest, ARailsBoundRefusesAndIsNamed) {
    DrivenBook book(R"(
[[rail]]
name = "fast"
number = 3
currencies = ["EUR", "USD"]
max_amount = { EUR = "10.00" }
[[rail]]
name = "dollars"
number = 4
currencies = ["USD"]
)");
    book.open("ada", 5000);
    book.open("bob", 0);
    EXPECT_EQ(book.decide(a_payment().on_rail(3).of("EUR", 1000).command()).status, Status::settled);
    const Outcome above = book.decide(a_payment().on_rail(3).of("EUR", 1001).command());
    EXPECT_EQ(above.reason, Reason::amount_out_of_range);
    ASSERT_EQ(above.why.hit_count, 1u);
    EXPECT_EQ(above.why.hits[0].at_most, 1000);
    EXPECT_EQ(book->policy(0)->name(above.why.hits[0].rule), "fast.max_amount");
    EXPECT_EQ(book.decide(a_payment().on_rail(4).of("EUR", 1).command()).reason, Reason::currency_mismatch);
}

TEST(BookPaymentTest, ANewPolicyIsInForceFromTheNextFrameOn) {
    DrivenBook book;
    book.open("ada", 50'000);
    book.open("bob", 0);
    book.begin();
    book.apply(a_command(ChangePolicy{a_policy(kRisk, 2), "ops"}));
    const Answer before = book.apply(a_payment().of("EUR", 2000).command());
    book.end();
    EXPECT_EQ(book.outcome(before).status, Status::settled);
    EXPECT_EQ(book.outcome(before).why.version, 1u);
    EXPECT_EQ(book->policy(0)->version(), 2u);
    EXPECT_EQ(book.standby().policy(0)->version(), 2u);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 2000).command()).status, Status::in_review);
}

TEST(BookPaymentTest, APolicyVersionIsTakenOnce) {
    DrivenBook book;
    for (const PolicyVersion version : {1u, 3u}) {
        const Answer answer = book.run(a_command(ChangePolicy{a_policy("", version), "ops"}));
        EXPECT_EQ(answer.kind, Answer::Kind::refused);
        EXPECT_EQ(answer.reason, Reason::policy_outdated);
    }
    EXPECT_EQ(book.run(a_command(ChangePolicy{a_policy("", 2), "ops"})).kind, Answer::Kind::recorded);
    book.begin();
    EXPECT_EQ(book.apply(a_command(ChangePolicy{a_policy("", 3), "ops"})).kind, Answer::Kind::recorded);
    EXPECT_EQ(book.apply(a_command(ChangePolicy{a_policy("", 3), "ops"})).kind, Answer::Kind::refused);
    book.end();
}

// --- accounts that open inside a decision

TEST(BookPaymentTest, HouseAccountsOpenOnFirstUseWithoutFloor) {
    DrivenBook book;
    book.open("bob", 0);
    const Answer answer = book.run(a_payment().from("house:cash:EUR").of("EUR", 700).command());
    EXPECT_EQ(book.outcome(answer).status, Status::settled);
    EXPECT_EQ(answer.index, 1u);
    EXPECT_EQ(book.changes().outcomes[0].event, Event::account_opened);
    EXPECT_EQ(book.changes().outcomes[0].debtor, account("house:cash:EUR"));
    const AccountImage* cash = book->account(account("house:cash:EUR"));
    ASSERT_NE(cash, nullptr);
    EXPECT_EQ(cash->kind, AccountKind::house);
    EXPECT_EQ(cash->floor, kNoFloor);
    EXPECT_EQ(cash->balance, -700);
    EXPECT_EQ(book->known(book.changes().outcomes[1].payment)->place, (Place{book.seq(), 1}));
}

TEST(BookPaymentTest, UnknownAccountsOpenWithTheirBalanceFromEquityWhereThePolicySaysSo) {
    DrivenBook book("unknown_accounts = \"open\"\nopened_floor = { EUR = \"-1.00\" }\n");
    const Answer answer = book.run(a_payment().from("C1").to("C2").of("EUR", 600).opening(500, 70).command());
    const Outcome& outcome = book.outcome(answer);
    EXPECT_EQ(outcome.status, Status::settled);
    EXPECT_EQ(outcome.debtor_before, 500);
    EXPECT_EQ(outcome.debtor_after, -100);
    EXPECT_EQ(outcome.creditor_before, 70);
    EXPECT_EQ(outcome.creditor_after, 670);
    EXPECT_EQ(book.balance("house:equity:EUR"), -570);
    EXPECT_EQ(book->account(account("C1"))->floor, -100);
    EXPECT_EQ(book->account(account("C1"))->opened_at, book.now());
    ASSERT_EQ(book.changes().outcomes.size(), 4u);
    EXPECT_EQ(book.changes().outcomes[0].debtor, account("house:equity:EUR"));
    const Outcome& opened = book.changes().outcomes[1];
    EXPECT_EQ(opened.event, Event::account_opened);
    EXPECT_EQ(opened.debtor, account("C1"));
    EXPECT_EQ(opened.debtor_after, 500);
    EXPECT_EQ(opened.creditor, account("house:equity:EUR"));
    EXPECT_EQ(opened.creditor_after, -500);
    EXPECT_EQ(opened.command, outcome.command);
    EXPECT_EQ(book.changes().outcomes[2].creditor_after, -570);
    EXPECT_EQ(answer.index, 3u);
}

TEST(BookPaymentTest, ARefusedPaymentOpensNoAccount) {
    DrivenBook book("unknown_accounts = \"open\"\n");
    const Outcome& outcome = book.decide(a_payment().from("C1").to("C2").of("EUR", 600).opening(500, 0).command());
    EXPECT_EQ(outcome.reason, Reason::insufficient_funds);
    EXPECT_EQ(book->account(account("C1")), nullptr);
    EXPECT_EQ(book->account(account("C2")), nullptr);
    EXPECT_EQ(book->account(account("house:equity:EUR")), nullptr);
    EXPECT_EQ(book.changes().outcomes.size(), 1u);
}

TEST(BookPaymentTest, OpeningsWorkWhenEquityIsASideOfThePayment) {
    DrivenBook book("unknown_accounts = \"open\"\n");
    const Outcome from =
        book.decide(a_payment().from("house:equity:EUR").to("C1").of("EUR", 5).opening(0, 9).command());
    EXPECT_EQ(from.status, Status::settled);
    EXPECT_EQ(from.debtor_before, -9);
    EXPECT_EQ(from.debtor_after, -14);
    const Outcome to = book.decide(a_payment().from("C2").to("house:equity:EUR").of("EUR", 5).opening(9, 0).command());
    EXPECT_EQ(to.status, Status::settled);
    EXPECT_EQ(to.creditor_before, -23);
    EXPECT_EQ(to.creditor_after, -18);
}

TEST(BookPaymentTest, AnOpeningThatEquityCannotGiveIsOutOfRange) {
    DrivenBook book("unknown_accounts = \"open\"\n");
    ASSERT_EQ(book.decide(a_payment().from("C1").to("C2").of("EUR", 1).opening(kMost, 0).command()).status,
              Status::settled);
    EXPECT_EQ(book.decide(a_payment().from("C3").to("C2").of("EUR", 1).opening(10, 0).command()).reason,
              Reason::amount_out_of_range);
    EXPECT_EQ(book.decide(a_payment().from("C4").to("C5").of("EUR", 1).opening(1, kMost).command()).reason,
              Reason::amount_out_of_range);
    EXPECT_EQ(book->account(account("C3")), nullptr);
    // Equity has one unit left: the opening takes it, and nothing is left for the payment itself.
    EXPECT_EQ(book.decide(a_payment().from("house:equity:EUR").to("C6").of("EUR", 1).opening(0, 1).command()).reason,
              Reason::amount_out_of_range);
}

TEST(BookPaymentTest, OpeningBalancesOfAccountsThatExistAreIgnored) {
    DrivenBook book("unknown_accounts = \"open\"\n");
    book.open("ada", 100);
    book.open("bob", 0);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 101).opening(1'000'000, 5).command()).reason,
              Reason::insufficient_funds);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 100).opening(1'000'000, 5).command()).status, Status::settled);
    EXPECT_EQ(book.balance("bob"), 100);
}

TEST(BookPaymentTest, AnAccountThatIsBothSidesAndUnknownIsRefused) {
    DrivenBook book("unknown_accounts = \"open\"\n");
    EXPECT_EQ(book.decide(a_payment().from("C1").to("C1").opening(5000, 5000).command()).reason, Reason::same_account);
    EXPECT_EQ(book->account(account("C1")), nullptr);
}

}  // namespace
}  // namespace nostro::test
