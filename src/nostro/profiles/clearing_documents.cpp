#include "nostro/profiles/clearing_documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/domain/account.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro::clearing {
namespace {

constexpr std::string_view kClearance = "clearance_system", kSettlement = "settlement_system";
constexpr std::string_view kPending = "pending", kCleared = "cleared", kConditional = "cleared_with_conditions",
                           kReview = "requires_manual_review", kRejected = "rejected", kSettled = "settled";
// The rule of the policy whose review is about the amount.
constexpr std::string_view kAmountRule = "amount_limit";
constexpr std::int32_t kScoreMax = 100;

bool is_record(const Payment& payment) { return payment.key.empty() && !payment.attachment.empty(); }
bool is_record(const Step& step) { return is_record(*step.payment); }

std::string decimal(std::int64_t minor, const Step& step) {
    if (!is_record(step)) return Money(minor, step.payment->amount.currency()).decimal();
    const auto currency = Currency::parse(message_member(step.payment->attachment, "currency"));
    return Money(minor, currency ? *currency : Currency()).decimal();
}
std::string amount(const Step& step) {
    return is_record(step) ? message_member(step.payment->attachment, "amount") : step.payment->amount.decimal();
}

std::int64_t available_minor(const Step& step) {
    return step.from ? step.first->debtor_before - step.from->held_minor : 0;
}

std::string transaction_id(const Step& step) {
    if (is_record(step)) return message_member(step.payment->attachment, "transaction_id");
    // A reversal may have none.
    return step.payment->key.empty() ? to_hex(step.payment->id) : std::string(step.payment->key);
}
std::string from_account(const Payment& payment) {
    if (is_record(payment)) return message_member(payment.attachment, "from_account");
    return account_number_of(payment.debtor_name, message_member(payment.metadata, "from_account"));
}
std::string to_account(const Payment& payment) {
    if (is_record(payment)) return message_member(payment.attachment, "to_account");
    return account_number_of(payment.creditor_name, message_member(payment.metadata, "to_account"));
}
std::string from_account(const Step& step) { return from_account(*step.payment); }
std::string to_account(const Step& step) { return to_account(*step.payment); }
std::string description(const Step& step) {
    if (!step.payment->attachment.empty()) return message_member(step.payment->attachment, "description");
    return std::string(step.payment->description);
}
std::string transaction_type(const Step& step) {
    return is_record(step) ? message_member(step.payment->attachment, "transaction_type")
                           : std::string(step.payment->type);
}
Instant created_at(const Step& step) {
    return step.payment->requested_at != Instant{} ? step.payment->requested_at : step.first->accepted_at;
}

bool is_clearance(const Step& step) { return step.outcome == step.first; }

}  // namespace

// --- what stands in an account

std::string_view account_name(std::string_view number, Arena& arena) {
    if (!is_house_name(number)) return account_name_of("", number, "", arena);
    return account_name_of("+68", number.substr(1), "", arena);  // its 'h', escaped
}

std::string account_number_of(std::string_view name, std::string_view whole) {
    if (!whole.empty()) return std::string(whole);
    return id_of_account(name, "", "").value_or(std::string(name));
}

std::optional<Party> party_of(const AccountRecord* account, const Place& before) {
    if (account == nullptr || account->opened > before) return std::nullopt;
    return Party{account->holder, to_upper(name(account->image.risk_level)),
                 message_member(account->metadata, "account_type"), account->image.held, account->image.facts()};
}

std::pair<std::string_view, std::string_view> account_names(const Payment& payment, Arena& arena) {
    if (!is_record(payment)) return {payment.debtor_name, payment.creditor_name};
    const auto name_of = [&](const std::string& number) {
        return number.empty() ? std::string_view() : account_name(number, arena);
    };
    return {name_of(from_account(payment)), name_of(to_account(payment))};
}

