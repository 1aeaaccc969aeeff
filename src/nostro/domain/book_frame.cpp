// The bounds of a frame, and the way back: images at its end, undo within it.
#include <algorithm>

#include "nostro/domain/book_state.hpp"

namespace nostro {

void UndoLog::clear() {
    accounts.clear();
    counters.clear();
    bounds.clear();
    known.clear();
    holds.clear();
    reversed.clear();
}

void BookState::begin_frame(Seq number, Instant at, Changes& into) {
    NOSTRO_ASSERT(!is_in_frame, "a frame begins inside another");
    NOSTRO_ASSERT((number > seq || (number == seq && is_seq_unused)) && at >= now,
                  "a frame begins before the last one");
    seq = number;
    now = at;
    changes = &into;
    is_in_frame = true;
    command_no = kNoCommand;
    item = 0;
    known.begin_frame(number, std::min(kFramePaymentsMax, known.cells_max() / 4));
}

namespace {

// Calls `each` for every cell; of a large frame the first ones have left the processor's caches.
template <class Cell, class Each>
void each_touched(const std::vector<Cell*>& touched, Each each) {
    constexpr std::size_t kAhead = 8;
    for (std::size_t i = 0; i < touched.size(); ++i) {
        if (i + kAhead < touched.size()) prefetch_lines(touched[i + kAhead], sizeof(Cell));
        each(touched[i]);
    }
}

template <class Cell, class Image>
void put_images(std::vector<Cell*>& touched, std::vector<Image>& images) {
    each_touched(touched, [&images](Cell* cell) {
        images.push_back(cell->image);
        cell->is_touched = false;
    });
    touched.clear();
}

template <class Table, class Image>
void put_due_images(Table& table, std::vector<typename Table::Cell*>& touched, std::vector<Image>& images) {
    for (auto* cell : touched) {
        images.push_back(cell->image);
        cell->is_touched = false;
        if (!cell->is_open) table.release(*cell);
    }
    touched.clear();
}

}  // namespace

void BookState::end_frame() {
    NOSTRO_ASSERT(is_in_frame && undo_depth == 0, "a frame ends that did not begin");
    NOSTRO_ASSERT(totals.is_balanced(), "accounts of a currency do not sum to zero");
    put_images(touched.accounts, changes->accounts);
#ifdef NOSTRO_MUTANT_IMAGE_MISSING  // see tests/mutants
    if (changes->accounts.size() > 1) changes->accounts.pop_back();
#endif
    put_images(touched.bounds, changes->bounds);
    put_due_images(holds, touched.holds, changes->holds);
    put_due_images(reversed, touched.reversed, changes->reversed);
    each_touched(touched.counters, [this](CounterCell* cell) {
        changes->counters.push_back(cell->image());
        cell->is_touched = false;
    });
    touched.counters.clear();
    for (const TenantNo no : touched.tenants) {
        TenantState& tenant = tenants[no];
        changes->tenants.push_back({no, tenant.last_number, tenant.newest_version()});
        if (tenant.next != nullptr) tenant.policy = std::move(tenant.next);
        tenant.next = nullptr;
        tenant.is_touched = false;
    }
    touched.tenants.clear();
    is_seq_unused = changes->empty();
    changes = nullptr;
    is_in_frame = false;
}

Mark BookState::mark(TenantNo tenant_no) {
    ++undo_depth;
    const TenantState& tenant = tenant_made(tenant_no);
    return {undo.accounts.size(),     undo.counters.size(),  undo.bounds.size(),       undo.known.size(),
            undo.holds.size(),        undo.reversed.size(),  touched.accounts.size(),  touched.counters.size(),
            touched.bounds.size(),    touched.holds.size(),  touched.reversed.size(),  touched.tenants.size(),
            changes->outcomes.size(), changes->known.size(), changes->policies.size(), tenant_no,
            tenant.last_number,       tenant.next,           tenant.is_touched};
}

void BookState::keep() {
    if (--undo_depth == 0) undo.clear();
}

namespace {

template <class Log, class Restore>
void undo_back_to(Log& log, std::size_t size, Restore restore) {
    while (log.size() > size) {
        restore(*log.back().first, log.back().second);
        log.pop_back();
    }
}

template <class Table, class Log>
void undo_due_cells(Table& table, Log& log, std::size_t size) {
    undo_back_to(log, size, [&table](auto& cell, const auto& before) {
        if (!before.is_open) {
            if (cell.is_open) table.close(cell);
            table.release(cell);
            return;
        }
        if (cell.is_open) {
            cell.image = before.image;
            table.reschedule(cell);
        } else {
            table.reopen(cell, before.image);
        }
        cell.is_touched = before.is_touched;
    });
}

}  // namespace

void BookState::roll_back(const Mark& mark) {
    undo_back_to(undo.accounts, mark.accounts, [this](AccountCell& cell, const AccountCell& before) {
        totals.add_posted(cell.row, CounterSum{before.image.balance} - cell.image.balance);
        totals.add_held(cell.row, CounterSum{before.image.held} - cell.image.held);
        if (before.empty()) {
            totals.add_account(cell.row, -1);
            accounts.taken_back();
        }
        cell = before;
    });
    undo_back_to(undo.counters, mark.counters, [this](CounterCell& cell, const CounterCell& before) {
        if (before.empty()) counters.taken_back();
        cell = before;
    });
    undo_back_to(undo.bounds, mark.bounds, [this](BoundCell& cell, const BoundCell& before) {
        if (before.empty()) bounds.taken_back();
        cell = before;
    });
    undo_back_to(undo.known, mark.known, [this](KnownCell& cell, const KnownCell& before) {
        if (before.seq() == 0) {
            known.take_back(cell);
        } else {
            cell = before;
        }
    });
    undo_due_cells(holds, undo.holds, mark.holds);
    undo_due_cells(reversed, undo.reversed, mark.reversed);
    touched.accounts.resize(mark.touched_accounts);
    touched.counters.resize(mark.touched_counters);
    touched.bounds.resize(mark.touched_bounds);
    touched.holds.resize(mark.touched_holds);
    touched.reversed.resize(mark.touched_reversed);
    touched.tenants.resize(mark.touched_tenants);
    changes->outcomes.resize(mark.outcomes);
    changes->known.resize(mark.known_images);
    changes->policies.resize(mark.policies);
    TenantState& tenant = tenants[mark.tenant];
    tenant.last_number = mark.last_number;
    tenant.next = mark.next;
    tenant.is_touched = mark.tenant_touched;
    keep();
}

}  // namespace nostro
