#include <gtest/gtest.h>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

using Items = std::vector<SubmitPayment>;

DrivenBook three_people(std::string_view rules = "") {
    DrivenBook book(rules);
    book.open("ada", 1000);
    book.open("bob", 0);
    book.open("carol", 0);
    return book;
}

// `items` must outlive the command.
Command group(const Items& items, PaymentId id = {}, std::uint64_t meaning = 0) {
    return a_command(SubmitGroup{items}, id, meaning);
}

TEST(BookGroupTest, ItemsSeeEachOthersEffectsInOrder) {
    DrivenBook book = three_people();
    const Items items = {a_payment().id(1).of("EUR", 1000).submit(),
                         a_payment().id(2).from("bob").to("carol").of("EUR", 900).submit(),
                         a_payment().id(3).from("carol").to("ada").of("EUR", 800).submit()};
    const Answer answer = book.run(group(items));
    ASSERT_EQ(answer.kind, Answer::Kind::recorded);
    EXPECT_EQ(answer.count, 3u);
    for (std::uint32_t i = 0; i < 3; ++i) {
        const Outcome& outcome = book.changes().outcomes[answer.index + i];
        EXPECT_EQ(outcome.status, Status::settled);
        EXPECT_EQ(outcome.item, i);
        EXPECT_EQ(outcome.payment, items[i].payment.id);
        EXPECT_EQ(book->known(outcome.payment)->place, (Place{book.seq(), answer.index + i}));
    }
    EXPECT_EQ(book.changes().outcomes[1].debtor_before, 1000);
    EXPECT_EQ(book.balance("ada"), 800);
    EXPECT_EQ(book.balance("bob"), 100);
    EXPECT_EQ(book.balance("carol"), 100);
}

TEST(BookGroupTest, OneItemThatCannotSettleRejectsAllAndIsNamed) {
    constexpr const char* kRules = R"(
[[rule]]
name = "look"
kind = "match"
types = ["ODD"]
advice = "review"
[[limit]]
name = "sent"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "9.00"
window = { days = 1, zone = "UTC" }
)";
    const struct {
        const char* what;
        SubmitPayment culprit;
        Reason reason;
    } cases[] = {
        {"no funds, because the first took them", a_payment().from("bob").of("EUR", 101).to("carol").submit(),
         Reason::insufficient_funds},
        {"unknown account", a_payment().to("nobody").submit(), Reason::account_unknown},
        {"over the limit, because the first counted", a_payment().of("EUR", 801).submit(), Reason::limit_exceeded},
        {"would be reviewed", a_payment().of("EUR", 1).type("ODD").submit(), Reason::not_immediate},
        {"would be held", a_payment().of("EUR", 1).manual().submit(), Reason::not_immediate},
    };
    for (const auto& [what, culprit, reason] : cases) {
        DrivenBook book = three_people(kRules);
        const Items items = {a_payment().of("EUR", 100).submit(), culprit, a_payment().of("EUR", 1).submit()};
        const Digest before = book->digest();
        const Answer answer = book.run(group(items));
        ASSERT_EQ(answer.kind, Answer::Kind::recorded) << what;
        EXPECT_EQ(answer.count, 3u) << what;
        EXPECT_EQ(answer.item, 1u) << what;
        for (std::uint32_t i = 0; i < 3; ++i) {
            const Outcome& outcome = book.changes().outcomes[answer.index + i];
            EXPECT_EQ(outcome.status, Status::rejected) << what;
            EXPECT_EQ(outcome.reason, i == 1 ? reason : Reason::group_refused) << what << name(outcome.reason);
            EXPECT_EQ(outcome.debtor_before, outcome.debtor_after) << what;
            EXPECT_EQ(book->known(outcome.payment)->state, Status::rejected) << what;
        }
        EXPECT_TRUE(book.changes().accounts.empty()) << what;
        EXPECT_TRUE(book.changes().counters.empty()) << what;
        EXPECT_TRUE(book.changes().holds.empty()) << what;
        EXPECT_EQ(book.balance("ada"), 1000) << what;
        EXPECT_EQ(book.changes().tenants.size(), 1u) << what;
        EXPECT_NE(book->digest(), before) << "the numbers went up";
    }
}

TEST(BookGroupTest, TheCulpritsWhyShowsWhatTheItemsBeforeItUsed) {
    DrivenBook book = three_people(R"(
[[limit]]
name = "sent"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "9.00"
window = { days = 1, zone = "UTC" }
)");
    const Items items = {a_payment().of("EUR", 500).submit(), a_payment().of("EUR", 401).submit()};
    const Answer answer = book.run(group(items));
    EXPECT_EQ(answer.item, 1u);
    const Outcome& culprit = book.changes().outcomes[answer.index + 1];
    ASSERT_EQ(culprit.why.hit_count, 1u);
    EXPECT_EQ(culprit.why.hits[0].input, 500);
}

