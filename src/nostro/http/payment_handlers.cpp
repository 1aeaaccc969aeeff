// Payments: taking one, simulating one, reading them.
#include <algorithm>
#include <chrono>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/wire/payment_json.hpp"

namespace nostro {
namespace {

constexpr std::chrono::days kSearchDaysMax{31};
constexpr std::string_view kKeyFilter = "idempotency_key";

// The whole payment with 200, once reads see what the receipt says.
void answer_whole(Service& service, const Reply& reply, const Receipt& receipt, std::chrono::seconds wait) {
    service.when_readable(receipt.place.seq, [&service, reply, receipt, wait] {
        reply.on_worker([&service, reply, receipt, wait] {
            const auto found = service.history().payment(receipt.payment);
            if (!found || !*found) {  // durable all the same: the receipt says so
                return reply.later([receipt](Response& response) { write_accepted(response, receipt); });
            }
            Response response;
            response.header("Preference-Applied", "wait=" + std::to_string(wait.count()));
            response.headers.append("Location: /v1/payments/");
            append_hex(response.headers, receipt.payment);
            response.headers.append("\r\n");
            mark_replayed(response, receipt);
            JsonWriter json(response.body);
            write_payment(json, **found, policy_lookup(service));
            reply(std::move(response));
        });
    });
}

void post_payment(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    PaymentWish wish;
    const std::string_view key = arena->copy(request.parameter("Idempotency-Key"));
    if (!read_payment(json_reader(), json_input(request), key, *arena, wish, errors))
        return refuse_fields(reply, errors);
    SubmissionBuilder builder = service.build(arena);
    if (const auto added = builder.payment(wish); !added) return refuse_wish(reply, added.error());
    const auto wait = preferred_wait(request);
    if (!wait) return service.submit(builder.take(answer_one(service, reply, write_accepted)));

    // The same path, but what is taken is shown whole. Refusals are answered as without the preference.
    service.submit(builder.take([&service, reply, wait = *wait](Result<std::vector<Receipt>> receipts) {
        using Kind = Answer::Kind;
        const bool taken =
            receipts && !receipts->empty() &&
            (receipts->front().answer.kind == Kind::recorded || receipts->front().answer.kind == Kind::replayed);
        if (!taken) return answer_one(service, reply, write_accepted)(std::move(receipts));
        if (receipts->front().answer.kind == Kind::recorded)
            return answer_whole(service, reply, receipts->front(), wait);
        reply.on_worker([&service, reply, wait, list = std::move(*receipts)]() mutable {
            if (auto completed = service.complete_replayed(list); !completed) return refuse(reply, completed.error());
            answer_whole(service, reply, list.front(), wait);
        });
    }));
}

void simulate_payment(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    PaymentWish wish;
    // A key that nobody has used, so that no earlier payment answers.
    const PaymentId random{random_u64(), random_u64()};
    const std::string_view key = arena->copy(to_hex(random));
    if (!read_payment(json_reader(), json_input(request), key, *arena, wish, errors))
        return refuse_fields(reply, errors);
    SubmissionBuilder builder = service.build(arena);
    if (const auto added = builder.payment(wish); !added) return refuse_wish(reply, added.error());
    service.simulate(builder.take({}), [&service, reply, arena](Result<Simulated> simulated) {
        if (!simulated) return refuse(reply, simulated.error());
        if (simulated->outcomes.empty()) {
            Receipt receipt;
            receipt.answer = simulated->answer;
            return refuse_receipt(reply, receipt, service);
        }
        reply.later([simulated = std::move(*simulated)](Response& response) {
            JsonWriter json(response.body);
            write_simulated(json, simulated.outcomes.front(), simulated.policy.get());
        });
    });
}

void get_payment(Service& service, const Request& request, const Reply& reply) {
    const auto found = service.history().payment(*payment_id_from_hex(request.parameter("id")));
    if (!found) return refuse(reply, found.error());
    if (!*found) return refuse(reply, 404, "payment_not_found", "there is no payment with this id");
    Response response;
    JsonWriter json(response.body);
    write_payment(json, **found, policy_lookup(service));
    reply(std::move(response));
}

std::optional<ParameterProblem> bad_parameter(std::string_view parameter, std::string detail) {
    return ParameterProblem{parameter, std::move(detail)};
}

std::optional<ParameterProblem> read_amounts(const Request& request, Search& search) {
    for (const std::string_view parameter : {"min_amount", "max_amount"}) {
        if (!request.has(parameter)) continue;
        if (!search.currency) return bad_parameter(parameter, "needs the currency parameter beside it");
        const auto amount = Money::parse_signed(request.parameter(parameter), *search.currency);
        if (!amount) return bad_parameter(parameter, amount.error().what);
        (parameter == "min_amount" ? search.min_minor : search.max_minor) = amount->minor();
    }
    if (search.min_minor && search.max_minor && *search.min_minor > *search.max_minor) {
        return bad_parameter("max_amount", "is below min_amount, so nothing could be found");
    }
    return std::nullopt;
}

}  // namespace

std::optional<ParameterProblem> read_filters(const Service& service, const Request& request, Search& search) {
    const auto tenant = read_tenant(service, request);
    if (!tenant) return bad_parameter("tenant", tenant.error().what);
    search.tenant = *tenant;
    if (request.has("account")) {
        search.account = account_id(service.policies().tenant_name(search.tenant), request.parameter("account"));
    }
    if (request.has("status")) search.status = *parse_status(request.parameter("status"));
    if (request.has("rail")) {
        const PolicyPtr policy = service.policies().current(search.tenant);
        const auto rail = policy == nullptr ? Result<RailNo>(Error{ErrorCode::invalid, "there is no policy yet"})
                                            : policy->rail(request.parameter("rail"));
        if (!rail) return bad_parameter("rail", rail.error().what);
        search.rail = *rail;
    }
    if (request.has("currency")) {
        const auto currency = Currency::parse_historic(request.parameter("currency"));
        if (!currency) return bad_parameter("currency", currency.error().what);
        search.currency = *currency;
    }
    if (request.has("type")) search.type = request.parameter("type");
    if (request.has("reference")) search.reference = request.parameter("reference");
    return read_amounts(request, search);
}

namespace {

// What would be a scan of everything is refused.
bool is_bounded(const Search& search) {
    if (search.account || search.reference || (search.rail && search.status)) return true;
    return search.from && search.to && *search.to - *search.from <= kSearchDaysMax;
}

// The one that was sent with this key: its id is made of it, so nothing is searched.
void list_by_key(const Api& api, const Request& request, const Search& search, const Reply& reply) {
    for (const Parameter& parameter : request.route->parameters) {
        const bool fits = parameter.name == kKeyFilter || parameter.name == "tenant" || parameter.name == "limit";
        if (fits || !request.has(parameter.name)) continue;
        return refuse_parameter(reply,
                                {parameter.name, "cannot stand beside idempotency_key, which names one payment"});
    }
    Service& service = *api.service;
    const std::string tenant = service.policies().tenant_name(search.tenant);
    const auto found = service.history().payment(payment_id(tenant, "key", request.parameter(kKeyFilter)));
    if (!found) return refuse(reply, found.error());
    Response response;
    JsonWriter json(response.body);
    begin_list(json);
    if (*found) write_payment(json, **found, policy_lookup(service));
    end_list(json, {}, service.history().as_of());
    reply(std::move(response));
}

void list_payments(const Api& api, const Request& request, const Reply& reply) {
    Service& service = *api.service;
    Search search;
    if (const auto bad = read_filters(service, request, search)) return refuse_parameter(reply, *bad);
    if (request.has(kKeyFilter)) return list_by_key(api, request, search, reply);
    Period period;
    if (const auto bad = read_period(request, period)) return refuse_parameter(reply, *bad);
    search.from = period.from;
    search.to = period.to;
    // An open end is now; rounded up, so that the pages of one search ask the same for a while.
    if (search.from && !search.to) search.to = std::chrono::ceil<std::chrono::days>(api.clock->now());
    search.count_max = limit_of(request);
    search.cursor = request.parameter("cursor");
    if (!is_bounded(search)) {
        return refuse(reply, 422, "search_not_bounded",
                      "name an account, a reference, an idempotency_key, a rail with a status, or a span of at most 31 "
                      "days (from, to)");
    }
    const auto page = service.history().payments(search);
    if (!page) return refuse_page(reply, page.error());
    Response response;
    JsonWriter json(response.body);
    begin_list(json);
    const PolicyLookup policies = policy_lookup(service);
    for (const Recorded& payment : page->items) write_payment(json, payment, policies);
    end_list(json, page->next, page->as_of);
    reply(std::move(response));
}

Route post_route(Service& service) {
    Route route = route_of(Method::post, "/v1/payments", "createPayment", "Payments", "Takes one payment");
    route.description =
        "`202` means durable. `status` is the state at that moment; a payment that the rules decline is taken too, "
        "with "
        "`status: rejected` and its `reason`, and its key is spent. With `Prefer: wait=N` the whole payment is "
        "answered.";
    route.parameters = {
        key_parameter(true),
        {.name = "Prefer",
         .in = ParameterIn::header,
         .kind = ParameterKind::prefer,
         .description = "`wait=N` (seconds, at most 30): answer with the payment at its first decided state.",
         .example = "wait=5"}};
    route.takes = {{"application/json", "PaymentRequest"}};
    route.answers = {json_answer(202, "Taken and durable.", "Receipt", {"Location", "Idempotent-Replayed"}),
                     json_answer(200, "The payment as decided (`Prefer: wait`).", "Payment",
                                 {"Location", "Idempotent-Replayed", "Preference-Applied"})};
    add_problems(route, {400, 422, 503});
    route.handler = [&service](const Request& request, const Reply& reply) { post_payment(service, request, reply); };
    return route;
}

Route simulate_route(Service& service) {
    Route route = route_of(Method::post, "/v1/payments/simulate", "simulatePayment", "Payments",
                           "Decides a payment without moving anything");
    route.takes = {{"application/json", "PaymentRequest"}};
    route.answers = {json_answer(200, "What would become of it now.", "Simulation")};
    add_problems(route, {400, 422, 503});
    route.handler = [&service](const Request& request, const Reply& reply) {
        simulate_payment(service, request, reply);
    };
    return route;
}

Route get_route(Service& service) {
    Route route =
        route_of(Method::get, "/v1/payments/{id}", "getPayment", "Payments", "The whole payment, with why and when");
    route.parameters = {path_id()};
    route.answers = {json_answer(200, "The payment.", "Payment")};
    add_problems(route, {404, 503});
    route.blocks = true;
    route.handler = [&service](const Request& request, const Reply& reply) { get_payment(service, request, reply); };
    return route;
}

Route list_route(const Api& api) {
    Route route = route_of(Method::get, "/v1/payments", "listPayments", "Payments", "Payments, newest first");
    route.description =
        "An account, a reference, a rail with a status, or a span of at most 31 days must bound the search; the other "
        "filters narrow it. An `idempotency_key` names one payment, and stands alone beside `tenant`.";
    route.parameters = filter_parameters();
    route.parameters.push_back({.name = kKeyFilter,
                                .min = 1,
                                .max = 200,
                                .description = "That it was sent with: in a profile's ledger the id of its message.",
                                .example = "order-17-attempt-1"});
    route.parameters.push_back({.name = "from",
                                .kind = ParameterKind::instant,
                                .description = "Accepted at or after.",
                                .example = "2026-11-21T00:00:00Z"});
    route.parameters.push_back({.name = "to",
                                .kind = ParameterKind::instant,
                                .description = "Accepted before.",
                                .example = "2026-11-22T00:00:00Z"});
    route.parameters.push_back(limit_parameter());
    route.parameters.push_back(cursor_parameter());
    route.answers = {json_answer(200, "A page.", "PaymentList")};
    add_problems(route, {400, 422, 503});
    route.keeps_request = true;
    route.handler = fresh(*api.service, [&api](Service&, const Request& request, const Reply& reply) {
        list_payments(api, request, reply);
    });
    return route;
}

}  // namespace

std::vector<Parameter> filter_parameters() {
    return {{.name = "account",
             .kind = ParameterKind::account_name,
             .description = "Debtor or creditor.",
             .example = "ACC001"},
            {.name = "status",
             .kind = ParameterKind::choice,
             .choices = {"accepted", "in_review", "held", "settled", "rejected", "expired", "voided", "quarantined"},
             .description = "The state it is in."},
            {.name = "rail", .min = 1, .max = 32, .description = "A rail of the policy.", .example = "internal"},
            {.name = "type", .min = 1, .max = 32, .description = "As sent.", .example = "TRANSFER"},
            {.name = "currency", .kind = ParameterKind::currency, .description = "ISO 4217.", .example = "USD"},
            {.name = "min_amount",
             .kind = ParameterKind::decimal,
             .description = "At least; needs `currency`.",
             .example = "100.00"},
            {.name = "max_amount",
             .kind = ParameterKind::decimal,
             .description = "At most; needs `currency`.",
             .example = "5000.00"},
            {.name = "reference", .min = 1, .max = 140, .description = "As sent, the whole of it.", .example = "INV-7"},
            tenant_parameter()};
}

std::vector<Route> payment_routes(const Api& api) {
    std::vector<Route> routes;
    routes.push_back(post_route(*api.service));
    routes.push_back(list_route(api));
    routes.push_back(simulate_route(*api.service));
    routes.push_back(get_route(*api.service));
    return routes;
}

}  // namespace nostro
