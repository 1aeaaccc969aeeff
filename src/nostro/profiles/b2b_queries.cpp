// The queries of business payments: by time, by type and originator, by all of them.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <span>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/profiles/b2b.hpp"
#include "nostro/profiles/b2b_found.hpp"
#include "nostro/profiles/profile_answers.hpp"
#include "nostro/wire/framework_json.hpp"

namespace nostro::b2b {
namespace {

constexpr std::string_view kStoreDown = "Database connection error";

constexpr FrameworkField kStart{.name = "start_date", .kind = FrameworkKind::date};
constexpr FrameworkField kEnd{.name = "end_date", .kind = FrameworkKind::date};
constexpr FrameworkField kType{.name = "payment_type"};
constexpr FrameworkField kCustomer{.name = "customer_id"};

constexpr std::array kTimeRange = {kStart, kEnd};
constexpr std::array kTypeCustomer = {kType, kCustomer};
constexpr std::array kDateTypeCustomer = {kStart, kEnd, kType, kCustomer};
constexpr std::size_t kFieldsMax = 4;
// Behind it years have five digits; payments are of none of them.
constexpr std::chrono::sys_days kLastDay{std::chrono::year{9999} / 12 / 31};

constexpr std::string_view kSchemas = R"({
  "B2bTimeRange": {
    "type": "object",
    "required": ["start_date", "end_date"],
    "properties": {
      "start_date": {"type": "string", "format": "date"},
      "end_date": {"type": "string", "format": "date", "description": "Not before start_date."}
    },
    "example": {"start_date": "2026-01-01", "end_date": "2026-01-31"}
  },
  "B2bTypeCustomer": {
    "type": "object",
    "required": ["payment_type", "customer_id"],
    "properties": {
      "payment_type": {"type": "string", "minLength": 1, "maxLength": 140},
      "customer_id": {"type": "string", "minLength": 1, "maxLength": 140, "description": "The originator's party_id."}
    },
    "example": {"payment_type": "ACH", "customer_id": "CUST0A1B2C3D"}
  },
  "B2bDateTypeCustomer": {
    "type": "object",
    "required": ["start_date", "end_date", "payment_type", "customer_id"],
    "properties": {
      "start_date": {"type": "string", "format": "date"},
      "end_date": {"type": "string", "format": "date", "description": "Not before start_date."},
      "payment_type": {"type": "string", "minLength": 1, "maxLength": 140},
      "customer_id": {"type": "string", "minLength": 1, "maxLength": 140, "description": "The originator's party_id."}
    },
    "example": {"start_date": "2026-01-01", "end_date": "2026-01-31", "payment_type": "ACH",
                "customer_id": "CUST0A1B2C3D"}
  },
  "B2bPayments": {
    "type": "array",
    "items": {
      "type": "object",
      "required": ["payment_id", "payment_type", "amount", "currency", "status", "originator_id", "originator_name",
                   "beneficiary_id", "beneficiary_name", "created_at"],
      "properties": {
        "payment_id": {"type": "string"},
        "payment_type": {"type": "string"},
        "amount": {"type": "string", "description": "An exact decimal."},
        "currency": {"type": "string"},
        "status": {
          "type": "string",
          "enum": ["RECEIVED", "PROCESSING", "COMPLETED", "FAILED", "PENDING", "VALIDATED"]
        },
        "originator_id": {"type": "string"},
        "originator_name": {"type": "string"},
        "beneficiary_id": {"type": "string", "description": "Empty: none is named."},
        "beneficiary_name": {"type": "string"},
        "created_at": {"type": "string", "description": "As the document gave it."}
      }
    }
  }
})";

// What of an array comes behind its first part.
class FoundStream final : public BodyStream {
public:
    explicit FoundStream(FoundPayments found) : found_(std::move(found)) {}

    bool blocks() const override { return true; }
    State next(std::string& into) override {
        // The status has left: without its bracket the array shows that it is not whole.
        if (const auto read = found_.next(into); !read) {
            log_warn("query_broken_off", {{"profile", "b2b"}, {"why", read.error().what}});
            return State::end;
        }
        return found_.at_end() ? State::end : State::more;
    }

private:
    FoundPayments found_;
};