std::optional<Step> step_of(const Recorded& recorded, std::size_t index, const Policy& policy,
                            const AccountRecord* from, const AccountRecord* to) {
    const Outcome& first = recorded.outcomes.front();
    if (first.event == Event::record_kept && customer_row(recorded.payment)) return std::nullopt;
    Step step{.payment = &recorded.payment,
              .first = &first,
              .outcome = &recorded.outcomes[index],
              .at = recorded.times[index],
              .policy = &policy};
    const Event event = step.outcome->event;
    if (event == Event::approved || event == Event::refused) {
        step.by = recorded.reviewed_by;
        step.note = recorded.review_note;
    }
    step.from = party_of(from, recorded.places.front());
    step.to = party_of(to, recorded.places.front());
    // What it reserves itself was there when it was looked at.
    if (step.from && is_open(recorded.last().status)) step.from->held_minor -= recorded.payment.amount.minor();
    return step;
}

// --- words

std::string_view clearance_status(const Step& step) {
    switch (step.first->status) {
        case Status::settled: return step.first->why.advice == Advice::clear_with_conditions ? kConditional : kCleared;
        case Status::in_review: return kReview;
        case Status::accepted:
        case Status::held: return is_record(step) ? kRejected : kPending;
        default: return kRejected;
    }
}

std::string_view status_of(const Step& step) {
    if (is_clearance(step)) return step.outcome->status == Status::settled ? kSettled : clearance_status(step);
    return step.outcome->status == Status::settled ? kSettled : kRejected;
}

namespace {

std::string refusal(const Step& step) {
    switch (step.first->reason) {
        case Reason::amount_out_of_range: return "Invalid amount";
        case Reason::insufficient_funds:
            return fmt::format("Insufficient funds. Available: {}, Required: {}", decimal(available_minor(step), step),
                               amount(step));
        case Reason::account_unknown: return step.from ? "To account not found" : "From account not found";
        case Reason::same_account: return "From account and to account are the same";
        case Reason::account_frozen: return "Account is frozen";
        case Reason::account_closed: return "Account is closed";
        case Reason::currency_mismatch: return "Account is in another currency";
        case Reason::risk_rejected: return "Risk too high";
        default: return std::string(name(step.first->reason));
    }
}

}  // namespace

std::string clearance_notes(const Step& step) {
    const std::string_view status = clearance_status(step);
    if (status == kCleared) return "All validations passed";
    if (status == kConditional) return "Medium risk - additional monitoring";
    if (status != kReview) return refusal(step);
    const bool by_amount = std::ranges::any_of(
        step.first->why.fired(), [&](const Hit& hit) { return step.policy->name(hit.rule) == kAmountRule; });
    return by_amount ? "Amount exceeds daily limit" : "High risk - manual review required";
}

std::string rejection_reason(const Step& step) {
    if (is_clearance(step)) return clearance_notes(step);
    if (step.outcome->event == Event::expired) return "Nobody decided the review in time";
    return fmt::format("Rejected in review: {}", step.note);
}

std::int32_t risk_score(const Step& step) {
    Assessment why = step.first->why;
    const Reason reason = step.first->reason;
    const bool is_assessed = reason == Reason::none || reason == Reason::risk_rejected;
    if (!is_assessed) {
        const PartyFacts none;
        why = step.policy->with_parties(step.policy->assess(*step.payment), *step.payment,
                                        step.from ? step.from->facts : none, step.to ? step.to->facts : none,
                                        step.first->accepted_at);
    }
    return std::min(why.score, kScoreMax);
}

// --- messages

namespace {

void text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
    json.key(name);
    text.empty() ? json.null() : json.string(text);
}

void write_party(JsonWriter& json, std::string_view name, const std::optional<Party>& party, std::int64_t balance,
                 const Step& step) {
    json.key(name).begin_object();
    text_or_null(json, "name", party ? party->name : "");
    text_or_null(json, "risk_level", party ? party->risk_level : "");
    text_or_null(json, "account_type", party ? party->account_type : "");
    json.key("balance").raw(party ? decimal(balance, step) : "0").end_object();
}

