// Weighs one payment or reversal against policy and accounts, and carries it out. Private to book*.cpp.
//
// Nothing changes before settle() or hold_back(): a refusal leaves no trace but its outcome, and opens no account.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "nostro/domain/book_state.hpp"

namespace nostro {

// One side of a payment, as it stands or as it would open.
struct Party {
    AccountCell* cell = nullptr;
    const AccountImage* image = nullptr;  // the cell's or `fresh`; nullptr: unknown, and may not be opened
    std::int64_t balance = 0;             // before the payment, after all openings
    std::int64_t opening = 0;
    AccountImage fresh;
    bool opens() const { return cell == nullptr && image != nullptr; }
};

class Decision {
public:
    // `outcome` receives why and balances.
    Decision(BookState& state, TenantState& tenant, const Payment& payment, Outcome& outcome);

    // Reason::none: nothing refuses it; is_review() then tells whether a person has to look.
    Reason weigh_payment(const Assessment& made_at_intake);
    Reason weigh_reversal();
    bool is_review() const { return is_review_; }

    // Whether the tables have room for what settle() or hold_back() will add.
    bool has_room(bool as_hold) const;

    // Call one of them once weighing has not refused.
    void settle();
    void hold_back(Status status, Instant expires_at, std::uint64_t number);
    // Balances of an outcome that moved nothing.
    void show_balances();

private:
    Party& resolve(Party& party, AccountId id, std::string_view name, std::int64_t opening);
    bool may_open(Party& party, AccountId id, std::string_view name, std::int64_t opening);
    void resolve_openings();
    void open(Party& party);
    Reason check(Check what, const Assessment& made_at_intake);
    Reason check_accounts() const;
    Reason check_status() const;
    Reason check_same_account() const;
    Reason check_amount();
    Reason check_range() const;
    Reason check_possible() const;
    Reason check_risk(const Assessment& made_at_intake);
    void assess_risk(const Assessment& made_at_intake);
    Reason check_limits();
    Reason check_funds() const;
    bool concerns(const Limit& limit) const;
    void count();

    struct Counting {
        const Limit* limit;
        std::uint64_t bucket;
    };
    BookState& state_;
    TenantState& tenant_;
    const Policy& policy_;
    const Payment& payment_;
    Outcome& outcome_;
    std::int64_t amount_;
    Party debtor_, creditor_;
    bool openings_fit_ = true;
    bool opens_equity_ = false;
    bool is_review_ = false;
    std::size_t counting_size_ = 0;
    std::array<Counting, kHitsMax> counting_;
    std::array<Counted, kHitsMax> counted_;
};

// Neither side may be closed or frozen; a debtor not frozen for debits either.
Reason refusal_by_status(const AccountImage& debtor, const AccountImage& creditor);

}  // namespace nostro
