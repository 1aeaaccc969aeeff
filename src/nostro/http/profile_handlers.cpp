// What is served beside the native routes, and what stores of a profile's system hold of one payment.
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/profile_messages.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {
namespace {

constexpr std::string_view kTag = "Profiles";

// By the key that its message brought, or by its payment id.
Result<std::optional<Recorded>> find_recorded(const ServedProfile& served, std::string_view key) {
    const History& history = served.ledger->history();
    auto found = history.payment(payment_id(served.entry->name, "key", key));
    if (found && *found) return found;
    const auto id = payment_id_from_hex(key);
    if (!found || !id) return found;
    auto by_id = history.payment(*id);
    if (by_id && *by_id && (*by_id)->outcomes.front().tenant != served.entry->tenant) by_id->reset();
    return by_id;
}

void show_documents(const Api& api, const Request& request, const Reply& reply) {
    const ServedProfile* served = find_served(api.profiles, request.parameter("name"));
    if (served == nullptr) return refuse_profile(reply);
    const auto found = find_recorded(*served, request.parameter("key"));
    if (!found) return refuse(reply, found.error());
    if (!*found) {
        return refuse(reply, 404, "payment_not_found",
                      "no message with this id was taken by this profile, and no payment of it has this id");
    }
    Response response;
    JsonWriter json(response.body);
    json.begin_object().field("profile", served->entry->name);
    std::string id;
    append_hex(id, (*found)->outcomes.front().payment);
    json.field("payment_id", id).key("documents").begin_object();
    if (const auto written = served->profile->documents(**found, *served->ledger, json); !written) {
        return refuse(reply, written.error());
    }
    json.end_object().end_object();
    reply(std::move(response));
}

Route documents_route(const Api& api) {
    Route route = route_of(Method::get, "/v1/profiles/{name}/documents/{key}", "getDocuments", kTag,
                           "What the system's stores, topics and logs hold of one payment");
    route.description =
        "Made of what is on record, as the profile gives it to every store: rows, messages, cache entries, lines of "
        "logs. What stands in there is the profile's; its page lists it.";
    route.parameters = {profile_parameter(),
                        {.name = "key",
                         .in = ParameterIn::path,
                         .required = true,
                         .min = 1,
                         .max = 200,
                         .description = "The id that its message brought, or its payment_id.",
                         .example = "TXN001"}};
    route.answers = {json_answer(200, "All of them, by kind.", "ProfileDocuments")};
    add_problems(route, {400, 404, 503});
    route.keeps_request = true;
    route.handler = fresh(*api.service, [&api](Service&, const Request& request, const Reply& reply) {
        show_documents(api, request, reply);
    });
    return route;
}

}  // namespace

std::vector<Route> profile_routes(const Api& api) {
    std::vector<Route> routes;
    Route list = route_of(Method::get, "/v1/profiles", "listProfiles", kTag, "The profiles that are served");
    list.answers = {json_answer(200, "All of them.", "ProfileList")};
    list.handler = [&api](const Request&, const Reply& reply) { list_profiles(api.profiles, reply); };
    routes.push_back(std::move(list));
    routes.push_back(messages_route());
    routes.back().handler = [&api](const Request& request, const Reply& reply) {
        post_messages({.profiles = api.profiles, .service = api.service}, request, reply);
    };
    routes.push_back(documents_route(api));
    return routes;
}

}  // namespace nostro
