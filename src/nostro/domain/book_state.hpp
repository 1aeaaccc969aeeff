// What a Book is made of, and the few ways in which its cells change. Private to book*.cpp.
//
// Every change goes through change(), add...() or one of the others here: they remember which cells a frame touched
// (for its images) and, while something may have to be taken back, what the cells were before.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/domain/counters.hpp"
#include "nostro/domain/due_table.hpp"
#include "nostro/domain/known_ids.hpp"

namespace nostro {

// A whole frame: 8,192 commands, the last of which may be a group of 1,000.
constexpr std::size_t kFramePaymentsMax = 9'192;
// A payment may open both its sides and, for the balances they open with, the equity account.
constexpr std::size_t kOpensMax = 3;
constexpr auto kReversalsKept = std::chrono::days(kReversalDaysMax);

struct AccountCell {
    using Key = AccountId;
    AccountImage image;
    std::uint16_t row;  // of the totals by kind
    bool is_touched;    // in this frame

    bool empty() const { return image.id.empty(); }
    bool is(const Key& key) const { return image.id == key; }
    static CellSpot spot(const Key& key) { return {mixed(key)}; }
};
static_assert(sizeof(AccountCell) <= 96);

struct BoundKey {
    AccountId account;
    std::uint32_t name_key = 0;
};
struct BoundCell {
    using Key = BoundKey;
    BoundImage image;  // removed ones stay: an account that has lost a bound often gets one again
    bool is_touched;

    bool empty() const { return image.account.empty(); }
    bool is(const Key& key) const { return image.account == key.account && image.name_key == key.name_key; }
    static CellSpot spot(const Key& key) { return {mixed(key.account.low ^ key.name_key, key.account.high)}; }
};

inline PaymentId id_of(const HoldImage& image) { return image.payment; }
inline Instant due_of(const HoldImage& image) { return image.expires_at; }
inline PaymentId id_of(const ReversedImage& image) { return image.original; }
inline Instant due_of(const ReversedImage& image) { return image.settled_at + kReversalsKept; }

using HoldTable = DueTable<HoldImage>;
using ReversedTable = DueTable<ReversedImage>;

struct TenantState {
    PolicyPtr policy;  // in force
    PolicyPtr next;    // from the next frame on
    std::uint64_t last_number = 0;
    bool is_touched = false;
    std::vector<std::pair<Currency, AccountId>> equity;  // names are hashed once

    AccountId equity_account(Currency currency);
    PolicyVersion newest_version() const;
};

// Sums that are kept running, so that balance is a question of nanoseconds and a trial balance of microseconds.
class RunningTotals {
public:
    std::uint16_t row(TenantNo tenant, Currency currency, AccountKind kind);
    void add_account(std::uint16_t row, int count) { rows_[row].total.accounts += count; }
    void add_posted(std::uint16_t row, CounterSum delta);
    void add_held(std::uint16_t row, CounterSum delta) { rows_[row].total.held += delta; }
    bool is_balanced() const { return unbalanced_ == 0; }
    std::vector<Book::KindTotal> list() const;

private:
    struct Row {
        Book::KindTotal total;
        std::uint16_t sum;  // of its tenant and currency
    };
    std::vector<Row> rows_;
    std::vector<CounterSum> sums_;
    std::size_t unbalanced_ = 0;  // sums that are not zero
};

// Cells as they were, newest last; and how to make them so again.
struct UndoLog {
    template <class Cell>
    using Before = std::pair<Cell*, Cell>;
    struct Hold {
        HoldTable::Cell* cell;
        HoldTable::Cell before;
    };
    std::vector<Before<AccountCell>> accounts;
    std::vector<Before<CounterCell>> counters;
    std::vector<Before<BoundCell>> bounds;
    std::vector<Before<KnownCell>> known;
    std::vector<Before<HoldTable::Cell>> holds;         // before: heap_at means nothing
    std::vector<Before<ReversedTable::Cell>> reversed;  // as above
    void clear();
};

struct Touched {
    std::vector<AccountCell*> accounts;
    std::vector<CounterCell*> counters;
    std::vector<BoundCell*> bounds;
    std::vector<HoldTable::Cell*> holds;
    std::vector<ReversedTable::Cell*> reversed;
    std::vector<TenantNo> tenants;
};

// Where a command, or an item of a group, began.
struct Mark {
    std::size_t accounts, counters, bounds, known, holds, reversed;  // lengths of the undo log
    std::size_t touched_accounts, touched_counters, touched_bounds, touched_holds, touched_reversed, touched_tenants;
    std::size_t outcomes, known_images, policies;
    TenantNo tenant;
    std::uint64_t last_number;
    PolicyPtr next;
    bool tenant_touched;
};

struct BookState {
    explicit BookState(const BookSize& size);

