// Payments, groups of them, and reversals.
#include <algorithm>

#include "nostro/domain/book_commands.hpp"
#include "nostro/domain/book_decision.hpp"

namespace nostro {

std::optional<Answer> known_answer(const BookState& state, PaymentId id, std::uint64_t meaning) {
    if (id.empty()) return std::nullopt;
    const KnownCell* known = state.known.find(id);
    if (known == nullptr) return std::nullopt;
    if (known->meaning == meaning) return replayed(known->place(), known->state());
    Answer answer;
    answer.kind = Answer::Kind::reused;
    answer.first = known->place();
    return answer;
}

namespace {

// What a sealed run knows, intake has compared.
std::optional<Answer> known_answer(const BookState& state, const SubmitPayment& body) {
    if (body.sealed.seq != 0) return replayed(body.sealed);
    return known_answer(state, body.payment.id, body.meaning);
}

void begin_outcome(BookState& state, TenantState& tenant, const Payment& payment) {
    static const Outcome kNothing;
    Outcome& outcome = state.scratch;
    outcome = kNothing;  // nearly half a kilobyte: {} would be made first and copied then
    outcome.tenant = payment.tenant;
    outcome.rail = payment.rail;
    outcome.payment = payment.id;
    outcome.debtor = payment.debtor;
    outcome.creditor = payment.creditor;
    outcome.amount = payment.amount;
    outcome.number = tenant.last_number + 1;
    outcome.accepted_at = state.now;
}

Answer end_outcome(BookState& state, TenantState& tenant, std::uint64_t meaning) {
    const Outcome& outcome = state.scratch;
    ++tenant.last_number;
    state.change(outcome.tenant);
    const std::uint32_t index = state.record();
    state.know(outcome.payment, index, meaning, outcome.status);
    return recorded(index);
}

Answer end_rejected(BookState& state, TenantState& tenant, Reason reason, std::uint64_t meaning) {
    state.scratch.status = Status::rejected;
    state.scratch.reason = reason;
    return end_outcome(state, tenant, meaning);
}

Instant hold_end(const BookState& state, const Policy& policy, const Payment& payment) {
    return payment.expires_at != Instant{} ? payment.expires_at : state.now + policy.hold_ttl();
}

Answer decide(BookState& state, TenantState& tenant, const SubmitPayment& body) {
    const Payment& payment = body.payment;
    // It would be held and expire at once; what was taken in time has been found by its id before.
    if (payment.expires_at != Instant{} && payment.expires_at <= state.now) return refused(Reason::hold_expired);
    begin_outcome(state, tenant, payment);
    Decision decision(state, tenant, payment, state.scratch);
    if (const Reason reason = decision.weigh_payment(body.assessment); reason != Reason::none) {
        decision.show_balances();
        return end_rejected(state, tenant, reason, body.meaning);
    }
    const bool as_hold = decision.is_review() || payment.capture == Capture::manual;
    if (!decision.has_room(as_hold)) return refused(Reason::book_full);
    const std::uint64_t number = state.scratch.number;
    if (decision.is_review()) {
        decision.hold_back(Status::in_review, state.now + tenant.policy->review_ttl(), number);
    } else if (as_hold) {
        decision.hold_back(Status::held, hold_end(state, *tenant.policy, payment), number);
    } else {
        decision.settle();
    }
    return end_outcome(state, tenant, body.meaning);
}

}  // namespace

Answer submit(BookState& state, const Command& command, const SubmitPayment& body) {
    if (const auto answer = known_answer(state, body)) return *answer;
    TenantState* tenant = state.tenant(command.tenant);
    if (tenant == nullptr) return refused(Reason::no_policy);
    if (state.known.room() == 0) return refused(Reason::book_full);
    return decide(state, *tenant, body);
}

// --- groups

namespace {

Answer refused_group(Reason reason, std::size_t item) {
    Answer answer = refused(reason);
    answer.item = static_cast<std::uint32_t>(item);
    return answer;
}

// The first item whose id is known, or that an item before it has, or the group itself.
std::optional<std::size_t> known_item(BookState& state, PaymentId group, std::span<const SubmitPayment> items) {
    auto& ids = state.group_ids;
    ids.clear();
    std::size_t first = items.size();
    for (std::size_t i = 0; i < items.size(); ++i) {
        const PaymentId id = items[i].payment.id;
        if (id.empty()) continue;
        if (first == items.size() && (id == group || known_answer(state, items[i]))) first = i;
        ids.emplace_back(id, i);
    }
    std::sort(ids.begin(), ids.end());
    for (std::size_t i = 1; i < ids.size(); ++i) {
        if (ids[i].first == ids[i - 1].first) first = std::min(first, ids[i].second);
    }
    return first < items.size() ? std::optional(first) : std::nullopt;
}

// What a group came to: all settled, or where and how it failed.
struct GroupResult {
    std::optional<Answer> refusal;  // nothing may be recorded
    std::size_t culprit = 0;        // of a rejected group
    bool is_rejected = false;
    Reason reason = Reason::none;
    Assessment why;
};

GroupResult decide_items(BookState& state, TenantState& tenant, std::span<const SubmitPayment> items) {
    GroupResult result;
    for (std::size_t i = 0; i < items.size(); ++i) {
        state.item = static_cast<std::uint32_t>(i);
        const Answer answer = decide(state, tenant, items[i]);
        if (answer.kind != Answer::Kind::recorded) {
            result.refusal = refused_group(answer.reason, i);
            return result;
        }
        if (state.scratch.status == Status::settled) continue;
        result.culprit = i;
        result.is_rejected = true;
        result.reason = state.scratch.status == Status::rejected ? state.scratch.reason : Reason::not_immediate;
        result.why = state.scratch.why;
        return result;
    }
    return result;
}

// Accounts that opened between the items move in front of them, so that the items' outcomes stand side by side.
std::uint32_t gather_openings(BookState& state, std::size_t first, std::size_t first_known) {
    auto& outcomes = state.changes->outcomes;
    const auto begin = outcomes.begin() + static_cast<std::ptrdiff_t>(first);
    const auto payments = std::stable_partition(
        begin, outcomes.end(), [](const Outcome& outcome) { return outcome.event == Event::account_opened; });
    const auto first_payment = static_cast<std::uint32_t>(payments - outcomes.begin());
    if (payments == begin) return first_payment;
    // Their places changed, which they and the known ids tell.
    for (std::size_t at = first; at < outcomes.size(); ++at) {
        const Place place{state.seq, static_cast<std::uint32_t>(at)};
        outcomes[at].origin = place;
        if (outcomes[at].payment.empty()) continue;
        state.changes->known[first_known++].index = place.index;
        state.known.find(outcomes[at].payment)->set_place(place);
    }
    return first_payment;
}

Answer reject_items(BookState& state, TenantState& tenant, std::span<const SubmitPayment> items,
                    const GroupResult& result) {
    const auto first = state.here().index;
    for (std::size_t i = 0; i < items.size(); ++i) {
        state.item = static_cast<std::uint32_t>(i);
        begin_outcome(state, tenant, items[i].payment);
        Outcome& outcome = state.scratch;
        outcome.why.version = tenant.policy->version();
        if (i == result.culprit) outcome.why = result.why;
        const AccountCell* debtor = state.accounts.find(items[i].payment.debtor);
        const AccountCell* creditor = state.accounts.find(items[i].payment.creditor);
        if (debtor != nullptr) outcome.debtor_before = outcome.debtor_after = debtor->image.balance;
        if (creditor != nullptr) outcome.creditor_before = outcome.creditor_after = creditor->image.balance;
        end_rejected(state, tenant, i == result.culprit ? result.reason : Reason::group_refused, items[i].meaning);
    }
    Answer answer = recorded(first, static_cast<std::uint32_t>(items.size()));
    answer.item = static_cast<std::uint32_t>(result.culprit);
    return answer;
}

}  // namespace

Answer submit_group(BookState& state, const Command& command, const SubmitGroup& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    TenantState* tenant = state.tenant(command.tenant);
    if (tenant == nullptr) return refused(Reason::no_policy);
    const auto items = body.payments;
    if (items.empty() || items.size() > kGroupMax) return refused_group(Reason::group_refused, kGroupMax);
    if (const auto item = known_item(state, command.id, items)) return refused_group(Reason::group_refused, *item);
    if (state.known.room() < items.size() + 1) return refused(Reason::book_full);

    const Mark mark = state.mark(command.tenant);
    const GroupResult result = decide_items(state, *tenant, items);
    Answer answer;
    if (result.refusal) {
        state.roll_back(mark);
        answer = *result.refusal;
    } else if (result.is_rejected) {
        state.roll_back(mark);
        answer = reject_items(state, *tenant, items, result);
    } else {
        answer = recorded(gather_openings(state, mark.outcomes, mark.known_images),
                          static_cast<std::uint32_t>(items.size()));
        state.keep();
    }
    state.item = 0;
    if (answer.kind == Answer::Kind::recorded) {
        state.know(command.id, answer.index, command.meaning, Status::accepted);
    }
    return answer;
}

// --- reversals

namespace {

// Whether the original stands where intake has read it. An id that has left memory, intake found in a sealed run.
bool is_at(const BookState& state, PaymentId original, Place place) {
    const KnownCell* known = state.known.find(original);
    if (known != nullptr) return known->place() == place;
    return place.seq != 0 && place.seq <= state.known.forgotten_through();
}

Reason refusal_by_original(const BookState& state, const Policy& policy, const ReversePayment& body) {
    if (body.original_status != Status::settled || state.holds.find(body.original) != nullptr) {
        return Reason::not_settled;
    }
    if (body.original_is_reversal) return Reason::reversal_of_reversal;
    const auto window = std::min(std::chrono::days(policy.reversal_days()), kReversalsKept);
    if (state.now - body.original_settled_at > window) return Reason::too_late_to_reverse;
    return Reason::none;
}

void add_reversed(BookState& state, const ReversePayment& body, ReversedTable::Cell* cell, std::int64_t amount) {
    if (cell != nullptr) {
        state.change(*cell).image.reversed_minor += amount;
    } else {
        state.open_reversed({body.original, amount, body.original_settled_at});
    }
}

}  // namespace

Answer reverse(BookState& state, const Command& command, const ReversePayment& body) {
    if (body.sealed.seq != 0) return replayed(body.sealed);
    if (const auto answer = known_answer(state, body.payment.id, body.meaning)) return *answer;
    TenantState* tenant = state.tenant(command.tenant);
    if (tenant == nullptr) return refused(Reason::no_policy);
    if (!is_at(state, body.original, body.original_at)) return refused(Reason::not_found);
    ReversedTable::Cell* cell = state.reversed.find(body.original);
    if (state.known.room() == 0 || (cell == nullptr && state.reversed.room() == 0)) return refused(Reason::book_full);

    const std::int64_t rest = body.original_minor - (cell != nullptr ? cell->image.reversed_minor : 0);
    Payment payment = body.payment;
    if (body.whole_rest) payment.amount = Money(rest, payment.amount.currency());
    begin_outcome(state, *tenant, payment);
    state.scratch.reverses = body.original;

    Decision decision(state, *tenant, payment, state.scratch);
    Reason reason = refusal_by_original(state, *tenant->policy, body);
    if (reason == Reason::none && (payment.amount.minor() > rest || rest <= 0)) {
        reason = Reason::reversal_exceeds_original;
    }
    const Reason weighed = decision.weigh_reversal();
    if (reason == Reason::none) reason = weighed;
    if (reason != Reason::none) {
        decision.show_balances();
        return end_rejected(state, *tenant, reason, body.meaning);
    }
    decision.settle();
    add_reversed(state, body, cell, payment.amount.minor());
    return end_outcome(state, *tenant, body.meaning);
}

}  // namespace nostro
