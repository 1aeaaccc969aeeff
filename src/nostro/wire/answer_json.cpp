#include "nostro/wire/answer_json.hpp"

#include <algorithm>
#include <string>

#include "nostro/base/assert.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/answer_parts.hpp"
#include "nostro/wire/reasons.hpp"

namespace nostro {
namespace {

std::string_view title_of(int status) {
    switch (status) {
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        default: return status >= 500 ? "Internal Server Error" : "Error";
    }
}

// Text that needs no escape, put together on the stack: receipts are most of what nostro writes.
class PlainText {
public:
    std::string_view view() const { return {text_, static_cast<std::size_t>(at_ - text_)}; }
    PlainText& put(std::string_view text) {
        NOSTRO_ASSERT(text.size() <= static_cast<std::size_t>(text_ + sizeof text_ - at_), "plain text: no room");
        at_ = std::copy(text.begin(), text.end(), at_);
        return *this;
    }
    PlainText& quoted(std::string_view text) { return put("\"").put(text).put("\""); }
    PlainText& put(PaymentId id) {
        char digits[kIdHexSize];
        to_hex(id, digits);
        return put(std::string_view(digits, sizeof digits));
    }
    PlainText& put(Instant at) {
        if (at <= kEarliestInstant || at > kLatestInstant) return put("null");
        char text[kRfc3339Size];
        write_rfc3339(at, text);
        return quoted({text, sizeof text});
    }

private:
    char text_[512];
    char* at_ = text_;
};

void write_receipt_fields(JsonWriter& json, const Receipt& receipt) {
    PlainText text;
    if (receipt.payment.empty()) {
        text.put(R"("payment_id":null,"status":)");
    } else {
        text.put(R"("payment_id":")").put(receipt.payment).put(R"(","status":)");
    }
    text.quoted(name(receipt.status));
    if (receipt.reason == Reason::none) {
        text.put(R"(,"reason":null,"reason_class":null)");
    } else {
        text.put(R"(,"reason":)").quoted(name(receipt.reason));
        text.put(R"(,"reason_class":)").quoted(name(reason_class(receipt.reason)));
    }
    text.put(R"(,"accepted_at":)").put(receipt.accepted_at);
    if (receipt.payment.empty()) {
        text.put(R"(,"status_url":null)");
    } else {
        text.put(R"(,"status_url":"/v1/payments/)").put(receipt.payment).put("\"");
    }
    json.raw_members(text.view());
}

void write_key(JsonWriter& json, std::size_t index, std::string_view key) {
    json.field("index", index);
    write_text(json, "idempotency_key", key);
}

}  // namespace

void write_id(JsonWriter& json, std::string_view field, PaymentId id) {
    if (id.empty()) {
        json.field(field, nullptr);
        return;
    }
    char digits[kIdHexSize];
    to_hex(id, digits);
    json.field(field, std::string_view(digits, sizeof digits));
}

void write_text(JsonWriter& json, std::string_view field, std::string_view text) {
    text.empty() ? json.field(field, nullptr) : json.field(field, text);
}

void write_time(JsonWriter& json, std::string_view field, Instant at) {
    if (at <= kEarliestInstant || at > kLatestInstant) {
        json.field(field, nullptr);
        return;
    }
    char text[kRfc3339Size];
    write_rfc3339(at, text);
    json.field(field, std::string_view(text, sizeof text));
}

void write_amount(JsonWriter& json, std::string_view field, std::int64_t minor, Currency currency) {
    char text[kDecimalMax];
    json.field(field, std::string_view(text, write_decimal(text, minor, currency)));
}

void write_reason(JsonWriter& json, Reason reason) {
    if (reason == Reason::none) {
        json.field("reason", nullptr).field("reason_class", nullptr);
        return;
    }
    json.field("reason", name(reason)).field("reason_class", name(reason_class(reason)));
}

void write_place(JsonWriter& json, std::string_view field, Place place) {
    json.key(field).begin_object();
    json.field("book", 0).field("seq", place.seq).field("index", place.index).end_object();
}

void write_problem(JsonWriter& json, const Problem& problem) {
    json.begin_object();
    json.field("type", std::string("urn:nostro:problem:").append(problem.code));
    json.field("title", problem.title.empty() ? title_of(problem.status) : problem.title);
    json.field("status", problem.status);
    json.field("detail", problem.detail);
    json.field("code", problem.code);
    for (const auto& [field, value] : problem.more) json.field(field, value);
    json.key("errors").begin_array();
    if (problem.errors != nullptr) {
        for (const auto& error : problem.errors->list()) {
            json.begin_object().field("pointer", error.pointer).field("code", error.code);
            json.field("detail", error.detail).end_object();
        }
    }
    json.end_array().end_object();
}

void write_receipt(JsonWriter& json, const Receipt& receipt) {
    json.begin_object();
    write_receipt_fields(json, receipt);
    json.end_object();
}

void write_batch_receipt(JsonWriter& json, std::size_t index, std::string_view key, const Receipt& receipt) {
    json.begin_object();
    write_key(json, index, key);
    write_receipt_fields(json, receipt);
    json.field("replayed", receipt.answer.kind == Answer::Kind::replayed);
    json.field("error", nullptr).end_object();
}

void write_batch_error(JsonWriter& json, std::size_t index, std::string_view key, const Problem& problem) {
    json.begin_object();
    write_key(json, index, key);
    for (const std::string_view field :
         {"payment_id", "status", "reason", "reason_class", "accepted_at", "status_url"}) {
        json.field(field, nullptr);
    }
    json.field("replayed", false).key("error");
    write_problem(json, problem);
    json.end_object();
}

void begin_list(JsonWriter& json) { json.begin_object().key("data").begin_array(); }

void end_list(JsonWriter& json, std::string_view next_cursor, const AsOf& as_of) {
    json.end_array();
    write_text(json, "next_cursor", next_cursor);
    json.key("as_of");
    write_as_of(json, as_of);
    json.end_object();
}

void write_as_of(JsonWriter& json, const AsOf& as_of) {
    json.begin_object().field("seq", as_of.seq);
    write_time(json, "at", as_of.at);
    json.end_object();
}

}  // namespace nostro
