// The example profile over a real engine and a real server, as the program serves its own.
#include "tests/unit/profiles/example_profile.hpp"

#include <gtest/gtest.h>

#include "nostro/http/api.hpp"
#include "nostro/http/server.hpp"
#include "tests/unit/http/raw_client.hpp"
#include "tests/unit/profiles/profile_world.hpp"

namespace nostro {
namespace {

using namespace test;

class ExampleProfileTest : public ::testing::Test {
protected:
    // `others`: profiles that are served beside it, in documents alone.
    void serve(const std::vector<ApiDocument>& others = {}) {
        api_.service = world_.service.get();
        api_.metrics = &world_.metrics;
        api_.clock = &world_.clock;
        api_.version = "1.2.3";
        std::vector<Route> routes = operating_routes(api_);
        Route native;  // of another program's tenant
        native.path = "/v1/native";
        native.operation = "native";
        native.tag = "Native";
        native.handler = [](const Request&, const Reply& reply) { reply(Response()); };
        routes.push_back(native);
        for (Route& route : world_.profile->routes(*world_.ledger)) routes.push_back(std::move(route));
        std::vector<ApiDocument> documents{
            {kTillEntry.name, kTillEntry.title, kTillEntry.version, world_.profile->schemas()}};
        documents.insert(documents.end(), others.begin(), others.end());
        add_pages(routes, api_, documents);
        router_ = std::make_unique<Router>(std::move(routes));
        http_metrics_ = std::make_unique<HttpMetrics>(world_.metrics, *router_, world_.profile->counts_requests());
        ServerOptions options;
        options.port = 0;
        server_ = Server::start(options, *router_, *http_metrics_).value();
    }

    RawResponse ask(const std::string& request) {
        RawClient client(server_->port());
        EXPECT_TRUE(client.send(request));
        return client.response();
    }
    RawResponse get(std::string_view path, std::string_view headers = "") {
        return ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) + "\r\n");
    }
    RawResponse tip(std::string_view body) {
        return ask("POST /tips HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    }
    static std::string title_of(const RawResponse& page) {
        const std::size_t begin = page.body.find("<title>") + 7;
        return page.body.substr(begin, page.body.find("</title>") - begin);
    }

    ProfileWorld world_{kTillEntry, {}, std::string(kTillFile)};
    Api api_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<HttpMetrics> http_metrics_;
    std::unique_ptr<Server> server_;
};

TEST_F(ExampleProfileTest, ARequestMovesMoney) {
    serve();
    const RawResponse given = tip(R"({"amount":2.50,"guest":"Ann B\u00e9","table":7})");
    EXPECT_EQ(given.status, 200);
    EXPECT_EQ(given.body, R"({"id":1,"guest":"Ann Bé","amount":2.5,"currency":"EUR","status":"given"})");
    EXPECT_EQ(tip(R"({"guest":"Bob","amount":"10"})").body,
              R"({"id":2,"guest":"Bob","amount":10.0,"currency":"EUR","status":"given"})");
    EXPECT_EQ(world_.balance("kitchen"), 1250);
    EXPECT_EQ(world_.balance("guest:Bob"), -1000);
}

TEST_F(ExampleProfileTest, WhatItRefusesHasTheShapeThatItsClientsKnow) {
    serve();
    const RawResponse wrong = tip(R"({"guest":"","amount":0.001})");
    EXPECT_EQ(wrong.status, 422);
    EXPECT_NE(wrong.body.find(R"({"detail":[{"type":"string_empty","loc":["body","guest"])"), std::string::npos);
    EXPECT_EQ(tip("").body, R"({"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]})");
    EXPECT_EQ(get("/tips").body, R"({"detail":"Method Not Allowed"})");
    EXPECT_EQ(get("/nowhere").body, R"({"detail":"Not Found"})");
    EXPECT_TRUE(get("/v1/nowhere").has("application/problem+json"));
    EXPECT_EQ(get("/tips/").status, 307);
    EXPECT_EQ(world_.balance("kitchen"), std::nullopt);
}

