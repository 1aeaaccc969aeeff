#include "nostro/http/answers.hpp"

#include <algorithm>

#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/reasons.hpp"

namespace nostro {

RouteAnswer json_answer(std::uint16_t status, std::string_view description, std::string_view schema,
                        std::vector<std::string_view> headers) {
    return {status, description, {{"application/json", schema}}, std::move(headers)};
}

void add_problems(Route& route, std::initializer_list<std::uint16_t> statuses) {
    const auto description = [](std::uint16_t status) -> std::string_view {
        switch (status) {
            case 400: return "The request cannot be understood.";
            case 404: return "There is no such thing.";
            case 409: return "The state it is in does not allow this.";
            case 410: return "Older than the history that is kept.";
            case 422: return "Understood, but it cannot be taken. Nothing was done, and no key is spent.";
            default:
                return "Not now: nothing was done, or the outcome is unknown (`outcome_unknown`: ask again with the "
                       "same key).";
        }
    };
    for (const std::uint16_t status : statuses) {
        route.answers.push_back(
            {status,
             description(status),
             {{"application/problem+json", "Problem"}},
             status == 503 ? std::vector<std::string_view>{"Retry-After"} : std::vector<std::string_view>{}});
    }
}

Parameter path_id() {
    return {.name = "id",
            .in = ParameterIn::path,
            .kind = ParameterKind::payment_id,
            .required = true,
            .description = "The payment's id.",
            .example = "00c5e1d3a7b94f2e8d6c0b1a29384756"};
}

Parameter path_account() {
    return {.name = "id",
            .in = ParameterIn::path,
            .kind = ParameterKind::account_name,
            .required = true,
            .description = "The account's name.",
            .example = "ACC001"};
}

Parameter key_parameter(bool required) {
    return {.name = "Idempotency-Key",
            .in = ParameterIn::header,
            .kind = ParameterKind::key,
            .required = required,
            .description =
                "Names this request for ever: sent again with the same meaning it gets the first answer again, "
                "with another meaning `422 idempotency_key_reused`. The quoted form is taken too.",
            .example = "order-17-attempt-1"};
}

Parameter limit_parameter() {
    return {.name = "limit",
            .kind = ParameterKind::integer,
            .min = 1,
            .max = 1000,
            .description = "How many to give at most; 50 if absent.",
            .example = "50"};
}

Parameter cursor_parameter() {
    return {.name = "cursor",
            .kind = ParameterKind::text,
            .min = 1,
            .max = 200,
            .description = "`next_cursor` of the page before.",
            .example = {}};
}

Parameter as_of_parameter() {
    return {.name = "as_of",
            .kind = ParameterKind::as_of,
            .description = "An RFC 3339 time, or `seq:N`: after the last frame at or before it. Now if absent.",
            .example = "2026-11-21T09:30:00Z"};
}

Parameter tenant_parameter() {
    return {.name = "tenant",
            .kind = ParameterKind::text,
            .min = 1,
            .max = 64,
            .description = "Whose ledger: the name of a profile that is or was served. `nostro` if absent.",
            .example = "nostro"};
}

Route route_of(Method method, std::string_view path, std::string_view operation, std::string_view tag,
               std::string_view summary) {
    Route route;
    route.method = method;
    route.path = path;
    route.operation = operation;
    route.tag = tag;
    route.summary = summary;
    return route;
}

Route page_route(std::string_view path, std::string_view schema) {
    Route route;
    route.path = path;
    route.parameters = {limit_parameter(), cursor_parameter()};
    route.answers = {json_answer(200, "A page.", schema)};
    add_problems(route, {400, 503});
    route.keeps_request = true;
    return route;
}

JsonReader& json_reader() {
    static thread_local JsonReader reader;
    return reader;
}

JsonInput json_input(const Request& request) { return {request.body, request.body.size() + kBodyPadding}; }

std::shared_ptr<Arena> arena_for(const Request& request) {
    return std::make_shared<Arena>(std::clamp<std::size_t>(request.body.size() + 256, 512, 64 * 1024));
}

Handler fresh(Service& service, std::function<void(Service&, const Request&, const Reply&)> read) {
    return [&service, read = std::move(read)](const Request& request, const Reply& reply) {
        service.when_readable(service.accepted(), [&service, read, request, reply] {
            reply.on_worker([&service, read, request, reply] { read(service, request, reply); });
        });
    };
}

void write_field_problem(Response& response, const FieldErrors& errors) {
    const bool syntax = errors.is_syntax();
    const auto& first = errors.list().front();
    std::string detail = first.pointer.empty() ? first.detail : first.pointer + ": " + first.detail;
    if (errors.count() > 1) detail += " (and " + std::to_string(errors.count() - 1) + " more in errors)";
    write_problem(response, syntax ? 400 : 422, syntax ? std::string_view(first.code) : "invalid_fields", detail,
                  &errors);
}

void refuse_fields(const Reply& reply, const FieldErrors& errors) {
    Response response;
    write_field_problem(response, errors);
    reply(std::move(response));
}

ErrorWords words_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid: return {422, "invalid_fields"};
        case ErrorCode::conflict: return {409, "conflict"};
        case ErrorCode::not_found: return {404, "not_found"};
        case ErrorCode::unavailable: return {503, refusal_word(error)};
        case ErrorCode::unknown: return {503, "outcome_unknown"};
        case ErrorCode::fenced: return {503, "stopping"};
        case ErrorCode::corrupt: return {500, "stored_data_damaged"};
    }
    return {500, "internal_error"};
}

