// Pages for people: the start page, the interactive API page, and the OpenAPI document both rest on. Everything comes
// out of the program itself; no page asks another host for anything.
#include <memory>
#include <string>

#include "nostro/base/embedded.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/openapi.hpp"

namespace nostro {
namespace {

// The swagger page sets style attributes and shows inline pictures; scripts come from here only.
constexpr std::string_view kContentPolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri "
    "'none'; "
    "form-action 'none'";

struct WebPage {
    std::string_view path, file, type;
    bool cacheable;
};
constexpr WebPage kPages[] = {
    {"/", "http/start.html", "text/html; charset=utf-8", false},
    {"/start.css", "http/start.css", "text/css; charset=utf-8", false},
    {"/start.js", "http/start.js", "text/javascript; charset=utf-8", false},
    {"/docs", "http/docs.html", "text/html; charset=utf-8", false},
    {"/docs/", "http/docs.html", "text/html; charset=utf-8", false},
    {"/docs/docs.js", "http/docs.js", "text/javascript; charset=utf-8", false},
    {"/docs/swagger-ui.css", "docs/swagger-ui.css", "text/css; charset=utf-8", true},
    {"/docs/swagger-ui-bundle.js", "docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", true},
    {"/favicon.ico", "docs/favicon-32x32.png", "image/png", true},
};

void show(const WebPage& page, const Reply& reply) {
    const auto bytes = embedded_file(page.file);
    if (!bytes) {
        return refuse(reply, 404, "not_built_in", "this program was built without " + std::string(page.file));
    }
    Response response;
    response.content_type = page.type;
    response.fixed_body = *bytes;
    response.cacheable = page.cacheable;
    if (page.cacheable) response.header("Cache-Control", "max-age=86400");
    response.header("Content-Security-Policy", kContentPolicy);
    response.header("Referrer-Policy", "no-referrer");
    reply(std::move(response));
}

Route page_route(const WebPage& page) {
    Route route;
    route.path = page.path;
    route.operation = page.path;  // two paths may show one file
    route.tag = "Pages";
    route.hidden = true;
    route.handler = [&page](const Request&, const Reply& reply) { show(page, reply); };
    return route;
}

}  // namespace

void add_pages(std::vector<Route>& routes, const Api& api) {
    Route openapi;
    openapi.path = "/openapi.json";
    openapi.operation = "getOpenApi";
    openapi.tag = "Operating";
    openapi.summary = "This document";
    openapi.answers = {json_answer(200, "OpenAPI 3.1.", "OpenApi")};
    const auto document = std::make_shared<std::string>();
    openapi.handler = [document](const Request&, const Reply& reply) {
        reply.later([document](Response& response) { response.body = *document; });
    };
    routes.push_back(std::move(openapi));
    for (const WebPage& page : kPages) routes.push_back(page_route(page));
    *document = openapi_document(routes, api.version, embedded_file("http/openapi_schemas.json").value_or("{}"));
}

}  // namespace nostro
