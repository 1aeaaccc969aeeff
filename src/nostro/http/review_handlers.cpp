// What people decide: reviews and policies.
#include <algorithm>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

// --- reviews ---

void list_reviews(Service& service, const Request& request, const Reply& reply) {
    const auto tenant = tenant_of(service, request, reply);
    if (!tenant) return;
    const auto page = service.history().reviews(*tenant, limit_of(request), std::string(request.parameter("cursor")));
    if (!page) return refuse_page(reply, page.error());
    Response response;
    JsonWriter json(response.body);
    begin_list(json);
    const PolicyLookup policies = policy_lookup(service);
    for (const Recorded& payment : page->items) write_payment(json, payment, policies);
    end_list(json, page->next, page->as_of);
    reply(std::move(response));
}

// Decided under another key or none: in the Book's memory the same way as now, or before its memory.
bool may_be_decided_before(const Answer& answer) {
    const bool is_forgotten = answer.kind == Answer::Kind::refused && answer.reason == Reason::not_open;
    return is_forgotten ? answer.state == Status::accepted
                        : answer.kind == Answer::Kind::replayed && answer.state != Status::accepted;
}

// As the history tells the decision. False: it knows of none.
bool answer_as_decided(const Service& service, const Reply& reply, bool approve, const Receipt& receipt) {
    const auto found = service.history().payment(receipt.payment);
    if (!found || !*found) return false;
    const Recorded& payment = **found;
    const auto decision = std::ranges::find_if(payment.outcomes, [](const Outcome& outcome) {
        return outcome.event == Event::approved || outcome.event == Event::refused;
    });
    if (decision == payment.outcomes.end()) return false;
    Receipt told = receipt;
    told.answer = Answer{};
    if (approve != (decision->event == Event::approved)) {
        told.answer.reason = Reason::already_decided;
        told.answer.state = payment.last().status;
        refuse_receipt(reply, told, service);
        return true;
    }
    told.answer.kind = Answer::Kind::replayed;
    told.status = decision->status;
    told.reason = decision->reason;
    told.accepted_at = decision->accepted_at;
    reply.later([told](Response& response) { write_accepted(response, told); });
    return true;
}