void write_error(Response& response, const Error& error) {
    const ErrorWords words = words_of(error);
    write_problem(response, words.status, words.code, error.what);
}

void refuse(const Reply& reply, const Error& error) {
    Response response;
    write_error(response, error);
    reply(std::move(response));
}

void refuse(const Reply& reply, std::uint16_t status, std::string_view code, std::string_view detail) {
    reply(problem(status, code, detail));
}

void refuse_parameter(const Reply& reply, const ParameterProblem& bad) {
    const std::pair<std::string_view, std::string_view> named{"parameter", bad.name};
    std::string detail(bad.detail);
    if (!detail.starts_with(std::string(bad.name) + ":")) detail.insert(0, std::string(bad.name) + ": ");
    reply(problem(400, "invalid_parameter", detail, nullptr, {&named, 1}));
}

void refuse_page(const Reply& reply, const Error& error) {
    if (error.code != ErrorCode::invalid) return refuse(reply, error);
    refuse_parameter(reply, {"cursor", error.what});
}

void refuse_history(const Reply& reply, const Error& error) {
    if (error.what.find("history_dropped") == std::string::npos) return refuse(reply, error);
    refuse(reply, 410, "history_dropped", error.what);
}

FieldErrors field_errors_of(const Error& error) {
    FieldErrors errors;
    const auto [field, detail] = split_once(error.what, ':');
    const bool named = field.size() < error.what.size() && !field.empty() && field.find(' ') == std::string_view::npos;
    if (named) {
        errors.add("/" + std::string(field), field == "rail" ? "invalid_rail" : "invalid", std::string(trim(detail)));
    } else {
        errors.add("", "invalid", error.what);
    }
    return errors;
}

void refuse_wish(const Reply& reply, const Error& error) {
    if (error.code != ErrorCode::invalid) return refuse(reply, error);
    refuse_fields(reply, field_errors_of(error));
}

namespace {

std::uint16_t status_of(Reason reason) {
    switch (reason) {
        case Reason::not_found: return 404;
        case Reason::not_open:
        case Reason::already_decided:
        case Reason::account_exists:
        case Reason::balance_not_zero:
        case Reason::holds_open:
        case Reason::account_frozen:
        case Reason::account_closed:
        case Reason::policy_outdated: return 409;
        case Reason::no_policy:
        case Reason::book_full: return 503;
        default: return 422;
    }
}

bool has_state(const Answer& answer) {
    const bool is_about_it = answer.reason == Reason::not_open || answer.reason == Reason::already_decided;
    return is_about_it && answer.state != Status::accepted;
}

}  // namespace

std::optional<FieldErrors> field_errors_of(const Answer& answer, const std::string& payment) {
    if (answer.kind != Answer::Kind::refused || answer.reason != Reason::hold_expired) return std::nullopt;
    FieldErrors errors;
    errors.add(payment + "/expires_at", "in_the_past",
               "this moment has passed, so nothing would be held; send a later one, or none for the policy's hold_ttl");
    return errors;
}

RefusalWords refusal_of(const Receipt& receipt, const Service& service) {
    const Answer& answer = receipt.answer;
    if (answer.kind == Answer::Kind::reused) {
        return {422, "idempotency_key_reused", "this key was used for another request; take a new one"};
    }
    const Reason reason = answer.reason;
    RefusalWords words{status_of(reason), name(reason), std::string(reason_text(reason))};
    if (reason == Reason::not_found) words.code = "payment_not_found";  // the word of all that asks for a payment
    if (has_state(answer)) words.detail += "; it is " + std::string(name(answer.state));
    if (reason == Reason::book_full) {
        const std::string full = service.full_table();
        words.detail += full.empty() ? "; send it again" : "; " + full;
    }
    return words;
}

namespace {

// What ended so long ago that the Book has forgotten how.
bool is_state_lost(const Answer& answer) {
    return answer.reason == Reason::not_open && answer.state == Status::accepted;
}

}  // namespace

