// For whoever runs the program: health, readiness, metrics.
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"

namespace nostro {
namespace {

void readiness(const Api& api, Response& response) {
    const Service& service = *api.service;
    const bool ready = service.ready();
    response.status = ready ? 200 : 503;
    if (!ready) response.header("Retry-After", "1");
    JsonWriter json(response.body);
    json.begin_object().field("ready", ready).field("version", api.version).key("parts").begin_array();
    for (const PartState& part : service.parts()) {
        json.begin_object().field("name", part.name).field("ready", part.ready).field("needed", part.needed);
        json.key("reason");
        if (part.reason.empty()) {
            json.null();
        } else {
            json.string(part.reason);
        }
        json.end_object();
    }
    json.end_array().end_object();
}

Route operating(std::string_view path, std::string_view operation, std::string_view summary) {
    Route route;
    route.path = path;
    route.operation = operation;
    route.tag = "Operating";
    route.summary = summary;
    return route;
}

}  // namespace

std::vector<Route> operating_routes(const Api& api) {
    std::vector<Route> routes;
    routes.push_back(operating("/health", "getHealth", "Whether the program runs"));
    routes.back().answers = {json_answer(200, "It does.", "Health")};
    routes.back().handler = [](const Request&, const Reply& reply) {
        reply.later([](Response& response) { response.fixed_body = R"({"status":"healthy"})"; });
    };
    routes.push_back(operating("/readiness", "getReadiness", "Whether payments can be taken, with a reason a part"));
    routes.back().answers = {json_answer(200, "They can.", "Readiness"),
                             json_answer(503, "Not now; the parts say why.", "Readiness", {"Retry-After"})};
    routes.back().handler = [&api](const Request&, const Reply& reply) {
        reply.later([&api](Response& response) { readiness(api, response); });
    };
    routes.push_back(operating("/metrics", "getMetrics", "Counters and histograms in Prometheus' text format"));
    routes.back().answers = {{200, "The metrics.", {{"text/plain", ""}}, {}}};
    routes.back().blocks = true;
    routes.back().handler = [&api](const Request&, const Reply& reply) {
        api.service->refresh_gauges();
        Response response;
        response.content_type = MetricsRegistry::kContentType;
        response.body = api.metrics->prometheus_text();
        reply(std::move(response));
    };
    return routes;
}

std::vector<Route> native_routes(const Api& api) {
    std::vector<Route> all;
    for (auto* group :
         {payment_routes, follow_up_routes, batch_routes, account_routes, account_history_routes, review_routes,
          dead_letter_routes, ledger_routes, proof_routes, stream_routes, profile_routes, operating_routes}) {
        for (Route& route : group(api)) all.push_back(std::move(route));
    }
    return all;
}

}  // namespace nostro