void write_transaction(JsonWriter& json, const Step& step, std::string_view status) {
    json.field("id", step.first->number).field("transaction_id", transaction_id(step));
    json.key("amount").raw(amount(step));
    text_or_null(json, "from_account", from_account(step));
    text_or_null(json, "to_account", to_account(step));
    json.field("transaction_type", transaction_type(step));
    text_or_null(json, "description", description(step));
    json.field("timestamp", to_rfc3339(created_at(step))).field("status", status);
    write_party(json, "from_customer", step.from, step.first->debtor_before, step);
    write_party(json, "to_customer", step.to, step.first->creditor_before, step);
    json.field("risk_score", risk_score(step));
}

}  // namespace

std::string financial_message(const Step& step) {
    std::string message;
    JsonWriter json(message);
    json.begin_object();
    write_transaction(json, step, kPending);
    json.end_object();
    return message;
}

std::string cleared_message(const Step& step) {
    std::string message;
    JsonWriter json(message);
    json.begin_object();
    write_transaction(json, step, clearance_status(step));
    json.field("clearance_notes", clearance_notes(step));
    json.field("clearance_time", to_rfc3339(step.first->accepted_at)).field("cleared_by", "automated_system");
    json.key("available_balance").raw(decimal(available_minor(step), step)).end_object();
    return message;
}

// --- rows

TransactionRow transaction_row(const Step& step) {
    TransactionRow row;
    row.id = step.first->number;
    row.transaction_id = transaction_id(step);
    row.amount = amount(step);
    row.from_account = from_account(step);
    row.to_account = to_account(step);
    row.transaction_type = transaction_type(step);
    row.description = description(step);
    row.created_at = created_at(step);
    row.status = status_of(step);
    return row;
}

std::vector<AuditRow> audit_rows(const Step& step) {
    std::vector<AuditRow> rows;
    const auto add = [&](std::string_view before, std::string_view after, std::string_view by) {
        rows.push_back({transaction_id(step), std::string(before), std::string(after), std::string(by), step.at});
    };
    if (!is_clearance(step)) {
        add(kReview, status_of(step), step.by.empty() ? kClearance : step.by);
        return rows;
    }
    const std::string_view cleared = clearance_status(step);
    if (cleared == kPending) return rows;
    add(kPending, cleared, kClearance);
    if (step.outcome->status == Status::settled) add(cleared, kSettled, kSettlement);
    return rows;
}

std::optional<AccountRow> account_row(const AccountRecord& account) {
    if (account.image.kind == AccountKind::house) return std::nullopt;
    AccountRow row;
    row.account_number = account_number_of(account.name, message_member(account.metadata, "account_number"));
    row.customer_id = message_member(account.metadata, "customer_id");
    row.account_type = message_member(account.metadata, "account_type");
    row.balance = Money(account.image.balance, account.image.currency).decimal();
    row.created_at = account.image.opened_at;
    switch (account.image.status) {
        case AccountStatus::active: row.status = "ACTIVE"; break;
        case AccountStatus::frozen_debit:
        case AccountStatus::frozen: row.status = "FROZEN"; break;
        case AccountStatus::closed: row.status = "CLOSED"; break;
    }
    return row;
}

std::optional<CustomerRow> customer_row(const AccountRecord& account) {
    const std::string id = message_member(account.metadata, "customer_id");
    if (id.empty()) return std::nullopt;
    return CustomerRow{id, account.holder, {}, to_upper(name(account.image.risk_level))};
}

std::optional<CustomerRow> customer_row(const Payment& record) {
    const std::string id = message_member(record.attachment, "customer_id");
    if (id.empty()) return std::nullopt;
    return CustomerRow{id, message_member(record.attachment, "name"), message_member(record.attachment, "email"),
                       message_member(record.attachment, "risk_level")};
}

// --- cache

