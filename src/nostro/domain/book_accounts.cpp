// Accounts, policies and what is only kept: commands that are no payments.
#include <algorithm>

#include "nostro/domain/book_commands.hpp"

namespace nostro {
namespace {

void begin_outcome(BookState& state, const Command& command, Event event) {
    state.scratch = {};
    state.scratch.event = event;
    state.scratch.tenant = command.tenant;
    state.scratch.accepted_at = state.now;
}

Answer end(BookState& state, const Command& command) {
    const std::uint32_t index = state.record();
    state.know(command.id, index, command.meaning, Status::accepted);
    return recorded(index);
}

bool has_room(const BookState& state, const Command& command) { return command.id.empty() || state.known.room() != 0; }

AccountCell* find_account(BookState& state, TenantNo tenant, AccountId id) {
    AccountCell* cell = state.accounts.find(id);
    return cell != nullptr && cell->image.tenant == tenant ? cell : nullptr;
}

CounterSum equity_balance(BookState& state, TenantState& tenant, Currency currency) {
    const AccountCell* equity = state.accounts.find(tenant.equity_account(currency));
    return equity != nullptr ? equity->image.balance : 0;
}

AccountImage opened_image(const BookState& state, const Command& command, const OpenAccount& body) {
    AccountImage image;
    image.id = body.id;
    image.tenant = command.tenant;
    image.kind = body.kind;
    image.risk_level = body.risk_level;
    image.currency = body.currency;
    image.opened_meaning = static_cast<std::uint32_t>(body.meaning);
    image.floor = body.floor_minor;
    image.opened_at = state.now;
    return image;
}

}  // namespace

Answer open_account(BookState& state, const Command& command, const OpenAccount& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    TenantState* tenant = state.tenant(command.tenant);
    if (tenant == nullptr) return refused(Reason::no_policy);
    if (body.id.empty() || is_house_name(body.name) || body.kind == AccountKind::house) {
        return refused(Reason::house_account);
    }
    if (const AccountCell* cell = find_account(state, command.tenant, body.id); cell != nullptr) {
        const bool is_same =
            body.meaning != 0 && static_cast<std::uint32_t>(body.meaning) == cell->image.opened_meaning;
        return is_same ? replayed({}) : refused(Reason::account_exists);
    }
    if (!is_narrow(equity_balance(state, *tenant, body.currency) - body.opening_minor)) {
        return refused(Reason::opening_out_of_range);
    }
    const bool fits = state.accounts.room() >= kOpensMax && state.bounds.room() >= body.bounds.size();
    if (!fits || !has_room(state, command)) return refused(Reason::book_full);

    AccountCell& cell = state.open_account(opened_image(state, command, body), body.opening_minor);
    const auto index = state.here().index - 1;
    state.set_bounds(cell, body.bounds);
    state.know(command.id, index, command.meaning, Status::accepted);
    return recorded(index);
}

namespace {

Reason refusal_to_change(const AccountImage& image, const ChangeAccount& body) {
    if (image.kind == AccountKind::house) return Reason::house_account;
    if (image.status == AccountStatus::closed) return Reason::account_closed;
    if (body.status != AccountStatus::closed) return Reason::none;
    // Holds in its favour do not keep it open: they are refused when captured, and expire.
    if (image.balance != 0) return Reason::balance_not_zero;
    return image.held != 0 ? Reason::holds_open : Reason::none;
}

}  // namespace

Answer change_account(BookState& state, const Command& command, const ChangeAccount& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    AccountCell* cell = find_account(state, command.tenant, body.id);
    if (cell == nullptr) return refused(Reason::not_found);
    if (const Reason reason = refusal_to_change(cell->image, body); reason != Reason::none) return refused(reason);
    if (!has_room(state, command) || state.bounds.room() < body.bounds.size()) return refused(Reason::book_full);

    AccountImage& image = state.change(*cell).image;
    if (body.status) image.status = *body.status;
    if (body.floor_minor) image.floor = *body.floor_minor;
    if (body.risk_level) image.risk_level = *body.risk_level;
    state.set_bounds(*cell, body.bounds);
    begin_outcome(state, command, Event::account_changed);
    Outcome& outcome = state.scratch;
    outcome.debtor = body.id;
    outcome.amount = Money(0, image.currency);
    outcome.debtor_before = outcome.debtor_after = image.balance;
    return end(state, command);
}

Answer adjust_balance(BookState& state, const Command& command, const AdjustBalance& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    TenantState* tenant = state.tenant(command.tenant);
    if (tenant == nullptr) return refused(Reason::no_policy);
    AccountCell* cell = find_account(state, command.tenant, body.id);
    if (cell == nullptr) return refused(Reason::not_found);
    const AccountImage& image = cell->image;
    if (image.id == tenant->equity_account(image.currency)) return refused(Reason::same_account);
    if (image.status == AccountStatus::closed) return refused(Reason::account_closed);
    const CounterSum after = CounterSum{image.balance} + body.delta_minor;
    if (!is_narrow(after) || !is_narrow(after - image.held) ||
        !is_narrow(equity_balance(state, *tenant, image.currency) - body.delta_minor)) {
        return refused(Reason::amount_out_of_range);
    }
    if (state.accounts.room() == 0 || !has_room(state, command)) return refused(Reason::book_full);

    AccountCell& equity = state.equity_of(image);
    begin_outcome(state, command, Event::balance_adjusted);
    Outcome& outcome = state.scratch;
    outcome.debtor = body.id;
    outcome.creditor = equity.image.id;
    outcome.amount = Money(body.delta_minor, image.currency);
    outcome.debtor_before = image.balance;
    outcome.creditor_before = equity.image.balance;
    state.move(equity, *cell, body.delta_minor);
    outcome.debtor_after = image.balance;
    outcome.creditor_after = equity.image.balance;
    return end(state, command);
}

Answer change_policy(BookState& state, const Command& command, const ChangePolicy& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    TenantState& tenant = state.tenant_made(command.tenant);
    if (body.policy->version() != tenant.newest_version() + 1) return refused(Reason::policy_outdated);
    if (!has_room(state, command)) return refused(Reason::book_full);
    tenant.next = body.policy;
    state.change(command.tenant);
    state.changes->policies.push_back(body.policy);
    begin_outcome(state, command, Event::policy_changed);
    state.scratch.why.version = body.policy->version();
    return end(state, command);
}

// --- kept, and nothing else

Answer keep_record(BookState& state, const Command& command, const KeepRecord& body) {
    if (const auto answer = known_answer(state, body.id, command.meaning)) return *answer;
    if (state.known.room() == 0) return refused(Reason::book_full);
    begin_outcome(state, command, Event::record_kept);
    Outcome& outcome = state.scratch;
    outcome.payment = body.id;
    outcome.status = body.reason == Reason::none     ? Status::accepted
                     : body.reason == Reason::broken ? Status::quarantined
                                                     : Status::rejected;
    outcome.reason = body.reason;
    // Numbered among its tenant's payments; before a tenant has a policy there are none.
    if (TenantState* tenant = state.tenant(command.tenant)) {
        outcome.number = ++tenant->last_number;
        state.change(command.tenant);
    }
    const std::uint32_t index = state.record();
    state.know(body.id, index, command.meaning, outcome.status);
    return recorded(index);
}

Answer keep_dead_letter(BookState& state, const Command& command, const KeepDeadLetter&) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    if (!has_room(state, command)) return refused(Reason::book_full);
    begin_outcome(state, command, Event::dead_letter_kept);
    return end(state, command);
}

Answer resolve_dead_letter(BookState& state, const Command& command, const ResolveDeadLetter& body) {
    if (const auto answer = known_answer(state, command.id, command.meaning)) return *answer;
    if (!has_room(state, command)) return refused(Reason::book_full);
    begin_outcome(state, command, Event::dead_letter_resolved);
    state.scratch.origin = body.letter;
    return end(state, command);
}

}  // namespace nostro
