#include <gtest/gtest.h>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

constexpr const char* kDaily = R"(
[[limit]]
name = "sent"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "10.00"
window = { days = 1, zone = "UTC" }
[[limit]]
name = "received"
side = "credit"
measure = "count"
at_most = 3
window = { days = 1, zone = "UTC" }
)";

constexpr const char* kRolling = R"(
[[limit]]
name = "sent"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "10.00"
window = { rolling = "24h", buckets = 24 }
)";

constexpr const char* kToReview = R"(
[[limit]]
name = "sent"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "10.00"
window = { days = 1, zone = "UTC" }
when_exceeded = "review"
[[limit]]
name = "often"
side = "debit"
measure = "count"
at_most = 2
window = { days = 1, zone = "UTC" }
)";

// ada and carol have 1,000.00, bob has nothing.
DrivenBook three_people(const char* rules) {
    DrivenBook book(rules);
    book.open("ada", 100'000);
    book.open("carol", 100'000);
    book.open("bob", 0);
    return book;
}

std::int64_t used(DrivenBook& book, std::string_view who, std::string_view limit) {
    const PolicyPtr policy = book->policy(0);
    return book->limit_used(account(who), *policy->limit(limit), book.now());
}

TEST(BookLimitTest, ASumIsBoundedToTheCent) {
    DrivenBook book = three_people(kDaily);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 400).command()).status, Status::settled);
    const Outcome above = book.decide(a_payment().of("EUR", 601).command());
    EXPECT_EQ(above.status, Status::rejected);
    EXPECT_EQ(above.reason, Reason::limit_exceeded);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 600).command()).status, Status::settled);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).reason, Reason::limit_exceeded);
    EXPECT_EQ(used(book, "ada", "sent"), 1000);
}

TEST(BookLimitTest, EveryLimitLookedAtIsToldWithWhatWasUsedBefore) {
    DrivenBook book = three_people(kDaily);
    book.run(a_payment().of("EUR", 400).command());
    const Outcome outcome = book.decide(a_payment().of("EUR", 601).command());
    ASSERT_EQ(outcome.why.hit_count, 2u);
    const Policy& policy = *book->policy(0);
    EXPECT_EQ(policy.name(outcome.why.hits[0].rule), "sent");
    EXPECT_EQ(outcome.why.hits[0].input, 400);
    EXPECT_EQ(outcome.why.hits[0].at_most, 1000);
    EXPECT_EQ(policy.window_name(*policy.limit("sent"), outcome.why.hits[0].bucket), "2026-11-21");
    EXPECT_EQ(policy.name(outcome.why.hits[1].rule), "received");
    EXPECT_EQ(outcome.why.hits[1].input, 1);
    EXPECT_EQ(outcome.why.hits[1].at_most, 3);
}

TEST(BookLimitTest, ACountOfTheCreditSideCountsWhoeverPays) {
    DrivenBook book = three_people(kDaily);
    for (const char* from : {"ada", "carol", "ada"}) {
        EXPECT_EQ(book.decide(a_payment().from(from).of("EUR", 1).command()).status, Status::settled);
    }
    EXPECT_EQ(book.decide(a_payment().from("carol").of("EUR", 1).command()).reason, Reason::limit_exceeded);
    EXPECT_EQ(book.decide(a_payment().from("carol").to("ada").of("EUR", 1).command()).status, Status::settled);
}

TEST(BookLimitTest, RefusedPaymentsCountNothing) {
    DrivenBook book = three_people(kDaily);
    book.run(a_payment().of("EUR", 2000).command());
    EXPECT_EQ(used(book, "ada", "sent"), 0);
    EXPECT_EQ(used(book, "bob", "received"), 0);
    EXPECT_TRUE(book.changes().counters.empty());
}

TEST(BookLimitTest, ACalendarDayBeginsAnewAtMidnight) {
    DrivenBook book = three_people(kDaily);
    book.run(a_payment().of("EUR", 1000).command());
    book.wait(15h - 1ns);  // kStart is 09:00
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).reason, Reason::limit_exceeded);
    book.wait(1ns);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1000).command()).status, Status::settled);
    EXPECT_EQ(used(book, "ada", "sent"), 1000);
}

TEST(BookLimitTest, ARollingWindowForgetsABucketOnlyWhenAllOfItHasLeft) {
    DrivenBook book = three_people(kRolling);
    book.run(a_payment().of("EUR", 700).command());  // in the bucket 09:00..10:00
    book.wait(12h);
    book.run(a_payment().of("EUR", 300).command());
    book.wait(12h + 59min);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).reason, Reason::limit_exceeded);
    book.wait(1min);  // 25 h after: the first bucket has left the window
    EXPECT_EQ(used(book, "ada", "sent"), 300);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 700).command()).status, Status::settled);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).reason, Reason::limit_exceeded);
}

