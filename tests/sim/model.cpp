#include "tests/sim/model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace nostro::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kHuge = 11'000, kMuch = 200'000;
constexpr auto kQuarter = 15min;
constexpr std::int64_t kQuarters = 4;
constexpr auto kHoldTtl = 10min, kReviewTtl = 5min;

std::string text(Place place) { return std::to_string(place.seq) + "." + std::to_string(place.index); }
std::string text(Instant at) { return std::to_string(at.time_since_epoch().count()); }

// All of an outcome but its why.
std::string text(const Outcome& outcome) {
    std::string line(name(outcome.event));
    line.append(" ").append(name(outcome.status)).append(" ").append(name(outcome.reason));
    line += " command " + std::to_string(static_cast<std::int32_t>(outcome.command)) + "." +
            std::to_string(outcome.item) + " payment " + std::to_string(outcome.payment.low) + " no. " +
            std::to_string(outcome.number) + " of " + std::to_string(outcome.amount.minor()) + " " +
            std::to_string(outcome.debtor.low % 1000) + ">" + std::to_string(outcome.creditor.low % 1000);
    line += " origin " + text(outcome.origin) + " accepted " + text(outcome.accepted_at) + " expires " +
            text(outcome.expires_at) + " reverses " + std::to_string(outcome.reverses.low) + " balances " +
            std::to_string(outcome.debtor_before) + ">" + std::to_string(outcome.debtor_after) + " " +
            std::to_string(outcome.creditor_before) + ">" + std::to_string(outcome.creditor_after);
    return line;
}

AccountId equity_of(Currency currency) { return account_id("nostro", house_name(House::equity, currency)); }

std::int64_t quarter_of(Instant now) { return now.time_since_epoch() / kQuarter; }
std::int64_t day_of(Instant now) { return std::chrono::floor<std::chrono::days>(now).time_since_epoch().count(); }

}  // namespace

// --- frames

void Model::take(const DecodedFrame& frame) {
    now_ = frame.time();
    seq_ = frame.seq();
    state_.outcomes.clear();
    command_ = kNoCommand;
    item_ = 0;
    expire(frame);
    for (command_ = 0; command_ < frame.commands.size(); ++command_) decide(frame.commands[command_]);
    terms_ = next_terms_;
    epoch_ = frame.frame->header.epoch;

    const auto& outcomes = frame.changes.outcomes;
    for (std::size_t i = 0; i < outcomes.size() || i < state_.outcomes.size(); ++i) {
        const std::string is = i < outcomes.size() ? text(outcomes[i]) : "nothing";
        const std::string should = i < state_.outcomes.size() ? text(state_.outcomes[i]) : "nothing";
        ASSERT_EQ(is, should) << "in frame " << seq_ << ", outcome " << i;
        if (!is_of_payment(outcomes[i].event)) continue;
        const Open* open = waiting(outcomes[i].payment, Status::held);
        changes_[outcomes[i].payment].push_back(
            {seq_, open != nullptr, open != nullptr ? open->expires_at : Instant{}});
    }
}

// Which of those due at the same instant goes first is not promised; that the earlier do is.
void Model::expire(const DecodedFrame& frame) {
    const bool is_take_over = frame.frame->header.epoch != epoch_;
    std::size_t room = is_take_over ? 0 : expiries_max_;
    Instant last{};
    for (const Outcome& outcome : frame.changes.outcomes) {
        if (outcome.event != Event::expired) break;
        const auto open = state_.open.find(outcome.payment);
        ASSERT_TRUE(open != state_.open.end() && room > 0) << "expired in frame " << seq_;
        ASSERT_LE(open->second.expires_at, now_) << "expired too early in frame " << seq_;
        ASSERT_LE(last, open->second.expires_at) << "expired out of order in frame " << seq_;
        last = open->second.expires_at;
        --room;
        const bool is_review = open->second.status == Status::in_review;
        free(outcome.payment, Event::expired, Status::expired,
             is_review ? Reason::review_expired : Reason::hold_expired);
    }
    for (const auto& [payment, open] : state_.open) {
        EXPECT_TRUE(room == 0 || open.expires_at > now_) << "not expired in frame " << seq_;
    }
}

