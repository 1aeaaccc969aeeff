// Stores against the journal: runs that compare, and what they found.
#include <algorithm>
#include <array>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/engine/reconcile.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/reconcile_answers.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

void text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
    json.key(name);
    text.empty() ? json.null() : json.string(text);
}

void value_or_null(JsonWriter& json, std::string_view name, const std::optional<std::string>& value) {
    json.key(name);
    value ? json.string(*value) : json.null();
}

void time_or_null(JsonWriter& json, std::string_view name, Instant at) {
    text_or_null(json, name, at == Instant{} ? std::string() : to_rfc3339(at));
}

void write_drift(JsonWriter& json, const Drift& drift) {
    static constexpr std::array<std::string_view, 3> kKinds{"missing", "unknown", "differs"};
    json.begin_object().field("kind", kKinds[static_cast<std::size_t>(drift.kind)]);
    json.field("place", drift.place).field("key", drift.key);
    text_or_null(json, "column", drift.column);
    value_or_null(json, "journal", drift.journal);
    value_or_null(json, "found", drift.found);
    json.field("balance", !drift.account.empty()).end_object();
}

void write_store(JsonWriter& json, const ReconcileRun::Store& store) {
    const Comparison& found = store.found;
    json.begin_object().field("store", store.name);
    text_or_null(json, "error", store.error);
    json.field("clean", store.is_clean()).field("through", found.through).field("buckets", found.buckets);
    json.field("different", found.different).field("rows", found.rows).field("unknown", found.unknown);
    json.field("drift", found.drift).field("mended", found.mended).field("more", found.more);
    json.key("drifts").begin_array();
    for (const Drift& drift : found.drifts) write_drift(json, drift);
    json.end_array().key("adopted").begin_array();
    for (const Adopted& each : store.adopted) {
        json.begin_object().field("place", each.drift.place).field("key", each.drift.key);
        json.field("amount", each.amount.decimal()).field("currency", each.amount.currency().code());
        json.field("before", each.before);
        text_or_null(json, "refused", each.refused);
        json.end_object();
    }
    json.end_array().end_object();
}

void write_run(JsonWriter& json, const ReconcileRun& run) {
    static constexpr std::array<std::string_view, 3> kStates{"waiting", "running", "done"};
    json.begin_object().field("run", run.run).field("state", kStates[static_cast<std::size_t>(run.state)]);
    json.field("mode", name(run.wish.mode));
    text_or_null(json, "by", run.wish.by);
    text_or_null(json, "reason", run.wish.reason);
    time_or_null(json, "began_at", run.began);
    time_or_null(json, "ended_at", run.ended);
    text_or_null(json, "store", run.store);
    json.field("done", run.done).field("total", run.total);
    json.key("clean");
    run.state == ReconcileRun::State::done ? json.boolean(run.is_clean()) : json.null();
    json.key("stores").begin_array();
    for (const ReconcileRun::Store& store : run.stores) write_store(json, store);
    json.end_array().end_object();
}

void ask(Reconciler& reconciler, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    ReconcileBody body;
    if (!read_reconcile(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    ReconcileWish wish;
    for (const auto mode : {ReconcileMode::compare, ReconcileMode::repair, ReconcileMode::adopt}) {
        if (name(mode) == body.mode) wish.mode = mode;
    }
    wish.by = body.by;
    wish.reason = body.reason;
    const auto number = reconciler.ask(std::move(wish));
    if (!number && number.error().code == ErrorCode::unavailable) return refuse(reply, number.error());
    if (!number) {
        const bool is_nothing = number.error().code == ErrorCode::not_found;
        return refuse(reply, 409, is_nothing ? "nothing_to_compare" : "reconciliation_waits", number.error().what);
    }
    reply.later([&reconciler, number = *number](Response& response) {
        response.status = 202;
        JsonWriter json(response.body);
        write_run(json, *reconciler.run(number));
    });
}

void show(const Reconciler& reconciler, const Request& request, const Reply& reply) {
    const auto number = parse_uint64(request.parameter("run"));
    const auto run = number ? reconciler.run(*number) : std::nullopt;
    if (!run) return refuse(reply, 404, "run_not_found", "no run has this number, or it is too long ago");
    Response response;
    JsonWriter json(response.body);
    write_run(json, *run);
    reply(std::move(response));
}

Route reconciliation(Method method, std::string_view path, std::string_view operation, std::string_view summary) {
    return route_of(method, path, operation, "Operating", summary);
}

}  // namespace

std::string reconciliation_json(const ReconcileRun& run) {
    std::string text;
    JsonWriter json(text);
    write_run(json, run);
    return text;
}

std::vector<Route> reconcile_routes(const Api& api) {
    std::vector<Route> routes;
    if (api.reconciler == nullptr) return routes;
    Reconciler& reconciler = *api.reconciler;
    constexpr std::string_view kPath = "/v1/reconciliations";
    routes.push_back(
        reconciliation(Method::post, kPath, "startReconciliation", "Holds the stores against the journal"));
    routes.back().description =
        "`compare` changes nothing; `repair` rewrites what differs from the journal; `adopt` takes balances that "
        "somebody edited in a store into the journal, as adjustments against `house:equity`, once an edit. It runs "
        "beside the payments, where the Book is; its answer names the run to look at.";
    routes.back().takes = {{"application/json", "ReconciliationRequest"}};
    routes.back().answers = {json_answer(202, "It will be made.", "Reconciliation")};
    add_problems(routes.back(), {400, 409, 422, 503});
    routes.back().handler = [&reconciler](const Request& request, const Reply& reply) {
        ask(reconciler, request, reply);
    };
    routes.push_back(reconciliation(Method::get, kPath, "listReconciliations", "The last few runs, newest first"));
    routes.back().answers = {json_answer(200, "The runs.", "ReconciliationList")};
    routes.back().blocks = true;
    routes.back().handler = [&reconciler](const Request&, const Reply& reply) {
        Response response;
        JsonWriter json(response.body);
        json.begin_object().key("data").begin_array();
        for (const ReconcileRun& run : reconciler.runs()) write_run(json, run);
        json.end_array().end_object();
        reply(std::move(response));
    };
    routes.push_back(reconciliation(Method::get, "/v1/reconciliations/{run}", "getReconciliation",
                                    "How far a run is, what it found"));
    routes.back().parameters = {{.name = "run",
                                 .in = ParameterIn::path,
                                 .required = true,
                                 .min = 1,
                                 .max = 20,
                                 .description = "The run's number.",
                                 .example = "1"}};
    routes.back().answers = {json_answer(200, "The run.", "Reconciliation")};
    add_problems(routes.back(), {400, 404});
    routes.back().blocks = true;
    routes.back().handler = [&reconciler](const Request& request, const Reply& reply) {
        show(reconciler, request, reply);
    };
    return routes;
}

}  // namespace nostro
