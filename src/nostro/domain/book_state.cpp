#include "nostro/domain/book_state.hpp"

#include <algorithm>
#include <utility>

namespace nostro {

BookState::BookState(const BookSize& size)
    : accounts(size.accounts_max),
      counters(size.counters_max),
      holds(size.holds_max),
      reversed(size.reversed_max),
      bounds(size.bounds_max),
      known(size.known_max) {}

AccountId TenantState::equity_account(Currency currency) {
    for (const auto& [of, id] : equity) {
        if (of == currency) return id;
    }
    return equity.emplace_back(currency, account_id(policy->tenant(), house_name(House::equity, currency))).second;
}

PolicyVersion TenantState::newest_version() const {
    if (next != nullptr) return next->version();
    return policy != nullptr ? policy->version() : 0;
}

TenantState* BookState::tenant(TenantNo no) {
    return no < tenants.size() && tenants[no].policy != nullptr ? &tenants[no] : nullptr;
}

TenantState& BookState::tenant_made(TenantNo no) {
    if (no >= tenants.size()) tenants.resize(no + std::size_t{1});
    return tenants[no];
}

// --- running totals

std::uint16_t RunningTotals::row(TenantNo tenant, Currency currency, AccountKind kind) {
    std::size_t sum = sums_.size();
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const Book::KindTotal& total = rows_[i].total;
        if (total.tenant != tenant || total.currency != currency) continue;
        if (total.kind == kind) return static_cast<std::uint16_t>(i);
        sum = rows_[i].sum;
    }
    NOSTRO_ASSERT(rows_.size() <= 0xffff, "too many kinds of accounts");
    if (sum == sums_.size()) sums_.push_back(0);
    rows_.push_back({{tenant, currency, kind, 0, 0, 0}, static_cast<std::uint16_t>(sum)});
    return static_cast<std::uint16_t>(rows_.size() - 1);
}

void RunningTotals::add_posted(std::uint16_t row, CounterSum delta) {
    rows_[row].total.posted += delta;
    CounterSum& sum = sums_[rows_[row].sum];
    const bool was_zero = sum == 0;
    sum += delta;
    unbalanced_ += static_cast<std::size_t>(was_zero) - static_cast<std::size_t>(sum == 0);
}

std::vector<Book::KindTotal> RunningTotals::list() const {
    std::vector<Book::KindTotal> list;
    for (const Row& row : rows_) {
        if (row.total.accounts != 0) list.push_back(row.total);
    }
    std::sort(list.begin(), list.end(), [](const Book::KindTotal& a, const Book::KindTotal& b) {
        return std::tie(a.tenant, a.currency, a.kind) < std::tie(b.tenant, b.currency, b.kind);
    });
    return list;
}

// --- accounts

AccountCell& BookState::change(AccountCell& cell) {
    if (undo_depth != 0) undo.accounts.emplace_back(&cell, cell);
    if (!cell.is_touched) {
        cell.is_touched = true;
        ++cell.image.version;
        touched.accounts.push_back(&cell);
    }
    return cell;
}

AccountCell& BookState::add_account(const AccountImage& image) {
    AccountCell& cell = accounts.look(image.id);
    NOSTRO_ASSERT(cell.empty() && !image.id.empty(), "an account is opened twice");
    if (undo_depth != 0) undo.accounts.emplace_back(&cell, AccountCell{});
    accounts.added();
    cell = AccountCell{};
    cell.image = image;
    cell.image.balance = 0;
    cell.image.held = 0;
    cell.image.version = 0;
    cell.row = totals.row(image.tenant, image.currency, image.kind);
    totals.add_account(cell.row, 1);
    return cell;
}

AccountCell& BookState::equity_of(const AccountImage& account) {
    const AccountId id = tenants[account.tenant].equity_account(account.currency);
    if (AccountCell* cell = accounts.find(id); cell != nullptr) return *cell;
    AccountImage equity;
    equity.id = id;
    equity.tenant = account.tenant;
    equity.kind = AccountKind::house;
    equity.currency = account.currency;
    equity.floor = kNoFloor;
    equity.opened_at = now;
    return open_account(equity, 0);
}

