// What a frame leaves, what installing it gives, and what leaves no trace.
#include <gtest/gtest.h>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

constexpr const char* kLimits = R"(
unknown_accounts = "open"
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
at_most = "1000.00"
window = { rolling = "24h", buckets = 4 }
)";

TEST(BookFrameTest, EachCellHasOneImageInTheOrderFirstTouched) {
    DrivenBook book(kLimits);
    book.open("ada", 1000);
    book.open("bob", 0);
    book.open("carol", 0);
    book.begin();
    for (int i = 0; i < 3; ++i) {
        book.apply(a_payment().from("ada").to("carol").of("EUR", 10).command());
        book.apply(a_payment().from("carol").to("bob").of("EUR", 5).command());
    }
    book.end();
    const Changes& changes = book.changes();
    ASSERT_EQ(changes.accounts.size(), 3u);
    EXPECT_EQ(changes.accounts[0].id, account("ada"));
    EXPECT_EQ(changes.accounts[1].id, account("carol"));
    EXPECT_EQ(changes.accounts[2].id, account("bob"));
    EXPECT_EQ(changes.accounts[1].balance, 15);
    EXPECT_EQ(changes.accounts[0].version, 2u);
    ASSERT_EQ(changes.counters.size(), 2u);
    EXPECT_EQ(changes.counters[0].value, 30);
    EXPECT_EQ(changes.known.size(), 6u);
    EXPECT_EQ(changes.known[4].index, 4u);
}

TEST(BookFrameTest, AFrameInWhichNothingHappensLeavesNothing) {
    DrivenBook book;
    book.open("ada", 5);
    const Digest before = book->digest();
    const Changes& changes = book.wait(1h);
    EXPECT_TRUE(changes.outcomes.empty() && changes.accounts.empty() && changes.tenants.empty());
    EXPECT_EQ(book->digest(), before);
}

TEST(BookFrameTest, RefusedCommandsLeaveNothing) {
    DrivenBook book;
    book.open("ada", 5);
    const Digest before = book->digest();
    book.begin();
    book.apply(a_command(VoidPayment{payment_id_of(3)}));
    book.apply(a_change("nobody").command());
    book.apply(an_account("ada").meaning(9).command());
    book.end();
    EXPECT_TRUE(book.changes().outcomes.empty());
    EXPECT_EQ(book->digest(), before);
}

// --- digest

TEST(BookDigestTest, DoesNotDependOnTheOrderInWhichCellsCame) {
    Changes changes;
    for (std::uint64_t i = 1; i <= 20; ++i) {
        AccountImage image;
        image.id = {i, i};
        image.currency = currency("EUR");
        image.balance = static_cast<std::int64_t>(i);
        changes.accounts.push_back(image);
        changes.counters.push_back({{i, i}, 5, 8, 0, 3});
        HoldImage hold;
        hold.payment = {i, 3};
        hold.amount = Money(1, currency("EUR"));
        changes.holds.push_back(hold);
    }
    Book forwards(kSmallBook), backwards(kSmallBook);
    ASSERT_TRUE(forwards.install(0, kStart, changes));
    std::reverse(changes.accounts.begin(), changes.accounts.end());
    std::reverse(changes.counters.begin(), changes.counters.end());
    std::reverse(changes.holds.begin(), changes.holds.end());
    ASSERT_TRUE(backwards.install(0, kStart, changes));
    EXPECT_EQ(forwards.digest(), backwards.digest());
}

