#include "nostro/cli/bench_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "nostro/cli/command.hpp"

namespace nostro::cli {
namespace {

using ::testing::StartsWith;

std::vector<std::string> requests_of(const BenchRequestOptions& options, std::size_t count) {
    BenchRequests requests(options);
    std::vector<std::string> all;
    std::string text(requests.size(), '\0');
    requests.lay_out(text.data());
    for (std::size_t i = 0; i < count; ++i) {
        requests.stamp(text.data());
        all.push_back(text);
    }
    return all;
}

std::string head_of(const std::string& request) { return request.substr(0, request.find("\r\n\r\n")); }
std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }
std::string header_of(const std::string& request, const std::string& name) {
    const auto begin = request.find(name + ": ") + name.size() + 2;
    return request.substr(begin, request.find("\r\n", begin) - begin);
}

BenchRequestOptions options_of(std::uint32_t accounts, std::uint32_t batch) {
    BenchRequestOptions options;
    options.accounts = accounts;
    options.batch = batch;
    return options;
}

TEST(BenchRequestsTest, ASingleRequestIsAPaymentWithItsKeyInTheHead) {
    std::set<std::string> keys;
    for (const std::string& request : requests_of(options_of(50, 1), 1000)) {
        EXPECT_THAT(head_of(request), StartsWith("POST /v1/payments HTTP/1.1\r\n"));
        EXPECT_EQ(header_of(request, "Content-Length"), std::to_string(body_of(request).size()));
        keys.insert(header_of(request, "Idempotency-Key"));
        const auto payment = Json::parse(body_of(request));
        ASSERT_TRUE(payment) << request;
        EXPECT_NE(payment->text("debtor_account"), payment->text("creditor_account"));
        EXPECT_LT(payment->text("debtor_account"), bench_account(50));
        EXPECT_LT(payment->text("creditor_account"), bench_account(50));
        // Text of two digits, a point and two digits compares as the number does.
        EXPECT_GE(payment->text("amount"), "10.00");
        EXPECT_LE(payment->text("amount"), "99.99");
        EXPECT_EQ(payment->text("amount").size(), 5u);
    }
    EXPECT_EQ(keys.size(), 1000u);
    EXPECT_EQ(keys.begin()->size(), 36u);
}

TEST(BenchRequestsTest, ABatchHasAKeyAPaymentAndNoneInTheHead) {
    std::set<std::string> keys;
    for (const std::string& request : requests_of(options_of(1'000'000, 100), 10)) {
        EXPECT_EQ(head_of(request).find("Idempotency-Key"), std::string::npos);
        EXPECT_EQ(header_of(request, "Content-Length"), std::to_string(body_of(request).size()));
        const std::string body = body_of(request);
        for (std::size_t at = 0; at < body.size(); at = body.find('\n', at) + 1) {
            const auto payment = Json::parse(body.substr(at, body.find('\n', at) - at));
            ASSERT_TRUE(payment) << body.substr(at);
            keys.insert(payment->text("idempotency_key"));
        }
    }
    EXPECT_EQ(keys.size(), 1000u);
}

TEST(BenchRequestsTest, NoTwoRunsShareAKey) {
    const auto options = options_of(10, 1);
    EXPECT_NE(header_of(requests_of(options, 1)[0], "Idempotency-Key"),
              header_of(requests_of(options, 1)[0], "Idempotency-Key"));
}

TEST(BenchRequestsTest, TheHotAccountIsPaidAsOftenAsWasAsked) {
    auto options = options_of(10'000, 1);
    options.hot_percent = 80;
    const auto requests = requests_of(options, 10'000);
    const auto hot = std::ranges::count_if(requests, [](const std::string& request) {
        return request.find("\"creditor_account\":\"" + bench_account(0)) != std::string::npos;
    });
    EXPECT_GT(hot, 7'700);
    EXPECT_LT(hot, 8'300);
}

TEST(BenchRequestsTest, ABodyThatWasGivenHasDigitsOfItsOwn) {
    BenchRequestOptions options = options_of(2, 1);
    options.path = "/transactions";
    options.body = R"({"user_id":"user_######","amount":1#.##,"note":"####################"})";
    std::set<std::string> users;
    for (const std::string& request : requests_of(options, 300)) {
        EXPECT_THAT(head_of(request), StartsWith("POST /transactions HTTP/1.1\r\n"));
        EXPECT_EQ(head_of(request).find("Idempotency-Key"), std::string::npos);
        EXPECT_EQ(header_of(request, "Content-Length"), std::to_string(options.body.size()));
        const auto body = Json::parse(body_of(request));
        ASSERT_TRUE(body) << request;
        users.insert(body->text("user_id"));
        EXPECT_EQ(body->text("note").size(), 20u);
        EXPECT_EQ(request.find('#'), std::string::npos);
    }
    EXPECT_GT(users.size(), 290u);
    EXPECT_EQ(users.begin()->size(), 11u);
}

TEST(BenchRequestsTest, AnotherServersPathIsTaken) {
    auto options = options_of(2, 1);
    options.path = "/empty";
    EXPECT_THAT(requests_of(options, 1)[0], StartsWith("POST /empty HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace nostro::cli