TEST(BookGroupTest, AnItemWhoseKeyIsKnownRefusesTheGroupAndSpendsNothing) {
    DrivenBook book = three_people();
    book.run(a_payment().id(5).of("EUR", 1).command());
    const struct {
        const char* what;
        Items items;
        std::uint32_t item;
    } cases[] = {
        {"known from before", {a_payment().id(1).submit(), a_payment().id(5).submit()}, 1},
        {"twice in the group", {a_payment().id(1).submit(), a_payment().id(2).submit(), a_payment().id(1).submit()}, 2},
        {"the group's own", {a_payment().id(1).submit(), a_payment().id(50).submit()}, 1},
        {"known to a sealed run", {a_payment().id(6).sealed_at({1, 1}).submit()}, 0},
    };
    for (const auto& [what, items, item] : cases) {
        const Answer answer = book.run(group(items, payment_id_of(50), 1));
        EXPECT_EQ(answer.kind, Answer::Kind::refused) << what;
        EXPECT_EQ(answer.reason, Reason::group_refused) << what;
        EXPECT_EQ(answer.item, item) << what;
        EXPECT_TRUE(book.changes().outcomes.empty()) << what;
        EXPECT_TRUE(book.changes().known.empty()) << what;
        EXPECT_TRUE(book.changes().tenants.empty()) << what;
        EXPECT_EQ(book->known(payment_id_of(1)), std::nullopt) << what;
        EXPECT_EQ(book->known(payment_id_of(50)), std::nullopt) << what;
    }
    EXPECT_EQ(book.balance("ada"), 999);
}

TEST(BookGroupTest, TheGroupsOwnKeyMakesARetryHarmless) {
    for (const std::int64_t minor : {100, 5000}) {
        DrivenBook book = three_people();
        const Items items = {a_payment().id(1).of("EUR", minor).submit(), a_payment().id(2).of("EUR", 1).submit()};
        book.run(group(items, payment_id_of(50), 7));
        const Place first{book.seq(), 0};
        const Answer again = book.run(group(items, payment_id_of(50), 7));
        EXPECT_EQ(again.kind, Answer::Kind::replayed);
        EXPECT_EQ(again.first, first);
        EXPECT_EQ(book.run(group(items, payment_id_of(50), 8)).kind, Answer::Kind::reused);
    }
}

TEST(BookGroupTest, AnEmptyOrTooLargeGroupIsRefused) {
    DrivenBook book = three_people();
    const Items none;
    Items many;
    for (std::uint64_t i = 0; i <= 1000; ++i) many.push_back(a_payment().of("EUR", 1).submit());
    for (const Items* items : {&none, std::as_const(many).empty() ? &none : &many}) {
        const Answer answer = book.run(group(*items));
        EXPECT_EQ(answer.kind, Answer::Kind::refused);
        EXPECT_EQ(answer.reason, Reason::group_refused);
    }
    many.pop_back();
    EXPECT_EQ(book.run(group(many)).count, 1000u);
    EXPECT_EQ(book.balance("bob"), 1000);
}

TEST(BookGroupTest, AccountsThatOpenStandInFrontOfTheItemsAndPlacesFollow) {
    DrivenBook book("unknown_accounts = \"open\"\n");
    const Items items = {a_payment().id(1).from("A").to("B").of("EUR", 10).opening(100, 0).submit(),
                         a_payment().id(2).from("B").to("C").of("EUR", 15).opening(0, 5).submit(),
                         a_payment().id(3).from("D").to("C").of("EUR", 1).opening(1, 0).submit()};
    // The second fails: B has only 10.
    const Answer refused = book.run(group(items));
    EXPECT_EQ(refused.item, 1u);
    EXPECT_EQ(book->account(account("A")), nullptr);
    EXPECT_EQ(book->totals().size(), 0u);

    const Items good = {a_payment().id(11).from("A").to("B").of("EUR", 10).opening(100, 0).submit(),
                        a_payment().id(12).from("B").to("C").of("EUR", 5).opening(0, 5).submit(),
                        a_payment().id(13).from("D").to("C").of("EUR", 1).opening(1, 0).submit()};
    book.begin();
    book.apply(a_payment().id(10).from("house:cash:EUR").to("house:fees:EUR").command());
    const Answer answer = book.apply(group(good, payment_id_of(50), 1));
    book.end();
    EXPECT_EQ(answer.index, 8u);  // two houses and their payment, then equity, A, B, C, D
    EXPECT_EQ(answer.count, 3u);
    for (std::uint32_t i = 0; i < 3; ++i) {
        const Outcome& outcome = book.changes().outcomes[answer.index + i];
        const Place place{book.seq(), answer.index + i};
        EXPECT_EQ(outcome.payment, good[i].payment.id);
        EXPECT_EQ(outcome.origin, place);
        EXPECT_EQ(book->known(outcome.payment)->place, place);
        EXPECT_EQ(book.standby().known(outcome.payment)->place, place);
    }
    for (std::uint32_t i = 3; i < answer.index; ++i) {
        EXPECT_EQ(book.changes().outcomes[i].event, Event::account_opened);
        EXPECT_EQ(book.changes().outcomes[i].origin, (Place{book.seq(), i}));
    }
    EXPECT_EQ(book->known(payment_id_of(50))->place, (Place{book.seq(), 8}));
}

TEST(BookGroupTest, WhatCameBeforeInTheFrameStaysWhenAGroupIsTakenBack) {
    DrivenBook book = three_people();
    book.begin();
    book.apply(a_payment().id(1).of("EUR", 300).command());
    const Items items = {a_payment().of("EUR", 500).submit(), a_payment().of("EUR", 500).submit()};
    book.apply(group(items));
    book.apply(a_payment().id(2).of("EUR", 700).command());
    book.end();
    EXPECT_EQ(book.balance("ada"), 0);
    EXPECT_EQ(book.balance("bob"), 1000);
    ASSERT_EQ(book.changes().accounts.size(), 2u);
    EXPECT_EQ(book.changes().accounts[0].version, 2u) << "one image a frame";
}

}  // namespace
}  // namespace nostro::test
