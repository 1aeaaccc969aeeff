// What the model is asked once every frame is in it.
#include <gtest/gtest.h>

#include <map>

#include "tests/sim/model.hpp"

namespace nostro::sim {

const Model::Known* Model::known(PaymentId id) const {
    const auto found = state_.known.find(id);
    return found != state_.known.end() ? &found->second : nullptr;
}

const Place* Model::submitted(PaymentId payment) const {
    const auto found = state_.submitted.find(payment);
    return found != state_.submitted.end() ? &found->second : nullptr;
}

const Place* Model::opened(AccountId account) const {
    const auto found = state_.accounts.find(account);
    return found != state_.accounts.end() ? &found->second.opened : nullptr;
}

bool Model::was_held_throughout(PaymentId payment, Seq from, Seq through, Instant until) const {
    const auto changes = changes_.find(payment);
    if (changes == changes_.end()) return false;
    const Change* at = nullptr;
    for (const Change& change : changes->second) {
        if (change.seq > from && change.seq <= through) return false;
        if (change.seq <= from) at = &change;
    }
    return at != nullptr && at->can_be_captured && at->expires_at > until;
}

void Model::check_book(const Book& book) const {
    std::map<Currency, std::int64_t> sums;
    const PolicyPtr policy = book.policy(0);
    ASSERT_NE(policy, nullptr);
    EXPECT_EQ(policy->version(), terms_->version);
    for (const auto& [id, account] : state_.accounts) {
        const AccountImage* image = book.account(id);
        ASSERT_NE(image, nullptr);
        EXPECT_EQ(image->balance, account.balance);
        EXPECT_EQ(image->held, account.held);
        EXPECT_EQ(image->floor, account.floor);
        EXPECT_EQ(image->status, account.status);
        sums[account.currency] += account.balance;
        EXPECT_EQ(book.limit_used(id, *policy->limit("often"), now_), used(id, Counts::often, now_));
        EXPECT_EQ(book.limit_used(id, *policy->limit("much"), now_), used(id, Counts::much, now_));
    }
    for (const auto& [currency, sum] : sums) EXPECT_EQ(sum, 0) << currency.code();
    for (const auto& [payment, status] : state_.states) {
        const HoldImage* hold = book.hold(payment);
        ASSERT_EQ(hold != nullptr, is_open(status));
        if (hold != nullptr) {
            EXPECT_EQ(hold->status, status);
        }
        // Sealed runs keep places alone.
        if (const auto known = book.known(payment)) {
            EXPECT_EQ(known->state, status);
        }
    }
    for (const auto& [payment, minor] : state_.reversed) EXPECT_EQ(book.reversed_minor(payment), minor);
}

}  // namespace nostro::sim