    CellTable<AccountCell> accounts;
    CounterTable counters;
    HoldTable holds;
    ReversedTable reversed;
    CellTable<BoundCell> bounds;
    KnownIds known;
    std::vector<TenantState> tenants;
    RunningTotals totals;

    // Of the open frame.
    Seq seq = 0;
    Instant now{};
    bool is_in_frame = false;
    bool is_seq_unused = false;  // nothing changed in the last frame: it is not written, and its number is free
    Changes* changes = nullptr;
    std::uint32_t command_no = kNoCommand;
    std::uint32_t item = 0;
    Touched touched;
    Outcome scratch;  // what is being decided
    std::vector<std::pair<PaymentId, std::size_t>> group_ids;

    UndoLog undo;
    int undo_depth = 0;  // 0: nothing will have to be taken back, so nothing is remembered

    // nullptr: no policy has come into force for it, so nothing can be decided.
    TenantState* tenant(TenantNo no);
    TenantState& tenant_made(TenantNo no);

    AccountCell& change(AccountCell& cell);
    CounterCell& change(CounterCell& cell);
    BoundCell& change(BoundCell& cell);
    HoldTable::Cell& change(HoldTable::Cell& cell);
    ReversedTable::Cell& change(ReversedTable::Cell& cell);
    KnownCell& change(KnownCell& cell);
    void change(TenantNo no);

    // Opens an account and moves `opening` to it from equity, which opens if it is not there yet. Records one
    // outcome for each. Precondition: room, and that no balance leaves 64 bits.
    AccountCell& open_account(const AccountImage& image, std::int64_t opening_minor);
    void move(AccountCell& from, AccountCell& to, std::int64_t amount_minor);
    void reserve(AccountCell& debtor, std::int64_t amount_minor);
    void release(AccountCell& debtor, std::int64_t amount_minor);

    std::uint64_t bucket(const Policy& policy, const Limit& limit);
    Counted count(AccountId account, const Limit& limit, std::uint64_t bucket, std::int64_t amount_minor);
    void give_back(const Counted& counted, AccountId account, std::int64_t amount_minor);
    const BoundCell* own_bound(AccountId account, std::uint32_t name_key) const;
    void set_bounds(AccountCell& account, std::span<const OwnBound> wanted);

    HoldTable::Cell& open_hold(const HoldImage& image);
    void close_hold(HoldTable::Cell& cell, Status state);
    ReversedTable::Cell& open_reversed(const ReversedImage& image);
    void close_reversed(ReversedTable::Cell& cell);

    // Appends scratch to the frame's outcomes; returns its index.
    std::uint32_t record();
    std::uint32_t record(const Outcome& outcome);
    void know(PaymentId id, std::uint32_t index, std::uint64_t meaning, Status state);
    Place here() const { return {seq, static_cast<std::uint32_t>(changes->outcomes.size())}; }

    Mark mark(TenantNo tenant_no);
    void roll_back(const Mark& mark);
    void keep();  // ends what mark() began

    void begin_frame(Seq number, Instant at, Changes& into);
    void end_frame();
    void set_balance(AccountCell& cell, std::int64_t balance_minor);
    void set_held(AccountCell& cell, std::int64_t held_minor);
    AccountCell& add_account(const AccountImage& image);
    // Of the account's currency; opens on first use.
    AccountCell& equity_of(const AccountImage& account);

private:
    struct BucketMemo {
        const Limit* limit = nullptr;
        Seq seq = 0;
        Instant at{};
        std::uint64_t bucket = 0;
    };
    std::array<BucketMemo, 64> buckets_{};  // asking a calendar means searching a table of days
};

// Fits into 64 bits.
constexpr bool is_narrow(CounterSum sum) { return sum == static_cast<std::int64_t>(sum); }

inline Answer refused(Reason reason, Status state = Status::accepted) {
    Answer answer;
    answer.reason = reason;
    answer.state = state;
    return answer;
}
inline Answer recorded(std::uint32_t index, std::uint32_t count = 1) {
    Answer answer;
    answer.kind = Answer::Kind::recorded;
    answer.index = index;
    answer.count = count;
    return answer;
}
inline Answer replayed(Place first, Status state = Status::accepted) {
    Answer answer;
    answer.kind = Answer::Kind::replayed;
    answer.first = first;
    answer.state = state;
    return answer;
}

}  // namespace nostro
