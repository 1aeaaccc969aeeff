#include "nostro/profiles/clearing_shown.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nostro/profiles/clearing_documents.hpp"
#include "nostro/profiles/profile_answers.hpp"

namespace nostro::clearing {
namespace {

void text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
    json.key(name);
    text.empty() ? json.null() : json.string(text);
}

// What an earlier outcome of the same frame added to what the account reserves.
std::int64_t reserved_by(const Outcome& outcome, AccountId account) {
    if (outcome.debtor != account) return 0;
    if (outcome.event == Event::submitted) return is_open(outcome.status) ? outcome.amount.minor() : 0;
    const bool ends = outcome.event == Event::approved || outcome.event == Event::refused ||
                      outcome.event == Event::voided || outcome.event == Event::expired;
    return ends ? -outcome.amount.minor() : 0;
}

// An account with what it reserved when the transaction was looked at; nullopt: there is no such account.
Result<std::optional<AccountRecord>> account_then(const Recorded& recorded, const Ledger& ledger, AccountId id) {
    auto found = ledger.history().account(id);
    if (!found || !*found) return found;
    const Place place = recorded.places.front();
    auto then = ledger.history().account_at(id, place.seq - 1);
    if (!then && then.error().code != ErrorCode::not_found) return then.error();
    std::int64_t held = then ? then->held : 0;
    const auto frame = ledger.frame(place.seq);
    if (!frame) return frame.error();
    const auto& outcomes = (*frame)->changes.outcomes;
    for (std::uint32_t i = 0; i < place.index && i < outcomes.size(); ++i) held += reserved_by(outcomes[i], id);
    // step_of() takes away what the transaction itself reserves, as long as it does.
    if (is_open(recorded.last().status)) held += recorded.payment.amount.minor();
    (*found)->image.held = held;
    return found;
}

void write_row(JsonWriter& json, const Step& step) {
    const TransactionRow row = transaction_row(step);
    json.key("row").begin_object().field("id", row.id).field("transaction_id", row.transaction_id);
    json.field("amount", row.amount);
    text_or_null(json, "from_account", row.from_account);
    text_or_null(json, "to_account", row.to_account);
    json.field("transaction_type", row.transaction_type).field("description", row.description);
    json.field("created_at", to_rfc3339(row.created_at)).field("status", row.status).end_object();
}

void write_audit(JsonWriter& json, const std::vector<Step>& steps) {
    json.key("audit").begin_array();
    for (const Step& step : steps) {
        for (const AuditRow& row : audit_rows(step)) {
            json.begin_object().field("transaction_id", row.transaction_id).field("old_status", row.old_status);
            json.field("new_status", row.new_status).field("changed_by", row.changed_by);
            json.field("changed_at", to_rfc3339(row.changed_at)).end_object();
        }
    }
    json.end_array();
}

void write_hash(JsonWriter& json, const Step& step, bool rejected_reviews) {
    json.key("hash");
    const auto change = hash_change(step, rejected_reviews);
    if (!change.written) {
        json.null();
        return;
    }
    json.begin_object().field("key", change.written->key).key("fields").begin_object();
    for (const auto& [name, value] : change.written->fields) json.field(name, value);
    json.end_object().end_object();
}

void write_customer(JsonWriter& json, const CustomerRow& row) {
    json.key("row").begin_object().field("customer_id", row.customer_id).field("name", row.name);
    text_or_null(json, "email", row.email);
    json.field("risk_level", row.risk_level).end_object();
}

}  // namespace

Result<> write_documents(const Recorded& recorded, const Ledger& ledger, bool rejected_reviews, JsonWriter& into) {
    const PolicyPtr policy = deciding_policy(recorded, ledger);
    if (policy == nullptr) return Error{ErrorCode::unavailable, "its policy is not in force yet"};
    if (recorded.outcomes.front().event == Event::record_kept) {
        if (const auto customer = customer_row(recorded.payment)) {
            write_customer(into, *customer);
            return {};
        }
    }
    Arena arena;
    const auto [from_name, to_name] = account_names(recorded.payment, arena);
    std::optional<AccountRecord> parties[2];
    for (std::size_t i = 0; i < 2; ++i) {
        const std::string_view name = i == 0 ? from_name : to_name;
        if (name.empty()) continue;
        auto found = account_then(recorded, ledger, account_id(policy->tenant(), name));
        if (!found) return found.error();
        parties[i] = std::move(*found);
    }
    const auto pointer = [](const std::optional<AccountRecord>& party) { return party ? &*party : nullptr; };
    std::vector<Step> steps;
    for (std::size_t i = 0; i < recorded.outcomes.size(); ++i) {
        if (const auto step = step_of(recorded, i, *policy, pointer(parties[0]), pointer(parties[1]))) {
            steps.push_back(*step);
        }
    }
    write_row(into, steps.back());
    write_audit(into, steps);
    into.key("messages").begin_object().key("financial-transactions").raw(financial_message(steps.front()));
    into.key("cleared-transactions").raw(cleared_message(steps.front())).end_object();
    write_hash(into, steps.back(), rejected_reviews);
    into.key("log").begin_array();
    for (const Step& step : steps) {
        for (const std::string& line : log_lines(step)) into.string(line);
    }
    into.end_array();
    return {};
}

}  // namespace nostro::clearing