void Model::decide(const Command& command) {
    item_ = 0;
    std::visit([&](const auto& body) { decide(command, body); }, command.body);
}

void Model::not_recorded(std::string_view why) const {
    ADD_FAILURE() << "command " << command_ << " of frame " << seq_ << " stands there, though it " << why;
}

Outcome Model::about(const Payment& payment) {
    Outcome outcome;
    outcome.payment = payment.id;
    outcome.debtor = payment.debtor;
    outcome.creditor = payment.creditor;
    outcome.amount = payment.amount;
    outcome.number = ++state_.payments;
    return outcome;
}

void Model::tell(Outcome outcome) {
    const Place here{seq_, static_cast<std::uint32_t>(state_.outcomes.size())};
    outcome.command = command_;
    outcome.item = item_;
    if (outcome.origin.seq == 0) {
        outcome.origin = here;
        outcome.accepted_at = now_;
    }
    if (is_of_payment(outcome.event)) {
        state_.states[outcome.payment] = outcome.status;
        if (outcome.event == Event::submitted) state_.submitted[outcome.payment] = here;
    }
    state_.outcomes.push_back(outcome);
}

void Model::tell_rejected(Outcome outcome, Reason reason) {
    outcome.status = Status::rejected;
    outcome.reason = reason;
    show_balances(outcome);
    tell(outcome);
}

void Model::spend(PaymentId id, std::uint64_t meaning, std::size_t index) {
    if (id.empty()) return;
    const Place place{seq_, static_cast<std::uint32_t>(index)};
    const bool is_new = state_.known.try_emplace(id, Known{place, meaning}).second;
    if (!is_new) not_recorded("has an id that is spent");
}

// --- payments

void Model::decide(const Command&, const SubmitPayment& body) {
    submit(body);
    spend(body.payment.id, body.meaning, last());
}

void Model::submit(const SubmitPayment& body) {
    const Payment& payment = body.payment;
    if (payment.expires_at != Instant{} && payment.expires_at <= now_) not_recorded("came after its own end");
    Outcome outcome = about(payment);
    bool review = false;
    if (const Reason reason = refusal(payment, review); reason != Reason::none) return tell_rejected(outcome, reason);
    open_if_unknown(payment.debtor, payment.amount.currency());
    open_if_unknown(payment.creditor, payment.amount.currency());
    if (review || payment.capture == Capture::manual) return hold(payment, outcome, review);
    count(payment);
    outcome.status = Status::settled;
    move(outcome, payment.amount.minor());
    tell(outcome);
}

Reason Model::refusal_by_accounts(const Payment& payment) const {
    for (const AccountId id : {payment.debtor, payment.creditor}) {
        if (!terms_->opens && !state_.accounts.contains(id)) return Reason::account_unknown;
    }
    for (const AccountId id : {payment.debtor, payment.creditor}) {
        const auto account = state_.accounts.find(id);
        if (account == state_.accounts.end()) continue;
        if (account->second.currency != payment.amount.currency()) return Reason::currency_mismatch;
    }
    return Reason::none;
}

Reason Model::refusal_by_status(AccountId debtor, AccountId creditor) const {
    const auto status_of = [this](AccountId id) {
        const auto account = state_.accounts.find(id);
        return account == state_.accounts.end() ? AccountStatus::active : account->second.status;
    };
    const AccountStatus from = status_of(debtor), to = status_of(creditor);
    if (from == AccountStatus::closed) return Reason::account_closed;
    if (from != AccountStatus::active) return Reason::account_frozen;
    if (to == AccountStatus::closed) return Reason::account_closed;
    return to == AccountStatus::frozen ? Reason::account_frozen : Reason::none;
}

