// Who owns the Book is changed here, by an operator.
#include <utility>

#include "nostro/base/json_text.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"

namespace nostro {
namespace {

Route change(const Api& api, std::string_view path, std::string_view operation, std::string_view summary,
             std::function<Result<Seq>()> Api::* does) {
    Route route = route_of(Method::post, path, operation, "Operating", summary);
    route.answers = {json_answer(200, "It is so.", "Ownership")};
    add_problems(route, {409, 503});
    route.blocks = true;
    route.handler = [&api, does](const Request&, const Reply& reply) {
        const auto seq = (api.*does)();
        if (!seq) return refuse(reply, seq.error());
        Response response;
        JsonWriter(response.body)
            .begin_object()
            .field("role", name(api.service->role()))
            .field("seq", *seq)
            .end_object();
        reply(std::move(response));
    };
    return route;
}

}  // namespace

std::vector<Route> ownership_routes(const Api& api) {
    std::vector<Route> routes;
    routes.push_back(change(api, "/v1/admin/take-over", "takeOver",
                            "Makes this process the owner of the Book; whoever owned it is fenced", &Api::take_over));
    routes.push_back(change(api, "/v1/admin/hand-over", "handOver",
                            "The owner settles what is in flight and decides nothing more, so that another takes over",
                            &Api::hand_over));
    return routes;
}

}  // namespace nostro
