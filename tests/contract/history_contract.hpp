// What ports/history.hpp promises, as a suite that every adapter runs: a test file includes this once and names its
// adapters with INSTANTIATE_TEST_SUITE_P(Adapters, HistoryContract, testing::Values(HistoryAdapter{...}), name_of).
#pragma once
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/history_book.hpp"
#include "tests/contract/history_model.hpp"
#include "tests/contract/history_rows_contract.hpp"

namespace nostro {

TEST_P(HistoryContract, FindsAPaymentWithAllThatBecameOfIt) {
    book.run(an_account("ada").with(100'000).command());
    book.run(an_account("bob").command());
    const Command held = a_payment().id(1).of("EUR", 2'000).manual().command();
    book.run(held);
    book.run(a_command(CapturePayment{payment_id_of(1), 1'500}));
    const auto found = book->payment(payment_id_of(1));
    ASSERT_TRUE(found && *found);
    ASSERT_THAT((*found)->outcomes, SizeIs(2));
    EXPECT_EQ((*found)->outcomes[0].status, Status::held);
    EXPECT_EQ((*found)->last().status, Status::settled);
    EXPECT_EQ((*found)->last().amount.minor(), 1'500);
    EXPECT_EQ((*found)->payment.debtor_name, "ada");
    const auto none = book->payment(payment_id_of(99));
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->has_value());
}

TEST_P(HistoryContract, AStatusListFollowsAPaymentFromStateToState) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    book.run(a_payment().id(1).of("EUR", 60'000).command());
    Search search;
    search.rail = 0;
    const auto list = [&](Status status) {
        search.status = status;
        auto page = book->payments(search);
        EXPECT_TRUE(page) << page.error().what;
        return ids(*page);
    };
    EXPECT_THAT(list(Status::in_review), ElementsAre(payment_id_of(1)));
    EXPECT_THAT(ids(*book->reviews(0, 10, "")), ElementsAre(payment_id_of(1)));
    book.run(a_command(DecideReview{payment_id_of(1), true, "rita", "fine"}));
    EXPECT_THAT(list(Status::in_review), IsEmpty());
    EXPECT_THAT(list(Status::settled), ElementsAre(payment_id_of(1)));
    EXPECT_THAT(book->reviews(0, 10, "")->items, IsEmpty());

    book.run(a_payment().id(2).manual().command());
    book.run(a_payment().id(3).manual().command());
    EXPECT_THAT(list(Status::held), ElementsAre(payment_id_of(3), payment_id_of(2)));
    book.run(a_command(VoidPayment{payment_id_of(2)}));
    book.wait(std::chrono::days(8));
    EXPECT_THAT(list(Status::held), IsEmpty());
    EXPECT_THAT(list(Status::voided), ElementsAre(payment_id_of(2)));
    EXPECT_THAT(list(Status::expired), ElementsAre(payment_id_of(3)));
}

TEST_P(HistoryContract, PagesAreNewestFirstAndStableWhileNewPaymentsCome) {
    book.run(an_account("ada").with(1'000'000).command());
    for (std::uint64_t n = 1; n <= 7; ++n) book.run(a_payment().id(n).of("EUR", 100).command());
    Search search = of_account("bob");
    search.count_max = 3;
    const auto first = book->payments(search);
    ASSERT_TRUE(first);
    EXPECT_THAT(ids(*first), ElementsAre(payment_id_of(7), payment_id_of(6), payment_id_of(5)));
    book.run(a_payment().id(8).of("EUR", 100).command());
    search.cursor = first->next;
    const auto second = book->payments(search);
    ASSERT_TRUE(second);
    EXPECT_THAT(ids(*second), ElementsAre(payment_id_of(4), payment_id_of(3), payment_id_of(2)));
    search.cursor = second->next;
    const auto last = book->payments(search);
    ASSERT_TRUE(last);
    EXPECT_THAT(ids(*last), ElementsAre(payment_id_of(1)));
    EXPECT_EQ(last->next, "");
}

TEST_P(HistoryContract, FiltersNarrow) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(a_payment().id(1).of("EUR", 100).type("A").command());
    book.run(a_payment().id(2).of("EUR", 200).type("B").command());
    book.run(a_payment().id(3).of("EUR", 300).type("A").command());
    Search search = of_account("ada");
    search.type = "A";
    EXPECT_THAT(ids(*book->payments(search)), ElementsAre(payment_id_of(3), payment_id_of(1)));
    search.min_minor = 101;
    EXPECT_THAT(ids(*book->payments(search)), ElementsAre(payment_id_of(3)));
    search.max_minor = 299;
    EXPECT_THAT(book->payments(search)->items, IsEmpty());
    search = of_account("ada");
    search.currency = currency("USD");
    EXPECT_THAT(book->payments(search)->items, IsEmpty());
}

TEST_P(HistoryContract, ASpanBoundsASearchAndItsEndsAreInclusiveAndExclusive) {
    book.run(an_account("ada").with(1'000'000).command());
    const Instant start = book.book().now();
    for (std::uint64_t n = 1; n <= 4; ++n) {
        book.pass(std::chrono::minutes(1));
        book.run(a_payment().id(n).of("EUR", 100).command());
    }
    Search search;
    search.from = start + std::chrono::minutes(2);
    search.to = start + std::chrono::minutes(4);
    EXPECT_THAT(ids(*book->payments(search)), ElementsAre(payment_id_of(3), payment_id_of(2)));
    search.from = start - std::chrono::days(40);
    const auto refused = book->payments(search);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("search_not_bounded"));
}

TEST_P(HistoryContract, RefusesASearchThatNothingBoundsAndACursorOfAnother) {
    book.run(an_account("ada").with(1'000).command());
    const auto unbounded = book->payments(Search{});
    ASSERT_FALSE(unbounded);
    EXPECT_EQ(unbounded.error().code, ErrorCode::invalid);
    EXPECT_THAT(unbounded.error().what, HasSubstr("search_not_bounded"));
    for (const std::string cursor :
         {"x", "0123456789012345678901234567890123456789", "zz23456789012345678901234567890123456789"}) {
        Search search = of_account("ada");
        search.cursor = cursor;
        const auto refused = book->payments(search);
        ASSERT_FALSE(refused) << cursor;
        EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    }
}

TEST_P(HistoryContract, TellsBalancesOfThen) {
    book.run(an_account("ada").with(1'000).command());
    const Seq opened = book.book().seq();
    book.run(a_payment().of("EUR", 300).command());
    const Seq paid = book.book().seq();
    book.run(a_payment().of("EUR", 9'999'999).command());  // rejected: changes nothing
    EXPECT_EQ(book->account_at(account("ada"), opened)->balance, 1'000);
    EXPECT_EQ(book->account_at(account("ada"), paid)->balance, 700);
    EXPECT_EQ(book->account_at(account("ada"), paid + 100)->balance, 700);
    const auto before = book->account_at(account("ada"), opened - 1);
    ASSERT_FALSE(before);
    EXPECT_EQ(before.error().code, ErrorCode::not_found);
}

TEST_P(HistoryContract, EntriesRunFromOpeningToBalanceWithoutAGap) {
    book.run(an_account("ada").with(1'000).command());
    for (int i = 0; i < 5; ++i) book.run(a_payment().of("EUR", 100 + i).command());
    book.run(a_payment().of("EUR", 50).manual().command());  // reserves, posts nothing
    for (const std::string_view name : {"ada", "bob", "house:equity:EUR"}) {
        const auto page = book->entries(account(name), {}, {}, false, 100, "");
        ASSERT_TRUE(page) << page.error().what;
        std::int64_t balance = 0;
        for (const Entry& entry : page->items) {
            EXPECT_EQ(entry.before_minor, balance) << name;
            EXPECT_EQ(entry.debit, entry.after_minor < entry.before_minor) << name;
            balance = entry.after_minor;
        }
        EXPECT_EQ(balance, book.book().balance(name)) << name;
    }
}

TEST_P(HistoryContract, KnowsAccountsByTheirNameAndTheirChanges) {
    OpenAccount open = std::get<OpenAccount>(an_account("ada").with(1'000).command().body);
    open.holder = "Ada Lovelace";
    open.metadata = R"({"a":"1"})";
    book.run(a_command(open));
    ChangeAccount change;
    change.id = account("ada");
    change.holder = "Ada King";
    book.run(a_command(change));
    book.run(a_payment().from("carl").to("dora").opening(5'000, 0).of("EUR", 100).command());
    const auto ada = book->account(account("ada"));
    ASSERT_TRUE(ada && *ada);
    EXPECT_EQ((*ada)->name, "ada");
    EXPECT_EQ((*ada)->holder, "Ada King");
    EXPECT_EQ((*ada)->metadata, R"({"a":"1"})");
    const auto carl = book->account(account("carl"));
    ASSERT_TRUE(carl && *carl);
    EXPECT_EQ((*carl)->name, "carl");
    EXPECT_EQ((*carl)->image.balance, 4'900);
    EXPECT_FALSE(book->account(account("nobody"))->has_value());

    std::vector<std::string> names;
    std::string cursor;
    do {
        const auto page = book->accounts(0, 2, cursor);
        ASSERT_TRUE(page) << page.error().what;
        for (const AccountRecord& record : page->items) names.push_back(record.name);
        cursor = page->next;
    } while (!cursor.empty());
    EXPECT_THAT(names, ElementsAre("ada", "carl", "dora", "house:equity:EUR"));
}

TEST_P(HistoryContract, KnowsAccountsAsTheyWere) {
    OpenAccount open = std::get<OpenAccount>(an_account("ada").with(1'000).command().body);
    open.holder = "Ada Lovelace";
    book.run(a_command(open));
    const Seq opened = book.frames().size();
    book.run(an_account("bob").command());
    book.run(a_payment().from("ada").to("bob").of("EUR", 100).command());
    ChangeAccount change;
    change.id = account("ada");
    change.holder = "Ada King";
    book.run(a_command(change));
    const Seq changed = book.frames().size();
    const auto as_of = [&](std::string_view name, Seq at) {
        const auto record = book->account_as_of(account(name), at);
        EXPECT_TRUE(record) << record.error().what;
        return record && *record ? fmt::format("{} {} {}", (*record)->name, (*record)->holder, (*record)->image.balance)
                                 : "none";
    };
    EXPECT_EQ(as_of("ada", opened - 1), "none");
    EXPECT_EQ(as_of("ada", opened), "ada Ada Lovelace 1000");
    EXPECT_EQ(as_of("ada", changed - 1), "ada Ada Lovelace 900");
    EXPECT_EQ(as_of("ada", changed), "ada Ada King 900");
    EXPECT_EQ(as_of("ada", changed + 100), "ada Ada King 900");
    EXPECT_EQ(as_of("bob", opened), "none");
    EXPECT_EQ(as_of("bob", changed), "bob  100");
}

TEST_P(HistoryContract, TakesOnlyACursorOfTheAccountsThatItGave) {
    for (const std::string_view name : {"ada", "carl", "dora"}) book.run(an_account(name).command());
    const std::string given = book->accounts(0, 2, "")->next;
    ASSERT_FALSE(given.empty());
    EXPECT_TRUE(book->accounts(0, 2, given));
    for (const std::string& cursor : {std::string("ada"), std::string("carl"), given.substr(0, 16), given.substr(1),
                                      given + "a", "0" + given, std::string(16, '0') + "ada", std::string(40, '0')}) {
        const auto page = book->accounts(0, 2, cursor);
        ASSERT_FALSE(page) << cursor;
        EXPECT_EQ(page.error().code, ErrorCode::invalid);
    }
    EXPECT_FALSE(book->accounts(1, 2, given)) << "of another tenant";
}

TEST_P(HistoryContract, TotalsOfThenSumToZero) {
    book.run(an_account("ada").with(1'000).command());
    book.run(an_account("shop").kind(AccountKind::merchant).command());
    const Seq then = book.book().seq();
    book.run(a_payment().to("shop").of("EUR", 250).command());
    const auto check = [&](Seq at, std::int64_t merchants) {
        const auto totals = book->totals_at(at);
        ASSERT_TRUE(totals);
        Book::KindTotal::Sum sum = 0;
        for (const auto& total : *totals) {
            sum += total.posted;
            if (total.kind == AccountKind::merchant) {
                EXPECT_EQ(total.posted, merchants);
            }
        }
        EXPECT_EQ(sum, 0);
        EXPECT_EQ(totals->size(), 3u);
    };
    check(then, 0);
    check(book.book().seq(), 250);
}

TEST_P(HistoryContract, KeepsDeadLettersAndWhatBecameOfThem) {
    book.run(a_command(KeepDeadLetter{"file", "row 7", "paysim_csv", "no amount", "1,2,3"}));
    const auto page = book->dead_letters(10, "");
    ASSERT_TRUE(page);
    ASSERT_THAT(page->items, SizeIs(1));
    EXPECT_EQ(page->items[0].why, "no amount");
    EXPECT_EQ(page->items[0].state, DeadLetter::State::open);
    book.run(a_command(ResolveDeadLetter{page->items[0].place, false, "rita", ""}));
    const auto letter = book->dead_letter(page->items[0].place);
    ASSERT_TRUE(letter && *letter);
    EXPECT_EQ((*letter)->state, DeadLetter::State::discarded);
    EXPECT_FALSE(book->dead_letter({99, 0})->has_value());
}

TEST_P(HistoryContract, SaysWhenHistoryWasDropped) {
    book.run(an_account("ada").with(1'000).command());
    book.run(a_payment().id(1).of("EUR", 100).command());
    book.drop_history_before(book.book().seq() + 1);
    const auto found = book->payment(payment_id_of(1));
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().what, HasSubstr("history_dropped"));
}

// Everything that can be asked of a book that has seen all sorts of things, held against its frames, read one by one.
TEST_P(HistoryContract, SaysOfAnyBookWhatItsFramesSay) {
    fill_at_random(book, 17);
    const HistoryModel model(book.frames());
    model.compare_payments(*book);
    model.compare_lists(*book);
    model.compare_accounts(*book);
    book.reopen();
    model.compare_lists(*book);
}

inline std::string name_of(const testing::TestParamInfo<HistoryAdapter>& info) { return info.param.name; }

}  // namespace nostro
