// Payments as read, their why, and the events of the live stream.
#include <algorithm>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/wire/answer_json.hpp"
#include "nostro/wire/answer_parts.hpp"
#include "nostro/wire/reasons.hpp"

namespace nostro {
namespace {

// {"iso20022":"AM04","upi":"Z9"}: those of ISO 20022 and of the rail's own family. null: no reason.
void write_scheme_codes(JsonWriter& json, Reason reason, std::string_view rail_name) {
    if (reason == Reason::none) {
        json.field("scheme_codes", nullptr);
        return;
    }
    const ReasonCodes codes = reason_codes(reason);
    const RailFamily family = rail_family(rail_name);
    json.key("scheme_codes").begin_object().field("iso20022", codes.iso20022);
    if (family == RailFamily::upi) write_text(json, "upi", codes.upi);
    if (family == RailFamily::ach) write_text(json, "ach", codes.ach);
    if (family == RailFamily::card) write_text(json, "iso8583", codes.iso8583);
    json.end_object();
}

void write_measure(JsonWriter& json, std::string_view field, const Limit& limit, std::int64_t value) {
    if (limit.measure == Limit::Measure::sum) {
        write_amount(json, field, value, limit.currency);
    } else {
        json.field(field, std::to_string(value));
    }
}

void write_limit(JsonWriter& json, const Hit& hit, const Limit& limit, const Policy& policy) {
    json.begin_object().field("limit", policy.name(hit.rule));
    json.field("window", policy.window_name(limit, hit.bucket));
    write_measure(json, "used", limit, hit.input);
    write_measure(json, "left", limit, hit.at_most > hit.input ? hit.at_most - hit.input : 0);
    write_measure(json, "at_most", limit, hit.at_most);
    json.end_object();
}

void write_rule(JsonWriter& json, const Hit& hit, Currency currency, const Policy* policy) {
    json.begin_object();
    write_text(json, "rule", policy == nullptr ? std::string_view() : policy->name(hit.rule));
    json.field("points", hit.points);
    write_text(json, "input", policy == nullptr ? std::string() : policy->input_text(hit, currency));
    json.end_object();
}

const Limit* limit_of(const Hit& hit, const Policy* policy) {
    return policy == nullptr ? nullptr : policy->limit(hit.rule);
}

// Of a payment that could not look at both accounts, balances say nothing.
bool has_balances(const Outcome& outcome) {
    return outcome.reason != Reason::account_unknown && outcome.reason != Reason::currency_mismatch &&
           outcome.event != Event::record_kept;
}

void write_balances(JsonWriter& json, const Outcome& outcome) {
    if (!has_balances(outcome)) {
        json.field("balances", nullptr);
        return;
    }
    const Currency currency = outcome.amount.currency();
    const auto side = [&](std::string_view field, std::int64_t before, std::int64_t after) {
        json.key(field).begin_object();
        write_amount(json, "before", before, currency);
        write_amount(json, "after", after, currency);
        json.end_object();
    };
    json.key("balances").begin_object();
    side("debtor", outcome.debtor_before, outcome.debtor_after);
    side("creditor", outcome.creditor_before, outcome.creditor_after);
    json.end_object();
}

std::string_view decided_by(const Outcome& outcome, const Recorded& payment) {
    switch (outcome.event) {
        case Event::submitted: return "policy";
        case Event::captured:
        case Event::voided: return "client";
        case Event::approved:
        case Event::refused: return payment.reviewed_by.empty() ? "reviewer" : payment.reviewed_by;
        case Event::expired: return "clock";
        default: return "source";
    }
}

void write_timeline(JsonWriter& json, const Recorded& payment) {
    json.key("timeline").begin_array();
    const auto entry = [&](std::string_view event, Instant at) {
        json.begin_object().field("event", event);
        write_time(json, "at", at);
    };
    entry("accepted", payment.outcomes.front().accepted_at);
    json.end_object();
    for (std::size_t i = 0; i < payment.outcomes.size(); ++i) {
        const Outcome& outcome = payment.outcomes[i];
        if (outcome.status == Status::accepted) continue;
        entry(name(outcome.status), payment.times[i]);
        json.field("by", decided_by(outcome, payment));
        const bool is_review = outcome.event == Event::approved || outcome.event == Event::refused;
        if (is_review) write_text(json, "note", payment.review_note);
        json.end_object();
    }
    json.end_array();
}

// Of the first outcome that is so; zero: none is.
template <class Matches>
Instant time_of(const Recorded& payment, Matches matches) {
    for (std::size_t i = 0; i < payment.outcomes.size(); ++i) {
        if (matches(payment.outcomes[i])) return payment.times[i];
    }
    return {};
}

void write_times(JsonWriter& json, const Recorded& payment) {
    write_time(json, "accepted_at", payment.outcomes.front().accepted_at);
    write_time(json, "decided_at", time_of(payment, [](const Outcome& o) { return o.status != Status::accepted; }));
    write_time(json, "settled_at", time_of(payment, [](const Outcome& o) { return o.status == Status::settled; }));
    write_time(json, "expires_at", is_open(payment.last().status) ? payment.last().expires_at : Instant{});
}

void write_amounts_after(JsonWriter& json, const Recorded& payment, Currency currency) {
    const auto& outcomes = payment.outcomes;
    const auto captured =
        std::find_if(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return o.event == Event::captured; });
    if (captured == outcomes.end()) {
        json.field("captured_amount", nullptr);
    } else {
        write_amount(json, "captured_amount", captured->amount.minor(), currency);
    }
    write_amount(json, "reversed_amount", payment.reversed_minor, currency);
    write_id(json, "reverses", outcomes.front().reverses);
    json.key("reversals").begin_array();
    for (const PaymentId id : payment.reversals) {
        char digits[kIdHexSize];
        to_hex(id, digits);
        json.string({digits, sizeof digits});
    }
    json.end_array();
}

// What was asked for: from the command, or null where history no longer has it.
void write_request(JsonWriter& json, const Payment* payment, const Outcome& outcome, std::string_view rail_name) {
    const Currency currency = outcome.amount.currency();
    write_text(json, "debtor_account", payment == nullptr ? std::string_view() : payment->debtor_name);
    write_text(json, "creditor_account", payment == nullptr ? std::string_view() : payment->creditor_name);
    if (currency == Currency{}) {
        json.field("amount", nullptr).field("currency", nullptr);
    } else {
        const bool asked = payment != nullptr && payment->amount.currency() == currency && payment->amount.minor() > 0;
        write_amount(json, "amount", asked ? payment->amount.minor() : outcome.amount.minor(), currency);
        json.field("currency", currency.code());
    }
    write_text(json, "rail", rail_name);
    write_text(json, "type", payment == nullptr ? std::string_view() : payment->type);
    write_text(json, "reference", payment == nullptr ? std::string_view() : payment->reference);
}

std::string_view rail_name(const Policy* policy, RailNo rail) {
    if (policy != nullptr && !policy->rail_name(rail).empty()) return policy->rail_name(rail);
    return rail == 0 ? "internal" : std::string_view();
}

}  // namespace

