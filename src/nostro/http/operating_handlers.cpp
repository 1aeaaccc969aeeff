// For whoever runs the program: health, readiness, metrics.
#include <algorithm>
#include <memory>
#include <utility>

#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/operating.hpp"

namespace nostro {
namespace {

void readiness(const Operating& operating, Response& response) {
    const auto parts = operating.parts();
    const bool ready = std::ranges::all_of(parts, [](const PartState& each) { return each.ready || !each.needed; });
    response.status = ready ? 200 : 503;
    if (!ready) response.header("Retry-After", "1");
    JsonWriter json(response.body);
    json.begin_object().field("ready", ready).field("version", operating.version);
    if (operating.service != nullptr) {
        const Service& service = *operating.service;
        json.field("role", name(service.role())).field("as_of_seq", service.accepted());
        if (service.role() == Role::standby) {
            const StandbyLag lag = service.lag();
            json.key("lag").begin_object().field("frames", lag.frames);
            json.field("ms", std::chrono::duration_cast<std::chrono::milliseconds>(lag.time).count()).end_object();
        }
    }
    json.key("parts").begin_array();
    for (const PartState& part : parts) {
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
    return route_of(Method::get, path, operation, "Operating", summary);
}

}  // namespace

std::vector<Route> operating_routes(Operating from) {
    const auto program = std::make_shared<const Operating>(std::move(from));
    std::vector<Route> routes;
    routes.push_back(operating("/health", "getHealth", "Whether the program runs"));
    routes.back().answers = {json_answer(200, "It does.", "Health")};
    routes.back().handler = [](const Request&, const Reply& reply) {
        reply.later([](Response& response) { response.fixed_body = R"({"status":"healthy"})"; });
    };
    routes.push_back(operating("/readiness", "getReadiness", "Whether payments can be taken, with a reason a part"));
    routes.back().answers = {json_answer(200, "They can.", "Readiness"),
                             json_answer(503, "Not now; the parts say why.", "Readiness", {"Retry-After"})};
    routes.back().handler = [program](const Request&, const Reply& reply) {
        reply.later([program](Response& response) { readiness(*program, response); });
    };
    routes.push_back(operating("/metrics", "getMetrics", "Counters and histograms in Prometheus' text format"));
    routes.back().answers = {{200, "The metrics.", {{"text/plain", ""}}, {}}};
    routes.back().blocks = true;
    routes.back().handler = [program](const Request&, const Reply& reply) {
        program->refresh();
        Response response;
        response.content_type = MetricsRegistry::kContentType;
        response.body = program->metrics->prometheus_text();
        reply(std::move(response));
    };
    return routes;
}

std::vector<Route> operating_routes(const Api& api) {
    return operating_routes({.parts = [service = api.service] { return service->parts(); },
                             .refresh = [service = api.service] { service->refresh_gauges(); },
                             .metrics = api.metrics,
                             .version = api.version,
                             .service = api.service});
}

std::vector<Route> native_routes(const Api& api) {
    std::vector<Route> all;
    using Group = std::vector<Route> (*)(const Api&);
    for (const Group group : std::initializer_list<Group>{
             payment_routes, follow_up_routes, batch_routes, account_routes, account_history_routes, review_routes,
             dead_letter_routes, ledger_routes, proof_routes, stream_routes, profile_routes, reconcile_routes,
             operating_routes, ownership_routes}) {
        for (Route& route : group(api)) all.push_back(std::move(route));
    }
    return all;
}

}  // namespace nostro