TEST(BookLimitTest, ALimitMayAskForReviewInsteadOfRefusing) {
    DrivenBook book = three_people(kToReview);
    const Outcome reviewed = book.decide(a_payment().of("EUR", 1001).command());
    EXPECT_EQ(reviewed.status, Status::in_review);
    EXPECT_EQ(used(book, "ada", "sent"), 1001) << "what is reserved counts";
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).status, Status::in_review);
    const Outcome refused = book.decide(a_payment().of("EUR", 1).command());
    EXPECT_EQ(refused.status, Status::rejected) << "the other limit refuses";
    EXPECT_EQ(refused.reason, Reason::limit_exceeded);
}

TEST(BookLimitTest, AnAccountsOwnBoundCountsInsteadOfThePolicys) {
    DrivenBook book = three_people(kDaily);
    const std::uint32_t name_key = book->policy(0)->limit("sent")->name_key;
    const OwnBound higher[] = {{name_key, 2000, false}};
    const OwnBound none[] = {{name_key, 0, true}};
    book.run(a_change("ada").bounds(higher).command());
    EXPECT_EQ(book->own_bound(account("ada"), name_key), 2000);
    EXPECT_EQ(book.standby().own_bound(account("ada"), name_key), 2000);
    const Outcome outcome = book.decide(a_payment().of("EUR", 1500).command());
    EXPECT_EQ(outcome.status, Status::settled);
    EXPECT_EQ(outcome.why.hits[0].at_most, 2000);
    EXPECT_EQ(book.decide(a_payment().from("carol").of("EUR", 1001).command()).reason, Reason::limit_exceeded);
    book.run(a_change("ada").bounds(none).command());
    EXPECT_EQ(book->own_bound(account("ada"), name_key), std::nullopt);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).why.hits[0].at_most, 1000);
    book.run(a_change("ada").bounds(higher).command());
    EXPECT_EQ(book.decide(a_payment().of("EUR", 500).command()).status, Status::settled);
}

TEST(BookLimitTest, BoundsMayComeWithTheAccount) {
    DrivenBook book = three_people(kDaily);
    const OwnBound lower[] = {{book->policy(0)->limit("sent")->name_key, 5, false}};
    book.run(an_account("dan").with(1000).bounds(lower).command());
    EXPECT_EQ(book.decide(a_payment().from("dan").of("EUR", 6).command()).reason, Reason::limit_exceeded);
    EXPECT_EQ(book.decide(a_payment().from("dan").of("EUR", 5).command()).status, Status::settled);
}

TEST(BookLimitTest, RemovingABoundThatWasNeverSetDoesNothing) {
    DrivenBook book = three_people(kDaily);
    const OwnBound none[] = {{123, 0, true}};
    EXPECT_EQ(book.run(a_change("ada").bounds(none).command()).kind, Answer::Kind::recorded);
    EXPECT_TRUE(book.changes().bounds.empty());
}

TEST(BookLimitTest, HouseAccountsAreNotLimited) {
    DrivenBook book = three_people(kDaily);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(book.decide(a_payment().from("house:cash:EUR").of("EUR", 900).command()).status, Status::settled);
        EXPECT_EQ(book.decide(a_payment().to("house:cash:EUR").of("EUR", 1).command()).status, Status::settled);
    }
}

