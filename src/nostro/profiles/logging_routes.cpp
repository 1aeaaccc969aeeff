#include "nostro/profiles/logging_routes.hpp"

#include <array>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/profiles/logging.hpp"
#include "nostro/profiles/profile_answers.hpp"
#include "nostro/wire/framework_errors.hpp"
#include "nostro/wire/framework_json.hpp"

namespace nostro::logging {
namespace {

constexpr std::string_view kTag = "Transactions";

enum Field : std::size_t { kSender, kReceiver, kAmount, kCurrency };
constexpr std::array<FrameworkField, 4> kFields{
    {{.name = "sender"},
     {.name = "receiver"},
     {.name = "amount", .kind = FrameworkKind::money},
     {.name = "currency", .kind = FrameworkKind::currency, .required = false, .otherwise = "USD"}}};

void post_transaction(Ledger& ledger, const Request& request, const Reply& reply) {
    const auto arena = std::make_shared<Arena>(1024);
    std::array<FrameworkValue, kFields.size()> values;
    FrameworkErrors errors;
    std::optional<Money> amount;
    if (read_framework_body(request, kFields, *arena, values, errors)) {
        const auto currency = Currency::parse(values[kCurrency].text);
        amount = framework_money(kFields, kAmount, values[kAmount], *currency, errors);
        if (values[kSender].text == values[kReceiver].text) {
            errors.add(FrameworkFault::accounts_equal, {.field = "receiver", .order = kReceiver},
                       values[kReceiver].raw);
        }
    }
    if (!errors.empty()) {
        return refuse_framework(reply, errors);
    }
    // Views into the request end with this call.
    const std::string_view sender = arena->copy(values[kSender].text), receiver = arena->copy(values[kReceiver].text);
    const std::string_view given = request.parameter("Idempotency-Key");
    const std::string_view key =
        given.empty() ? arena->copy(to_hex(PaymentId{random_u64(), random_u64()})) : arena->copy(given);
    const Wish wish = wish_of(sender, receiver, *amount, key, *arena);
    submit_one(ledger, reply, arena, wish,
               [arena, sender, receiver, amount = *amount](Response& response, const Receipt& receipt) {
                   response.status = 202;
                   if (receipt.answer.kind == Answer::Kind::replayed) response.header("Idempotent-Replayed", "true");
                   response.headers.append("Location: /v1/payments/");
                   append_hex(response.headers, receipt.payment);
                   response.headers.append("\r\n");
                   JsonWriter json(response.body);
                   json.begin_object().field("status", "Queued").field("message", "The transaction is on record.");
                   json.key("data").begin_object().field("sender", sender).field("receiver", receiver);
                   json.key("amount").raw(amount.decimal()).field("currency", amount.currency().code());
                   json.field("id", to_hex(receipt.payment)).end_object().end_object();
               });
}

// All rows in the order of their ids, frame by frame: as much memory as one frame, however many rows there are.
class Report final : public BodyStream {
public:
    Report(const Ledger& ledger, std::uint64_t first, std::uint64_t count_max)
        : ledger_(ledger), next_(first), left_(count_max) {}

    bool blocks() const override { return true; }

    State next(std::string& into) override {
        const std::size_t before = into.size();
        if (!begun_) into.push_back('[');
        begun_ = true;
        while (into.size() - before < kPartBytes && left_ > 0) {
            if (frame_ == nullptr && !open_frame()) break;
            add_rows(into, before);
        }
        if (left_ > 0 && frame_ != nullptr) return State::more;
        if (!is_broken_) into.push_back(']');
        return State::end;
    }

private:
    static constexpr std::size_t kPartBytes = 64u << 10;

    // False: there is none. One that cannot be read leaves the document unfinished, because the status has left
    // already.
    bool open_frame() {
        const auto found = ledger_.history().frame_of_number(ledger_.tenant(), next_);
        if (found && !*found) return false;
        // An index that is behind does not know where the next row is; the next frame may have it.
        seq_ = found ? **found : seq_ + 1;
        auto frame = ledger_.frame(seq_);
        const bool is_newest = seq_ > ledger_.history().as_of().seq;
        if (!found && !frame && frame.error().code == ErrorCode::not_found && is_newest) return false;
        is_broken_ = !frame;
        if (is_broken_) return false;
        frame_ = std::move(*frame);
        index_ = 0;
        return true;
    }

    void add_rows(std::string& into, std::size_t before) {
        const auto& outcomes = frame_->changes.outcomes;
        for (; index_ < outcomes.size(); ++index_) {
            const Outcome& outcome = outcomes[index_];
            if (outcome.tenant != ledger_.tenant() || outcome.number < next_ || outcome.number == 0) continue;
            if (outcome.event != Event::submitted && outcome.event != Event::record_kept) continue;
            const auto row = row_of(outcome, asked_for(command_of(*frame_, outcome), outcome));
            next_ = outcome.number + 1;
            if (!row) continue;
            if (has_rows_) into.push_back(',');
            has_rows_ = true;
            append_report_row(into, *row);
            if (--left_ == 0 || into.size() - before >= kPartBytes) {
                ++index_;
                return;
            }
        }
        frame_ = nullptr;
    }

