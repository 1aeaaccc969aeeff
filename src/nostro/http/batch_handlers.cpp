// Many payments or accounts in one request.
#include <algorithm>
#include <string>

#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/wire/batch_json.hpp"

namespace nostro {
namespace {

constexpr std::size_t kBatchBytesMax = 16u << 20;
constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr std::uint32_t kNotTaken = 0xffffffff;
constexpr std::size_t kShortItem = 160;  // bytes of a payment with little beside what it must have

// What the items of a batch are, while the engine decides. Texts stand in the arena.
struct Items {
    struct Item {
        std::string_view key;  // of a payment; of an account: its name
        std::uint32_t command = kNotTaken;
        std::uint32_t error = 0;  // when not taken
    };
    std::vector<Item> all;
    std::vector<FieldErrors> errors;
    std::shared_ptr<Arena> arena;

    void add_error(std::string_view key, const FieldErrors& why) {
        all.push_back({key, kNotTaken, static_cast<std::uint32_t>(errors.size())});
        errors.push_back(why);
    }
};

std::shared_ptr<Arena> batch_arena() { return std::make_shared<Arena>(256u << 10); }

bool is_ndjson(const Request& request) { return request.content_type == kNdjson; }

Problem field_problem(const FieldErrors& errors) {
    const bool syntax = errors.is_syntax();
    return {.status = syntax ? 400 : 422,
            .code = syntax ? std::string_view(errors.list().front().code) : "invalid_fields",
            .title = {},
            .detail = errors.list().front().detail,
            .errors = &errors};
}

// Completes replayed receipts, which may read from disk, then renders on the connection's thread.
template <class Render>
void render_completed(Service& service, const Reply& reply, std::vector<Receipt> receipts, Render render) {
    const bool replayed = std::ranges::any_of(
        receipts, [](const Receipt& receipt) { return receipt.answer.kind == Answer::Kind::replayed; });
    if (!replayed) {
        return reply.later([receipts = std::move(receipts), render = std::move(render)](Response& response) {
            render(response, receipts);
        });
    }
    reply.on_worker([&service, reply, receipts = std::move(receipts), render = std::move(render)]() mutable {
        if (const auto completed = service.complete_replayed(receipts); !completed) {
            return refuse(reply, completed.error());
        }
        reply.later([receipts = std::move(receipts), render = std::move(render)](Response& response) {
            render(response, receipts);
        });
    });
}

// --- payments ---

void write_refused_item(JsonWriter& json, std::size_t index, std::string_view key, const Receipt& receipt,
                        const Service& service) {
    if (const auto errors = field_errors_of(receipt.answer)) {
        return write_batch_error(json, index, key, field_problem(*errors));
    }
    const RefusalWords words = refusal_of(receipt, service);
    write_batch_error(json, index, key,
                      {.status = words.status, .code = words.code, .title = {}, .detail = words.detail});
}

struct PaymentBatchAnswer {
    const Service* service;
    std::shared_ptr<const Items> items;
    Error rest;  // why the engine took no more, when receipts are missing

