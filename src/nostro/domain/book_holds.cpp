// What becomes of payments that wait: capture, void, review, expiry.
#include "nostro/domain/book_commands.hpp"
#include "nostro/domain/book_decision.hpp"

namespace nostro {
namespace {

HoldTable::Cell* find_open(BookState& state, TenantNo tenant, PaymentId payment) {
    HoldTable::Cell* cell = state.holds.find(payment);
    return cell != nullptr && cell->image.tenant == tenant ? cell : nullptr;
}

// The answer to a capture or void of a payment that waits for neither.
Answer not_open(const BookState& state, const HoldTable::Cell* cell, PaymentId payment) {
    if (cell != nullptr) {
        // More was due than one frame may expire: it is as good as expired, and will be in the next.
        const bool is_due = cell->image.expires_at <= state.now;
        return refused(Reason::not_open, is_due ? Status::expired : cell->image.status);
    }
    const KnownCell* known = state.known.find(payment);
    return known != nullptr ? refused(Reason::not_open, known->state()) : refused(Reason::not_found);
}

bool waits_as(const BookState& state, const HoldTable::Cell* cell, Status status) {
    return cell != nullptr && cell->image.status == status && cell->image.expires_at > state.now;
}

void begin_outcome(BookState& state, const HoldImage& hold, Event event, std::int64_t amount_minor) {
    Outcome& outcome = state.scratch;
    outcome = {};
    outcome.event = event;
    outcome.tenant = hold.tenant;
    outcome.rail = hold.rail;
    outcome.payment = hold.payment;
    outcome.debtor = hold.debtor;
    outcome.creditor = hold.creditor;
    outcome.amount = Money(amount_minor, hold.amount.currency());
    outcome.number = hold.number;
    outcome.origin = hold.origin;
    outcome.accepted_at = hold.accepted_at;
}

struct Sides {
    AccountCell& debtor;
    AccountCell& creditor;
};
Sides sides(BookState& state, const HoldImage& hold) {
    AccountCell* debtor = state.accounts.find(hold.debtor);
    AccountCell* creditor = state.accounts.find(hold.creditor);
    NOSTRO_ASSERT(debtor != nullptr && creditor != nullptr, "a hold between accounts that are not");
    return {*debtor, *creditor};
}

void give_back(BookState& state, const HoldImage& hold, std::int64_t amount_minor, bool counts_too) {
    for (std::size_t i = 0; i < hold.counted_count; ++i) {
        const Counted& counted = hold.counted[i];
        if (!counted.is_sum && !counts_too) continue;
        state.give_back(counted, counted.credit_side ? hold.creditor : hold.debtor, amount_minor);
    }
}

// Frees the funds and moves `amount_minor` of them. The rest goes back, and out of the limits' sums.
void settle_hold(BookState& state, HoldTable::Cell& cell, std::int64_t amount_minor) {
    const HoldImage hold = cell.image;
    const auto [debtor, creditor] = sides(state, hold);
    Outcome& outcome = state.scratch;
    outcome.status = Status::settled;
    outcome.debtor_before = debtor.image.balance;
    outcome.creditor_before = creditor.image.balance;
    state.release(debtor, hold.amount.minor());
    state.move(debtor, creditor, amount_minor);
    outcome.debtor_after = debtor.image.balance;
    outcome.creditor_after = creditor.image.balance;
    const std::int64_t rest = hold.amount.minor() - amount_minor;
    if (rest != 0) give_back(state, hold, rest, false);
    state.close_hold(cell, Status::settled);
}

// Frees the funds and gives back all that was counted.
void free_hold(BookState& state, HoldTable::Cell& cell, Status status, Reason reason) {
    const HoldImage hold = cell.image;
    const auto [debtor, creditor] = sides(state, hold);
    Outcome& outcome = state.scratch;
    outcome.status = status;
    outcome.reason = reason;
    outcome.debtor_before = outcome.debtor_after = debtor.image.balance;
    outcome.creditor_before = outcome.creditor_after = creditor.image.balance;
    state.release(debtor, hold.amount.minor());
    give_back(state, hold, hold.amount.minor(), true);
    state.close_hold(cell, status);
}

Reason refusal_to_settle(BookState& state, const HoldImage& hold, std::int64_t amount_minor) {
    const auto [debtor, creditor] = sides(state, hold);
    const Reason reason = refusal_by_status(debtor.image, creditor.image);
    if (reason != Reason::none) return reason;
    const bool fits = is_narrow(CounterSum{debtor.image.balance} - amount_minor) &&
                      is_narrow(CounterSum{creditor.image.balance} + amount_minor);
    return fits ? Reason::none : Reason::amount_out_of_range;
}

Answer end(BookState& state, const Command& command) {
    const std::uint32_t index = state.record();
    state.know(command.id, index, command.meaning, Status::accepted);
    return recorded(index);
}

// Room for the command's own id.
bool has_room(const BookState& state, const Command& command) { return command.id.empty() || state.known.room() != 0; }

}  // namespace

Answer capture(BookState& state, const Command& command, const CapturePayment& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    HoldTable::Cell* cell = find_open(state, command.tenant, body.payment);
    if (!waits_as(state, cell, Status::held)) return not_open(state, cell, body.payment);
    const std::int64_t amount = body.amount_minor.value_or(cell->image.amount.minor());
    if (amount > cell->image.amount.minor()) return refused(Reason::amount_exceeds_held, Status::held);
    if (amount <= 0) return refused(Reason::amount_out_of_range, Status::held);
    if (const Reason reason = refusal_to_settle(state, cell->image, amount); reason != Reason::none) {
        return refused(reason, Status::held);
    }
    if (!has_room(state, command)) return refused(Reason::book_full, Status::held);
    begin_outcome(state, cell->image, Event::captured, amount);
    settle_hold(state, *cell, amount);
    return end(state, command);
}

Answer void_payment(BookState& state, const Command& command, const VoidPayment& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    HoldTable::Cell* cell = find_open(state, command.tenant, body.payment);
    if (!waits_as(state, cell, Status::held)) return not_open(state, cell, body.payment);
    if (!has_room(state, command)) return refused(Reason::book_full, Status::held);
    begin_outcome(state, cell->image, Event::voided, cell->image.amount.minor());
    free_hold(state, *cell, Status::voided, Reason::none);
    return end(state, command);
}

// --- reviews

namespace {

// Of a payment that is no longer in review.
Answer decided_before(const BookState& state, const HoldTable::Cell* cell, const DecideReview& body) {
    const KnownCell* known = state.known.find(body.payment);
    const bool is_reviewed = cell != nullptr ? cell->image.approved : known != nullptr && known->is_reviewed();
    if (!is_reviewed) return not_open(state, cell, body.payment);
    const Status now_in = cell != nullptr ? cell->image.status : known->state();
    const bool was_approved = now_in != Status::rejected;
    if (was_approved != body.approve) return refused(Reason::already_decided, now_in);
    return replayed(cell != nullptr ? cell->image.origin : known->place(), now_in);
}

void note_reviewed(BookState& state, PaymentId payment, Status status) {
    KnownCell* known = state.known.find(payment);
    if (known == nullptr) return;
    state.change(*known).set_reviewed();
    known->set_state(status);
}

void hold_approved(BookState& state, HoldTable::Cell& cell) {
    state.change(cell);
    HoldImage& hold = cell.image;
    hold.status = Status::held;
    hold.approved = true;
    hold.expires_at = hold.hold_expires_at != Instant{} ? hold.hold_expires_at
                                                        : state.now + state.tenant(hold.tenant)->policy->hold_ttl();
    hold.hold_expires_at = {};
    state.holds.reschedule(cell);
    const auto [debtor, creditor] = sides(state, hold);
    Outcome& outcome = state.scratch;
    outcome.status = Status::held;
    outcome.expires_at = hold.expires_at;
    outcome.debtor_before = outcome.debtor_after = debtor.image.balance;
    outcome.creditor_before = outcome.creditor_after = creditor.image.balance;
}

}  // namespace

Answer decide_review(BookState& state, const Command& command, const DecideReview& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    HoldTable::Cell* cell = find_open(state, command.tenant, body.payment);
    if (!waits_as(state, cell, Status::in_review)) return decided_before(state, cell, body);
    if (!has_room(state, command)) return refused(Reason::book_full, Status::in_review);
    const std::int64_t amount = cell->image.amount.minor();
    if (!body.approve) {
        begin_outcome(state, cell->image, Event::refused, amount);
        free_hold(state, *cell, Status::rejected, Reason::review_rejected);
    } else {
        if (state.tenant(command.tenant) == nullptr) return refused(Reason::no_policy, Status::in_review);
        if (const Reason reason = refusal_to_settle(state, cell->image, amount); reason != Reason::none) {
            return refused(reason, Status::in_review);
        }
        begin_outcome(state, cell->image, Event::approved, amount);
        if (cell->image.capture == Capture::manual) {
            hold_approved(state, *cell);
        } else {
            settle_hold(state, *cell, amount);
        }
    }
    note_reviewed(state, body.payment, state.scratch.status);
    return end(state, command);
}

// --- expiry

void expire_due(BookState& state, std::size_t expiries_max) {
    for (std::size_t i = 0; i < expiries_max; ++i) {
        HoldTable::Cell* cell = state.holds.first_due();
        if (cell == nullptr || cell->image.expires_at > state.now) return;
        begin_outcome(state, cell->image, Event::expired, cell->image.amount.minor());
        const bool is_review = cell->image.status == Status::in_review;
        free_hold(state, *cell, Status::expired, is_review ? Reason::review_expired : Reason::hold_expired);
        state.record();
    }
}

void forget_reversed(BookState& state, std::size_t count_max) {
    for (std::size_t i = 0; i < count_max; ++i) {
        ReversedTable::Cell* cell = state.reversed.first_due();
        if (cell == nullptr || due_of(cell->image) >= state.now) return;
        state.close_reversed(*cell);
    }
}

}  // namespace nostro
