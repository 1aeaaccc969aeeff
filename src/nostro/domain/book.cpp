#include "nostro/domain/book.hpp"

#include <algorithm>
#include <utility>

#include "nostro/domain/book_commands.hpp"
#include "nostro/domain/book_state.hpp"

namespace nostro {

Book::Book(const BookSize& size) : state_(std::make_unique<BookState>(size)) {}
Book::~Book() = default;

void Book::begin_frame(Seq seq, Instant now, std::size_t expiries_max, Changes& changes) {
    state_->begin_frame(seq, now, changes);
    expire_due(*state_, expiries_max);
    forget_reversed(*state_, expiries_max);
}

void Book::end_frame() { state_->end_frame(); }

namespace {

struct Decide {
    BookState& state;
    const Command& command;

    Answer operator()(const SubmitPayment& body) const { return submit(state, command, body); }
    Answer operator()(const SubmitGroup& body) const { return submit_group(state, command, body); }
    Answer operator()(const CapturePayment& body) const { return capture(state, command, body); }
    Answer operator()(const VoidPayment& body) const { return void_payment(state, command, body); }
    Answer operator()(const ReversePayment& body) const { return reverse(state, command, body); }
    Answer operator()(const DecideReview& body) const { return decide_review(state, command, body); }
    Answer operator()(const OpenAccount& body) const { return open_account(state, command, body); }
    Answer operator()(const ChangeAccount& body) const { return change_account(state, command, body); }
    Answer operator()(const AdjustBalance& body) const { return adjust_balance(state, command, body); }
    Answer operator()(const ChangePolicy& body) const { return change_policy(state, command, body); }
    Answer operator()(const KeepRecord& body) const { return keep_record(state, command, body); }
    Answer operator()(const KeepDeadLetter& body) const { return keep_dead_letter(state, command, body); }
    Answer operator()(const ResolveDeadLetter& body) const { return resolve_dead_letter(state, command, body); }
};

}  // namespace

Answer Book::apply(const Command& command, std::uint32_t command_no) {
    NOSTRO_ASSERT(state_->is_in_frame, "a command outside a frame");
    state_->command_no = command_no;
    state_->item = 0;
    return std::visit(Decide{*state_, command}, command.body);
}

Answer Book::simulate(const Command& command, Instant now, Changes& changes) {
    BookState& state = *state_;
    NOSTRO_ASSERT(!state.is_in_frame, "a simulation inside a frame");
    const Instant last = state.now;
    changes.clear();
    state.changes = &changes;
    state.now = std::max(last, now);
    ++state.seq;
    const Mark mark = state.mark(command.tenant);
    state.command_no = 0;
    state.item = 0;
    const Answer answer = std::visit(Decide{state, command}, command.body);
    std::vector<Outcome> outcomes;
    outcomes.swap(changes.outcomes);  // these stay
    state.roll_back(mark);
    outcomes.swap(changes.outcomes);
    --state.seq;
    state.now = last;
    state.changes = nullptr;
    return answer;
}

// --- prefetch

namespace {

struct Prefetch {
    const BookState& state;
    const Command& command;

    void payment(const Payment& payment) const {
        state.known.prefetch(payment.id);
        state.accounts.prefetch(payment.debtor);
        state.accounts.prefetch(payment.creditor);
        if (payment.tenant >= state.tenants.size()) return;
        const TenantState& tenant = state.tenants[payment.tenant];
        if (tenant.policy == nullptr) return;
        for (const Limit& limit : tenant.policy->limits(payment.rail)) {
            const AccountId account = limit.side == Limit::Side::debit ? payment.debtor : payment.creditor;
            // The ring's row, up to what a processor fetches by itself.
            const std::size_t row = std::min<std::size_t>(limit.ring, 8) * sizeof(CounterCell);
            state.counters.prefetch({account, limit.key, 0}, row);
        }
    }
    void hold(PaymentId id) const {
        state.known.prefetch(command.id);
        state.known.prefetch(id);
        state.holds.prefetch(id);
    }
    void account(AccountId id) const {
        state.known.prefetch(command.id);
        state.accounts.prefetch(id);
    }