TEST(BookDigestTest, SeesEveryFieldOfEveryCell) {
    Changes base;
    base.accounts.push_back({});
    base.accounts[0].id = {1, 1};
    base.accounts[0].currency = currency("EUR");
    base.counters.push_back({{1, 1}, 5, 8, 0, 3});
    base.holds.push_back({});
    base.holds[0].payment = {2, 2};
    base.holds[0].counted_count = 1;
    base.reversed.push_back({{3, 3}, 5, kStart});
    base.bounds.push_back({{1, 1}, 4, 5, false});
    base.tenants.push_back({0, 5, 0});
    const auto digest_of = [&](auto change) {
        Changes changes = base;
        change(changes);
        Book book(kSmallBook);
        EXPECT_TRUE(book.install(0, kStart, changes));
        return book.digest();
    };
    using C = Changes;
    const std::vector<void (*)(C&)> all = {
        [](C&) {},
        [](C& c) { c.accounts[0].id.low = 2; },
        [](C& c) { c.accounts[0].tenant = 2; },
        [](C& c) { c.accounts[0].kind = AccountKind::bank; },
        [](C& c) { c.accounts[0].status = AccountStatus::frozen; },
        [](C& c) { c.accounts[0].risk_level = RiskLevel::high; },
        [](C& c) { c.accounts[0].has_bounds = true; },
        [](C& c) { c.accounts[0].currency = currency("USD"); },
        [](C& c) { c.accounts[0].opened_meaning = 2; },
        [](C& c) { c.accounts[0].balance = 2; },
        [](C& c) { c.accounts[0].held = 2; },
        [](C& c) { c.accounts[0].floor = 2; },
        [](C& c) { c.accounts[0].version = 2; },
        [](C& c) { c.accounts[0].opened_at += 1ns; },
        [](C& c) { c.counters[0].limit = 6; },
        [](C& c) { c.counters[0].bucket = 9; },
        [](C& c) { c.counters[0].place = 1; },
        [](C& c) { c.counters[0].value = 4; },
        [](C& c) { c.holds[0].payment.low = 9; },
        [](C& c) { c.holds[0].tenant = 9; },
        [](C& c) { c.holds[0].rail = 9; },
        [](C& c) { c.holds[0].status = Status::in_review; },
        [](C& c) { c.holds[0].capture = Capture::manual; },
        [](C& c) { c.holds[0].approved = true; },
        [](C& c) { c.holds[0].debtor.low = 9; },
        [](C& c) { c.holds[0].creditor.low = 9; },
        [](C& c) { c.holds[0].amount = Money(3, Currency{}); },
        [](C& c) { c.holds[0].expires_at += 1ns; },
        [](C& c) { c.holds[0].hold_expires_at += 1ns; },
        [](C& c) { c.holds[0].origin.index = 9; },
        [](C& c) { c.holds[0].accepted_at += 1ns; },
        [](C& c) { c.holds[0].number = 9; },
        [](C& c) { c.holds[0].counted[0].bucket = 9; },
        [](C& c) { c.holds[0].counted_count = 0; },
        [](C& c) { c.reversed[0].reversed_minor = 6; },
        [](C& c) { c.reversed[0].settled_at += 1ns; },
        [](C& c) { c.bounds[0].at_most = 6; },
        [](C& c) { c.bounds[0].name_key = 6; },
        [](C& c) { c.tenants[0].last_number = 6; },
    };
    std::vector<Digest> seen;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Digest digest = digest_of(all[i]);
        for (std::size_t j = 0; j < seen.size(); ++j) EXPECT_NE(digest, seen[j]) << i << " looks like " << j;
        seen.push_back(digest);
    }
}

// --- install