void answer(const History& history, RowSearch search, const Reply& reply) {
    FoundPayments found(history, std::move(search));
    Response response;
    if (const auto read = found.next(response.body); !read) {
        log_warn("query_failed", {{"profile", "b2b"}, {"why", read.error().what}});
        return refuse_framework(reply, 503, kStoreDown);
    }
    if (!found.at_end()) response.stream = std::make_unique<FoundStream>(std::move(found));
    reply(std::move(response));
}

// Row keys of whole days begin with the day.
std::string day_text(std::chrono::sys_days day) {
    const std::chrono::year_month_day date(day);
    return fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

void query(Ledger& ledger, std::span<const FrameworkField> fields, const Request& request, const Reply& reply) {
    Arena arena(512);
    FrameworkErrors errors;
    std::array<FrameworkValue, kFieldsMax> all;
    const auto values = std::span(all).first(fields.size());
    RowSearch search;
    search.tenant = ledger.tenant();
    search.group = kAllGroup;
    search.to = "~";  // behind all digits
    if (read_framework_body(request, fields, arena, values, errors)) {
        const auto value_of = [&](const FrameworkField& field) -> const FrameworkValue* {
            for (std::size_t i = 0; i < fields.size(); ++i) {
                if (fields[i].name == field.name) return &values[i];
            }
            return nullptr;
        };
        if (const FrameworkValue* start = value_of(kStart)) {
            const FrameworkValue* end = value_of(kEnd);
            if (end->day < start->day) {
                errors.add(FrameworkFault::date_before_start, {.field = kEnd.name, .order = 1}, end->raw, kStart.name);
            }
            search.from = day_text(start->day);
            if (end->day < kLastDay) search.to = day_text(end->day + std::chrono::days{1});
        }
        if (const FrameworkValue* type = value_of(kType)) {
            search.group = party_group(type->text, value_of(kCustomer)->text);
        }
    }
    if (!errors.empty()) {
        return refuse_framework(reply, errors);
    }
    ledger.when_readable([&ledger, search = std::move(search), reply] {
        reply.on_worker([&ledger, search, reply] { answer(ledger.history(), search, reply); });
    });
}

Route route_of(Ledger& ledger, std::string_view path, std::string_view operation, std::string_view summary,
               std::string_view schema, std::span<const FrameworkField> fields) {
    Route route;
    route.method = Method::post;
    route.path = path;
    route.operation = operation;
    route.tag = "Payments";
    route.summary = summary;
    route.description =
        "All that are found, in the order of their row keys: time, type, originator, payment. Both days count whole, "
        "in UTC. Amounts are exact decimals in texts. Nothing found is an empty array.";
    route.takes = {{"application/json", schema}};
    route.answers = {json_answer_of(200, "What was found.", "B2bPayments"),
                     json_answer_of(422, "The body does not fit; one entry a fault.", "FrameworkErrors"),
                     json_answer_of(503, "The index cannot answer now.", "FrameworkRefusal")};
    route.handler = [&ledger, fields](const Request& request, const Reply& reply) {
        query(ledger, fields, request, reply);
    };
    return route;
}

}  // namespace

std::string_view query_schemas() { return kSchemas; }

std::vector<Route> query_routes(Ledger& ledger) {
    return {
        route_of(ledger, "/payments/time-range", "paymentsByTime", "Payments of some days", "B2bTimeRange", kTimeRange),
        route_of(ledger, "/payments/type-customer", "paymentsByTypeAndCustomer", "Payments of one type and originator",
                 "B2bTypeCustomer", kTypeCustomer),
        route_of(ledger, "/payments/date-type-customer", "paymentsByTimeTypeAndCustomer",
                 "Payments of some days, one type and originator", "B2bDateTypeCustomer", kDateTypeCustomer)};
}

}  // namespace nostro::b2b