    void operator()(Response& response, const std::vector<Receipt>& receipts) const {
        std::size_t taken = 0;
        for (const Receipt& receipt : receipts) taken += is_taken(receipt);
        response.status = taken != 0 ? 202 : 422;
        response.body.reserve(items->all.size() * 320 + 128);
        JsonWriter json(response.body);
        json.begin_object()
            .field("mode", "independent")
            .field("taken", taken)
            .field("refused", items->all.size() - taken)
            .key("data")
            .begin_array();
        for (std::size_t i = 0; i < items->all.size(); ++i) write_item(json, i, receipts);
        json.end_array().end_object();
    }

private:
    void write_item(JsonWriter& json, std::size_t index, const std::vector<Receipt>& receipts) const {
        const Items::Item& item = items->all[index];
        if (item.command == kNotTaken) {
            return write_batch_error(json, index, item.key, field_problem(items->errors[item.error]));
        }
        if (item.command >= receipts.size()) {
            const ErrorWords words = words_of(rest);
            return write_batch_error(json, index, item.key,
                                     {.status = words.status, .code = words.code, .title = {}, .detail = rest.what});
        }
        const Receipt& receipt = receipts[item.command];
        if (!is_taken(receipt)) return write_refused_item(json, index, item.key, receipt, *service);
        write_batch_receipt(json, index, item.key, receipt);
    }
};

void submit_independent(Service& service, const Reply& reply, SubmissionBuilder& builder,
                        std::shared_ptr<const Items> items) {
    PaymentBatchAnswer answer{
        &service, std::move(items), {ErrorCode::unavailable, "overloaded: not taken; send it again"}};
    if (builder.size() == 0) {
        return reply.later([answer = std::move(answer)](Response& response) { answer(response, {}); });
    }
    service.submit(builder.take([&service, reply, answer = std::move(answer)](Result<std::vector<Receipt>> receipts) {
        if (!receipts) return refuse(reply, receipts.error());
        render_completed(service, reply, std::move(*receipts), answer);
    }));
}

void write_group(Response& response, const std::vector<Receipt>& receipts, const Items& items) {
    response.status = 202;
    const Answer& answer = receipts.front().answer;
    const bool failed = std::ranges::any_of(receipts, [](const Receipt& r) { return r.status == Status::rejected; });
    if (answer.kind == Answer::Kind::replayed) response.headers.append("Idempotent-Replayed: true\r\n");
    JsonWriter json(response.body);
    json.begin_object().field("mode", "atomic").field("taken", receipts.size()).field("refused", 0);
    json.key("failed_item");
    if (failed && answer.kind == Answer::Kind::recorded) {
        json.number(answer.item);
    } else {
        json.null();
    }
    json.key("data").begin_array();
    for (std::size_t i = 0; i < receipts.size(); ++i) write_batch_receipt(json, i, items.all[i].key, receipts[i]);
    json.end_array().end_object();
}

void refuse_group(const Service& service, const Reply& reply, const Receipt& receipt) {
    const std::string item = "/payments/" + std::to_string(receipt.answer.item);
    if (const auto errors = field_errors_of(receipt.answer, item)) return refuse_fields(reply, *errors);
    RefusalWords words = refusal_of(receipt, service);
    // Nothing was decided: one of its payments is there already, so this is another group.
    if (receipt.answer.kind == Answer::Kind::refused && receipt.answer.reason == Reason::group_refused) {
        const std::string pointer = item + "/idempotency_key";
        FieldErrors errors;
        errors.add(pointer, "key_known",
                   "a payment with this key is known already; take a new one for another payment");
        return reply(problem(words.status, words.code, pointer + ": " + errors.list().front().detail, &errors));
    }
    if (receipt.answer.kind == Answer::Kind::refused) {
        words.detail += " (payment " + std::to_string(receipt.answer.item) + " of the group)";
    }
    refuse(reply, words.status, words.code, words.detail);
}

void submit_group(Service& service, const Reply& reply, SubmissionBuilder& builder, std::string_view key,
                  std::span<const PaymentWish> wishes, std::shared_ptr<const Items> items) {
    const auto ids = builder.group(key, wishes);
    if (!ids) return refuse_wish(reply, ids.error());
    service.submit(builder.take([&service, reply, items = std::move(items)](Result<std::vector<Receipt>> receipts) {
        if (!receipts) return refuse(reply, receipts.error());
        if (receipts->empty()) return refuse(reply, 503, "overloaded", "not taken; send it again");
        if (!is_taken(receipts->front())) return refuse_group(service, reply, receipts->front());
        render_completed(
            service, reply, std::move(*receipts),
            [items](Response& response, const std::vector<Receipt>& all) { write_group(response, all, *items); });
    }));
}

void refuse_large_group(const Reply& reply) {
    refuse(reply, 422, "group_too_large", "an atomic batch has at most 1,000 payments and 256 KiB");
}

// An atomic batch is taken whole or not at all: everything is read first.
void post_atomic(Service& service, const Request& request, const Reply& reply) {
    if (request.body.size() > kGroupBytesMax) return refuse_large_group(reply);
    const std::string_view header_key = request.parameter("Idempotency-Key");
    if (header_key.empty()) {
        return refuse(reply, 400, "idempotency_key_missing", "an atomic batch needs the Idempotency-Key header");
    }
    const auto arena = batch_arena();
    const auto items = std::make_shared<Items>();
    items->arena = arena;
    std::vector<PaymentWish> wishes;
    FieldErrors errors;
    FieldErrors wrong;
    const auto each = [&](const BatchItem& item) {
        items->all.push_back({item.key, 0, 0});
        if (item.wish != nullptr) return wishes.push_back(*item.wish);
        for (const FieldError& error : item.errors->list()) {
            wrong.add("/payments/" + std::to_string(item.index) + error.pointer, error.code, error.detail);
        }
    };
    const auto batch =
        is_ndjson(request)
            ? read_payment_lines(json_reader(), json_input(request), BatchMode::atomic, *arena, each, errors)
            : read_payment_batch(json_reader(), json_input(request), *arena, each, errors);
    if (!batch) return refuse_fields(reply, errors);
    if (batch->count > kGroupMax) return refuse_large_group(reply);
    if (!wrong.empty()) return refuse_fields(reply, wrong);
    SubmissionBuilder builder = service.build(arena);
    submit_group(service, reply, builder, arena->copy(header_key), wishes, items);
}

// What the texts of a batch stand in: the body where it has memory of its own, else copies.
struct BatchMemory {
    Arena arena{256u << 10};
    std::shared_ptr<const void> body;
};

void post_independent(Service& service, const Request& request, const Reply& reply) {
    const auto memory = std::make_shared<BatchMemory>();
    memory->body = request.memory;
    const BatchTexts texts(memory->arena, memory->body != nullptr);
    const std::shared_ptr<Arena> arena(memory, &memory->arena);
    const auto items = std::make_shared<Items>();
    items->arena = arena;
    const std::size_t likely = std::min(kBatchMax, request.body.size() / kShortItem);
    items->all.reserve(likely);
    SubmissionBuilder builder = service.build(arena);
    builder.reserve(likely);
    FieldErrors errors;
    std::optional<Error> stopped;  // the sealed ids could not be asked: nothing may be taken
    const auto each = [&](const BatchItem& item) {
        if (item.wish == nullptr) return items->add_error(item.key, *item.errors);
        const auto added = builder.payment(*item.wish);
        if (added) return items->all.push_back({item.key, static_cast<std::uint32_t>(builder.size() - 1), 0});
        if (added.error().code != ErrorCode::invalid) stopped = added.error();
        items->add_error(item.key, field_errors_of(added.error()));
    };
    const auto batch = is_ndjson(request) ? read_payment_lines(json_reader(), json_input(request),
                                                               BatchMode::independent, texts, each, errors)
                                          : read_payment_batch(json_reader(), json_input(request), texts, each, errors);
    if (!batch) return refuse_fields(reply, errors);
    if (stopped) return refuse(reply, *stopped);
    submit_independent(service, reply, builder, items);
}

void post_payments(Service& service, const Request& request, const Reply& reply) {
    if (request.has("mode") && !is_ndjson(request)) {
        return refuse_parameter(reply, {"mode", "belongs to NDJSON; a JSON body has a member \"mode\""});
    }
    // Which mode it is stands anywhere in a JSON body; without the word it cannot be atomic.
    const bool may_be_atomic = is_ndjson(request) ? request.parameter("mode") == "atomic"
                                                  : request.body.find("\"atomic\"") != std::string_view::npos;
    if (!may_be_atomic) return post_independent(service, request, reply);
    if (!is_ndjson(request)) {
        const auto arena = batch_arena();
        FieldErrors errors;
        const auto batch =
            read_payment_batch(json_reader(), json_input(request), *arena, [](const BatchItem&) {}, errors);
        if (!batch) return refuse_fields(reply, errors);
        if (batch->mode == BatchMode::independent) return post_independent(service, request, reply);
    }
    post_atomic(service, request, reply);
}

// --- accounts ---

void write_account_item(JsonWriter& json, std::size_t index, std::string_view account, std::string_view result) {
    json.begin_object().field("index", index).field("account_id", account).field("result", result);
    json.key("error").null().end_object();
}

void write_account_error(JsonWriter& json, std::size_t index, std::string_view account, const Problem& problem) {
    json.begin_object().field("index", index);
    json.key("account_id");
    if (account.empty()) {
        json.null();
    } else {
        json.string(account);
    }
    json.key("result").null().key("error");
    write_problem(json, problem);
    json.end_object();
}

void write_accounts(Response& response, const std::vector<Receipt>& receipts, const Items& items,
                    const Service& service) {
    std::size_t opened = 0;
    std::size_t existed = 0;
    for (const Receipt& receipt : receipts) {
        opened += receipt.answer.kind == Answer::Kind::recorded;
        existed += receipt.answer.kind == Answer::Kind::replayed;
    }
    response.status = opened != 0 ? 201 : existed != 0 ? 200 : 422;
    JsonWriter json(response.body);
    json.begin_object()
        .field("opened", opened)
        .field("existed", existed)
        .field("refused", items.all.size() - opened - existed)
        .key("data")
        .begin_array();
    for (std::size_t i = 0; i < items.all.size(); ++i) {
        const Items::Item& item = items.all[i];
        if (item.command == kNotTaken) {
            write_account_error(json, i, item.key, field_problem(items.errors[item.error]));
        } else if (item.command >= receipts.size()) {
            write_account_error(
                json, i, item.key,
                {.status = 503, .code = "overloaded", .title = {}, .detail = "not taken; send it again"});
        } else if (const Receipt& receipt = receipts[item.command]; is_taken(receipt)) {
            write_account_item(json, i, item.key, receipt.answer.kind == Answer::Kind::recorded ? "opened" : "existed");
        } else {
            const RefusalWords words = refusal_of(receipt, service);
            write_account_error(json, i, item.key,
                                {.status = words.status, .code = words.code, .title = {}, .detail = words.detail});
        }
    }
    json.end_array().end_object();
}

void post_accounts(Service& service, const Request& request, const Reply& reply) {
    const auto arena = batch_arena();
    const auto items = std::make_shared<Items>();
    items->arena = arena;
    SubmissionBuilder builder = service.build(arena);
    if (builder.policy() == nullptr) return refuse(reply, 503, "no_policy", "there is no policy yet");
    FieldErrors errors;
    std::optional<Error> stopped;
    const auto each = [&](const AccountItem& item) {
        if (item.account == nullptr) return items->add_error(item.name, *item.errors);
        const auto added = builder.open_account(*item.account, {});
        if (added) return items->all.push_back({item.name, static_cast<std::uint32_t>(builder.size() - 1), 0});
        if (added.error().code != ErrorCode::invalid) stopped = added.error();
        items->add_error(item.name, field_errors_of(added.error()));
    };
    const auto count =
        is_ndjson(request)
            ? read_account_lines(json_reader(), json_input(request), *builder.policy(), *arena, each, errors)
            : read_account_batch(json_reader(), json_input(request), *builder.policy(), *arena, each, errors);
    if (!count) return refuse_fields(reply, errors);
    if (stopped) return refuse(reply, *stopped);
    const auto answer = [items, &service](Response& response, const std::vector<Receipt>& receipts) {
        write_accounts(response, receipts, *items, service);
    };
    if (builder.size() == 0) return reply.later([answer](Response& response) { answer(response, {}); });
    service.submit(builder.take([reply, answer](Result<std::vector<Receipt>> receipts) {
        if (!receipts) return refuse(reply, receipts.error());
        reply.later([answer, receipts = std::move(*receipts)](Response& response) { answer(response, receipts); });
    }));
}

}  // namespace

std::vector<Route> batch_routes(const Api& api) {
    Service& service = *api.service;
    Route payments =
        route_of(Method::post, "/v1/payments/batch", "createPayments", "Payments", "Takes up to 10,000 payments");
    payments.description =
        "As one JSON object, or as NDJSON with a payment a line. `independent` (default): an item that cannot be taken "
        "has "
        "an `error` in its place, the rest is taken. `atomic`: all settle or none, at most 1,000 payments and 256 KiB, "
        "one "
        "`Idempotency-Key` header names the group. Every item has its own `idempotency_key`.";
    payments.parameters = {key_parameter(false),
                           {.name = "mode",
                            .kind = ParameterKind::choice,
                            .choices = {"independent", "atomic"},
                            .description = "Of an NDJSON body; a JSON body says it itself."}};
    payments.takes = {{"application/json", "PaymentBatch"}, {kNdjson, "PaymentItem"}};
    payments.body_bytes_max = kBatchBytesMax;
    payments.answers = {
        json_answer(202, "One result an item, in order.", "PaymentBatchAnswer", {"Idempotent-Replayed"})};
    add_problems(payments, {400, 422, 503});
    payments.answers[2].content.insert(payments.answers[2].content.begin(), {"application/json", "PaymentBatchAnswer"});
    payments.handler = [&service](const Request& request, const Reply& reply) {
        post_payments(service, request, reply);
    };

    Route accounts =
        route_of(Method::post, "/v1/accounts/batch", "openAccounts", "Accounts", "Opens up to 10,000 accounts");
    accounts.description =
        "As one JSON object, or as NDJSON with an account a line. Each is opened, was there already with the same "
        "fields, or "
        "has an `error` in its place.";
    accounts.takes = {{"application/json", "AccountBatch"}, {kNdjson, "AccountRequest"}};
    accounts.body_bytes_max = kBatchBytesMax;
    accounts.answers = {json_answer(201, "At least one was opened.", "AccountBatchAnswer"),
                        json_answer(200, "All that could be taken were there already.", "AccountBatchAnswer")};
    add_problems(accounts, {400, 422, 503});
    accounts.answers[3].content.insert(accounts.answers[3].content.begin(), {"application/json", "AccountBatchAnswer"});
    accounts.handler = [&service](const Request& request, const Reply& reply) {
        post_accounts(service, request, reply);
    };

    std::vector<Route> routes;
    routes.push_back(std::move(payments));
    routes.push_back(std::move(accounts));
    return routes;
}

}  // namespace nostro
