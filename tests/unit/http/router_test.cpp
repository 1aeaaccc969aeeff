#include "nostro/http/router.hpp"

#include <gtest/gtest.h>

#include "nostro/http/parameters.hpp"

namespace nostro {
namespace {

Route route(Method method, std::string_view path) {
    Route made;
    made.method = method;
    made.path = path;
    return made;
}

class RouterTest : public ::testing::Test {
protected:
    static std::vector<Route> routes() {
        std::vector<Route> all;
        all.push_back(route(Method::get, "/"));
        all.push_back(route(Method::get, "/v1/payments"));
        all.push_back(route(Method::post, "/v1/payments"));
        all.push_back(route(Method::post, "/v1/payments/batch"));
        all.push_back(route(Method::get, "/v1/payments/{id}"));
        all.push_back(route(Method::post, "/v1/payments/{id}/capture"));
        all.push_back(route(Method::get, "/v1/{kind}/{id}/entries"));
        return all;
    }
    std::string_view found(Method method, std::string_view path) const {
        const auto answer = router_.find(method, path);
        return answer.route == nullptr ? std::string_view("none") : answer.route->path;
    }
    Router router_{routes()};
};

TEST_F(RouterTest, FindsTheRouteOfAPath) {
    EXPECT_EQ(found(Method::get, "/"), "/");
    EXPECT_EQ(found(Method::get, "/v1/payments"), "/v1/payments");
    EXPECT_EQ(found(Method::post, "/v1/payments"), "/v1/payments");
    EXPECT_EQ(found(Method::head, "/v1/payments"), "/v1/payments");
    EXPECT_EQ(found(Method::get, "/v1/payments/17"), "/v1/payments/{id}");
    EXPECT_EQ(found(Method::post, "/v1/payments/17/capture"), "/v1/payments/{id}/capture");
    EXPECT_EQ(found(Method::post, "/v1/payments/batch"), "/v1/payments/batch");
}

TEST_F(RouterTest, APathWithoutParametersHidesOneWithThem) {
    EXPECT_EQ(found(Method::get, "/v1/payments/batch"), "none");
    EXPECT_EQ(router_.find(Method::get, "/v1/payments/batch").allow, "POST, OPTIONS");
}

TEST_F(RouterTest, TellsWhichMethodsAPathHas) {
    EXPECT_EQ(router_.find(Method::del, "/v1/payments").allow, "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(router_.find(Method::post, "/v1/payments/17").allow, "GET, HEAD, OPTIONS");
}

TEST_F(RouterTest, OtherPathsHaveNoRoute) {
    for (const std::string_view path :
         {"/v1", "/v1/", "/v1/payments/", "/v1/payments//capture", "/v1/payments/17/refund", "//", "/V1/payments",
          "/v1/payments/17/capture/more", "/a/b/c/d/e/f/g/h/i/j"}) {
        const auto answer = router_.find(Method::get, path);
        EXPECT_EQ(answer.route, nullptr) << path;
        EXPECT_TRUE(answer.allow.empty()) << path;
    }
}

TEST_F(RouterTest, CapturesSegmentsInTheirOrder) {
    const auto answer = router_.find(Method::get, "/v1/accounts/a%40b/entries");
    ASSERT_EQ(answer.captured_count, 2u);
    EXPECT_EQ(answer.captured[0], "accounts");
    EXPECT_EQ(answer.captured[1], "a%40b");
}

struct ParameterCase {
    ParameterKind kind;
    std::string_view value;
    bool good;
};

TEST(ParametersTest, EachKindTakesItsOwnForm) {
    using Kind = ParameterKind;
    const std::vector<ParameterCase> cases{
        {Kind::text, "a", true},
        {Kind::text, "", false},
        {Kind::text, "caf\xc3\xa9", true},
        {Kind::text, "abcdef", false},
        {Kind::text, "\xff", false},
        {Kind::integer, "1", true},
        {Kind::integer, "5", true},
        {Kind::integer, "0", false},
        {Kind::integer, "6", false},
        {Kind::integer, "01", false},
        {Kind::integer, "+1", false},
        {Kind::integer, "1.0", false},
        {Kind::integer, "", false},
        {Kind::choice, "red", true},
        {Kind::choice, "Red", false},
        {Kind::instant, "2026-11-21T09:30:00Z", true},
        {Kind::instant, "2026-11-21T09:30:00+01:00", true},
        {Kind::instant, "2026-11-21", false},
        {Kind::instant, "2026-11-21T09:30:00 01:00", false},
        {Kind::as_of, "seq:0", true},
        {Kind::as_of, "seq:17", true},
        {Kind::as_of, "seq:", false},
        {Kind::as_of, "seq:-1", false},
        {Kind::as_of, "2026-11-21T09:30:00Z", true},
        {Kind::as_of, "now", false},
        {Kind::decimal, "12", true},
        {Kind::decimal, "12.50", true},
        {Kind::decimal, ".5", false},
        {Kind::decimal, "5.", false},
        {Kind::decimal, "-5", false},
        {Kind::decimal, "1e3", false},
        {Kind::currency, "USD", true},
        {Kind::currency, "usd", false},
        {Kind::currency, "USDX", false},
        {Kind::payment_id, "0123456789abcdef0123456789abcdef", true},
        {Kind::payment_id, "0123456789ABCDEF0123456789abcdef", false},
        {Kind::payment_id, "0123", false},
        {Kind::account_name, "house:cash:USD", true},
        {Kind::account_name, "a b", false},
        {Kind::account_name, "", false},
        {Kind::key, "12345678", true},
        {Kind::key, "1234567", false},
        {Kind::key, "1234567 8", false},
        {Kind::place, "17.4", true},
        {Kind::place, "17", false},
        {Kind::place, "17.", false},
        {Kind::place, "x.4", false},
        {Kind::prefer, "anything; at=all", true},
    };
    for (const ParameterCase& one : cases) {
        Parameter parameter{.name = "p", .kind = one.kind, .min = 1, .max = 5};
        parameter.choices = {"red", "green"};
        EXPECT_EQ(!parameter_fault(parameter, one.value), one.good)
            << static_cast<int>(one.kind) << " \"" << one.value << "\"";
    }
}

// What the document promises and what is checked are told side by side; this holds them together.
TEST(ParametersTest, ExamplesOfADocumentedPatternAreTaken) {
    std::string text;
    JsonWriter json(text);
    write_parameter_schema(json, {.name = "id", .kind = ParameterKind::payment_id});
    EXPECT_EQ(text, R"({"type":"string","pattern":"^[0-9a-f]{32}$"})");
    text.clear();
    JsonWriter of_limit(text);
    write_parameter_schema(of_limit, {.name = "limit", .kind = ParameterKind::integer, .min = 1, .max = 1000});
    EXPECT_EQ(text, R"({"type":"integer","minimum":1,"maximum":1000})");
}

class ReadParametersTest : public ::testing::Test {
protected:
    ReadParametersTest() {
        route_.path = "/v1/accounts/{id}";
        route_.parameters = {
            {.name = "id", .in = ParameterIn::path, .kind = ParameterKind::account_name, .required = true},
            {.name = "reference", .kind = ParameterKind::text, .min = 1, .max = 20},
            {.name = "limit", .kind = ParameterKind::integer, .min = 1, .max = 10},
            {.name = "Idempotency-Key", .in = ParameterIn::header, .kind = ParameterKind::key}};
    }
    std::optional<ParameterFault> read(std::string_view id, std::string_view query, std::string_view key = {}) {
        request_ = {};
        request_.route = &route_;
        request_.query = head_.query = query;
        head_.path = id;
        head_.field_count = key.empty() ? 0 : 1;
        head_.fields[0] = {"idempotency-key", key};
        decoded_.clear();
        return read_parameters({&id, 1}, head_, decoded_, request_);
    }
    Route route_;
    RequestHead head_;
    Request request_;
    std::string decoded_;
};

TEST_F(ReadParametersTest, DecodesWhatIsCoded) {
    ASSERT_FALSE(read("a%40b", "reference=INV+7%2B1&limit=3&", "\"my-key-12\""));
    EXPECT_EQ(request_.parameter("id"), "a@b");
    EXPECT_EQ(request_.parameter("reference"), "INV 7+1");
    EXPECT_EQ(request_.parameter("limit"), "3");
    EXPECT_EQ(request_.parameter("Idempotency-Key"), "my-key-12");
    ASSERT_FALSE(read("a", ""));
    EXPECT_FALSE(request_.has("reference") || request_.has("limit") || request_.has("Idempotency-Key"));
}

TEST_F(ReadParametersTest, RefusesWhatItDoesNotKnowOrCannotTake) {
    EXPECT_EQ(read("a", "refrence=x")->code, "unknown_parameter");
    EXPECT_EQ(read("a", "id=b")->code, "unknown_parameter") << "a path's parameter is none of the query's";
    EXPECT_EQ(read("a", "limit=1&limit=2")->code, "duplicate_parameter");
    EXPECT_EQ(read("a", "limit")->code, "invalid_parameter");
    EXPECT_EQ(read("a", "limit=11")->parameter, "limit");
    EXPECT_EQ(read("a", "reference=%ff")->code, "invalid_parameter");
    EXPECT_EQ(read("a%20b", "")->status, 404);
    EXPECT_EQ(read("a", "", "short")->code, "idempotency_key_malformed");
    route_.parameters[3].required = true;
    EXPECT_EQ(read("a", "")->code, "idempotency_key_missing");
}

}  // namespace
}  // namespace nostro
