// What a store of history has to say, found the slow way: by reading every frame. For the suite of
// history_contract.hpp.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "nostro/base/random.hpp"
#include "tests/contract/history_book.hpp"
#include "tests/unit/wire/equal_things.hpp"

namespace nostro {

constexpr std::uint64_t kModelPayments = 120;
constexpr std::string_view kModelAccounts[] = {"ada", "bob", "carl"};
constexpr std::string_view kModelReferences[] = {"", "R-1", "R-2"};

inline void reverse_at_random(HistoryBook& book, std::uint64_t n, PaymentId original) {
    for (const DecodedPtr& frame : book.frames()) {
        const auto& outcomes = frame->changes.outcomes;
        for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
            const Payment* payment = payment_of(*frame, outcomes[i]);
            if (payment == nullptr || payment->id != original || outcomes[i].status != Status::settled) continue;
            ReversePayment reverse;
            reverse.payment = *payment;
            std::swap(reverse.payment.debtor, reverse.payment.creditor);
            std::swap(reverse.payment.debtor_name, reverse.payment.creditor_name);
            reverse.payment.id = payment_id_of(100'000 + n);
            reverse.payment.amount = Money(1, payment->amount.currency());
            reverse.original = original;
            reverse.original_at = {frame->seq(), i};
            reverse.original_minor = payment->amount.minor();
            reverse.original_settled_at = frame->time();
            book.run({0, reverse.payment.id, n, reverse});
            return;
        }
    }
}

// Payments, some of them held, looked at, captured, reversed; accounts that change; time that passes.
inline void fill_at_random(HistoryBook& book, std::uint64_t seed) {
    for (const auto name : kModelAccounts) book.run(an_account(name).with(1'000'000).command());
    Xoshiro256 random(seed);
    for (std::uint64_t n = 1; n <= kModelPayments; ++n) {
        const auto from = random.below(3);
        auto payment = a_payment().id(n).from(kModelAccounts[from]).to(kModelAccounts[(from + 1) % 3]);
        payment.of("EUR", static_cast<std::int64_t>(1 + random.below(70'000)));
        if (random.chance(1, 4)) payment.manual();
        auto submit = payment.submit();
        submit.payment.reference = kModelReferences[random.below(3)];
        book.run({0, submit.payment.id, submit.meaning, submit});
        const auto earlier = payment_id_of(1 + random.below(n));
        if (random.chance(1, 3)) book.run(a_command(CapturePayment{earlier, {}}));
        if (random.chance(1, 3)) book.run(a_command(DecideReview{earlier, random.chance(1, 2), "rita", ""}));
        if (random.chance(1, 4)) reverse_at_random(book, n, earlier);
        if (random.chance(1, 20)) book.wait(std::chrono::hours(30));
    }
}

inline bool same_recorded(const Recorded& a, const Recorded& b) {
    return test::same(a.payment, b.payment) && a.outcomes == b.outcomes && a.places == b.places && a.times == b.times &&
           a.reversals == b.reversals && a.reversed_minor == b.reversed_minor && a.reviewed_by == b.reviewed_by &&
           a.review_note == b.review_note && a.meaning == b.meaning;
}

class HistoryModel {
public:
    explicit HistoryModel(const std::vector<DecodedPtr>& frames) : frames_(frames) {
        for (const DecodedPtr& frame : frames) {
            const auto& outcomes = frame->changes.outcomes;
            for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
                const Outcome& outcome = outcomes[i];
                if (!is_of_payment(outcome.event)) continue;
                if (outcome.event == Event::submitted) order_.push_back(outcome.payment);
                add_outcome(payments_[outcome.payment], frame, i);
                if (!outcome.reverses.empty()) add_outcome(payments_[outcome.reverses], frame, i);
            }
        }
        std::ranges::reverse(order_);
    }

    void compare_payments(const History& history) const {
        for (const auto& [id, wanted] : payments_) {
            const auto found = history.payment(id);
            ASSERT_TRUE(found && *found);
            EXPECT_TRUE(same_recorded(**found, wanted)) << id.low;
        }
    }

    // Of each account, status and reference, narrowed and not, in pages of seven.
    void compare_lists(const History& history) const {
        std::vector<Search> searches;
        for (const auto name : kModelAccounts) searches.push_back(of_account(name));
        for (int status = 0; status < 8; ++status) {
            Search& of_all = searches.emplace_back();
            of_all.rail = 0;
            of_all.status = static_cast<Status>(status);
            Search& of_one = searches.emplace_back(of_account("bob"));
            of_one.status = static_cast<Status>(status);
        }
        for (const auto reference : {"R-1", "R-2", "R-3"}) searches.emplace_back().reference = reference;
        Search& span = searches.emplace_back();
        span.from = frames_[frames_.size() / 3]->time();
        span.to = frames_[frames_.size() / 2]->time();
        for (std::size_t i = 0, plain = searches.size(); i < plain; ++i) {
            searches.push_back(searches[i]);
            searches.back().min_minor = 20'000;
            searches.push_back(searches[i]);
            searches.back().from = frames_[frames_.size() / 4]->time();
        }
        for (const Search& search : searches) compare_list(history, search);
        compare_reviews(history);
    }

    void compare_accounts(const History& history) const {
        std::map<AccountId, AccountImage> images;
        for (const DecodedPtr& frame : frames_) {
            for (const AccountImage& image : frame->changes.accounts) images[image.id] = image;
            if (frame->seq() % 3 != 0) continue;
            using Row = std::tuple<TenantNo, Currency, AccountKind>;
            std::map<Row, std::tuple<std::int64_t, Book::KindTotal::Sum, Book::KindTotal::Sum>> totals, told;
            for (const auto& [id, image] : images) {
                const auto then = history.account_at(id, frame->seq());
                ASSERT_TRUE(then) << then.error().what;
                EXPECT_EQ(*then, image) << frame->seq();
                auto& [count, posted, held] = totals[{image.tenant, image.currency, image.kind}];
                ++count, posted += image.balance, held += image.held;
            }
            const auto found = history.totals_at(frame->seq());
            ASSERT_TRUE(found) << found.error().what;
            for (const auto& each : *found) {
                told[{each.tenant, each.currency, each.kind}] = {each.accounts, each.posted, each.held};
            }
            EXPECT_EQ(told, totals) << frame->seq();
            EXPECT_EQ(history.seq_at(frame->time()).value(), newest_at(frame->time()));
        }
    }

private:
    Seq newest_at(Instant at) const {
        Seq newest = 0;
        for (const DecodedPtr& frame : frames_) {
            if (frame->time() <= at) newest = frame->seq();
        }
        return newest;
    }

    bool asks_for(const Search& search, const Recorded& recorded) const {
        const Payment& payment = recorded.payment;
        if (search.account && payment.debtor != *search.account && payment.creditor != *search.account) return false;
        if (search.reference && payment.reference != *search.reference) return false;
        if (search.status && recorded.last().status != *search.status) return false;
        if (search.min_minor && payment.amount.minor() < *search.min_minor) return false;
        const Instant at = recorded.times.front();
        return (!search.from || at >= *search.from) && (!search.to || at < *search.to);
    }

    void compare_list(const History& history, Search search) const {
        std::vector<PaymentId> wanted, found;
        for (const PaymentId id : order_) {
            if (asks_for(search, payments_.at(id))) wanted.push_back(id);
        }
        search.count_max = 7;
        do {
            const auto page = history.payments(search);
            ASSERT_TRUE(page) << page.error().what;
            EXPECT_LE(page->items.size(), search.count_max);
            EXPECT_EQ(page->as_of.seq, frames_.size());
            for (const Recorded& each : page->items) {
                found.push_back(each.payment.id);
                EXPECT_TRUE(same_recorded(each, payments_.at(each.payment.id))) << each.payment.id.low;
            }
            search.cursor = page->next;
        } while (!search.cursor.empty());
        EXPECT_EQ(found, wanted);
    }

    void compare_reviews(const History& history) const {
        std::vector<PaymentId> wanted, found;
        for (auto id = order_.rbegin(); id != order_.rend(); ++id) {
            if (payments_.at(*id).last().status == Status::in_review) wanted.push_back(*id);
        }
        std::string cursor;
        do {
            const auto page = history.reviews(0, 3, cursor);
            ASSERT_TRUE(page) << page.error().what;
            for (const Recorded& each : page->items) found.push_back(each.payment.id);
            cursor = page->next;
        } while (!cursor.empty());
        EXPECT_EQ(found, wanted);
    }

    const std::vector<DecodedPtr>& frames_;
    std::map<PaymentId, Recorded> payments_;
    std::vector<PaymentId> order_;  // newest first
};

}  // namespace nostro
