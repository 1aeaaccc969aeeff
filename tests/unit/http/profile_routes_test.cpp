// What the server does for the routes of profiles, and for all others as soon as there are such.
#include <gtest/gtest.h>

#include "nostro/wire/framework_json.hpp"
#include "tests/unit/http/server_world.hpp"

namespace nostro {
namespace {

using namespace test;

class ProfileRoutesTest : public ::testing::Test {
protected:
    void SetUp() override { start({}); }
    void start(ServerOptions options) {
        server_.reset();
        metrics_.reset();
        registry_.emplace();
        options.port = 0;
        metrics_.emplace(*registry_, router_, true);
        auto started = Server::start(options, router_, *metrics_);
        ASSERT_TRUE(started) << started.error().what;
        server_ = std::move(*started);
    }

    static Route route(Method method, std::string_view path, std::string_view profile, Handler handler) {
        Route made;
        made.method = method;
        made.path = path;
        made.operation = path;
        made.profile = profile;
        if (method == Method::post) made.takes = {{"application/json", ""}};
        made.handler = std::move(handler);
        return made;
    }
    std::vector<Route> routes() {
        const Handler echo = [](const Request& request, const Reply& reply) {
            reply(text(std::string(request.content_type) + "|" + std::string(request.body)));
        };
        const Handler values = [](const Request& request, const Reply& reply) {
            std::string told;
            for (std::size_t i = 0; i < request.route->parameters.size(); ++i)
                told.append(request.values[i].data() == nullptr ? "-" : request.values[i]).append("|");
            reply(text(told));
        };
        std::vector<Route> all;
        all.push_back(route(Method::post, "/tips", "till", echo));
        all.push_back(route(Method::get, "/tips/{id}", "till", values));
        all.back().parameters = {{.name = "id", .in = ParameterIn::path, .max = 5},
                                 {.name = "limit", .kind = ParameterKind::integer, .min = 1, .max = 10}};
        all.push_back(
            route(Method::get, "/late", "till", [this](const Request&, const Reply& reply) { held_.hold(reply); }));
        all.push_back(route(Method::get, "/throws", "till",
                            [](const Request&, const Reply&) -> void { throw std::runtime_error("x"); }));
        all.push_back(route(Method::get, "/worker", "till", [this](const Request&, const Reply& reply) {
            reply.on_worker([this, reply] { held_.hold(reply); });
        }));
        all.push_back(route(Method::post, "/v1/things", "", echo));
        all.push_back(route(Method::get, "/health", "", echo));
        return all;
    }

    static std::string get(std::string_view path, std::string_view more = "") {
        return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(more) + "\r\n";
    }
    static std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
        return "POST " + std::string(path) +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
               std::string(more) + "\r\n" + std::string(body);
    }
    RawResponse ask(const std::string& request) {
        RawClient client(server_->port());
        EXPECT_TRUE(client.send(request));
        return client.response();
    }