    void operator()(const SubmitPayment& body) const { payment(body.payment); }
    void operator()(const SubmitGroup& body) const {
        constexpr std::size_t kItems = 16;  // more would push out what comes before
        for (const SubmitPayment& item : body.payments.first(std::min(body.payments.size(), kItems))) {
            payment(item.payment);
        }
    }
    void operator()(const ReversePayment& body) const {
        payment(body.payment);
        state.known.prefetch(body.original);
        state.reversed.prefetch(body.original);
    }
    void operator()(const CapturePayment& body) const { hold(body.payment); }
    void operator()(const VoidPayment& body) const { hold(body.payment); }
    void operator()(const DecideReview& body) const { hold(body.payment); }
    void operator()(const OpenAccount& body) const { account(body.id); }
    void operator()(const ChangeAccount& body) const { account(body.id); }
    void operator()(const AdjustBalance& body) const { account(body.id); }
    void operator()(const KeepRecord& body) const { state.known.prefetch(body.id); }
    void operator()(const ChangePolicy&) const {}
    void operator()(const KeepDeadLetter&) const {}
    void operator()(const ResolveDeadLetter&) const {}
};

}  // namespace

void Book::prefetch(const Command& command) const { std::visit(Prefetch{*state_, command}, command.body); }

// --- room

namespace {

// Small Books, as tests make them, could never hold a whole frame: a quarter is kept free then.
template <class Table>
bool is_tight(const Table& table, std::size_t frame_needs) {
    return table.room() < std::min(frame_needs, table.cells_max() / 4);
}

}  // namespace

std::string_view Book::full() const {
    const BookState& state = *state_;
    if (is_tight(state.accounts, kFramePaymentsMax * kOpensMax)) return "book.accounts_max";
    if (is_tight(state.counters, kFramePaymentsMax * kHitsMax)) return "book.counters_max";
    if (is_tight(state.holds, kFramePaymentsMax)) return "book.holds_max";
    if (is_tight(state.reversed, kFramePaymentsMax)) return "book.reversed_max";
    if (is_tight(state.bounds, kFramePaymentsMax)) return "book.bounds_max";
    if (is_tight(state.known, kFramePaymentsMax) && !state.known.has_next()) return "book.known_max";
    return {};
}

std::array<Book::TableUse, 6> Book::usage() const {
    const BookState& state = *state_;
    const auto use = [](std::string_view key, const auto& table) {
        return TableUse{key, table.cells_max() - table.room(), table.cells_max()};
    };
    return {use("book.accounts_max", state.accounts), use("book.counters_max", state.counters),
            use("book.holds_max", state.holds),       use("book.reversed_max", state.reversed),
            use("book.bounds_max", state.bounds),     use("book.known_max", state.known)};
}

// --- questions

Instant Book::next_due() const {
    const HoldTable::Cell* first = std::as_const(state_->holds).first_due();
    return first != nullptr ? first->image.expires_at : Instant::max();
}

const AccountImage* Book::account(AccountId id) const {
    const AccountCell* cell = std::as_const(state_->accounts).find(id);
    return cell != nullptr ? &cell->image : nullptr;
}

const HoldImage* Book::hold(PaymentId id) const {
    const HoldTable::Cell* cell = std::as_const(state_->holds).find(id);
    return cell != nullptr ? &cell->image : nullptr;
}

std::optional<Book::Known> Book::known(PaymentId id) const {
    const KnownCell* cell = std::as_const(state_->known).find(id);
    if (cell == nullptr) return std::nullopt;
    return Known{cell->place(), cell->meaning, cell->state()};
}

std::int64_t Book::reversed_minor(PaymentId original) const {
    const ReversedTable::Cell* cell = std::as_const(state_->reversed).find(original);
    return cell != nullptr ? cell->image.reversed_minor : 0;
}

PolicyPtr Book::policy(TenantNo tenant) const {
    const TenantState* state = state_->tenant(tenant);
    return state != nullptr ? state->policy : nullptr;
}

std::optional<TenantNo> Book::tenant(std::string_view name) const {
    for (std::size_t no = 0; no < state_->tenants.size(); ++no) {
        const PolicyPtr& policy = state_->tenants[no].policy;
        if (policy != nullptr && policy->tenant() == name) return static_cast<TenantNo>(no);
    }
    return std::nullopt;
}

std::optional<std::int64_t> Book::own_bound(AccountId account, std::uint32_t name_key) const {
    const BoundCell* cell = state_->own_bound(account, name_key);
    return cell != nullptr ? std::optional(cell->image.at_most) : std::nullopt;
}

std::int64_t Book::limit_used(AccountId account, const Limit& limit, Instant now) const {
    const AccountCell* cell = std::as_const(state_->accounts).find(account);
    if (cell == nullptr) return 0;
    const TenantState* tenant = state_->tenant(cell->image.tenant);
    if (tenant == nullptr) return 0;
    const std::uint64_t bucket = tenant->policy->bucket(limit, now);
    return shown(window_sum(state_->counters, account, limit.key, limit.ring, bucket));
}

void Book::forget_known(Seq through) { state_->known.forget(through); }
Seq Book::forgotten_through() const { return state_->known.forgotten_through(); }
Seq Book::waits_for_seal() const { return state_->known.next_waits_for(); }

bool Book::is_balanced() const { return state_->totals.is_balanced(); }
std::vector<Book::KindTotal> Book::totals() const { return state_->totals.list(); }

}  // namespace nostro
