// What follows on a payment: capture, void, reverse.
#include "nostro/base/hex.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

void refuse_unknown(const Reply& reply) { refuse(reply, 404, "payment_not_found", "there is no payment with this id"); }

PaymentId id_of(const Request& request) { return *payment_id_from_hex(request.parameter("id")); }

void capture_payment(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    CaptureBody body;
    if (!read_capture(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    std::optional<std::int64_t> amount;
    if (body.amount.given) {  // the payment knows its currency
        const auto found = service.history().payment(id_of(request));
        if (!found) return refuse(reply, found.error());
        if (!*found) return refuse_unknown(reply);
        amount = to_minor(body.amount.text, (*found)->payment.amount.currency(), "/amount", errors);
        if (!amount) return refuse_fields(reply, errors);
    }
    SubmissionBuilder builder = service.build(arena, tenant_of_payment(service, id_of(request)));
    if (const auto added = builder.capture(id_of(request), amount, request_key(request, *arena)); !added) {
        return refuse_wish(reply, added.error());
    }
    service.submit(builder.take(answer_one(service, reply, write_accepted)));
}

void void_payment(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    SubmissionBuilder builder = service.build(arena, tenant_of_payment(service, id_of(request)));
    if (const auto added = builder.void_payment(id_of(request), request_key(request, *arena)); !added) {
        return refuse_wish(reply, added.error());
    }
    service.submit(builder.take(answer_one(service, reply, write_accepted)));
}

void reverse_payment(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    ReverseBody body;
    if (!read_reverse(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    const auto found = service.history().payment(id_of(request));
    if (!found) return refuse(reply, found.error());
    if (!*found) return refuse_unknown(reply);
    std::optional<std::int64_t> amount;
    if (body.amount.given) {
        amount = to_minor(body.amount.text, (*found)->payment.amount.currency(), "/amount", errors);
        if (!amount) return refuse_fields(reply, errors);
    }
    SubmissionBuilder builder = service.build(arena, (*found)->last().tenant);
    const auto added = builder.reverse(**found, amount, body.reference, body.description, request_key(request, *arena));
    if (!added) return refuse_wish(reply, added.error());
    service.submit(builder.take(answer_one(service, reply, write_accepted)));
}

Route follow_up(std::string_view path, std::string_view operation, std::string_view summary,
                std::string_view description) {
    Route route = route_of(Method::post, path, operation, "Payments", summary);
    route.description = description;
    route.parameters = {path_id(), key_parameter(false)};
    route.answers = {json_answer(202, "Done and durable.", "Receipt", {"Location", "Idempotent-Replayed"})};
    add_problems(route, {400, 404, 409, 422, 503});
    return route;
}

}  // namespace

std::vector<Route> follow_up_routes(const Api& api) {
    Service& service = *api.service;
    std::vector<Route> routes;
    routes.push_back(follow_up("/v1/payments/{id}/capture", "capturePayment", "Settles a held payment",
                               "Wholly, or the given amount: the rest is released with it. There is one capture."));
    routes.back().takes = {{"application/json", "CaptureRequest"}};
    routes.back().body_required = false;
    routes.back().blocks = true;
    routes.back().handler = [&service](const Request& request, const Reply& reply) {
        capture_payment(service, request, reply);
    };
    routes.push_back(follow_up("/v1/payments/{id}/void", "voidPayment", "Frees a held payment", "Nothing moves."));
    routes.back().blocks = true;
    routes.back().handler = [&service](const Request& request, const Reply& reply) {
        void_payment(service, request, reply);
    };
    routes.push_back(follow_up(
        "/v1/payments/{id}/reverse", "reversePayment", "Undoes a settled payment, wholly or in part",
        "The reversal is a payment of its own, from the original's creditor back to its debtor, with `reverses` set. "
        "Funds and account status are checked, risk and limits are not. More than what is left: `rejected` with "
        "`reversal_exceeds_original`."));
    routes.back().takes = {{"application/json", "ReverseRequest"}};
    routes.back().body_required = false;
    routes.back().blocks = true;
    routes.back().handler = [&service](const Request& request, const Reply& reply) {
        reverse_payment(service, request, reply);
    };
    return routes;
}

}  // namespace nostro