// A Book with something in every table.
DrivenBook a_full_life() {
    DrivenBook book(kLimits);
    const OwnBound bounds[] = {{book->policy(0)->limit("sent")->name_key, 900, false}, {17, 5, false}};
    book.run(an_account("ada").with(50'000).bounds(bounds).command());
    book.open("bob", 0);
    const OwnBound removed[] = {{17, 0, true}};
    book.run(a_change("ada").bounds(removed).command());
    const Outcome paid = book.decide(a_payment().id(1).of("EUR", 300).command());
    book.run(a_payment().id(2).of("EUR", 200).manual().command());
    book.run(a_payment().id(3).of("EUR", 100).type("ODD").command());
    book.run(a_payment().id(4).of("EUR", 50).manual().command());
    book.run(a_command(VoidPayment{payment_id_of(4)}));
    ReversePayment reverse;
    reverse.original = payment_id_of(1);
    reverse.original_at = paid.origin;
    reverse.original_minor = 300;
    reverse.original_settled_at = book.now();
    reverse.payment = a_payment().id(5).from("bob").to("ada").of("EUR", 20).payment();
    EXPECT_EQ(book.decide(a_command(reverse, payment_id_of(5))).status, Status::settled);
    return book;
}

TEST(BookInstallTest, AnExportInChunksRebuildsTheBook) {
    DrivenBook book = a_full_life();
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
        Book copy(kSmallBook);
        book->export_cells(chunk, [&](const Changes& changes) {
            EXPECT_LE(changes.accounts.size(), chunk);
            ASSERT_TRUE(copy.install(0, book.now(), changes));
        });
        EXPECT_EQ(copy.digest(), book->digest());
        EXPECT_TRUE(copy.is_balanced());
        EXPECT_EQ(copy.next_due(), book->next_due());
        EXPECT_EQ(copy.policy(0), book->policy(0));
        EXPECT_EQ(copy.totals().size(), book->totals().size());
        EXPECT_EQ(copy.own_bound(account("ada"), 17), std::nullopt);
        EXPECT_EQ(copy.known(payment_id_of(1)), std::nullopt) << "known ids come from frames alone";
    }
}

TEST(BookInstallTest, ABookBehindAnImageFileGoesOnAsTheFirstWould) {
    DrivenBook book = a_full_life();
    Book copy(kSmallBook);
    book->export_cells(10, [&](const Changes& changes) { ASSERT_TRUE(copy.install(0, book.now(), changes)); });
    copy.forget_known(book.seq());
    EXPECT_EQ(copy.forgotten_through(), book.seq());
    Changes changes;
    book.pass(1h);
    const Command capture = a_command(CapturePayment{payment_id_of(2), 150});
    const Outcome first = book.decide(capture);
    copy.begin_frame(book.seq(), book.now(), 1024, changes);
    copy.apply(capture, 0);
    copy.apply(a_command(DecideReview{payment_id_of(3), true, "joe", ""}), 1);
    copy.end_frame();
    ASSERT_EQ(changes.outcomes.size(), 2u);
    EXPECT_EQ(changes.outcomes[0].debtor_after, first.debtor_after);
    EXPECT_EQ(changes.outcomes[1].status, Status::settled);
    EXPECT_EQ(copy.known(payment_id_of(3)), std::nullopt);
}

TEST(BookInstallTest, TheTableThatIsTooSmallIsNamed) {
    DrivenBook book = a_full_life();
    const struct {
        BookSize size;
        const char* key;
    } cases[] = {
        {{2, 2000, 200, 100, 50, 1000}, "book.accounts_max"}, {{400, 0, 200, 100, 50, 1000}, "book.counters_max"},
        {{400, 2000, 1, 100, 50, 1000}, "book.holds_max"},    {{400, 2000, 200, 0, 50, 1000}, "book.reversed_max"},
        {{400, 2000, 200, 100, 0, 1000}, "book.bounds_max"},
    };
    for (const auto& [size, key] : cases) {
        Book copy(size);
        std::string what;
        book->export_cells(1000, [&](const Changes& changes) {
            const auto installed = copy.install(0, book.now(), changes);
            if (!installed) what += installed.error().what;
        });
        EXPECT_NE(what.find(key), std::string::npos) << key << ": " << what;
    }
    Changes changes;
    for (std::uint64_t i = 1; i <= 10; ++i) changes.known.push_back({{i, i}, 0, 0});
    Book copy({400, 2000, 200, 100, 50, 16});
    const auto installed = copy.install(1, kStart, changes);
    ASSERT_FALSE(installed);
    EXPECT_EQ(installed.error().code, ErrorCode::invalid);
    EXPECT_NE(installed.error().what.find("book.known_max"), std::string::npos);
}

TEST(BookInstallTest, AStandbyAnswersRetriesAsTheFirstBookWould) {
    DrivenBook book(kLimits);
    std::vector<Changes> journal;
    std::vector<Instant> times;
    const auto keep = [&] {
        journal.push_back(book.changes());
        times.push_back(book.now());
    };
    Book standby(kSmallBook);
    book.open("ada", 50'000);
    keep();
    book.open("bob", 0);
    keep();
    const Command review = a_payment().id(3).of("EUR", 100).type("ODD").command();
    const Command approve = a_command(DecideReview{payment_id_of(3), true, "joe", ""});
    book.run(review);
    keep();
    book.run(approve);
    keep();
    book.run(a_payment().id(4).of("EUR", 100).manual().command());
    keep();
    for (std::size_t i = 0; i < journal.size(); ++i) ASSERT_TRUE(standby.install(i + 2, times[i], journal[i]));
    const Changes policy = [&] {
        Changes changes;
        changes.tenants.push_back({0, 2, 1});
        changes.policies.push_back(book->policy(0));
        return changes;
    }();
    ASSERT_TRUE(standby.install(0, kStart, policy));
    Changes changes;
    standby.begin_frame(book.seq() + 1, book.now(), 10, changes);
    EXPECT_EQ(standby.apply(review, 0).kind, Answer::Kind::replayed);
    EXPECT_EQ(standby.apply(approve, 0).kind, Answer::Kind::replayed);
    EXPECT_EQ(standby.apply(approve, 0).state, Status::settled);
    EXPECT_EQ(standby.apply(a_command(DecideReview{payment_id_of(3), false, "", ""}), 0).reason,
              Reason::already_decided);
    EXPECT_EQ(standby.apply(a_command(CapturePayment{payment_id_of(4), 1}), 0).kind, Answer::Kind::recorded);
    standby.end_frame();
}

// --- simulate

TEST(BookSimulateTest, TellsWhatWouldBeAndLeavesNoTrace) {
    DrivenBook book = a_full_life();
    const std::vector<SubmitPayment> group = {a_payment().of("EUR", 5).submit(),
                                              a_payment().from("X").to("Y").opening(5000, 0).submit()};
    const std::vector<SubmitPayment> bad = {a_payment().of("EUR", 5).submit(), a_payment().to("ada").submit()};
    ReversePayment reverse;
    reverse.original = payment_id_of(1);
    reverse.original_at = book->known(payment_id_of(1))->place;
    reverse.original_minor = 300;
    reverse.original_settled_at = book.now();
    reverse.payment = a_payment().from("bob").to("ada").of("EUR", 20).payment();
    const OwnBound bounds[] = {{99, 5, false}};
    const struct {
        const char* what;
        Command command;
        Status status;
        std::size_t outcomes;
    } cases[] = {
        {"settles", a_payment().of("EUR", 5).command(), Status::settled, 1},
        {"without an id", a_payment().id(PaymentId{}).of("EUR", 5).command(), Status::settled, 1},
        {"opens", a_payment().from("N1").to("N2").opening(2000, 1).command(), Status::settled, 3},
        {"held", a_payment().of("EUR", 5).manual().command(), Status::held, 1},
        {"held without an id", a_payment().id(PaymentId{}).of("EUR", 5).manual().command(), Status::held, 1},
        {"in review", a_payment().of("EUR", 5).type("ODD").command(), Status::in_review, 1},
        {"rejected", a_payment().of("EUR", 500'000).command(), Status::rejected, 1},
        {"captured", a_command(CapturePayment{payment_id_of(2), 7}, payment_id_of(61), 1), Status::settled, 1},
        {"voided", a_command(VoidPayment{payment_id_of(2)}), Status::voided, 1},
        {"approved", a_command(DecideReview{payment_id_of(3), true, "", ""}), Status::settled, 1},
        {"refused", a_command(DecideReview{payment_id_of(3), false, "", ""}), Status::rejected, 1},
        {"reversed", a_command(reverse, reverse.payment.id), Status::settled, 1},
        {"group", a_command(SubmitGroup{group}, payment_id_of(62), 1), Status::accepted, 4},
        {"refused group", a_command(SubmitGroup{bad}, payment_id_of(63), 1), Status::rejected, 2},
        {"opened", an_account("new").with(4).bounds(bounds).command(), Status::accepted, 1},
        {"changed", a_change("ada").floor(3).bounds(bounds).command(), Status::accepted, 1},
        {"adjusted", a_command(AdjustBalance{account("ada"), 5, ""}), Status::accepted, 1},
        {"policy", a_command(ChangePolicy{a_policy("", 2), "ops"}), Status::accepted, 1},
        {"kept", a_command(KeepRecord{payment_id_of(64), Reason::broken, ""}), Status::quarantined, 1},
    };
    for (const auto& [what, command, status, outcomes] : cases) {
        const Digest before = book->digest();
        const auto totals = book->totals();
        const Instant due = book->next_due();
        Changes changes;
        const Answer answer = book->simulate(command, book.now() + 5min, changes);
        ASSERT_EQ(answer.kind, Answer::Kind::recorded) << what << name(answer.reason);
        ASSERT_EQ(changes.outcomes.size(), outcomes) << what;
        EXPECT_EQ(changes.outcomes[answer.index].status,
                  status == Status::accepted && answer.count == 2 ? Status::settled : status)
            << what;
        EXPECT_TRUE(changes.accounts.empty() && changes.known.empty() && changes.policies.empty()) << what;
        EXPECT_EQ(book->digest(), before) << what;
        EXPECT_EQ(book->next_due(), due) << what;
        EXPECT_EQ(book->known(payment_id_of(61)), std::nullopt) << what;
        EXPECT_EQ(book->known(payment_id_of(2))->state, Status::held) << what;
        ASSERT_EQ(book->totals().size(), totals.size()) << what;
        EXPECT_TRUE(book->totals()[0].posted == totals[0].posted) << what;
    }
    // Everything can still be done, which the standby checks.
    for (const auto& each : cases) EXPECT_NE(book.run(each.command).kind, Answer::Kind::reused) << each.what;
}

TEST(BookSimulateTest, NeverGoesBackInTime) {
    DrivenBook book = a_full_life();
    Changes changes;
    book->simulate(a_payment().command(), kStart - 24h, changes);
    EXPECT_EQ(changes.outcomes.back().accepted_at, book.now());
}

// --- room

TEST(BookRoomTest, AFullTableIsNamedBeforeItIsFull) {
    DrivenBook book("", {.accounts_max = 20,
                         .counters_max = 100,
                         .holds_max = 8,
                         .reversed_max = 8,
                         .bounds_max = 8,
                         .known_max = 4000});
    EXPECT_EQ(book->full(), "");
    static const std::vector<std::string> kNames = [] {
        std::vector<std::string> names;
        for (int i = 0; i < 30; ++i) names.push_back("a" + std::to_string(i));
        return names;
    }();
    std::size_t opened = 0;
    while (book->full().empty()) book.open(kNames.at(opened++), 0);
    EXPECT_EQ(book->full(), "book.accounts_max");
    EXPECT_LT(opened, 20u);
    // What still fits is taken; then each command that needs room is refused, and nothing else is.
    Answer answer;
    do {
        answer = book.run(an_account(kNames.at(opened++)).command());
    } while (answer.kind == Answer::Kind::recorded);
    EXPECT_EQ(answer.reason, Reason::book_full);
    EXPECT_TRUE(book.changes().outcomes.empty());
    EXPECT_EQ(book.decide(a_payment().from("a0").to("a1").command()).reason, Reason::insufficient_funds);
}

TEST(BookRoomTest, WithoutRoomForAHoldOtherPaymentsGoOnAndACaptureMakesRoom) {
    DrivenBook book("", {.accounts_max = 100,
                         .counters_max = 100,
                         .holds_max = 4,
                         .reversed_max = 8,
                         .bounds_max = 8,
                         .known_max = 4000});
    book.open("ada", 5000);
    book.open("bob", 0);
    for (std::uint64_t i = 1; i <= 4; ++i) {
        EXPECT_EQ(book.decide(a_payment().id(i).of("EUR", 1).manual().command()).status, Status::held);
    }
    EXPECT_EQ(book->full(), "book.holds_max");
    const Command fifth = a_payment().id(5).of("EUR", 1).manual().command();
    const Answer answer = book.run(fifth);
    EXPECT_EQ(answer.kind, Answer::Kind::refused);
    EXPECT_EQ(answer.reason, Reason::book_full);
    EXPECT_EQ(book->known(payment_id_of(5)), std::nullopt) << "the key is not spent";
    EXPECT_EQ(book.decide(a_payment().of("EUR", 1).command()).status, Status::settled);
    EXPECT_EQ(book.decide(a_command(CapturePayment{payment_id_of(1), {}})).status, Status::settled);
    EXPECT_EQ(book->full(), "");
    EXPECT_EQ(book.decide(fifth).status, Status::held);
}

TEST(BookRoomTest, AGroupThatFindsNoRoomIsTakenBackWhole) {
    DrivenBook book("unknown_accounts = \"open\"\n", {.accounts_max = 4,
                                                      .counters_max = 100,
                                                      .holds_max = 4,
                                                      .reversed_max = 8,
                                                      .bounds_max = 8,
                                                      .known_max = 4000});
    const std::vector<SubmitPayment> items = {a_payment().from("A").to("B").of("EUR", 1).opening(9, 0).submit(),
                                              a_payment().from("C").to("D").of("EUR", 1).opening(9, 0).submit()};
    const Digest before = book->digest();
    const Answer answer = book.run(a_command(SubmitGroup{items}));
    EXPECT_EQ(answer.kind, Answer::Kind::refused);
    EXPECT_EQ(answer.reason, Reason::book_full);
    EXPECT_EQ(answer.item, 1u);
    EXPECT_EQ(book->digest(), before);
    EXPECT_EQ(book->account(account("A")), nullptr);
}

TEST(BookRoomTest, WhatIsTakenBackTakesNoRoom) {
    DrivenBook book(kLimits, {.accounts_max = 12,
                              .counters_max = 12,
                              .holds_max = 8,
                              .reversed_max = 8,
                              .bounds_max = 8,
                              .known_max = 4000});
    const std::vector<SubmitPayment> refused = {a_payment().from("A").to("B").of("EUR", 1).opening(9, 0).submit(),
                                                a_payment().from("B").to("A").of("EUR", 99).submit()};
    const OwnBound bounds[] = {{1, 5, false}, {2, 5, false}};
    const std::vector<Command> commands = {a_payment().from("A").to("B").of("EUR", 1).opening(9, 0).command(),
                                           a_payment().from("A").to("B").of("EUR", 1).opening(9, 0).manual().command(),
                                           an_account("C").with(5).bounds(bounds).command(),
                                           a_command(SubmitGroup{refused})};
    for (int i = 0; i < 100; ++i) {
        Changes changes;
        for (const Command& command : commands) {
            ASSERT_EQ(book->simulate(command, book.now(), changes).kind, Answer::Kind::recorded) << i;
        }
    }
    EXPECT_EQ(book->full(), "");
    for (const Command& command : commands) EXPECT_EQ(book.run(command).kind, Answer::Kind::recorded);
}

TEST(BookRoomTest, KnownIdsAreFullOnlyWhileNoRunIsSealed) {
    DrivenBook book("", {.accounts_max = 100,
                         .counters_max = 100,
                         .holds_max = 4,
                         .reversed_max = 8,
                         .bounds_max = 8,
                         .known_max = 40});
    book.open("ada", 5000);
    book.open("bob", 0);
    std::uint64_t paid = 0;
    while (book->full().empty()) book.run(a_payment().id(++paid).of("EUR", 1).command());
    EXPECT_EQ(book->full(), "book.known_max");
    Answer answer;
    do {
        answer = book.run(a_payment().id(++paid).of("EUR", 1).command());
    } while (answer.kind == Answer::Kind::recorded);
    EXPECT_EQ(answer.reason, Reason::book_full);
    EXPECT_GE(paid, 40u);
    book->forget_known(book.seq() / 2);
    EXPECT_EQ(book->full(), "");
    EXPECT_EQ(book->forgotten_through(), 0u);
}

}  // namespace
}  // namespace nostro::test
