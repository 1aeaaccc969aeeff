#include "nostro/domain/book_decision.hpp"

#include <algorithm>

namespace nostro {

Decision::Decision(BookState& state, TenantState& tenant, const Payment& payment, Outcome& outcome)
    : state_(state),
      tenant_(tenant),
      policy_(*tenant.policy),
      payment_(payment),
      outcome_(outcome),
      amount_(payment.amount.minor()) {}

// --- the two sides

bool Decision::may_open(Party& party, AccountId id, std::string_view name, std::int64_t opening) {
    if (id.empty()) return false;
    AccountImage& fresh = party.fresh;
    if (is_house_name(name)) {
        const auto currency = house_currency(name);
        if (!currency) return false;
        fresh.kind = AccountKind::house;
        fresh.currency = *currency;
        fresh.floor = kNoFloor;
    } else {
        if (policy_.unknown_accounts() != UnknownAccounts::open) return false;
        fresh.currency = payment_.amount.currency();
        fresh.floor = policy_.opened_floor_minor(fresh.currency);
        party.opening = opening;
    }
    fresh.id = id;
    fresh.tenant = payment_.tenant;
    fresh.opened_at = state_.now;
    return true;
}

Party& Decision::resolve(Party& party, AccountId id, std::string_view name, std::int64_t opening) {
    party.cell = state_.accounts.find(id);
    if (party.cell != nullptr) {
        if (party.cell->image.tenant == payment_.tenant) party.image = &party.cell->image;
    } else if (may_open(party, id, name, opening)) {
        party.image = &party.fresh;
    }
    if (party.image != nullptr) party.balance = party.image->balance + party.opening;
    return party;
}

// Money that accounts open with leaves equity before the payment moves, also when equity is one of its sides.
void Decision::resolve_openings() {
    if (debtor_.opening == 0 && creditor_.opening == 0) return;
    const AccountId id = tenant_.equity_account(payment_.amount.currency());
    const AccountCell* equity = state_.accounts.find(id);
    opens_equity_ = equity == nullptr;
    CounterSum balance = equity == nullptr ? 0 : equity->image.balance;
    balance -= debtor_.opening;
    openings_fit_ = is_narrow(balance);
    balance -= creditor_.opening;
    openings_fit_ = openings_fit_ && is_narrow(balance);
    if (!openings_fit_) return;
    if (payment_.debtor == id) debtor_.balance = static_cast<std::int64_t>(balance);
    if (payment_.creditor == id) creditor_.balance = static_cast<std::int64_t>(balance);
}

// --- checks

Reason Decision::weigh_payment(const Assessment& made_at_intake) {
    resolve(debtor_, payment_.debtor, payment_.debtor_name, payment_.debtor_opening_minor);
    resolve(creditor_, payment_.creditor, payment_.creditor_name, payment_.creditor_opening_minor);
    resolve_openings();
    outcome_.why.version = policy_.version();
    for (const Check what : policy_.order()) {
        if (const Reason reason = check(what, made_at_intake); reason != Reason::none) return reason;
    }
    return check_possible();
}

Reason Decision::weigh_reversal() {
    resolve(debtor_, payment_.debtor, {}, 0);
    resolve(creditor_, payment_.creditor, {}, 0);
    outcome_.why.version = policy_.version();
    if (const Reason reason = check_accounts(); reason != Reason::none) return reason;
    if (const Reason reason = check_status(); reason != Reason::none) return reason;
    if (const Reason reason = check_possible(); reason != Reason::none) return reason;
    return check_funds();
}

// Whatever a policy leaves out, money never moves between accounts that are not, are one, or cannot hold it.
Reason Decision::check_possible() const {
    if (const Reason reason = check_accounts(); reason != Reason::none) return reason;
    if (const Reason reason = check_same_account(); reason != Reason::none) return reason;
    return check_range();
}

Reason Decision::check(Check what, const Assessment& made_at_intake) {
    switch (what) {
        case Check::accounts: return check_accounts();
        case Check::status: return check_status();
        case Check::same_account: return check_same_account();
        case Check::amount: return check_amount();
        case Check::risk: return check_risk(made_at_intake);
        case Check::limits: return check_limits();
        case Check::funds: return check_funds();
    }
    return Reason::none;
}

Reason Decision::check_accounts() const {
    if (debtor_.image == nullptr || creditor_.image == nullptr) return Reason::account_unknown;
    const Currency currency = payment_.amount.currency();
    if (debtor_.image->currency != currency || creditor_.image->currency != currency) return Reason::currency_mismatch;
    return Reason::none;
}

Reason refusal_by_status(const AccountImage& debtor, const AccountImage& creditor) {
    switch (debtor.status) {
        case AccountStatus::active: break;
        case AccountStatus::frozen_debit:
        case AccountStatus::frozen: return Reason::account_frozen;
        case AccountStatus::closed: return Reason::account_closed;
    }
    switch (creditor.status) {
        case AccountStatus::active:
        case AccountStatus::frozen_debit: break;
        case AccountStatus::frozen: return Reason::account_frozen;
        case AccountStatus::closed: return Reason::account_closed;
    }
    return Reason::none;
}

Reason Decision::check_status() const {
    static const AccountImage kUnknown;  // active: an account that is not there is refused by another check
    return refusal_by_status(debtor_.image != nullptr ? *debtor_.image : kUnknown,
                             creditor_.image != nullptr ? *creditor_.image : kUnknown);
}

Reason Decision::check_same_account() const {
    return payment_.debtor == payment_.creditor ? Reason::same_account : Reason::none;
}

Reason Decision::check_amount() {
    if (const Reason reason = check_range(); reason != Reason::none) return reason;
    const auto refusal = policy_.rail_refusal(payment_);
    if (!refusal) return Reason::none;
    outcome_.why.add(refusal->hit);
    return refusal->why == RailRefusal::Why::currency_not_taken ? Reason::currency_mismatch
                                                                : Reason::amount_out_of_range;
}

Reason Decision::check_range() const {
    if (amount_ <= 0 || !openings_fit_) return Reason::amount_out_of_range;
    if (debtor_.image != nullptr) {
        // Available must fit too: balance - held is what every reader computes.
        const CounterSum held = debtor_.image->held;
        if (!is_narrow(CounterSum{debtor_.balance} - held - amount_) || !is_narrow(held + amount_)) {
            return Reason::amount_out_of_range;
        }
    }
    if (creditor_.image != nullptr && !is_narrow(CounterSum{creditor_.balance} + amount_)) {
        return Reason::amount_out_of_range;
    }
    return Reason::none;
}

Reason Decision::check_risk(const Assessment& made_at_intake) {
    Assessment& why = outcome_.why;
    if (why.hit_count == 0) {
        assess_risk(made_at_intake);
    } else {  // a policy may look at limits before risk
        const Assessment limits_first = why;
        assess_risk(made_at_intake);
        for (const Hit& hit : limits_first.fired()) why.add(hit);
    }
    if (why.advice == Advice::reject) return Reason::risk_rejected;
    is_review_ = is_review_ || why.advice == Advice::review;
    return Reason::none;
}

void Decision::assess_risk(const Assessment& made_at_intake) {
    // Each copy is a quarter of a kilobyte.
    if (made_at_intake.version != policy_.version()) return assess_risk(policy_.assess(payment_));
    Assessment& why = outcome_.why;
    if (debtor_.image == nullptr || creditor_.image == nullptr) {
        why = made_at_intake;
    } else {
        why = policy_.with_parties(made_at_intake, payment_, debtor_.image->facts(), creditor_.image->facts(),
                                   state_.now);
    }
}

bool Decision::concerns(const Limit& limit) const {
    if (limit.measure == Limit::Measure::count && limit.any_currency) return true;
    return limit.currency == payment_.amount.currency();
}

namespace {

// Written where it stays: a Hit put together elsewhere is slow to copy as a whole.
void note_limit(Assessment& why, const Limit& limit, std::int64_t used, std::int64_t at_most, std::uint64_t bucket) {
    if (why.hit_count == kHitsMax) return;
    Hit& hit = why.hits[why.hit_count++];
    hit.rule = limit.rule;
    hit.points = 0;
    hit.input = used;
    hit.at_most = at_most;
    hit.bucket = bucket;
}

}  // namespace

Reason Decision::check_limits() {
    Reason reason = Reason::none;
    for (const Limit& limit : policy_.limits(payment_.rail)) {
        if (!concerns(limit)) continue;
        const Party& party = limit.side == Limit::Side::debit ? debtor_ : creditor_;
        // House accounts are the outside world, which nobody limits.
        if (party.image == nullptr || party.image->kind == AccountKind::house) continue;
        const std::uint64_t bucket = state_.bucket(policy_, limit);
        const CounterSum used =
            party.cell == nullptr ? 0 : window_sum(state_.counters, party.image->id, limit.key, limit.ring, bucket);
        std::int64_t at_most = limit.at_most;
        if (party.image->has_bounds) {
            const BoundCell* own = state_.own_bound(party.image->id, limit.name_key);
            if (own != nullptr) at_most = own->image.at_most;
        }
        note_limit(outcome_.why, limit, shown(used), at_most, bucket);
        NOSTRO_ASSERT(counting_size_ < kHitsMax, "a policy with more limits than an outcome can name");
        counting_[counting_size_++] = {&limit, bucket};

        const CounterSum wanted = used + (limit.measure == Limit::Measure::sum ? amount_ : 1);
        if (!is_narrow(wanted)) {
            if (reason == Reason::none) reason = Reason::amount_out_of_range;
        } else if (wanted > at_most) {
            if (limit.when_exceeded == Advice::reject && reason == Reason::none) reason = Reason::limit_exceeded;
            if (limit.when_exceeded == Advice::review) is_review_ = true;
        }
    }
    return reason;
}

Reason Decision::check_funds() const {
    if (debtor_.image == nullptr) return Reason::none;
    const CounterSum left = CounterSum{debtor_.balance} - debtor_.image->held - amount_;
    return left < debtor_.image->floor ? Reason::insufficient_funds : Reason::none;
}

// --- carrying it out

bool Decision::has_room(bool as_hold) const {
    const std::size_t opens =
        std::size_t{debtor_.opens()} + std::size_t{creditor_.opens()} + std::size_t{opens_equity_};
    return state_.accounts.room() >= opens && state_.counters.room() >= counting_size_ &&
           (!as_hold || state_.holds.room() != 0);
}

void Decision::open(Party& party) {
    if (!party.opens()) return;
    // It may be the equity account, which the other side's opening has opened.
    party.cell = state_.accounts.find(party.fresh.id);
    if (party.cell == nullptr) party.cell = &state_.open_account(party.fresh, party.opening);
    party.image = &party.cell->image;
}

void Decision::count() {
    for (std::size_t i = 0; i < counting_size_; ++i) {
        const auto [limit, bucket] = counting_[i];
        const Party& party = limit->side == Limit::Side::debit ? debtor_ : creditor_;
        counted_[i] = state_.count(party.image->id, *limit, bucket, amount_);
    }
}

void Decision::settle() {
    open(debtor_);
    open(creditor_);
    count();
    outcome_.status = Status::settled;
    outcome_.debtor_before = debtor_.cell->image.balance;
    outcome_.creditor_before = creditor_.cell->image.balance;
    state_.move(*debtor_.cell, *creditor_.cell, amount_);
    outcome_.debtor_after = debtor_.cell->image.balance;
    outcome_.creditor_after = creditor_.cell->image.balance;
}

void Decision::hold_back(Status status, Instant expires_at, std::uint64_t number) {
    open(debtor_);
    open(creditor_);
    count();
    state_.reserve(*debtor_.cell, amount_);
    HoldImage hold;
    hold.payment = payment_.id;
    hold.tenant = payment_.tenant;
    hold.rail = payment_.rail;
    hold.status = status;
    hold.capture = payment_.capture;
    hold.debtor = payment_.debtor;
    hold.creditor = payment_.creditor;
    hold.amount = payment_.amount;
    hold.expires_at = expires_at;
    if (status == Status::in_review && payment_.capture == Capture::manual) {
        hold.hold_expires_at = payment_.expires_at;
    }
    hold.origin = state_.here();
    hold.accepted_at = state_.now;
    hold.number = number;
    hold.counted_count = static_cast<std::uint8_t>(counting_size_);
    std::copy_n(counted_.begin(), counting_size_, hold.counted.begin());
    state_.open_hold(hold);
    outcome_.status = status;
    outcome_.expires_at = expires_at;
    show_balances();
}

void Decision::show_balances() {
    if (debtor_.image != nullptr) {
        outcome_.debtor_before = outcome_.debtor_after = debtor_.cell != nullptr ? debtor_.cell->image.balance : 0;
    }
    if (creditor_.image != nullptr) {
        outcome_.creditor_before = outcome_.creditor_after =
            creditor_.cell != nullptr ? creditor_.cell->image.balance : 0;
    }
}

}  // namespace nostro
