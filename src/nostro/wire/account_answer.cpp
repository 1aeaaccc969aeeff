// Accounts, balances, entries, policies, totals and dead letters as JSON.
#include <map>
#include <string>

#include "nostro/base/base64.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/answer_json.hpp"
#include "nostro/wire/answer_parts.hpp"

namespace nostro {
namespace {

void write_floor(JsonWriter& json, const AccountImage& account) {
    if (account.floor == kNoFloor) {
        json.field("floor", nullptr);
    } else {
        write_amount(json, "floor", account.floor, account.currency);
    }
}

void write_posted_and_held(JsonWriter& json, const AccountImage& account) {
    write_amount(json, "posted", account.balance, account.currency);
    write_amount(json, "held", account.held, account.currency);
    // May be wider than an amount can be.
    json.field("available", Total(Total::Wide{account.balance} - account.held).decimal(account.currency));
    json.field("version", account.version);
}

const Limit* limit_by_key(const Policy* policy, std::uint32_t name_key) {
    if (policy == nullptr) return nullptr;
    for (const Limit& limit : policy->limits()) {
        if (limit.name_key == name_key) return &limit;
    }
    return nullptr;
}

// {"daily_debit_sum":"100.00"}: the bounds that are its own. A limit that the policy no longer has is not shown.
void write_bounds(JsonWriter& json, std::span<const OwnBound> bounds, const Policy* policy) {
    json.key("limits").begin_object();
    for (const OwnBound& bound : bounds) {
        const Limit* limit = bound.removed ? nullptr : limit_by_key(policy, bound.name_key);
        if (limit == nullptr) continue;
        if (limit->measure == Limit::Measure::sum) {
            write_amount(json, policy->name(limit->rule), bound.at_most, limit->currency);
        } else {
            json.field(policy->name(limit->rule), std::to_string(bound.at_most));
        }
    }
    json.end_object();
}

std::string_view name(DeadLetter::State state) {
    switch (state) {
        case DeadLetter::State::open: return "open";
        case DeadLetter::State::redriven: return "redriven";
        case DeadLetter::State::discarded: return "discarded";
    }
    return "unknown";
}

}  // namespace

void write_account(JsonWriter& json, const AccountRecord& account, const Policy* policy) {
    const AccountImage& image = account.image;
    json.begin_object().field("account_id", account.name).field("currency", image.currency.code());
    write_text(json, "holder", account.holder);
    json.field("kind", nostro::name(image.kind)).field("status", nostro::name(image.status));
    json.field("risk_level", nostro::name(image.risk_level));
    write_floor(json, image);
    write_bounds(json, account.bounds, policy);
    json.key("metadata").raw(account.metadata.empty() ? "{}" : std::string_view(account.metadata));
    write_time(json, "opened_at", image.opened_at);
    json.key("balance").begin_object();
    write_posted_and_held(json, image);
    json.end_object();
    write_place(json, "journal", account.opened);
    json.end_object();
}

void write_balance(JsonWriter& json, std::string_view account_name, const AccountImage& account, const AsOf& as_of) {
    json.begin_object().field("account_id", account_name).field("currency", account.currency.code());
    write_posted_and_held(json, account);
    json.key("as_of");
    write_as_of(json, as_of);
    json.end_object();
}

void write_entry(JsonWriter& json, const Entry& entry, std::string_view other_party) {
    const Currency currency = entry.outcome.amount.currency();
    json.begin_object();
    json.field("entry_id", std::to_string(entry.place.seq) + "." + std::to_string(entry.place.index));
    write_time(json, "at", entry.at);
    write_id(json, "payment_id", entry.outcome.payment);
    json.field("event", nostro::name(entry.outcome.event)).field("status", nostro::name(entry.outcome.status));
    json.field("direction", entry.debit ? "debit" : "credit");
    // An adjustment that takes is signed in the journal; here the direction says it.
    const std::int64_t minor = entry.outcome.amount.minor();
    write_amount(json, "amount", entry.outcome.event == Event::balance_adjusted && minor < 0 ? -minor : minor,
                 currency);
    json.field("currency", currency.code());
    write_text(json, "counterparty", other_party);
    write_amount(json, "balance_before", entry.before_minor, currency);
    write_amount(json, "balance_after", entry.after_minor, currency);
    write_place(json, "journal", entry.place);
    json.end_object();
}

void write_policy(JsonWriter& json, const Policy& policy, bool in_force) {
    json.begin_object().field("tenant", policy.tenant()).field("version", policy.version());
    json.field("in_force", in_force).field("policy", policy.text()).end_object();
}

void write_totals(JsonWriter& json, std::span<const Book::KindTotal> totals, const AsOf& as_of) {
    // Of all tenants together.
    std::map<Currency, std::map<AccountKind, Book::KindTotal>> by_currency;
    for (const Book::KindTotal& total : totals) {
        Book::KindTotal& kind = by_currency[total.currency][total.kind];
        kind.accounts += total.accounts;
        kind.posted += total.posted;
        kind.held += total.held;
    }
    bool balanced = true;
    json.begin_object().key("currencies").begin_array();
    for (const auto& [currency, kinds] : by_currency) {
        Total sum;
        json.begin_object().field("currency", currency.code()).key("kinds").begin_array();
        for (const auto& [kind, total] : kinds) {
            sum += Total(total.posted);
            json.begin_object().field("kind", nostro::name(kind)).field("accounts", total.accounts);
            json.field("posted", Total(total.posted).decimal(currency));
            json.field("held", Total(total.held).decimal(currency)).end_object();
        }
        json.end_array().field("sum", sum.decimal(currency)).field("balanced", sum.is_zero()).end_object();
        balanced &= sum.is_zero();
    }
    json.end_array().field("balanced", balanced).key("as_of");
    write_as_of(json, as_of);
    json.end_object();
}

void write_dead_letter(JsonWriter& json, const DeadLetter& letter, PaymentId payment) {
    json.begin_object();
    json.field("dead_letter_id", std::to_string(letter.place.seq) + "." + std::to_string(letter.place.index));
    write_time(json, "at", letter.at);
    json.field("state", name(letter.state)).field("source", letter.source).field("position", letter.position);
    write_text(json, "format", letter.format);
    json.field("why", letter.why);
    // Text where it is one; else nothing would survive the way through JSON.
    is_valid_utf8(letter.bytes) ? json.field("text", letter.bytes) : json.field("text", nullptr);
    json.field("bytes_base64", to_base64(letter.bytes)).field("size", letter.bytes.size());
    payment.empty() ? json.field("payment_id", nullptr) : json.field("payment_id", to_hex(payment));
    write_place(json, "journal", letter.place);
    json.end_object();
}

}  // namespace nostro
