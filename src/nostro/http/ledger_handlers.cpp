// The books as a whole.
#include <string>

#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"

namespace nostro {
namespace {

void totals_as_of(Service& service, const std::string& as_of, const Reply& reply) {
    const Query& history = service.history();
    const auto seq = history.resolve_as_of(as_of);
    if (!seq && seq.error().code == ErrorCode::invalid) return refuse_parameter(reply, {"as_of", seq.error().what});
    if (!seq) return refuse_history(reply, seq.error());
    const auto totals = history.totals_at(*seq);
    if (!totals) return refuse_history(reply, totals.error());
    const auto at = *seq == 0 ? Result<Instant>(Instant{}) : history.time_of(*seq);
    if (!at) return refuse_history(reply, at.error());
    Response response;
    JsonWriter json(response.body);
    write_totals(json, *totals, AsOf{*seq, *at});
    reply(std::move(response));
}

void trial_balance(Service& service, const Request& request, const Reply& reply) {
    if (request.has("as_of")) {
        service.when_readable(service.accepted(), [&service, reply, as_of = std::string(request.parameter("as_of"))] {
            reply.on_worker([&service, reply, as_of] { totals_as_of(service, as_of, reply); });
        });
        return;
    }
    service.totals([reply](Result<TotalsNow> now) {
        if (!now) return refuse(reply, now.error());
        reply.later([now = std::move(*now)](Response& response) {
            JsonWriter json(response.body);
            write_totals(json, now.totals, now.as_of);
        });
    });
}

Route tenants_route(Service& service) {
    Route route =
        route_of(Method::get, "/v1/tenants", "listTenants", "Ledger",
                 "Whose accounts are in the books: nostro's own, and one for each profile that was ever served");
    route.description = "Each is a name for the parameter `tenant`. The trial balance sums over all of them.";
    route.answers = {json_answer(200, "The tenants.", "TenantList")};
    route.handler = [&service](const Request&, const Reply& reply) {
        reply.later([&service](Response& response) {
            JsonWriter json(response.body);
            json.begin_object().key("data").begin_array();
            for (const std::string& name : service.policies().tenant_names()) {
                json.begin_object().field("tenant", name).end_object();
            }
            json.end_array().end_object();
        });
    };
    return route;
}

}  // namespace

std::vector<Route> ledger_routes(const Api& api) {
    Service& service = *api.service;
    Route route = route_of(Method::get, "/v1/ledger/trial-balance", "getTrialBalance", "Ledger",
                           "Sums by currency and kind of account; each currency sums to zero");
    route.parameters = {as_of_parameter()};
    route.answers = {json_answer(200, "The sums.", "TrialBalance")};
    add_problems(route, {400, 410, 503});
    route.handler = [&service](const Request& request, const Reply& reply) { trial_balance(service, request, reply); };
    std::vector<Route> routes;
    routes.push_back(std::move(route));
    routes.push_back(tenants_route(service));
    return routes;
}

}  // namespace nostro