AccountCell& BookState::open_account(const AccountImage& image, std::int64_t opening_minor) {
    Outcome opened;
    AccountCell* equity = opening_minor != 0 ? &equity_of(image) : nullptr;
    AccountCell& cell = add_account(image);
    change(cell);
    if (equity != nullptr) {
        opened.creditor = equity->image.id;
        opened.creditor_before = equity->image.balance;
        move(*equity, cell, opening_minor);
        opened.creditor_after = equity->image.balance;
    }
    opened.event = Event::account_opened;
    opened.tenant = image.tenant;
    opened.debtor = image.id;
    opened.amount = Money(opening_minor, image.currency);
    opened.accepted_at = now;
    opened.debtor_after = opening_minor;
    record(opened);
    return cell;
}

void BookState::set_balance(AccountCell& cell, std::int64_t balance_minor) {
    totals.add_posted(cell.row, CounterSum{balance_minor} - cell.image.balance);
    cell.image.balance = balance_minor;
}

void BookState::set_held(AccountCell& cell, std::int64_t held_minor) {
    NOSTRO_ASSERT(held_minor >= 0, "an account holds less than nothing");
    totals.add_held(cell.row, CounterSum{held_minor} - cell.image.held);
    cell.image.held = held_minor;
}

void BookState::move(AccountCell& from, AccountCell& to, std::int64_t amount_minor) {
    std::int64_t debited = 0, credited = 0;
    const bool overflows = __builtin_sub_overflow(from.image.balance, amount_minor, &debited) ||
                           __builtin_add_overflow(to.image.balance, amount_minor, &credited);
    NOSTRO_ASSERT(!overflows && &from != &to, "a posting that was not checked");
    set_balance(change(from), debited);
    set_balance(change(to), credited);
}

void BookState::reserve(AccountCell& debtor, std::int64_t amount_minor) {
    std::int64_t held = 0;
    const bool overflows = __builtin_add_overflow(debtor.image.held, amount_minor, &held);
    NOSTRO_ASSERT(!overflows && amount_minor > 0, "a reservation that was not checked");
    set_held(change(debtor), held);
}

void BookState::release(AccountCell& debtor, std::int64_t amount_minor) {
    set_held(change(debtor), debtor.image.held - amount_minor);
}

// --- limits

std::uint64_t BookState::bucket(const Policy& policy, const Limit& limit) {
    BucketMemo& memo = buckets_[limit.key % buckets_.size()];
    if (memo.limit != &limit || memo.seq != seq || memo.at != now) memo = {&limit, seq, now, policy.bucket(limit, now)};
    return memo.bucket;
}

CounterCell& BookState::change(CounterCell& cell) {
    if (undo_depth != 0) undo.counters.emplace_back(&cell, cell);
    if (!cell.is_touched) {
        cell.is_touched = true;
        touched.counters.push_back(&cell);
    }
    return cell;
}

Counted BookState::count(AccountId account, const Limit& limit, std::uint64_t in_bucket, std::int64_t amount_minor) {
    const bool is_sum = limit.measure == Limit::Measure::sum;
    const CounterKey key{account, limit.key, ring_place(in_bucket, limit.ring)};
    CounterCell& cell = counters.look(key);
    const bool is_new = cell.empty();
    change(cell);
    if (is_new) {
        counters.added();
        cell.account = account;
        cell.limit = limit.key;
        cell.place = key.place;
    }
    if (cell.bucket < in_bucket) {  // a new cell, or a bucket that has left the window
        cell.bucket = in_bucket;
        cell.value = 0;
    }
    const bool overflows = __builtin_add_overflow(cell.value, is_sum ? amount_minor : 1, &cell.value);
    NOSTRO_ASSERT(!overflows, "a limit's sum that was not checked");
    return {limit.key, limit.side == Limit::Side::credit, is_sum, limit.ring, cell.bucket};
}

void BookState::give_back(const Counted& counted, AccountId account, std::int64_t amount_minor) {
    CounterCell* cell = counters.find({account, counted.limit, ring_place(counted.bucket, counted.ring)});
    if (cell == nullptr || cell->bucket != counted.bucket) return;  // the ring has moved on
    change(*cell).value -= counted.is_sum ? amount_minor : 1;
    NOSTRO_ASSERT(cell->value >= 0, "a limit has counted less than nothing");
}

