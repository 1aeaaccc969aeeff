#include "nostro/cli/bench_load.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "tests/unit/cli/listener.hpp"

namespace nostro::cli {
namespace {

using ::testing::HasSubstr;

// Answers each request on any number of connections by what it is told to say to the n-th of all; empty: it hangs up.
class CountingServer {
public:
    using Say = std::function<std::string(std::uint64_t n)>;
    CountingServer(std::size_t connections, std::size_t request_bytes, Say say)
        : request_bytes_(request_bytes), say_(std::move(say)) {
        listener_ = listen_anywhere(url_);
        for (std::size_t i = 0; i < connections; ++i) threads_.emplace_back([this] { serve(); });
    }
    ~CountingServer() {
        for (auto& thread : threads_) thread.join();
    }
    const Url& url() const { return url_; }
    std::uint64_t requests() const { return requests_.load(); }

private:
    void serve() {
        const UniqueFd connection(accept(listener_.get(), nullptr, nullptr));
        std::vector<char> buffer(1 << 16);
        std::size_t held = 0;
        for (;;) {
            const ssize_t got = recv(connection.get(), buffer.data(), buffer.size(), 0);
            if (got <= 0) return;
            for (held += static_cast<std::size_t>(got); held >= request_bytes_; held -= request_bytes_) {
                const std::string answer = say_(requests_.fetch_add(1));
                if (answer.empty()) return;
                if (send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
            }
        }
    }

    std::size_t request_bytes_;
    Say say_;
    UniqueFd listener_;
    Url url_;
    std::atomic<std::uint64_t> requests_{0};
    std::vector<std::thread> threads_;
};

std::string answer_of(std::string_view status, std::string_view body) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

struct Shape {
    std::uint32_t connections, pipeline, batch;
};

Result<BenchLoadResult> load_on(const Shape& shape, CountingServer::Say say, std::uint64_t payments, std::uint64_t rate,
                                std::uint64_t* seen = nullptr) {
    BenchRequestOptions form;
    form.accounts = 100;
    form.batch = shape.batch;
    form.url.port = 40'000;  // five digits, as those of free ports: a request is as long as with it
    CountingServer server(shape.connections, BenchRequests(form).size(), std::move(say));
    form.url = server.url();
    BenchRequests requests(form);
    BenchLoadOptions options;
    options.url = server.url();
    options.connections = shape.connections;
    options.pipeline = shape.pipeline;
    options.batch = shape.batch;
    options.payments_max = payments;
    options.rate = rate;
    options.duration = std::chrono::hours(1);
    auto result = run_bench_load(options, requests);
    if (seen != nullptr) *seen = server.requests();
    return result;
}

class BenchLoadTest : public ::testing::TestWithParam<Shape> {};

TEST_P(BenchLoadTest, EveryRequestIsAnsweredOnceAndCounted) {
    const Shape shape = GetParam();
    for (const std::uint64_t rate : {0, 1'000'000}) {
        std::uint64_t seen = 0;
        const std::uint64_t payments = 500 * shape.batch;
        const auto result = load_on(
            shape, [](std::uint64_t) { return answer_of("202 Accepted", R"({"status":"settled"})"); }, payments, rate,
            &seen);
        ASSERT_TRUE(result) << result.error().what;
        EXPECT_EQ(result->requests, 500u);
        EXPECT_EQ(seen, 500u);
        EXPECT_EQ(result->payments, payments);
        EXPECT_EQ(result->settled, 500u);
        EXPECT_EQ(result->refused, 0u);
        EXPECT_EQ(result->latencies.count(), 500u);
        EXPECT_EQ(result->lateness.count(), rate > 0 ? 500u : 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, BenchLoadTest,
                         ::testing::Values(Shape{1, 1, 1}, Shape{8, 1, 1}, Shape{1, 16, 1}, Shape{4, 7, 1},
                                           Shape{3, 2, 200}));

TEST(BenchLoadTest, RefusalsAreNoPayments) {
    const auto result = load_on(
        {2, 1, 1},
        [](std::uint64_t n) {
            return n % 4 == 0 ? answer_of("503 No", R"({"why":"no"})") : answer_of("202 Accepted", "{}");
        },
        400, 0);
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_EQ(result->requests, 400u);
    EXPECT_EQ(result->payments, 300u);
    EXPECT_EQ(result->refused, 100u);
    EXPECT_EQ(result->first_refusal, R"(503 {"why":"no"})");
    EXPECT_EQ(result->settled, 0u);
}

TEST(BenchLoadTest, WhatABatchDidNotTakeIsNoPayment) {
    const auto result = load_on(
        {1, 1, 10},
        [](std::uint64_t) {
            return answer_of("202 Accepted", R"({"mode":"independent","taken":7,"refused":3,"data":[{"error":"x"}]})");
        },
        100, 0);
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_EQ(result->payments, 70u);
    EXPECT_EQ(result->not_taken, 30u);
    EXPECT_EQ(result->first_refusal, R"(202 "error":"x"}]})");
}

TEST(BenchLoadTest, AConnectionThatBreaksIsAnErrorThatSaysWhatIsUnanswered) {
    const auto result = load_on(
        {1, 4, 1}, [](std::uint64_t n) { return n < 10 ? answer_of("202 Accepted", "{}") : std::string(); }, 100, 0);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unknown);
    EXPECT_THAT(result.error().what, HasSubstr("unanswered"));
}

}  // namespace
}  // namespace nostro::cli
