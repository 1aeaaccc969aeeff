#include <gtest/gtest.h>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

const PaymentId kOriginal = payment_id_of(1);

// ada has paid bob 30.00; facts are what intake would read from the journal.
struct Paid {
    explicit Paid(std::string_view rules = "", std::int64_t minor = 3000) : book(rules) {
        book.open("ada", 10'000);
        book.open("bob", 0);
        const Outcome outcome = book.decide(a_payment().id(1).of("EUR", minor).command());
        facts.original = kOriginal;
        facts.original_at = outcome.origin;
        facts.original_status = Status::settled;
        facts.original_minor = minor;
        facts.original_settled_at = book.now();
        facts.meaning = 1;
        facts.payment = a_payment().from("bob").to("ada").of("EUR", 1).payment();
    }
    ReversePayment of(std::uint64_t id, std::int64_t minor) const {
        ReversePayment body = facts;
        body.payment.id = payment_id_of(id);
        body.payment.amount = Money(minor, currency("EUR"));
        return body;
    }
    ReversePayment rest(std::uint64_t id) const {
        ReversePayment body = of(id, 0);
        body.whole_rest = true;
        return body;
    }
    Outcome decide(const ReversePayment& body) { return book.decide(command(body)); }
    static Command command(const ReversePayment& body) { return a_command(body, body.payment.id, body.meaning); }

    DrivenBook book;
    ReversePayment facts;
};

TEST(BookReversalTest, TheWholeIsMovedBackByAPaymentOfItsOwn) {
    Paid paid;
    const Outcome outcome = paid.decide(paid.rest(2));
    EXPECT_EQ(outcome.event, Event::submitted);
    EXPECT_EQ(outcome.status, Status::settled);
    EXPECT_EQ(outcome.payment, payment_id_of(2));
    EXPECT_EQ(outcome.reverses, kOriginal);
    EXPECT_EQ(outcome.amount.minor(), 3000);
    EXPECT_EQ(outcome.debtor, account("bob"));
    EXPECT_EQ(outcome.number, 2u);
    EXPECT_EQ(paid.book.balance("ada"), 10'000);
    EXPECT_EQ(paid.book.balance("bob"), 0);
    EXPECT_EQ(paid.book->reversed_minor(kOriginal), 3000);
    EXPECT_EQ(paid.book.standby().reversed_minor(kOriginal), 3000);
}

TEST(BookReversalTest, PartsAddUpToTheOriginalAndNeverToMore) {
    Paid paid;
    EXPECT_EQ(paid.decide(paid.of(2, 1000)).status, Status::settled);
    EXPECT_EQ(paid.decide(paid.of(3, 2001)).reason, Reason::reversal_exceeds_original);
    EXPECT_EQ(paid.decide(paid.of(4, 500)).status, Status::settled);
    EXPECT_EQ(paid.decide(paid.rest(5)).amount.minor(), 1500);
    EXPECT_EQ(paid.decide(paid.of(6, 1)).reason, Reason::reversal_exceeds_original);
    EXPECT_EQ(paid.decide(paid.rest(7)).reason, Reason::reversal_exceeds_original);
    EXPECT_EQ(paid.book->reversed_minor(kOriginal), 3000);
    EXPECT_EQ(paid.book.balance("bob"), 0);
}

TEST(BookReversalTest, ARefusalTellsItsReasonAndMovesNothing) {
    const struct {
        const char* what;
        void (*change)(ReversePayment&);
        Reason reason;
    } cases[] = {
        {"more than the original", [](ReversePayment& r) { r.payment.amount = Money(3001, currency("EUR")); },
         Reason::reversal_exceeds_original},
        {"nothing", [](ReversePayment& r) { r.payment.amount = Money(0, currency("EUR")); },
         Reason::amount_out_of_range},
        {"less than nothing", [](ReversePayment& r) { r.payment.amount = Money(-5, currency("EUR")); },
         Reason::amount_out_of_range},
        {"held", [](ReversePayment& r) { r.original_status = Status::held; }, Reason::not_settled},
        {"rejected", [](ReversePayment& r) { r.original_status = Status::rejected; }, Reason::not_settled},
        {"of a reversal", [](ReversePayment& r) { r.original_is_reversal = true; }, Reason::reversal_of_reversal},
        {"too old", [](ReversePayment& r) { r.original_settled_at -= 24h * 400 + 1ns; }, Reason::too_late_to_reverse},
        {"other currency", [](ReversePayment& r) { r.payment.amount = Money(5, currency("USD")); },
         Reason::currency_mismatch},
        {"debtor unknown", [](ReversePayment& r) { r.payment.debtor = account("nobody"); }, Reason::account_unknown},
    };
    for (const auto& [what, change, reason] : cases) {
        Paid paid;
        ReversePayment body = paid.of(2, 100);
        change(body);
        const Outcome outcome = paid.decide(body);
        EXPECT_EQ(outcome.status, Status::rejected) << what;
        EXPECT_EQ(outcome.reason, reason) << what << ": " << name(outcome.reason);
        EXPECT_EQ(outcome.reverses, kOriginal) << what;
        EXPECT_EQ(paid.book.balance("bob"), 3000) << what;
        EXPECT_EQ(paid.book->reversed_minor(kOriginal), 0) << what;
    }
}

TEST(BookReversalTest, OnTheLastDayItIsNotTooLate) {
    Paid paid;
    ReversePayment body = paid.of(2, 100);
    body.original_settled_at -= 24h * 400;
    EXPECT_EQ(paid.decide(body).status, Status::settled);
}

TEST(BookReversalTest, FundsAndStatusAreCheckedButNeitherRiskNorLimits) {
    constexpr const char* kRules = R"(
[[rule]]
name = "nobody from bob"
kind = "deny"
party = "debtor"
accounts = ["bob"]
advice = "reject"
[[limit]]
name = "sent"
side = "debit"
measure = "count"
at_most = 1
window = { days = 1, zone = "UTC" }
)";
    std::string rules = kRules;
    rules.replace(rules.find("nobody from bob"), 15, "nobody_from_bob");
    Paid paid(rules);
    EXPECT_EQ(paid.decide(paid.of(2, 100)).status, Status::settled);
    EXPECT_EQ(paid.decide(paid.of(3, 100)).status, Status::settled);
    const PolicyPtr policy = paid.book->policy(0);
    EXPECT_EQ(paid.book->limit_used(account("ada"), *policy->limit("sent"), paid.book.now()), 1)
        << "a reversal gives no limit back";
    paid.book.run(a_command(AdjustBalance{account("bob"), -2750, "spent"}));
    EXPECT_EQ(paid.decide(paid.of(4, 100)).reason, Reason::insufficient_funds);
    EXPECT_EQ(paid.decide(paid.of(5, 50)).status, Status::settled);
    paid.book.run(a_change("bob").status(AccountStatus::frozen_debit).command());
    EXPECT_EQ(paid.decide(paid.of(6, 1)).reason, Reason::account_frozen);
    paid.book.run(a_change("bob").status(AccountStatus::active).command());
    paid.book.run(a_change("ada").status(AccountStatus::frozen).command());
    EXPECT_EQ(paid.decide(paid.of(7, 1)).reason, Reason::account_frozen);
}

TEST(BookReversalTest, AnOriginalThatIsStillOpenIsNotSettledWhateverIntakeRead) {
    DrivenBook book;
    book.open("ada", 10'000);
    book.open("bob", 0);
    const Outcome held = book.decide(a_payment().id(1).of("EUR", 3000).manual().command());
    ReversePayment body;
    body.original = kOriginal;
    body.original_at = held.origin;
    body.original_minor = 3000;
    body.original_settled_at = book.now();
    body.payment = a_payment().id(2).from("bob").to("ada").of("EUR", 1).payment();
    EXPECT_EQ(book.decide(a_command(body, body.payment.id)).reason, Reason::not_settled);
}

TEST(BookReversalTest, OfAPartialCaptureTheCapturedAmountIsReversed) {
    DrivenBook book;
    book.open("ada", 10'000);
    book.open("bob", 0);
    const Outcome held = book.decide(a_payment().id(1).of("EUR", 3000).manual().command());
    book.run(a_command(CapturePayment{kOriginal, 1200}));
    ReversePayment body;
    body.whole_rest = true;
    body.original = kOriginal;
    body.original_at = held.origin;
    body.original_minor = 1200;
    body.original_settled_at = book.now();
    body.payment = a_payment().id(2).from("bob").to("ada").payment();
    EXPECT_EQ(book.decide(a_command(body, body.payment.id)).amount.minor(), 1200);
    EXPECT_EQ(book.balance("ada"), 10'000);
}

TEST(BookReversalTest, TheOriginalMustStandWhereIntakeHasReadIt) {
    Paid paid;
    for (const Place place : {Place{1, 7}, Place{0, 0}, Place{99, 0}}) {
        ReversePayment body = paid.of(2, 100);
        body.original_at = place;
        const Answer answer = paid.book.run(Paid::command(body));
        EXPECT_EQ(answer.kind, Answer::Kind::refused);
        EXPECT_EQ(answer.reason, Reason::not_found);
        EXPECT_EQ(paid.book->known(payment_id_of(2)), std::nullopt);
    }
    ReversePayment unknown = paid.of(2, 100);
    unknown.original = payment_id_of(77);
    EXPECT_EQ(paid.book.run(Paid::command(unknown)).reason, Reason::not_found);
}

TEST(BookReversalTest, ItsOwnKeyMakesARetryHarmless) {
    Paid paid;
    paid.decide(paid.of(2, 1000));
    EXPECT_EQ(paid.book.run(Paid::command(paid.of(2, 1000))).kind, Answer::Kind::replayed);
    ReversePayment other = paid.of(2, 2000);
    other.meaning = 9;
    EXPECT_EQ(paid.book.run(Paid::command(other)).kind, Answer::Kind::reused);
    ReversePayment sealed = paid.of(3, 2000);
    sealed.sealed = {1, 1};
    EXPECT_EQ(paid.book.run(Paid::command(sealed)).kind, Answer::Kind::replayed);
    EXPECT_EQ(paid.book->reversed_minor(kOriginal), 1000);
}

TEST(BookReversalTest, SumsAreForgottenOnlyWhenNoPolicyCouldAllowMore) {
    Paid paid("reversal_days = 800\n");
    paid.decide(paid.of(2, 1000));
    paid.book.wait(std::chrono::days(800));
    EXPECT_EQ(paid.decide(paid.of(3, 2001)).reason, Reason::reversal_exceeds_original);
    EXPECT_EQ(paid.decide(paid.of(4, 2000)).status, Status::settled);
    const Changes& changes = paid.book.wait(1ns);
    ASSERT_EQ(changes.reversed.size(), 1u);
    EXPECT_EQ(changes.reversed[0].reversed_minor, 0);
    EXPECT_EQ(paid.book->reversed_minor(kOriginal), 0);
    EXPECT_EQ(paid.book.standby().reversed_minor(kOriginal), 0);
    EXPECT_EQ(paid.decide(paid.of(5, 1)).reason, Reason::too_late_to_reverse);
}

}  // namespace
}  // namespace nostro::test
