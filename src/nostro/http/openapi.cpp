#include "nostro/http/openapi.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/parameters.hpp"
#include "nostro/http/refusals.hpp"

namespace nostro {
namespace {

struct HeaderText {
    std::string_view name, description;
};
constexpr std::array<HeaderText, 4> kHeaders{{
    {"Location", "Where it can be read."},
    {"Idempotent-Replayed", "`true`: this key was answered before, and this is the first answer again."},
    {"Preference-Applied", "The `wait` that was honoured."},
    {"Retry-After", "Seconds."},
}};

constexpr std::string_view kIntroduction =
    "nostro takes payments in, clears them against a policy, settles them on a double-entry ledger, and tells the "
    "world, "
    "exactly once.\n\n"
    "Amounts are decimal strings beside a currency. Times are RFC 3339 in UTC with microseconds. Errors are "
    "`application/problem+json` with a stable `code`. Lists answer `data`, `next_cursor` and `as_of`; a cursor stays "
    "good "
    "while new payments come. `503` says when to try again; after `outcome_unknown` ask again with the same key.";

std::string method_key(Method method) { return to_lower(name(method)); }

void write_schema_ref(JsonWriter& json, std::string_view schema) {
    json.key("schema").begin_object();
    if (schema.empty()) {
        json.field("type", "string");
    } else {
        json.field("$ref", "#/components/schemas/" + std::string(schema));
    }
    json.end_object();
}

void write_content(JsonWriter& json, const std::vector<Content>& content) {
    json.key("content").begin_object();
    for (const Content& form : content) {
        json.key(form.type).begin_object();
        write_schema_ref(json, form.schema);
        json.end_object();
    }
    json.end_object();
}

void write_parameter(JsonWriter& json, const Parameter& parameter) {
    static constexpr std::array<std::string_view, 3> kPlaces{"path", "query", "header"};
    json.begin_object()
        .field("name", parameter.name)
        .field("in", kPlaces[static_cast<std::size_t>(parameter.in)])
        .field("required", parameter.required || parameter.in == ParameterIn::path);
    if (!parameter.description.empty()) json.field("description", parameter.description);
    json.key("schema");
    write_parameter_schema(json, parameter);
    if (!parameter.example.empty()) {
        json.key("example");
        if (parameter.kind == ParameterKind::integer) {
            json.raw(parameter.example);
        } else {
            json.string(parameter.example);
        }
    }
    json.end_object();
}

void write_headers(JsonWriter& json, const std::vector<std::string_view>& headers) {
    if (headers.empty()) return;
    json.key("headers").begin_object();
    for (const std::string_view header : headers) {
        const auto known = std::ranges::find(kHeaders, header, &HeaderText::name);
        json.key(header).begin_object();
        if (known != kHeaders.end()) json.field("description", known->description);
        json.key("schema").begin_object().field("type", "string").end_object().end_object();
    }
    json.end_object();
}

void write_answers(JsonWriter& json, const Route& route, RefusalShape shape) {
    json.key("responses").begin_object();
    for (const RouteAnswer& answer : route.answers) {
        json.key(std::to_string(answer.status)).begin_object().field("description", answer.description);
        write_headers(json, answer.headers);
        if (!answer.content.empty()) write_content(json, answer.content);
        json.end_object();
    }
    // What routing and framing refuse is the same everywhere: 400, 404, 405, 411, 413, 415, 421, 431...
    json.key("default").begin_object().field("description", "Refused before the route looked at it.");
    if (shape == RefusalShape::framework) {
        write_content(json, {{"application/json", "FrameworkRefusal"}});
    } else {
        write_content(json, {{"application/problem+json", "Problem"}});
    }
    json.end_object().end_object();
}

void write_operation(JsonWriter& json, const Route& route, RefusalShape shape) {
    json.key(method_key(route.method)).begin_object();
    json.field("operationId", route.operation).field("summary", route.summary);
    if (!route.description.empty()) json.field("description", route.description);
    json.key("tags").begin_array().string(route.tag).end_array();
    if (!route.parameters.empty()) {
        json.key("parameters").begin_array();
        for (const Parameter& parameter : route.parameters) write_parameter(json, parameter);
        json.end_array();
    }
    if (!route.takes.empty()) {
        json.key("requestBody").begin_object().field("required", route.body_required);
        json.field("description", "At most " + format_bytes(route.body_bytes_max) + ".");
        write_content(json, route.takes);
        json.end_object();
    }
    write_answers(json, route, shape);
    json.end_object();
}

std::vector<std::string_view> distinct(std::span<const Route> routes, std::string_view Route::* member) {
    std::vector<std::string_view> values;
    for (const Route& route : routes) {
        if (!route.hidden && std::ranges::find(values, route.*member) == values.end()) values.push_back(route.*member);
    }
    return values;
}

// The members of several objects as one.
void write_schemas(JsonWriter& json, const std::vector<std::string_view>& schemas) {
    json.begin_object();
    for (std::string_view object : schemas) {
        object = trim(object);
        if (!object.starts_with('{') || !object.ends_with('}')) continue;
        const std::string_view members = trim(object.substr(1, object.size() - 2));
        if (!members.empty()) json.raw_members(members);
    }
    json.end_object();
}

}  // namespace

std::string_view native_introduction() { return kIntroduction; }

std::string openapi_document(std::span<const Route> routes, const OpenApiHead& head) {
    const bool has_profiles = std::ranges::any_of(routes, [](const Route& route) { return !route.profile.empty(); });
    std::string document;
    JsonWriter json(document);
    json.begin_object().field("openapi", "3.1.0");
    json.key("info").begin_object().field("title", head.title).field("version", head.version);
    json.field("description", head.description);
    json.key("license").begin_object().field("name", "Apache 2.0").field("identifier", "Apache-2.0").end_object();
    json.end_object();
    json.key("servers").begin_array().begin_object().field("url", "/").end_object().end_array();
    json.key("tags").begin_array();
    for (const std::string_view tag : distinct(routes, &Route::tag))
        json.begin_object().field("name", tag).end_object();
    json.end_array();
    json.key("paths").begin_object();
    for (const std::string_view path : distinct(routes, &Route::path)) {
        json.key(path).begin_object();
        for (const Route& route : routes) {
            if (route.path != path || route.hidden) continue;
            write_operation(json, route, refusal_shape(has_profiles, &route, path));
        }
        json.end_object();
    }
    json.end_object();
    json.key("components").begin_object().key("schemas");
    write_schemas(json, head.schemas);
    json.end_object().end_object();
    return document;
}

}  // namespace nostro