void refuse_receipt(const Reply& reply, const Receipt& receipt, const Service& service) {
    if (const auto errors = field_errors_of(receipt.answer)) return refuse_fields(reply, *errors);
    const RefusalWords words = refusal_of(receipt, service);
    const std::pair<std::string_view, std::string_view> state{"state", name(receipt.answer.state)};
    reply(problem(words.status, words.code, words.detail, nullptr,
                  has_state(receipt.answer) ? ProblemMembers(&state, 1) : ProblemMembers()));
}

std::function<void(Result<std::vector<Receipt>>)> answer_one(Service& service, const Reply& reply, WriteReceipt taken) {
    return [&service, reply, taken = std::move(taken)](Result<std::vector<Receipt>> receipts) mutable {
        if (!receipts) return refuse(reply, receipts.error());
        if (receipts->empty()) return refuse(reply, 503, "overloaded", "not taken; send it again");
        Receipt& receipt = receipts->front();
        switch (receipt.answer.kind) {
            case Answer::Kind::recorded:
                reply.later([receipt, taken = std::move(taken)](Response& response) { taken(response, receipt); });
                return;
            case Answer::Kind::replayed:
                reply.on_worker([&service, reply, taken = std::move(taken), receipts = std::move(*receipts)]() mutable {
                    if (auto completed = service.complete_replayed(receipts); !completed) {
                        return refuse(reply, completed.error());
                    }
                    reply.later([receipt = receipts.front(), taken = std::move(taken)](Response& response) {
                        taken(response, receipt);
                    });
                });
                return;
            case Answer::Kind::reused:
            case Answer::Kind::refused:
                if (!is_state_lost(receipt.answer)) return refuse_receipt(reply, receipt, service);
                reply.on_worker([&service, reply, receipt]() mutable {
                    const auto found = service.history().payment(receipt.payment);
                    if (found && *found) receipt.answer.state = (*found)->last().status;
                    refuse_receipt(reply, receipt, service);
                });
        }
    };
}

void mark_replayed(Response& response, const Receipt& receipt) {
    if (receipt.answer.kind == Answer::Kind::replayed) response.headers.append("Idempotent-Replayed: true\r\n");
}

void write_accepted(Response& response, const Receipt& receipt) {
    response.status = 202;
    if (!receipt.payment.empty()) {
        response.headers.append("Location: /v1/payments/");
        append_hex(response.headers, receipt.payment);
        response.headers.append("\r\n");
    }
    mark_replayed(response, receipt);
    JsonWriter json(response.body);
    write_receipt(json, receipt);
}

std::optional<std::chrono::seconds> preferred_wait(const Request& request) {
    for (std::string_view rest = request.parameter("Prefer"); !rest.empty();) {
        const std::size_t end = std::min(rest.find_first_of(",;"), rest.size());
        const auto [preference, value] = split_once(rest.substr(0, end), '=');
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!equal_ignoring_case(trim(preference), "wait")) continue;
        std::string_view number = trim(value);
        if (number.size() >= 2 && number.front() == '"' && number.back() == '"')
            number = number.substr(1, number.size() - 2);
        const auto seconds = parse_uint32(number);
        if (!seconds || *seconds == 0) return std::nullopt;
        return std::chrono::seconds(std::min<std::uint32_t>(*seconds, 30));
    }
    return std::nullopt;
}

RequestKey request_key(const Request& request, Arena& arena) {
    return {name(request.method), arena.copy(request.path), arena.copy(request.parameter("Idempotency-Key"))};
}

Result<TenantNo> read_tenant(const Service& service, const Request& request) {
    if (!request.has("tenant")) return TenantNo{0};
    return service.policies().tenant(request.parameter("tenant"));
}

std::optional<TenantNo> tenant_of(const Service& service, const Request& request, const Reply& reply) {
    const auto tenant = read_tenant(service, request);
    if (tenant) return *tenant;
    refuse_parameter(reply, {"tenant", tenant.error().what});
    return std::nullopt;
}

TenantNo tenant_of_payment(const Service& service, PaymentId payment) {
    const auto found = service.history().payment(payment);
    return found && *found ? (*found)->last().tenant : TenantNo{0};
}

PolicyLookup policy_lookup(const Service& service) {
    return [&service](TenantNo tenant, PolicyVersion version) { return service.policies().version(tenant, version); };
}

std::uint32_t limit_of(const Request& request) {
    const auto limit = parse_uint32(request.parameter("limit"));
    return limit ? *limit : 50;
}

std::optional<Instant> instant_of(const Request& request, std::string_view parameter) {
    const auto instant = parse_rfc3339(request.parameter(parameter));
    if (!instant) return std::nullopt;
    return *instant;
}

std::optional<ParameterProblem> read_period(const Request& request, Period& period) {
    period = {instant_of(request, "from"), instant_of(request, "to")};
    if (!period.from || !period.to || *period.from <= *period.to) return std::nullopt;
    return ParameterProblem{"to", "the period ends before it begins: from is " + quoted(request.parameter("from")) +
                                      ", to is " + quoted(request.parameter("to"))};
}

}  // namespace nostro
