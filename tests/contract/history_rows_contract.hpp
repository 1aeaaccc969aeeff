// The part of the suite about walks by number, and rows that profiles keep of their payments: history_contract.hpp
// includes it.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "nostro/base/random.hpp"
#include "tests/contract/history_book.hpp"

namespace nostro {

inline Command typed(std::uint64_t id, std::string_view type, std::string_view reference, bool manual = false) {
    auto made = a_payment().id(id).of("EUR", 100);
    if (manual) made.manual();
    auto submit = made.submit();
    submit.payment.type = type;
    submit.payment.reference = reference;
    return {0, submit.payment.id, submit.meaning, submit};
}

inline RowSearch rows_of(std::string group, std::string from = "", std::string to = "") {
    RowSearch search;
    search.group = std::move(group);
    search.from = std::move(from);
    search.to = std::move(to);
    return search;
}

inline std::vector<PaymentId> found(HistoryBook& book, const RowSearch& search) {
    const auto page = book->rows(search);
    EXPECT_TRUE(page) << page.error().what;
    return page ? ids(*page) : std::vector<PaymentId>{};
}

TEST_P(HistoryContract, RowsStandInTheOrderOfTheirTextsWhateverTheOrderInWhichTheyCame) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    book.run(typed(1, "A", "2024-03"));
    book.run(typed(2, "A", "2024-01"));
    book.run(typed(3, "B", "2024-02"));
    book.run(typed(4, "A", "2024-02"));
    EXPECT_THAT(found(book, rows_of("A")), ElementsAre(payment_id_of(2), payment_id_of(4), payment_id_of(1)));
    EXPECT_THAT(found(book, rows_of("B")), ElementsAre(payment_id_of(3)));
    EXPECT_THAT(found(book, rows_of("all")),
                ElementsAre(payment_id_of(2), payment_id_of(3), payment_id_of(4), payment_id_of(1)));
    EXPECT_THAT(found(book, rows_of("C")), IsEmpty());
    EXPECT_THAT(found(book, rows_of("")), IsEmpty());
    RowSearch other = rows_of("A");
    other.tenant = 1;
    EXPECT_THAT(found(book, other), IsEmpty());
}

TEST_P(HistoryContract, ASpanOfRowsHoldsItsBeginAndNotItsEnd) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    const std::string_view rows[] = {"a", "ab", "b", "c"};
    for (std::uint64_t n = 1; n <= 4; ++n) book.run(typed(n, "A", rows[n - 1]));
    EXPECT_THAT(found(book, rows_of("A", "ab", "c")), ElementsAre(payment_id_of(2), payment_id_of(3)));
    EXPECT_THAT(found(book, rows_of("A", "aa", "b")), ElementsAre(payment_id_of(2)));
    EXPECT_THAT(found(book, rows_of("A", "c")), ElementsAre(payment_id_of(4)));
    EXPECT_THAT(found(book, rows_of("A", "", "a")), IsEmpty());
    EXPECT_THAT(found(book, rows_of("A", "c", "a")), IsEmpty());
}

TEST_P(HistoryContract, EqualRowsStandInTheOrderOfTheirPayments) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    for (std::uint64_t n = 1; n <= 4; ++n) book.run(typed(n, "A", n == 3 ? "same!" : "same"));
    EXPECT_THAT(found(book, rows_of("A")),
                ElementsAre(payment_id_of(1), payment_id_of(2), payment_id_of(4), payment_id_of(3)));
}

// Bytes that keys are made of, and texts that are as long as counts and longer.
TEST_P(HistoryContract, AnyTextIsARow) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    Xoshiro256 random(5);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 200; ++i) {
        std::string text(random.below(5) == 0 ? kIndexRowMax + random.below(3) : 1 + random.below(3), '\1');
        for (char& c : text) c = std::string_view("\0\1\2\377a", 5)[random.below(5)];
        texts.push_back(std::move(text));
    }
    for (std::uint64_t n = 1; n <= texts.size(); ++n) book.run(typed(n, "A", texts[n - 1]));
    std::vector<std::pair<std::string, std::uint64_t>> sorted;
    for (std::uint64_t n = 1; n <= texts.size(); ++n) sorted.emplace_back(texts[n - 1].substr(0, kIndexRowMax), n);
    std::ranges::sort(sorted);
    RowSearch search = rows_of("A");
    search.count_max = 7;
    for (int i = 0; i < 40; ++i) {
        search.from = texts[random.below(texts.size())];
        search.to = random.chance(1, 4) ? "" : texts[random.below(texts.size())];
        std::vector<PaymentId> wanted, got;
        for (const auto& [text, n] : sorted) {
            if (text < search.from.substr(0, kIndexRowMax)) continue;
            if (!search.to.empty() && text >= search.to.substr(0, kIndexRowMax)) continue;
            wanted.push_back(payment_id_of(n));
        }
        search.cursor.clear();
        do {
            const auto page = book->rows(search);
            ASSERT_TRUE(page) << page.error().what;
            for (const auto& one : ids(*page)) got.push_back(one);
            search.cursor = page->next;
        } while (!search.cursor.empty());
        ASSERT_EQ(got, wanted);
    }
}