BoundCell& BookState::change(BoundCell& cell) {
    if (undo_depth != 0) undo.bounds.emplace_back(&cell, cell);
    if (!cell.is_touched) {
        cell.is_touched = true;
        touched.bounds.push_back(&cell);
    }
    return cell;
}

const BoundCell* BookState::own_bound(AccountId account, std::uint32_t name_key) const {
    const BoundCell* cell = bounds.find({account, name_key});
    return cell != nullptr && !cell->image.removed ? cell : nullptr;
}

void BookState::set_bounds(AccountCell& account, std::span<const OwnBound> wanted) {
    for (const OwnBound& bound : wanted) {
        BoundCell& cell = bounds.look({account.image.id, bound.name_key});
        const bool is_new = cell.empty();
        if (is_new && bound.removed) continue;
        change(cell);
        if (is_new) bounds.added();
        cell.image = {account.image.id, bound.name_key, bound.removed ? 0 : bound.at_most, bound.removed};
        if (!bound.removed) account.image.has_bounds = true;
    }
}

// --- holds, reversals, known ids, tenants

namespace {

template <class Cell>
Cell& changed(Cell& cell, int undo_depth, std::vector<UndoLog::Before<Cell>>& undo, std::vector<Cell*>& touched) {
    if (undo_depth != 0) undo.emplace_back(&cell, cell);
    if (!cell.is_touched) {
        cell.is_touched = true;
        touched.push_back(&cell);
    }
    return cell;
}

}  // namespace

HoldTable::Cell& BookState::change(HoldTable::Cell& cell) {
    return changed(cell, undo_depth, undo.holds, touched.holds);
}
ReversedTable::Cell& BookState::change(ReversedTable::Cell& cell) {
    return changed(cell, undo_depth, undo.reversed, touched.reversed);
}

HoldTable::Cell& BookState::open_hold(const HoldImage& image) {
    HoldTable::Cell& cell = holds.open(image);
    changed(cell, 0, undo.holds, touched.holds);
    if (undo_depth != 0) undo.holds.emplace_back(&cell, HoldTable::Cell{});
    return cell;
}

void BookState::close_hold(HoldTable::Cell& cell, Status state) {
    change(cell);
    holds.close(cell);
    cell.image.status = state;
    if (KnownCell* payment = known.find(cell.image.payment); payment != nullptr) change(*payment).set_state(state);
}

ReversedTable::Cell& BookState::open_reversed(const ReversedImage& image) {
    ReversedTable::Cell& cell = reversed.open(image);
    changed(cell, 0, undo.reversed, touched.reversed);
    if (undo_depth != 0) undo.reversed.emplace_back(&cell, ReversedTable::Cell{});
    return cell;
}

void BookState::close_reversed(ReversedTable::Cell& cell) {
    change(cell);
    reversed.close(cell);
    cell.image.reversed_minor = 0;
}

KnownCell& BookState::change(KnownCell& cell) {
    if (undo_depth != 0) undo.known.emplace_back(&cell, cell);
    return cell;
}

void BookState::know(PaymentId id, std::uint32_t index, std::uint64_t meaning, Status state) {
    if (id.empty()) return;
    KnownCell& cell = known.insert(id, {seq, index}, meaning);
    cell.set_state(state);
    if (undo_depth != 0) undo.known.emplace_back(&cell, KnownCell{});
    changes->known.push_back({id, index, meaning});
}

void BookState::change(TenantNo no) {
    TenantState& tenant = tenants[no];
    if (tenant.is_touched) return;
    tenant.is_touched = true;
    touched.tenants.push_back(no);
}

// --- outcomes

std::uint32_t BookState::record() { return record(scratch); }

std::uint32_t BookState::record(const Outcome& outcome) {
    const Place place = here();
    Outcome& recorded = changes->outcomes.emplace_back(outcome);
    recorded.command = command_no;
    recorded.item = item;
    if (recorded.origin.seq == 0) recorded.origin = place;
    return place.index;
}

}  // namespace nostro
