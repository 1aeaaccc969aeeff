// Pages for people: the start page, the interactive API page, and the OpenAPI document both rest on. Everything comes
// out of the program itself; no page asks another host for anything.
#include <algorithm>
#include <deque>
#include <memory>
#include <string>

#include "nostro/base/embedded.hpp"
#include "nostro/base/text.hpp"
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
constexpr std::string_view kHtml = "text/html; charset=utf-8", kScript = "text/javascript; charset=utf-8",
                           kStyle = "text/css; charset=utf-8";
constexpr WebPage kStartPage{"/", "http/start.html", kHtml, false};
constexpr WebPage kPages[] = {
    {"/start.css", "http/start.css", kStyle, false},
    {"/start.js", "http/start.js", kScript, false},
    {"/docs/docs.js", "http/docs.js", kScript, false},
    {"/docs/swagger-ui.css", "docs/swagger-ui.css", kStyle, true},
    {"/docs/swagger-ui-bundle.js", "docs/swagger-ui-bundle.js", kScript, true},
    {"/redoc/redoc.js", "http/redoc.js", kScript, false},
    {"/redoc/redoc.standalone.js", "docs/redoc.standalone.js", kScript, true},
    {"/favicon.ico", "docs/favicon-32x32.png", "image/png", true},
};

Response page_of(std::string_view type, std::string_view bytes, bool cacheable) {
    Response response;
    response.content_type = type;
    response.fixed_body = bytes;
    response.cacheable = cacheable;
    if (cacheable) response.header("Cache-Control", "max-age=86400");
    response.header("Content-Security-Policy", kContentPolicy);
    response.header("Referrer-Policy", "no-referrer");
    return response;
}

void show(const WebPage& page, const Reply& reply) {
    const auto bytes = embedded_file(page.file);
    if (!bytes) {
        return refuse(reply, 404, "not_built_in", "this program was built without " + std::string(page.file));
    }
    reply(page_of(page.type, *bytes, page.cacheable));
}

Route hidden_route(std::string_view path, Handler handler) {
    Route route;
    route.path = path;
    route.operation = path;  // two paths may show one file
    route.tag = "Pages";
    route.hidden = true;
    route.handler = std::move(handler);
    return route;
}

Route page_route(const WebPage& page) {
    return hidden_route(page.path, [&page](const Request&, const Reply& reply) { show(page, reply); });
}

// Texts that are made at start, and live as long as the routes that show them.
struct Made {
    std::deque<std::string> texts;
    std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }
};
using MadePtr = std::shared_ptr<Made>;

std::string replaced(std::string_view text, std::string_view place, std::string_view by) {
    std::string whole;
    for (std::size_t at = text.find(place); at != std::string_view::npos; at = text.find(place)) {
        whole.append(text.substr(0, at)).append(by);
        text.remove_prefix(at + place.size());
    }
    return whole.append(text);
}

// /docs and /redoc of one document; `below`: "" or "/NAME".
void add_viewers(std::vector<Route>& routes, const MadePtr& made, std::string_view title, std::string_view document,
                 std::string_view below) {
    struct Viewer {
        std::string_view path, file, what;
    };
    static constexpr Viewer kViewers[] = {{"/docs", "http/docs.html", ": interactive API"},
                                          {"/redoc", "http/redoc.html", ": API reference"}};
    for (const Viewer& viewer : kViewers) {
        const std::string text(embedded_file(viewer.file).value_or(""));
        const std::string whole_title = std::string(title).append(viewer.what);
        const auto page = made->keep(replaced(replaced(text, "{{title}}", whole_title), "{{document}}", document));
        const Handler handler = [made, page](const Request&, const Reply& reply) {
            reply(page_of(kHtml, page, false));
        };
        const std::string path = std::string(viewer.path).append(below);
        routes.push_back(hidden_route(made->keep(path), handler));
        routes.push_back(hidden_route(made->keep(path + "/"), handler));
    }
}

Handler document_handler(const MadePtr& made, std::string_view text) {
    return [made, text](const Request&, const Reply& reply) {
        reply.later([text](Response& response) { response.fixed_body = text; });
    };
}

// What a profile's own document holds: its routes, and those for whoever runs the program.
std::vector<Route> routes_of(std::span<const Route> routes, std::string_view profile) {
    std::vector<Route> own;
    for (const Route& route : routes) {
        const bool is_operating = route.profile.empty() && !route.path.starts_with("/v1/");
        if (route.profile == profile || is_operating) own.push_back(route);
    }
    return own;
}

void add_documents_of(std::vector<Route>& routes, const MadePtr& made, const ApiDocument& document,
                      std::string_view native_schemas) {
    const std::string about = "The API of " + std::string(document.title) + ", answered by nostro.";
    const auto text =
        made->keep(openapi_document(routes_of(routes, document.name), {.title = document.title,
                                                                       .version = document.version,
                                                                       .description = about,
                                                                       .schemas = {native_schemas, document.schemas}}));
    const auto path = made->keep("/openapi/" + std::string(document.name) + ".json");
    routes.push_back(hidden_route(path, document_handler(made, text)));
    add_viewers(routes, made, document.title, path, "/" + std::string(document.name));
}

bool asks_for_html(std::string_view accept) {
    for (const std::string_view range : split(accept, ',')) {
        if (equal_ignoring_case(trim(split_once(range, ';').first), "text/html")) return true;
    }
    return false;
}

void add_start_page(std::vector<Route>& routes) {
    const auto claimed = std::ranges::find_if(
        routes, [](const Route& route) { return route.path == kStartPage.path && route.method == Method::get; });
    if (claimed == routes.end()) {
        routes.push_back(page_route(kStartPage));
        return;
    }
    claimed->handler = [own = std::move(claimed->handler)](const Request& request, const Reply& reply) {
        if (asks_for_html(request.header("accept"))) return show(kStartPage, reply);
        own(request, reply);
    };
}

}  // namespace

void add_pages(std::vector<Route>& routes, const Api& api, std::span<const ApiDocument> documents) {
    const auto made = std::make_shared<Made>();
    const std::string_view native_schemas = embedded_file("http/openapi_schemas.json").value_or("{}");
    const bool one = documents.size() == 1;
    OpenApiHead head{.version = api.version, .description = native_introduction(), .schemas = {native_schemas}};
    if (one) head.title = documents[0].title;
    if (one) head.version = documents[0].version;
    for (const ApiDocument& document : documents) head.schemas.push_back(document.schemas);

    Route openapi = route_of(Method::get, "/openapi.json", "getOpenApi", "Operating", "This document");
    openapi.answers = {json_answer(200, "OpenAPI 3.1.", "OpenApi")};
    routes.push_back(std::move(openapi));
    const std::size_t place = routes.size() - 1;
    if (!one) {
        for (const ApiDocument& document : documents) add_documents_of(routes, made, document, native_schemas);
    }
    add_viewers(routes, made, head.title, "/openapi.json", "");
    add_start_page(routes);
    for (const WebPage& page : kPages) routes.push_back(page_route(page));
    routes[place].handler = document_handler(made, made->keep(openapi_document(routes, head)));
}

}  // namespace nostro
