#include "nostro/http/openapi.hpp"

#include <gtest/gtest.h>

#include <set>

#include "nostro/http/parameters.hpp"
#include "tests/unit/http/api_world.hpp"

namespace nostro {
namespace {

using test::ApiWorld;
using test::JsonSchemas;
using test::Told;

class OpenApiTest : public ::testing::Test {
protected:
    ApiWorld world_;
    JsonSchemas schemas_{world_.openapi()};
};

TEST_F(OpenApiTest, EverySchemaThatARouteNamesExists) {
    for (const Route& route : world_.router().routes()) {
        if (route.hidden) continue;
        for (const Content& content : route.takes) EXPECT_TRUE(schemas_.has(content.schema)) << content.schema;
        for (const RouteAnswer& answer : route.answers) {
            for (const Content& content : answer.content) {
                if (!content.schema.empty()) {
                    EXPECT_TRUE(schemas_.has(content.schema)) << content.schema;
                }
            }
        }
    }
}

TEST_F(OpenApiTest, SchemasReferToSchemasAndTheirExamplesFit) {
    for (const auto& [name, schema] : simdjson::dom::object(schemas_.document()["components"]["schemas"])) {
        EXPECT_EQ(schemas_.fault_of_schema(schema), "") << name;
        simdjson::dom::array examples;
        if (schema["examples"].get(examples) != simdjson::SUCCESS) continue;
        for (const auto& example : examples) EXPECT_EQ(schemas_.fault(example, schema), "") << name;
    }
}

TEST_F(OpenApiTest, RoutesAreWhollyDescribed) {
    std::set<std::string_view> operations;
    for (const Route& route : world_.router().routes()) {
        EXPECT_TRUE(route.handler) << route.path;
        EXPECT_FALSE(route.operation.empty() || route.tag.empty()) << route.path;
        EXPECT_TRUE(operations.insert(route.operation).second) << route.operation;
        if (route.hidden) continue;
        EXPECT_FALSE(route.summary.empty() || route.answers.empty()) << route.path;
        std::size_t in_path = 0;
        for (const Parameter& parameter : route.parameters) {
            EXPECT_FALSE(parameter.description.empty()) << route.path << " " << parameter.name;
            if (!parameter.example.empty()) {
                EXPECT_FALSE(parameter_fault(parameter, parameter.example)) << route.path << " " << parameter.name;
            }
            in_path += parameter.in == ParameterIn::path;
            const bool braced = route.path.find("{" + std::string(parameter.name) + "}") != std::string_view::npos;
            EXPECT_EQ(braced, parameter.in == ParameterIn::path) << route.path << " " << parameter.name;
        }
        EXPECT_EQ(in_path, static_cast<std::size_t>(std::ranges::count(route.path, '{'))) << route.path;
    }
}

TEST_F(OpenApiTest, PagesComeOutOfTheProgramAndAskNobodyElse) {
    for (const std::string path :
         {"/", "/start.css", "/start.js", "/docs", "/docs/", "/docs/docs.js", "/redoc", "/redoc/redoc.js"}) {
        const Told told = world_.get(path);
        EXPECT_EQ(told.status, 200) << path;
        EXPECT_TRUE(told.has_header("Content-Security-Policy: default-src 'self'")) << path;
        EXPECT_EQ(told.body.find("https://"), std::string::npos) << path;
        EXPECT_EQ(told.body.find("src=\"//"), std::string::npos) << path;
    }
    EXPECT_NE(world_.get("/docs").body.find("/docs/swagger-ui-bundle.js"), std::string::npos);
}

TEST_F(OpenApiTest, OperatingRoutesAnswer) {
    EXPECT_EQ(world_.get("/health").body, R"({"status":"healthy"})");
    const Told ready = world_.get("/readiness");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(ready["/ready"], "true");
    EXPECT_EQ(ready["/version"], "1.2.3");
    const Told metrics = world_.get("/metrics");
    EXPECT_TRUE(metrics.has_header("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_NE(metrics.body.find("nostro_http_requests_total{method=\"GET\",route=\"/health\",status=\"2xx\"} 1\n"),
              std::string::npos);
    world_.journal().set_full(true);
    world_.pay("not-taken-1", "1");
    EXPECT_EQ(world_.get("/readiness").status, 503);
}

}  // namespace
}  // namespace nostro