TEST_P(HistoryContract, PagesOfRowsGoOnWhereTheLastOneEndedWhileNewRowsCome) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    for (std::uint64_t n = 1; n <= 6; ++n) book.run(typed(n, "A", std::string(1, static_cast<char>('a' + n))));
    RowSearch search = rows_of("A");
    search.count_max = 2;
    const auto first = book->rows(search);
    ASSERT_TRUE(first);
    EXPECT_THAT(ids(*first), ElementsAre(payment_id_of(1), payment_id_of(2)));
    EXPECT_EQ(first->as_of.seq, book.book().seq());
    book.run(typed(7, "A", "a"));    // before what was told
    book.run(typed(8, "A", "daa"));  // behind it
    search.cursor = first->next;
    search.count_max = 3;
    const auto second = book->rows(search);
    ASSERT_TRUE(second);
    EXPECT_THAT(ids(*second), ElementsAre(payment_id_of(3), payment_id_of(8), payment_id_of(4)));
    search.cursor = second->next;
    const auto last = book->rows(search);
    ASSERT_TRUE(last);
    EXPECT_THAT(ids(*last), ElementsAre(payment_id_of(5), payment_id_of(6)));
    EXPECT_EQ(last->next, "");
}

TEST_P(HistoryContract, ACursorOfOtherRowsIsRefused) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    for (std::uint64_t n = 1; n <= 3; ++n) book.run(typed(n, "A", "x"));
    RowSearch search = rows_of("A");
    search.count_max = 1;
    const std::string cursor = book->rows(search)->next;
    ASSERT_NE(cursor, "");
    RowSearch other = rows_of("all");
    for (const std::string& wrong : {cursor, cursor.substr(1), cursor.substr(2), cursor + "0", std::string("zz"),
                                     std::string(40, '0'), cursor.substr(cursor.size() - 16)}) {
        other.cursor = wrong;
        const auto page = book->rows(other);
        ASSERT_FALSE(page) << wrong;
        EXPECT_EQ(page.error().code, ErrorCode::invalid);
        EXPECT_THAT(page.error().what, HasSubstr("next_cursor"));
    }
}

TEST_P(HistoryContract, RowsHaveAllThatBecameOfTheirPayments) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    book.run(typed(1, "A", "x", true));
    book.run(a_command(CapturePayment{payment_id_of(1), 60}));
    book.run(a_command(KeepRecord{payment_id_of(2), Reason::none, "{\"n\":1}"}, payment_id_of(2)));
    const auto page = book->rows(rows_of("A"));
    ASSERT_TRUE(page);
    ASSERT_THAT(page->items, SizeIs(1));
    EXPECT_THAT(page->items[0].outcomes, SizeIs(2));
    EXPECT_EQ(page->items[0].last().status, Status::settled);
    EXPECT_EQ(page->items[0].payment.reference, "x");
    const auto records = book->rows(rows_of("records"));
    ASSERT_TRUE(records);
    ASSERT_THAT(records->items, SizeIs(1));
    EXPECT_EQ(records->items[0].payment.attachment, "{\"n\":1}");
}

TEST_P(HistoryContract, RowsThatAreNotKeptAnyLongerAreLeftOut) {
    book.run(an_account("ada").with(1'000'000).command());
    book.run(an_account("bob").command());
    book.run(typed(1, "A", "a"));
    book.run(typed(2, "A", "b"));
    book.drop_history_before(book.book().seq());
    EXPECT_THAT(found(book, rows_of("A")), ElementsAre(payment_id_of(2)));
}

TEST_P(HistoryContract, AProgramWithoutRowsSaysSo) {
    book.keep_no_rows();
    const auto page = book->rows(rows_of("A"));
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, ErrorCode::unavailable);
}

TEST_P(HistoryContract, FramesAreFoundByTheNumbersInThem) {
    EXPECT_EQ(book->frame_of_number(0, 1).value(), std::nullopt);
    book.run(an_account("ada").with(1'000'000).command());
    std::vector<Seq> frames;
    const auto run = [&](const Command& command) {
        book.run(command);
        frames.push_back(book.book().seq());
    };
    run(a_payment().id(1).of("EUR", 100).command());
    run(a_payment().id(2).of("EUR", 100).from("nobody").command());
    book.run(an_account("cid").command());  // has no number
    run(a_command(KeepRecord{payment_id_of(3), Reason::none, "{}"}, payment_id_of(3)));
    run(a_payment().id(4).of("EUR", 100).command());
    for (int i = 0; i < 2; ++i) {
        for (std::uint64_t number = 1; number <= 4; ++number) {
            EXPECT_EQ(book->frame_of_number(0, number).value(), frames[number - 1]) << number;
        }
        EXPECT_EQ(book->frame_of_number(0, 0).value(), frames[0]);
        EXPECT_EQ(book->frame_of_number(0, 5).value(), std::nullopt);
        EXPECT_EQ(book->frame_of_number(1, 1).value(), std::nullopt);
        book.reopen();
    }
}

}  // namespace nostro