TEST_F(ExampleProfileTest, TheDocumentsAreItsOwnWhereItIsAlone) {
    serve();
    const RawResponse document = get("/openapi.json");
    EXPECT_NE(document.body.find(R"("info":{"title":"Till","version":"2.0.0")"), std::string::npos);
    for (const std::string_view part : {R"("/tips":{"post":)", R"("/v1/native":)", R"("TillTip":)", R"("Problem":)"}) {
        EXPECT_NE(document.body.find(part), std::string::npos) << part;
    }
    for (const std::string_view path : {"/docs", "/docs/", "/redoc", "/redoc/"}) {
        const RawResponse page = get(path);
        EXPECT_EQ(page.status, 200) << path;
        EXPECT_TRUE(title_of(page).starts_with("Till: ")) << title_of(page);
        EXPECT_NE(page.body.find("data-document=\"/openapi.json\""), std::string::npos) << path;
        EXPECT_EQ(page.body.find("{{"), std::string::npos) << path;
    }
    EXPECT_EQ(get("/openapi/till.json").status, 404);
    EXPECT_EQ(get("/health").body, R"({"status":"healthy"})");
}

TEST_F(ExampleProfileTest, OfSeveralEachHasADocument) {
    serve({{.name = "cellar", .title = "Cellar", .version = "9"}});
    EXPECT_NE(get("/openapi.json").body.find(R"("info":{"title":"nostro","version":"1.2.3")"), std::string::npos);
    EXPECT_EQ(title_of(get("/docs")), "nostro: interactive API");
    const RawResponse own = get("/openapi/till.json");
    EXPECT_NE(own.body.find(R"("info":{"title":"Till","version":"2.0.0")"), std::string::npos);
    EXPECT_NE(own.body.find(R"("/tips":{"post":)"), std::string::npos);
    EXPECT_NE(own.body.find(R"("/health":)"), std::string::npos);
    EXPECT_EQ(own.body.find(R"("/v1/native":)"), std::string::npos);
    EXPECT_EQ(get("/openapi/cellar.json").body.find(R"("/tips")"), std::string::npos);
    EXPECT_EQ(title_of(get("/docs/till")), "Till: interactive API");
    EXPECT_EQ(title_of(get("/redoc/cellar")), "Cellar: API reference");
    EXPECT_NE(get("/redoc/till").body.find("data-document=\"/openapi/till.json\""), std::string::npos);
}

TEST_F(ExampleProfileTest, PeopleGetThePageAndProgramsTheMessage) {
    serve();
    for (const std::string_view accept :
         {"", "Accept: */*\r\n", "Accept: application/json\r\n", "Accept: text/plain\r\n"}) {
        EXPECT_EQ(get("/", accept).body, R"({"message":"Tips are welcome"})") << accept;
    }
    for (const std::string_view accept : {"Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n",
                                          "accept: application/json, TEXT/HTML;q=0.5\r\n"}) {
        EXPECT_TRUE(get("/", accept).has("Content-Type: text/html; charset=utf-8\r\n")) << accept;
    }
}

TEST_F(ExampleProfileTest, ItsRequestsAreCounted) {
    serve();
    tip(R"({"guest":"Ann","amount":1})");
    tip("{}");
    const RawResponse metrics = get("/metrics");
    EXPECT_TRUE(metrics.has("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    for (const std::string_view line : {
             R"(http_requests_total{method="POST",endpoint="/tips",http_status="200"} 1)",
             R"(http_requests_total{method="POST",endpoint="/tips",http_status="422"} 1)",
             R"(http_request_duration_seconds_count{method="POST",endpoint="/tips"} 2)",
             R"(nostro_http_requests_total{method="POST",route="/tips",status="2xx"} 1)",
         }) {
        EXPECT_NE(metrics.body.find("\n" + std::string(line) + "\n"), std::string::npos) << line;
    }
}

TEST_F(ExampleProfileTest, AMessageIsReadAsARequestIs) {
    const auto told = world_.send(R"({"guest":"Ann","amount":3})", {"file:1", 1});
    EXPECT_EQ(told.outcome.status, Status::settled);
    EXPECT_EQ(told.payment.debtor_name, "guest:Ann");
    EXPECT_NE(world_.send(R"({"guest":"Ann","amount":"x"})").dead_letter.find("amount"), std::string::npos);
}

}  // namespace
}  // namespace nostro
