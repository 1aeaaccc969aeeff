#include <memory>
#include <string>
#include <utility>

#include "nostro/engine/submission_builder.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/intake.hpp"
#include "nostro/http/profile_messages.hpp"
#include "nostro/wire/batch_json.hpp"

namespace nostro {
namespace {

// A topic takes messages of a megabyte; what surrounds the bytes of a dead letter must fit, too.
constexpr std::size_t kMessageMax = 900'000;

SubmissionBuilder builder_of(const IntakeApi& api, std::shared_ptr<const void> memory) {
    return SubmissionBuilder({.policies = api.policies, .sealed = nullptr, .tenant = 0}, std::move(memory));
}

void take_payment(const IntakeApi& api, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    PaymentWish wish;
    const std::string_view key = arena->copy(request.parameter("Idempotency-Key"));
    if (!read_payment(json_reader(), json_input(request), key, *arena, wish, errors))
        return refuse_fields(reply, errors);
    SubmissionBuilder builder = builder_of(api, arena);
    if (const auto added = builder.payment(wish); !added) return refuse_wish(reply, added.error());
    api.intake->submit(builder.take([reply](Result<std::vector<Receipt>> receipts) {
        if (!receipts) return refuse(reply, receipts.error());
        reply.later([receipt = receipts->front()](Response& response) { write_accepted(response, receipt); });
    }));
}

// What became of each item of a batch, until the brokers have those that were taken.
struct TakenBatch {
    struct Item {
        std::string_view key;  // in the arena
        bool is_taken = false;
        FieldErrors errors;
    };
    std::vector<Item> items;
    std::shared_ptr<Arena> arena = std::make_shared<Arena>(256u << 10);
};

void write_batch(Response& response, const TakenBatch& batch, const std::vector<Receipt>& receipts) {
    response.status = receipts.empty() ? 422 : 202;
    JsonWriter json(response.body);
    json.begin_object().field("mode", "independent").field("taken", receipts.size());
    json.field("refused", batch.items.size() - receipts.size()).key("data").begin_array();
    std::size_t next = 0;
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
        const TakenBatch::Item& item = batch.items[i];
        if (item.is_taken) {
            write_batch_receipt(json, i, item.key, receipts[next++]);
            continue;
        }
        const bool syntax = item.errors.is_syntax();
        write_batch_error(json, i, item.key,
                          {.status = syntax ? 400 : 422,
                           .code = syntax ? std::string_view(item.errors.list().front().code) : "invalid_fields",
                           .title = {},
                           .detail = item.errors.list().front().detail,
                           .errors = &item.errors});
    }
    json.end_array().end_object();
}

void take_batch(const IntakeApi& api, const Request& request, const Reply& reply) {
    const bool lines = request.content_type == "application/x-ndjson";
    const auto batch = std::make_shared<TakenBatch>();
    SubmissionBuilder builder = builder_of(api, batch->arena);
    FieldErrors errors;
    const auto each = [&](const BatchItem& item) {
        TakenBatch::Item& kept = batch->items.emplace_back();
        kept.key = item.key;
        if (item.wish == nullptr) {
            kept.errors = *item.errors;
            return;
        }
        const auto added = builder.payment(*item.wish);
        kept.is_taken = added.has_value();
        if (!added) kept.errors = field_errors_of(added.error());
    };
    const BatchMode mode = request.parameter("mode") == "atomic" ? BatchMode::atomic : BatchMode::independent;
    const auto read = lines ? read_payment_lines(json_reader(), json_input(request), mode, *batch->arena, each, errors)
                            : read_payment_batch(json_reader(), json_input(request), *batch->arena, each, errors);
    if (!read) return refuse_fields(reply, errors);
    if (read->mode == BatchMode::atomic) {
        return refuse(reply, 421, "book_elsewhere",
                      "an atomic batch is decided as one, where the Book is: " + api.book);
    }
    if (builder.size() == 0) return reply.later([batch](Response& response) { write_batch(response, *batch, {}); });
    api.intake->submit(builder.take([reply, batch](Result<std::vector<Receipt>> receipts) {
        if (!receipts) return refuse(reply, receipts.error());
        reply.later(
            [batch, receipts = std::move(*receipts)](Response& response) { write_batch(response, *batch, receipts); });
    }));
}

}  // namespace

std::function<void(const Request&, const Reply&)> elsewhere(const IntakeApi& api) {
    return [&api](const Request&, const Reply& reply) {
        refuse(reply, 421, "book_elsewhere",
               "this program takes payments in and has no Book; ask the one that has it: " + api.book);
    };
}

std::vector<Route> intake_routes(const IntakeApi& api, std::vector<Route> native) {
    const bool has_profiles = !api.profiles.empty();
    for (Route& route : native) {
        if (route.operation == "createPayment") {
            route.description =
                "`202` means that the brokers have it: it is decided once, under this id, where the Book is. Its "
                "status "
                "there is `accepted` until then. `Prefer` is ignored.";
            route.handler = [&api](const Request& request, const Reply& reply) { take_payment(api, request, reply); };
        } else if (route.operation == "createPayments") {
            route.description = "Items are taken one by one; an atomic batch belongs to the owner of the Book.";
            route.handler = [&api](const Request& request, const Reply& reply) { take_batch(api, request, reply); };
        } else if (route.operation == "postMessages" && has_profiles) {
            route.description =
                "One JSON message, or one a line. `202` means that the brokers have all of them: payments, which have "
                "the status `accepted` until they are decided where the Book is, records, accounts, and dead letters "
                "of what nobody can read. The same request again changes nothing there.";
            route.handler = [&api](const Request& request, const Reply& reply) {
                post_messages({.profiles = api.profiles,
                               .message_bytes_max = kMessageMax,
                               .command_bytes_max = api.command_bytes_max,
                               .policies = api.policies},
                              request, reply);
            };
        } else if (route.operation == "listProfiles" && has_profiles) {
            route.handler = [&api](const Request&, const Reply& reply) { list_profiles(api.profiles, reply); };
        } else {
            route.hidden = true;
            route.blocks = false;
            route.handler = elsewhere(api);
        }
    }
    return native;
}

}  // namespace nostro