void write_why(JsonWriter& json, const Assessment& why, Currency currency, const Policy* policy) {
    json.begin_object().field("policy", why.version).field("score", why.score).field("advice", name(why.advice));
    json.key("rules").begin_array();
    for (const Hit& hit : why.fired()) {
        if (limit_of(hit, policy) == nullptr) write_rule(json, hit, currency, policy);
    }
    json.end_array().key("limits").begin_array();
    for (const Hit& hit : why.fired()) {
        if (const Limit* limit = limit_of(hit, policy)) write_limit(json, hit, *limit, *policy);
    }
    json.end_array().end_object();
}

void write_payment(JsonWriter& json, const Recorded& payment, const PolicyLookup& policies) {
    const Outcome& first = payment.outcomes.front();
    const Outcome& last = payment.last();
    const Currency currency = first.amount.currency();
    const PolicyPtr policy = first.why.version == 0 ? nullptr : policies(first.tenant, first.why.version);
    const std::string_view rail = rail_name(policy.get(), first.rail);

    json.begin_object();
    write_id(json, "payment_id", first.payment);
    json.field("status", name(last.status));
    write_reason(json, last.reason);
    write_scheme_codes(json, last.reason, rail);
    write_request(json, &payment.payment, first, rail);
    write_text(json, "description", payment.payment.description);
    json.key("metadata").raw(payment.payment.metadata.empty() ? "{}" : payment.payment.metadata);
    json.field("capture", payment.payment.capture == Capture::manual ? "manual" : "automatic");
    write_text(json, "idempotency_key", payment.payment.key);
    json.field("number", first.number);
    write_times(json, payment);
    write_amounts_after(json, payment, currency);
    json.key("why");
    write_why(json, first.why, currency, policy.get());
    write_balances(json, last);
    write_timeline(json, payment);
    write_place(json, "journal", payment.places.front());
    json.end_object();
}

void write_simulated(JsonWriter& json, const Outcome& outcome, const Policy* policy) {
    const std::string_view rail = rail_name(policy, outcome.rail);
    json.begin_object().field("status", name(outcome.status));
    write_reason(json, outcome.reason);
    write_scheme_codes(json, outcome.reason, rail);
    write_amount(json, "amount", outcome.amount.minor(), outcome.amount.currency());
    json.field("currency", outcome.amount.currency().code());
    write_text(json, "rail", rail);
    write_time(json, "expires_at", outcome.expires_at);
    json.key("why");
    write_why(json, outcome.why, outcome.amount.currency(), policy);
    write_balances(json, outcome);
    json.end_object();
}

void write_event(JsonWriter& json, const Outcome& outcome, const Payment* payment, Place place, Instant at,
                 const Policy* policy) {
    json.begin_object();
    write_id(json, "payment_id", outcome.payment);
    json.field("event", name(outcome.event)).field("status", name(outcome.status));
    write_reason(json, outcome.reason);
    write_request(json, payment, outcome, rail_name(policy, outcome.rail));
    // Of a follow-up: what it captured, released or took back.
    if (outcome.event == Event::submitted || outcome.amount.currency() == Currency{}) {
        json.field("moved_amount", nullptr);
    } else {
        write_amount(json, "moved_amount", outcome.amount.minor(), outcome.amount.currency());
    }
    write_text(json, "idempotency_key", payment == nullptr ? std::string_view() : payment->key);
    json.field("number", outcome.number);
    write_id(json, "reverses", outcome.reverses);
    write_time(json, "accepted_at", outcome.accepted_at);
    write_time(json, "at", at);
    write_place(json, "journal", place);
    json.end_object();
}

}  // namespace nostro