void decide_review(Service& service, bool approve, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    ReviewBody body;
    if (!read_review(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    const PaymentId id = *payment_id_from_hex(request.parameter("id"));
    SubmissionBuilder builder = service.build(arena, tenant_of_payment(service, id));
    const auto added = builder.decide_review(id, approve, body.reviewer, body.reason, request_key(request, *arena));
    if (!added) return refuse_wish(reply, added.error());
    service.submit(builder.take([&service, reply, approve, answer = answer_one(service, reply, write_accepted)](
                                    Result<std::vector<Receipt>> receipts) mutable {
        if (!receipts || receipts->empty() || !may_be_decided_before(receipts->front().answer)) {
            return answer(std::move(receipts));
        }
        reply.on_worker(
            [&service, reply, approve, answer = std::move(answer), receipts = std::move(receipts)]() mutable {
                if (!answer_as_decided(service, reply, approve, receipts->front())) answer(std::move(receipts));
            });
    }));
}

Route review_route(Service& service, bool approve) {
    Route route = route_of(Method::post, approve ? "/v1/reviews/{id}/approve" : "/v1/reviews/{id}/reject",
                           approve ? "approveReview" : "rejectReview", "Reviews",
                           approve ? "Lets a payment in review go on" : "Rejects a payment in review");
    route.description =
        "Names reviewer and reason. The same decision again gets the same answer; the other one `409 already_decided`.";
    route.parameters = {path_id(), key_parameter(false)};
    route.takes = {{"application/json", "ReviewRequest"}};
    route.answers = {json_answer(202, "Decided and durable.", "Receipt", {"Location", "Idempotent-Replayed"})};
    add_problems(route, {400, 404, 409, 422, 503});
    route.blocks = true;
    route.handler = [&service, approve](const Request& request, const Reply& reply) {
        decide_review(service, approve, request, reply);
    };
    return route;
}

// --- policies ---

constexpr std::string_view kToml = "application/toml";

void list_policies(Service& service, const Request& request, const Reply& reply) {
    const auto tenant = tenant_of(service, request, reply);
    if (!tenant) return;
    reply.later([&service, tenant = *tenant](Response& response) {
        const PolicyPtr current = service.policies().current(tenant);
        JsonWriter json(response.body);
        begin_list(json);
        for (const PolicyPtr& policy : service.policies().all(tenant)) write_policy(json, *policy, policy == current);
        end_list(json, {}, service.history().as_of());
    });
}

void refuse_policy(const Reply& reply, std::string detail) {
    FieldErrors errors;
    errors.add("/policy", "invalid_policy", std::move(detail));
    refuse_fields(reply, errors);
}

void put_policy(const Api& api, const Request& request, const Reply& reply) {
    Service& service = *api.service;
    const auto tenant = service.policies().tenant(request.parameter("tenant"));
    if (!tenant) return refuse(reply, 404, "tenant_not_found", tenant.error().what);
    const auto arena = arena_for(request);
    FieldErrors errors;
    PolicyBody body;
    if (request.content_type == kToml) {
        body.text = request.body;
    } else if (!read_policy(json_reader(), json_input(request), *arena, body, errors)) {
        return refuse_fields(reply, errors);
    }
    const PolicyPtr before = service.policies().current(*tenant);
    const PolicyVersion version = before == nullptr ? 1 : before->version() + 1;
    const auto policy = Policy::parse(body.text, version, api.clock->now());
    if (!policy) return refuse_policy(reply, policy.error().what);
    if ((*policy)->tenant() != request.parameter("tenant")) {
        return refuse_policy(reply, "the policy is of tenant " + quoted((*policy)->tenant()) + ", not of this path's");
    }
    if (before != nullptr) {
        if (const auto may = (*policy)->may_follow(*before); !may) return refuse_policy(reply, may.error().what);
    }
    SubmissionBuilder builder = service.build(arena, *tenant);
    if (const auto added = builder.change_policy(*policy, body.by); !added) return refuse_wish(reply, added.error());
    service.submit(builder.take(answer_one(service, reply, [policy = *policy](Response& response, const Receipt&) {
        response.status = 202;
        JsonWriter json(response.body);
        write_policy(json, *policy, true);
    })));
}

Route policy_route(const Api& api) {
    Route route = route_of(Method::put, "/v1/policies/{tenant}", "changePolicy", "Policies",
                           "Puts a new version of the rules in force");
    route.description =
        "In force from the next frame on. The body is the TOML text that docs/policy.md describes, or JSON that holds "
        "it.";
    route.parameters = {{.name = "tenant",
                         .in = ParameterIn::path,
                         .required = true,
                         .min = 1,
                         .max = 64,
                         .description = "The tenant's name.",
                         .example = "nostro"}};
    route.takes = {{kToml, "PolicyText"}, {"application/json", "PolicyRequest"}};
    route.body_bytes_max = 256 * 1024;
    route.answers = {json_answer(202, "In force and durable.", "Policy")};
    add_problems(route, {400, 404, 409, 422, 503});
    route.blocks = true;
    route.handler = [&api](const Request& request, const Reply& reply) { put_policy(api, request, reply); };
    return route;
}

}  // namespace

std::vector<Route> review_routes(const Api& api) {
    Service& service = *api.service;
    std::vector<Route> routes;
    Route reviews = page_route("/v1/reviews", "PaymentList");
    reviews.operation = "listReviews";
    reviews.tag = "Reviews";
    reviews.summary = "Payments that wait for a person, oldest first";
    reviews.parameters.push_back(tenant_parameter());
    reviews.handler = fresh(service, list_reviews);
    routes.push_back(std::move(reviews));
    routes.push_back(review_route(service, true));
    routes.push_back(review_route(service, false));

    Route policies =
        route_of(Method::get, "/v1/policies", "listPolicies", "Policies", "All versions of the rules, oldest first");
    policies.parameters = {tenant_parameter()};
    policies.answers = {json_answer(200, "The versions.", "PolicyList")};
    add_problems(policies, {400});
    policies.handler = [&service](const Request& request, const Reply& reply) {
        list_policies(service, request, reply);
    };
    routes.push_back(std::move(policies));
    routes.push_back(policy_route(api));
    return routes;
}

}  // namespace nostro