TEST(BookLimitTest, ASumCountsItsOwnCurrencyAlone) {
    DrivenBook book = three_people(kDaily);
    book.run(an_account("yen 1").in("JPY").with(50'000).command());
    book.run(an_account("yen 2").in("JPY").command());
    const Outcome outcome = book.decide(a_payment().from("yen 1").to("yen 2").of("JPY", 40'000).command());
    EXPECT_EQ(outcome.status, Status::settled);
    ASSERT_EQ(outcome.why.hit_count, 1u) << "the count, which is of any currency";
}

TEST(BookLimitTest, ALimitOfARailLooksAtThatRailAlone) {
    DrivenBook book = three_people(R"(
[[rail]]
name = "fast"
number = 3
[[limit]]
name = "sent_fast"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "1.00"
window = { days = 1, zone = "UTC" }
rails = ["fast"]
)");
    EXPECT_EQ(book.decide(a_payment().of("EUR", 5000).command()).status, Status::settled);
    EXPECT_EQ(book.decide(a_payment().on_rail(3).of("EUR", 101).command()).reason, Reason::limit_exceeded);
    EXPECT_EQ(book.decide(a_payment().on_rail(3).of("EUR", 100).command()).status, Status::settled);
}

TEST(BookLimitTest, LimitsThatComeBeforeRiskAreStillTold) {
    DrivenBook book =
        three_people((std::string(R"(order = ["accounts","limits","status","same_account","amount","risk","funds"]
[[rule]]
name = "any"
kind = "amount_band"
above = { EUR = "0.01" }
points = 5
)") + kDaily)
                         .c_str());
    const Outcome outcome = book.decide(a_payment().of("EUR", 400).command());
    EXPECT_EQ(outcome.status, Status::settled);
    ASSERT_EQ(outcome.why.hit_count, 3u);
    EXPECT_EQ(outcome.why.score, 5);
    EXPECT_EQ(book->policy(0)->name(outcome.why.hits[0].rule), "any");
    EXPECT_EQ(book->policy(0)->name(outcome.why.hits[2].rule), "received");
}

// --- giving back

TEST(BookLimitTest, WhatDoesNotSettleIsGivenBackIntoItsBucket) {
    enum class End { voided, expired, captured_in_part };
    for (const End end : {End::voided, End::expired, End::captured_in_part}) {
        DrivenBook book = three_people(kDaily);
        book.run(a_payment().id(1).of("EUR", 900).manual(book.now() + 1h).command());
        EXPECT_EQ(used(book, "ada", "sent"), 900);
        EXPECT_EQ(used(book, "bob", "received"), 1);
        if (end == End::voided) book.run(a_command(VoidPayment{payment_id_of(1)}));
        if (end == End::expired) book.wait(1h);
        if (end == End::captured_in_part) book.run(a_command(CapturePayment{payment_id_of(1), 300}));
        const bool is_captured = end == End::captured_in_part;
        EXPECT_EQ(used(book, "ada", "sent"), is_captured ? 300 : 0);
        EXPECT_EQ(used(book, "bob", "received"), is_captured ? 1 : 0);
    }
}

TEST(BookLimitTest, AReviewGivesBackWhenRefusedOrExpiredAndNotWhenApproved) {
    enum class End { refused, expired, approved };
    for (const End end : {End::refused, End::expired, End::approved}) {
        DrivenBook book = three_people(kToReview);
        book.run(a_payment().id(1).of("EUR", 1500).command());
        EXPECT_EQ(used(book, "ada", "sent"), 1500);
        if (end == End::expired) {
            book.wait(14h);
            book.pass(10h);
            const Instant day_of_payment = kStart;
            book.begin();
            book.end();
            const PolicyPtr policy = book->policy(0);
            EXPECT_EQ(book->limit_used(account("ada"), *policy->limit("sent"), day_of_payment), 0);
            continue;
        }
        book.run(a_command(DecideReview{payment_id_of(1), end == End::approved, "joe", ""}));
        EXPECT_EQ(used(book, "ada", "sent"), end == End::approved ? 1500 : 0);
        EXPECT_EQ(used(book, "ada", "often"), end == End::approved ? 1 : 0);
    }
}

TEST(BookLimitTest, GivingBackNeverTouchesALaterBucket) {
    DrivenBook book = three_people(kDaily);
    book.run(a_payment().id(1).of("EUR", 900).manual(book.now() + 48h).command());
    book.wait(24h);
    book.run(a_payment().of("EUR", 400).command());
    EXPECT_EQ(used(book, "ada", "sent"), 400);
    book.run(a_command(VoidPayment{payment_id_of(1)}));
    EXPECT_EQ(used(book, "ada", "sent"), 400);
}

TEST(BookLimitTest, ARollingWindowGivesBackIntoAnEarlierBucketWhileItHasIt) {
    DrivenBook book = three_people(kRolling);
    book.run(a_payment().id(1).of("EUR", 900).manual(book.now() + 48h).command());
    book.wait(5h);
    book.run(a_payment().of("EUR", 100).command());
    book.run(a_command(VoidPayment{payment_id_of(1)}));
    EXPECT_EQ(used(book, "ada", "sent"), 100);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 900).command()).status, Status::settled);
}

TEST(BookLimitTest, AChangedWindowCountsAnew) {
    DrivenBook book = three_people(kDaily);
    book.run(a_payment().of("EUR", 1000).command());
    const std::string rolling = std::string("tenant = \"nostro\"\n") + kRolling;
    book.run(a_command(ChangePolicy{*Policy::parse(rolling, 2, kStart), "ops"}));
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1000).command()).status, Status::settled);
}

TEST(BookLimitTest, AChangedBoundKeepsWhatWasCounted) {
    DrivenBook book = three_people(kRolling);
    book.run(a_payment().of("EUR", 800).command());
    std::string text = std::string("tenant = \"nostro\"\n") + kRolling;
    text.replace(text.find("10.00"), 5, "20.00");
    book.run(a_command(ChangePolicy{*Policy::parse(text, 2, kStart), "ops"}));
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1201).command()).reason, Reason::limit_exceeded);
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1200).command()).status, Status::settled);
}

}  // namespace
}  // namespace nostro::test