namespace {

// Fields that hashes of all kinds share, in the order of the original.
void add_transaction(Hash& hash, const Step& step) {
    hash.fields.emplace_back("amount", amount(step));
    hash.fields.emplace_back("from_account", from_account(step));
    hash.fields.emplace_back("to_account", to_account(step));
    hash.fields.emplace_back("transaction_type", transaction_type(step));
    hash.fields.emplace_back("description", description(step));
    hash.fields.emplace_back("risk_score", std::to_string(risk_score(step)));
}

Hash settlement_hash(const Step& step) {
    const Outcome& settled = *step.outcome;
    Hash hash{"settlement:" + transaction_id(step), {}};
    auto& fields = hash.fields;
    fields.emplace_back("transaction_id", transaction_id(step));
    fields.emplace_back("status", kSettled);
    fields.emplace_back("settlement_time", to_rfc3339(step.at));
    add_transaction(hash, step);
    const Party nobody;
    const Party& from = step.from ? *step.from : nobody;
    const Party& to = step.to ? *step.to : nobody;
    fields.emplace_back("from_customer_name", from.name);
    fields.emplace_back("from_customer_risk", from.risk_level);
    fields.emplace_back("from_account_type", from.account_type);
    fields.emplace_back("from_account_balance", decimal(step.first->debtor_before, step));
    fields.emplace_back("to_customer_name", to.name);
    fields.emplace_back("to_customer_risk", to.risk_level);
    fields.emplace_back("to_account_type", to.account_type);
    fields.emplace_back("to_account_balance", decimal(step.first->creditor_before, step));
    fields.emplace_back("balance_updated", "True");
    fields.emplace_back("balance_update_notes", "Both balances moved with the settlement");
    fields.emplace_back("from_balance_before", decimal(settled.debtor_before, step));
    fields.emplace_back("from_balance_after", decimal(settled.debtor_after, step));
    fields.emplace_back("to_balance_before", decimal(settled.creditor_before, step));
    fields.emplace_back("to_balance_after", decimal(settled.creditor_after, step));
    return hash;
}

Hash refused_hash(const Step& step, bool is_review, std::string_view folder) {
    Hash hash{fmt::format("{}:{}", folder, transaction_id(step)), {}};
    auto& fields = hash.fields;
    fields.emplace_back("transaction_id", transaction_id(step));
    fields.emplace_back("status", is_review ? kReview : kRejected);
    fields.emplace_back(is_review ? "review_time" : "rejection_time", to_rfc3339(step.at));
    fields.emplace_back(is_review ? "review_reason" : "rejection_reason",
                        is_review ? clearance_notes(step) : rejection_reason(step));
    add_transaction(hash, step);
    fields.emplace_back("available_balance", decimal(available_minor(step), step));
    fields.emplace_back("from_customer_name", step.from ? step.from->name : "");
    fields.emplace_back("from_customer_risk", step.from ? step.from->risk_level : "");
    return hash;
}

}  // namespace

HashChange hash_change(const Step& step, bool rejected_reviews) {
    HashChange change;
    const std::string_view review = rejected_reviews ? "rejected" : "review";
    if (!is_clearance(step)) change.removed = fmt::format("{}:{}", review, transaction_id(step));
    const std::string_view status = status_of(step);
    if (status == kSettled) change.written = settlement_hash(step);
    if (status == kReview) change.written = refused_hash(step, true, review);
    if (status == kRejected) change.written = refused_hash(step, false, "rejected");
    return change;
}

// --- logs

std::vector<std::string> log_lines(const Step& step) {
    const std::string id = transaction_id(step);
    std::vector<std::string> lines;
    if (is_clearance(step)) {
        lines.push_back(fmt::format("Sent {}: {} from {} to {}, risk score {}", id, transaction_row(step).amount,
                                    from_account(step), to_account(step), risk_score(step)));
        lines.push_back(fmt::format("Clearance of {}: {} ({})", id, clearance_status(step), clearance_notes(step)));
    }
    const std::string_view status = status_of(step);
    const Outcome& outcome = *step.outcome;
    if (status == kSettled) {
        lines.push_back(fmt::format("Settled {}: {} {} -> {}, {} {} -> {}", id, from_account(step),
                                    decimal(outcome.debtor_before, step), decimal(outcome.debtor_after, step),
                                    to_account(step), decimal(outcome.creditor_before, step),
                                    decimal(outcome.creditor_after, step)));
    } else if (status == kRejected) {
        lines.push_back(fmt::format("Rejected {}: {}", id, rejection_reason(step)));
    } else if (status == kReview) {
        lines.push_back(fmt::format("Review of {}: {}", id, clearance_notes(step)));
    }
    return lines;
}

}  // namespace nostro::clearing