    HeldReplies held_;
    Router router_{routes()};
    std::optional<MetricsRegistry> registry_;
    std::optional<HttpMetrics> metrics_;
    std::unique_ptr<Server> server_;
};

TEST_F(ProfileRoutesTest, RefusalsHaveTheShapeOfTheirPath) {
    const std::string large(65'537, 'x');
    const std::string chunked =
        " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n";
    struct Case {
        std::string request;
        int status;
        std::string_view body;  // the begin of it
    };
    const Case cases[] = {
        {get("/nowhere"), 404, R"({"detail":"Not Found"})"},
        {get("/v1x"), 404, R"({"detail":"Not Found"})"},
        {post("/nowhere", "{}"), 404, R"({"detail":"Not Found"})"},
        {get("/tips"), 405, R"({"detail":"Method Not Allowed"})"},
        {"DELETE /tips/1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, R"({"detail":"Method Not Allowed"})"},
        {post("/health", ""), 405, R"({"detail":"Method Not Allowed"})"},
        {get("/tips/toolong"), 404, R"({"detail":"id must have 0 to 5 characters"})"},
        {get("/tips/1?limit=x"), 422, R"({"detail":[{"type":"int_parsing","loc":["query","limit"])"},
        {get("/tips/1?limit=11"), 422, R"({"detail":[{"type":"less_than_equal","loc":["query","limit"])"},
        {post("/tips", large), 413, R"({"detail":"the body is larger than 64KiB"})"},
        {"POST /tips" + chunked, 413, R"({"detail":")"},
        {get("/throws"), 500, R"({"detail":"the request met a fault of the program; the log says more"})"},
        {post("/tips", "{}", "Origin: http://evil.example\r\n"), 403, R"({"detail":"pages of other origins)"},
        {get("/v1"), 404, R"({"type":"urn:nostro:problem:)"},
        {get("/v1/nowhere"), 404, R"({"type":"urn:nostro:problem:)"},
        {get("/v1/things"), 405, R"({"type":"urn:nostro:problem:)"},
        {post("/v1/things", "{}"), 415, R"({"type":"urn:nostro:problem:)"},
        {post("/v1/things", "", "Content-Type: application/json\r\n"), 400, R"({"type":"urn:nostro:problem:)"},
        {post("/v1/things/", ""), 404, R"({"type":"urn:nostro:problem:)"},
        {"POST /v1/things" + chunked, 413, R"({"type":"urn:nostro:problem:)"},
        {get("/tips/%15"), 400, R"({"detail":"the target holds)"},
        {get("/v1/%15"), 400, R"({"type":"urn:nostro:problem:)"},
        {"BAD\r\n\r\n", 400, R"({"type":"urn:nostro:problem:)"},
    };
    for (const Case& c : cases) {
        const RawResponse answer = ask(c.request);
        const std::string_view line = std::string_view(c.request).substr(0, 40);
        EXPECT_EQ(answer.status, c.status) << line;
        EXPECT_TRUE(answer.body.starts_with(c.body)) << line << answer.body;
        const bool framework = c.body.starts_with("{\"detail");
        EXPECT_TRUE(
            answer.has(framework ? "Content-Type: application/json\r\n" : "Content-Type: application/problem+json\r\n"))
            << line;
        EXPECT_EQ(answer.has("\r\nAllow: "), c.status == 405) << line;
    }
}

TEST_F(ProfileRoutesTest, HandlersMeetWhateverBodyWasSent) {
    EXPECT_EQ(ask(post("/tips", "")).body, "|");
    EXPECT_EQ(ask("POST /tips HTTP/1.1\r\nHost: localhost\r\n\r\n").body, "|");
    EXPECT_EQ(ask("POST /tips HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").body, "|");
    EXPECT_EQ(ask(post("/tips", "a=b", "Content-Type: application/x-www-form-urlencoded; a=b\r\n")).body,
              "application/x-www-form-urlencoded; a=b|a=b");
    EXPECT_EQ(ask(post("/tips", "[]")).body, "|[]");
    EXPECT_EQ(ask(get("/tips/1", "Content-Length: 2\r\n") + "{}").body, "1|-|");
}

TEST_F(ProfileRoutesTest, QueriesMayHoldMoreThanTheRouteKnows) {
    EXPECT_EQ(ask(get("/tips/7?x=1&limit=2&limit=3&&y")).body, "7|3|");
    EXPECT_EQ(ask(get("/tips/%37")).body, "7|-|");
}

TEST_F(ProfileRoutesTest, ASlashTooManyIsRedirected) {
    struct Case {
        std::string request, location;  // empty: 404
    };
    const Case cases[] = {
        {post("/tips/", R"({"a":1})"), "/tips"},
        {post("/tips/?a=b&c=%20d", "{}"), "/tips?a=b&c=%20d"},
        {get("/tips/"), "/tips"},
        {get("/tips/7/"), "/tips/7"},
        {get("/tips//"), ""},
        {get("/health/"), ""},
        {get("//tips/"), ""},
        {get("//"), ""},
    };
    for (const Case& c : cases) {
        RawClient client(server_->port());
        ASSERT_TRUE(client.send(c.request + get("/health")));
        const RawResponse answer = client.response();
        EXPECT_EQ(answer.status, c.location.empty() ? 404 : 307) << c.request;
        EXPECT_EQ(answer.has("Location: " + c.location + "\r\n"), !c.location.empty()) << c.request;
        EXPECT_EQ(client.response().status, 200) << "the body was skipped: " << c.request;
    }
}

TEST_F(ProfileRoutesTest, WhatComesTooLateOrTooOftenIsToldInTheSameShape) {
    ServerOptions options;
    options.session.reply_timeout = std::chrono::milliseconds(40);
    options.worker_threads = 1;
    options.work_waiting_max = 0;
    start(options);
    const RawResponse late = ask(get("/late"));
    EXPECT_EQ(late.status, 503);
    EXPECT_EQ(late.body, R"({"detail":"no answer came in time; ask again with the same key"})");
    EXPECT_TRUE(late.has("Retry-After: 1\r\n"));
    const RawResponse overloaded = ask(get("/worker"));
    EXPECT_EQ(overloaded.status, 503);
    EXPECT_EQ(overloaded.body, R"({"detail":"too many reads wait already; try again"})");
}

TEST_F(ProfileRoutesTest, EveryAnswerIsCountedByItsEndpoint) {
    ask(post("/tips", "{}"));
    ask(post("/tips", "{}"));
    ask(get("/tips"));
    ask(post("/tips/", ""));
    ask(get("/tips/1"));
    ask(get("/tips/2"));
    ask(get("/tips/1?limit=x"));
    ask(get("/nowhere"));
    ask(get("/elsewhere"));
    ask("BREW /tips HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string metrics = registry_->prometheus_text();
    for (const std::string_view line : {
             R"(http_requests_total{method="POST",endpoint="/tips",http_status="200"} 2)",
             R"(http_requests_total{method="GET",endpoint="/tips",http_status="405"} 1)",
             R"(http_requests_total{method="POST",endpoint="unknown",http_status="307"} 1)",
             R"(http_requests_total{method="GET",endpoint="/tips/{id}",http_status="200"} 2)",
             R"(http_requests_total{method="GET",endpoint="/tips/{id}",http_status="422"} 1)",
             R"(http_requests_total{method="GET",endpoint="unknown",http_status="404"} 2)",
             R"(http_requests_total{method="other",endpoint="unknown",http_status="501"} 1)",
             R"(http_request_duration_seconds_bucket{method="POST",endpoint="/tips",le="+Inf"} 2)",
             R"(http_request_duration_seconds_count{method="GET",endpoint="/tips/{id}"} 3)",
         }) {
        EXPECT_NE(metrics.find("\n" + std::string(line) + "\n"), std::string::npos) << line << "\n" << metrics;
    }
    std::string bounds;
    for (std::size_t at = metrics.find("endpoint=\"/tips\",le=\""); at != std::string::npos;
         at = metrics.find("endpoint=\"/tips\",le=\"", at + 1)) {
        if (metrics.rfind("\"POST\"", at) + 7 != at) continue;
        bounds.append(metrics, at + 21, metrics.find('"', at + 21) - at - 21).append(" ");
    }
    EXPECT_EQ(bounds, "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf ");
}

TEST_F(ProfileRoutesTest, PagesOfOtherOriginsMayComeInWhereThatIsSet) {
    const std::string origin = "Origin: http://shop.example\r\n";
    const std::string preflight =
        "OPTIONS /tips HTTP/1.1\r\nHost: localhost\r\n" + origin +
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n";
    EXPECT_FALSE(ask(preflight).has("Access-Control"));
    EXPECT_EQ(ask(post("/tips", "{}", origin)).status, 403);
    for (const std::string_view allowed : {"*", "http://shop.example"}) {
        ServerOptions options;
        options.session.cors_origin = allowed;
        start(options);
        const std::string line = "Access-Control-Allow-Origin: " + std::string(allowed) + "\r\n";
        const RawResponse asked = ask(preflight);
        EXPECT_EQ(asked.status, 204);
        EXPECT_TRUE(asked.has(line) && asked.has("Access-Control-Allow-Methods: POST, OPTIONS\r\n")) << asked.head;
        EXPECT_TRUE(asked.has("Access-Control-Allow-Headers: content-type\r\n")) << asked.head;
        for (const std::string& request :
             {post("/tips", "{}", origin), get("/health", origin), get("/nowhere", origin)}) {
            const RawResponse answer = ask(request);
            EXPECT_NE(answer.status, 403) << request;
            EXPECT_TRUE(answer.has(line)) << request;
        }
        EXPECT_EQ(ask(post("/tips", "{}", "Origin: http://evil.example\r\n")).status, allowed == "*" ? 200 : 403);
    }
}

}  // namespace
}  // namespace nostro