Reason Model::refusal(const Payment& payment, bool& review) const {
    if (const Reason reason = refusal_by_accounts(payment); reason != Reason::none) return reason;
    if (const Reason reason = refusal_by_status(payment.debtor, payment.creditor); reason != Reason::none) {
        return reason;
    }
    if (payment.debtor == payment.creditor) return Reason::same_account;
    const std::int64_t minor = payment.amount.minor();
    const bool is_euro = payment.amount.currency().code() == "EUR";
    if (is_euro && minor > kHuge && minor > terms_->large_minor) return Reason::risk_rejected;
    review = is_euro && (minor > kHuge || minor > terms_->large_minor);
    if (exceeds(payment, Counts::often)) return Reason::limit_exceeded;
    if (is_euro && exceeds(payment, Counts::much)) review = true;
    const auto debtor = state_.accounts.find(payment.debtor);
    const Account account = debtor == state_.accounts.end() ? Account{} : debtor->second;
    return account.balance - account.held - minor < account.floor ? Reason::insufficient_funds : Reason::none;
}

bool Model::exceeds(const Payment& payment, Counts limit) const {
    if (limit == Counts::often) return used(payment.debtor, limit, now_) + 1 > terms_->often;
    return used(payment.creditor, limit, now_) + payment.amount.minor() > kMuch;
}

std::int64_t Model::used(AccountId account, Counts limit, Instant now) const {
    std::int64_t sum = 0;
    for (const auto& [bucket, counted] : state_.counted) {
        const auto& [of, counts, number] = bucket;
        if (of != account || counts != limit) continue;
        const bool is_inside = limit == Counts::often ? number + kQuarters >= quarter_of(now) : number == day_of(now);
        if (is_inside) sum += counted;
    }
    return sum;
}

std::vector<Model::Bucket> Model::count(const Payment& payment) {
    std::vector<Bucket> buckets;
    buckets.emplace_back(payment.debtor, Counts::often, quarter_of(now_));
    state_.counted[buckets.back()] += 1;
    if (payment.amount.currency().code() == "EUR") {
        buckets.emplace_back(payment.creditor, Counts::much, day_of(now_));
        state_.counted[buckets.back()] += payment.amount.minor();
    }
    return buckets;
}

void Model::move(Outcome& outcome, std::int64_t minor) {
    show_balances(outcome);
    outcome.debtor_after = state_.accounts.at(outcome.debtor).balance -= minor;
    outcome.creditor_after = state_.accounts.at(outcome.creditor).balance += minor;
}

void Model::show_balances(Outcome& outcome) {
    if (const Account* debtor = find(outcome.debtor)) outcome.debtor_before = outcome.debtor_after = debtor->balance;
    if (const Account* creditor = find(outcome.creditor)) {
        outcome.creditor_before = outcome.creditor_after = creditor->balance;
    }
}

void Model::hold(const Payment& payment, Outcome outcome, bool review) {
    Open open;
    open.capture = payment.capture;
    open.status = outcome.status = review ? Status::in_review : Status::held;
    const Instant asked = payment.capture == Capture::manual ? payment.expires_at : Instant{};
    open.expires_at = review ? now_ + kReviewTtl : asked != Instant{} ? asked : now_ + kHoldTtl;
    if (review) open.hold_expires_at = asked;
    outcome.expires_at = open.expires_at;
    open.counted = count(payment);
    state_.accounts.at(payment.debtor).held += payment.amount.minor();
    show_balances(outcome);
    tell(outcome);
    open.first = state_.outcomes.back();
    state_.open[payment.id] = open;
}

void Model::decide(const Command& command, const SubmitGroup& body) {
    const State before = state_;
    std::optional<std::size_t> culprit;
    Reason reason = Reason::none;
    for (item_ = 0; item_ < body.payments.size() && !culprit; ++item_) {
        submit(body.payments[item_]);
        const Outcome& outcome = state_.outcomes.back();
        if (outcome.status == Status::settled) continue;
        culprit = item_;
        reason = outcome.status == Status::rejected ? outcome.reason : Reason::not_immediate;
    }
    const std::size_t first = before.outcomes.size();
    if (culprit) {
        state_ = before;
        for (item_ = 0; item_ < body.payments.size(); ++item_) {
            tell_rejected(about(body.payments[item_].payment), item_ == *culprit ? reason : Reason::group_refused);
        }
    }
    // Accounts that it opened come first.
    const auto begin = state_.outcomes.begin() + static_cast<std::ptrdiff_t>(first);
    const auto payments = std::stable_partition(
        begin, state_.outcomes.end(), [](const Outcome& outcome) { return outcome.event == Event::account_opened; });
    for (auto outcome = begin; outcome != state_.outcomes.end(); ++outcome) {
        outcome->origin.index = static_cast<std::uint32_t>(outcome - state_.outcomes.begin());
    }
    auto index = static_cast<std::size_t>(payments - state_.outcomes.begin());
    spend(command.id, command.meaning, index);
    for (const SubmitPayment& item : body.payments) {
        state_.submitted[item.payment.id] = {seq_, static_cast<std::uint32_t>(index)};
        spend(item.payment.id, item.meaning, index++);
    }
    item_ = 0;
}