    const Ledger& ledger_;
    std::uint64_t next_, left_;
    Seq seq_ = 0;
    DecodedPtr frame_;
    std::size_t index_ = 0;
    bool begun_ = false, has_rows_ = false, is_broken_ = false;
};

// An index that is far behind is waited for a while: each try ends when it has caught up, or a moment later.
void open_report(Ledger& ledger, const Reply& reply, std::uint64_t after, std::uint64_t count_max, int tries) {
    ledger.when_readable([&ledger, reply, after, count_max, tries] {
        reply.on_worker([&ledger, reply, after, count_max, tries] {
            const auto first = ledger.history().frame_of_number(ledger.tenant(), after + 1);
            if (!first && first.error().code == ErrorCode::unavailable && tries > 1) {
                return open_report(ledger, reply, after, count_max, tries - 1);
            }
            Response response;
            if (!first) {
                write_framework_refusal(response, 503, first.error().what);
            } else {
                response.stream = std::make_unique<Report>(ledger, after + 1, count_max);
            }
            reply(std::move(response));
        });
    });
}

void get_reports(Ledger& ledger, const Request& request, const Reply& reply) {
    constexpr int kTries = 50;
    open_report(ledger, reply, parse_uint64(request.parameter("after")).value_or(0),
                parse_uint64(request.parameter("limit")).value_or(~std::uint64_t{0}), kTries);
}

Route transaction_route(Ledger& ledger) {
    Route route;
    route.method = Method::post;
    route.path = "/transaction";
    route.operation = "createTransaction";
    route.tag = kTag;
    route.summary = "Takes one transaction";
    route.description =
        "Answered once it is durable. `id` is the payment's, for GET /v1/payments/{id}. With an Idempotency-Key the "
        "same request again gets the same answer; without one every request is another transaction.";
    route.parameters = {optional_key()};
    route.takes = {{"application/json", "LoggingTransaction"}};
    route.answers = {json_answer_of(202, "On record.", "LoggingQueued", {"Location", "Idempotent-Replayed"}),
                     json_answer_of(422, "It is none.", "FrameworkErrors"),
                     json_answer_of(503, "Not now.", "FrameworkRefusal")};
    route.handler = [&ledger](const Request& request, const Reply& reply) { post_transaction(ledger, request, reply); };
    return route;
}

Route reports_route(Ledger& ledger) {
    Route route;
    route.path = "/reports";
    route.operation = "listTransactions";
    route.tag = kTag;
    route.summary = "All transactions, in the order of their ids";
    route.parameters = {{.name = "limit",
                         .kind = ParameterKind::integer,
                         .min = 1,
                         .max = 1'000'000'000,
                         .description = "How many at most; all if absent.",
                         .example = "100"},
                        {.name = "after",
                         .kind = ParameterKind::integer,
                         .min = 0,
                         .max = 1'000'000'000'000'000,
                         .description = "Only those with a greater id.",
                         .example = "0"}};
    route.answers = {json_answer_of(200, "The rows.", "LoggingReport"),
                     json_answer_of(422, "A parameter is none.", "FrameworkErrors"),
                     json_answer_of(503, "Not now.", "FrameworkRefusal")};
    route.handler = [&ledger](const Request& request, const Reply& reply) { get_reports(ledger, request, reply); };
    return route;
}

Route root_route() {
    Route route;
    route.path = "/";
    route.operation = "getRoot";
    route.tag = kTag;
    route.summary = "Says that it is there";
    route.answers = {json_answer_of(200, "A greeting.", "LoggingMessage")};
    route.handler = [](const Request&, const Reply& reply) {
        Response response;
        response.body = R"({"message":"The financial transaction log takes transactions at POST /transaction."})";
        reply(std::move(response));
    };
    return route;
}

}  // namespace

const std::string_view kSchemas = R"({
  "LoggingTransaction": {
    "type": "object",
    "required": ["sender", "receiver", "amount"],
    "properties": {
      "sender": {"type": "string", "minLength": 1, "maxLength": 140},
      "receiver": {"type": "string", "minLength": 1, "maxLength": 140},
      "amount": {"type": ["number", "string"], "description": "Above zero, exact."},
      "currency": {"type": "string", "default": "USD"}
    },
    "examples": [{"sender": "C1231006815", "receiver": "M1979787155", "amount": 9839.64, "currency": "USD"}]
  },
  "LoggingQueued": {
    "type": "object",
    "required": ["status", "message", "data"],
    "properties": {
      "status": {"const": "Queued"},
      "message": {"type": "string"},
      "data": {
        "type": "object",
        "required": ["sender", "receiver", "amount", "currency", "id"],
        "properties": {
          "sender": {"type": "string"},
          "receiver": {"type": "string"},
          "amount": {"type": "number"},
          "currency": {"type": "string"},
          "id": {"type": "string", "description": "Of the payment."}
        }
      }
    }
  },
  "LoggingReport": {
    "type": "array",
    "items": {
      "type": "object",
      "required": ["id", "sender", "receiver", "amount", "status"],
      "properties": {
        "id": {"type": "integer"},
        "sender": {"type": "string"},
        "receiver": {"type": "string"},
        "amount": {"type": "number"},
        "status": {"enum": ["Historical", "Completed", "Rejected", "Queued"]}
      }
    }
  },
  "LoggingMessage": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
})";

std::vector<Route> logging_routes(Ledger& ledger) {
    std::vector<Route> routes;
    routes.push_back(root_route());
    routes.push_back(transaction_route(ledger));
    routes.push_back(reports_route(ledger));
    return routes;
}

}  // namespace nostro::logging