void Model::decide(const Command&, const ReversePayment& body) {
    const auto original = state_.submitted.find(body.original);
    if (original == state_.submitted.end() || original->second != body.original_at) {
        return not_recorded("reverses what is not there");
    }
    std::int64_t& reversed = state_.reversed[body.original];
    const std::int64_t rest = body.original_minor - reversed;
    Payment payment = body.payment;
    if (body.whole_rest) payment.amount = Money(rest, payment.amount.currency());
    const std::int64_t minor = payment.amount.minor();
    Outcome outcome = about(payment);
    outcome.reverses = body.original;
    const Account& debtor = state_.accounts.at(payment.debtor);
    Reason reason = refusal_by_status(payment.debtor, payment.creditor);
    if (reason == Reason::none && debtor.balance - debtor.held - minor < debtor.floor) {
        reason = Reason::insufficient_funds;
    }
    if (minor > rest || rest <= 0) reason = Reason::reversal_exceeds_original;
    if (reason != Reason::none) {
        tell_rejected(outcome, reason);
    } else {
        reversed += minor;
        outcome.status = Status::settled;
        move(outcome, minor);
        tell(outcome);
    }
    spend(payment.id, body.meaning, last());
}

// --- follow-ups

Model::Open* Model::waiting(PaymentId payment, Status status) {
    const auto open = state_.open.find(payment);
    const bool waits = open != state_.open.end() && open->second.status == status && open->second.expires_at > now_;
    return waits ? &open->second : nullptr;
}

Outcome Model::follow_up(const Open& open, Event event, std::int64_t minor) const {
    Outcome outcome = open.first;
    outcome.event = event;
    outcome.amount = Money(minor, open.first.amount.currency());
    outcome.expires_at = {};
    return outcome;
}

void Model::settle(PaymentId payment, Event event, std::int64_t minor) {
    const Open open = state_.open.at(payment);
    const std::int64_t whole = open.first.amount.minor();
    state_.accounts.at(open.first.debtor).held -= whole;
    for (const Bucket& bucket : open.counted) {
        if (std::get<Counts>(bucket) == Counts::much) state_.counted[bucket] -= whole - minor;
    }
    Outcome outcome = follow_up(open, event, minor);
    outcome.status = Status::settled;
    move(outcome, minor);
    state_.open.erase(payment);
    tell(outcome);
}

void Model::free(PaymentId payment, Event event, Status status, Reason reason) {
    const Open open = state_.open.at(payment);
    const std::int64_t whole = open.first.amount.minor();
    state_.accounts.at(open.first.debtor).held -= whole;
    for (const Bucket& bucket : open.counted) {
        state_.counted[bucket] -= std::get<Counts>(bucket) == Counts::much ? whole : 1;
    }
    Outcome outcome = follow_up(open, event, whole);
    outcome.status = status;
    outcome.reason = reason;
    show_balances(outcome);
    state_.open.erase(payment);
    tell(outcome);
}

void Model::decide(const Command& command, const CapturePayment& body) {
    const Open* open = waiting(body.payment, Status::held);
    if (open == nullptr) return not_recorded("captures what is not held");
    const std::int64_t whole = open->first.amount.minor();
    const std::int64_t minor = body.amount_minor.value_or(whole);
    if (minor > whole) return not_recorded("captures more than is held");
    if (refusal_by_status(open->first.debtor, open->first.creditor) != Reason::none) {
        return not_recorded("captures on a frozen account");
    }
    settle(body.payment, Event::captured, minor);
    spend(command.id, command.meaning, last());
}

void Model::decide(const Command& command, const VoidPayment& body) {
    if (waiting(body.payment, Status::held) == nullptr) return not_recorded("voids what is not held");
    free(body.payment, Event::voided, Status::voided, Reason::none);
    spend(command.id, command.meaning, last());
}

void Model::decide(const Command& command, const DecideReview& body) {
    Open* open = waiting(body.payment, Status::in_review);
    if (open == nullptr) return not_recorded("decides what is not in review");
    if (!body.approve) {
        free(body.payment, Event::refused, Status::rejected, Reason::review_rejected);
    } else if (refusal_by_status(open->first.debtor, open->first.creditor) != Reason::none) {
        return not_recorded("approves on a frozen account");
    } else if (open->capture == Capture::automatic) {
        settle(body.payment, Event::approved, open->first.amount.minor());
    } else {
        open->status = Status::held;
        open->expires_at = open->hold_expires_at != Instant{} ? open->hold_expires_at : now_ + kHoldTtl;
        Outcome outcome = follow_up(*open, Event::approved, open->first.amount.minor());
        outcome.status = Status::held;
        outcome.expires_at = open->expires_at;
        show_balances(outcome);
        tell(outcome);
    }
    spend(command.id, command.meaning, last());
}

// --- accounts, policies

Model::Account* Model::find(AccountId id) {
    const auto account = state_.accounts.find(id);
    return account != state_.accounts.end() ? &account->second : nullptr;
}

void Model::open_account(AccountId id, Currency currency, std::int64_t opening) {
    const AccountId equity = equity_of(currency);
    if (opening != 0 && find(equity) == nullptr) {
        open_account(equity, currency, 0);
        state_.accounts.at(equity).floor = kNoFloor;
    }
    Outcome outcome;
    outcome.event = Event::account_opened;
    outcome.debtor = id;
    outcome.amount = Money(opening, currency);
    state_.accounts[id].currency = currency;
    state_.accounts[id].opened = {seq_, static_cast<std::uint32_t>(state_.outcomes.size())};
    if (opening != 0) {
        outcome.creditor = equity;
        show_balances(outcome);
        outcome.debtor_after = state_.accounts.at(id).balance += opening;
        outcome.creditor_after = state_.accounts.at(equity).balance -= opening;
    }
    tell(outcome);
}

void Model::open_if_unknown(AccountId id, Currency currency) {
    if (find(id) == nullptr) open_account(id, currency, 0);
}

void Model::decide(const Command& command, const OpenAccount& body) {
    if (find(body.id) != nullptr) return not_recorded("opens what is open");
    open_account(body.id, body.currency, body.opening_minor);
    spend(command.id, command.meaning, last());
}

void Model::decide(const Command& command, const ChangeAccount& body) {
    Account* account = find(body.id);
    if (account == nullptr) return not_recorded("changes what is not there");
    if (account->status == AccountStatus::closed) return not_recorded("changes a closed account");
    if (body.status == AccountStatus::closed && (account->balance != 0 || account->held != 0)) {
        return not_recorded("closes an account that holds money");
    }
    if (body.status) account->status = *body.status;
    if (body.floor_minor) account->floor = *body.floor_minor;
    Outcome outcome;
    outcome.event = Event::account_changed;
    outcome.debtor = body.id;
    outcome.amount = Money(0, account->currency);
    show_balances(outcome);
    tell(outcome);
    spend(command.id, command.meaning, last());
}

// From the next frame on.
void Model::decide(const Command&, const ChangePolicy& body) {
    const Terms* terms = commands_.terms(body.policy->text());
    ASSERT_NE(terms, nullptr) << "a policy that nobody wrote";
    const PolicyVersion newest = next_terms_ ? next_terms_->version : 0;
    if (body.policy->version() != newest + 1) return not_recorded("changes a policy that was changed before");
    next_terms_ = *terms;
    next_terms_->version = body.policy->version();
    Outcome outcome;
    outcome.event = Event::policy_changed;
    tell(outcome);
}

void Model::decide(const Command&, const KeepDeadLetter&) { not_recorded("is not refused for good"); }

}  // namespace nostro::sim
