#include "nostro/http/server.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>

#include "nostro/http/problem.hpp"
#include "tests/unit/http/raw_client.hpp"

namespace nostro {
namespace {

using test::RawClient;
using test::RawResponse;

// Replies that a test gives itself, when it wants to.
class HeldReplies {
public:
    void hold(const Reply& reply) {
        const std::lock_guard lock(mutex_);
        replies_.push_back(reply);
        changed_.notify_all();
    }
    Reply take(std::size_t number) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return replies_.size() > number; });
        return replies_[number];
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Reply> replies_;
};

Response text(std::string body) {
    Response response;
    response.content_type = "text/plain";
    response.body = std::move(body);
    return response;
}

// Parts that a test gives; waits when there are none.
class GivenStream final : public BodyStream {
public:
    struct Shared {
        std::mutex mutex;
        std::vector<std::string> parts;
        bool ended = false;
        std::function<void()> wake;
        void give(std::string part, bool end = false) {
            std::function<void()> call;
            {
                const std::lock_guard lock(mutex);
                parts.push_back(std::move(part));
                ended = end;
                call = wake;
            }
            if (call) call();
        }
    };
    GivenStream(std::shared_ptr<Shared> shared, bool on_worker) : shared_(std::move(shared)), on_worker_(on_worker) {}
    State next(std::string& into) override {
        const std::lock_guard lock(shared_->mutex);
        for (const std::string& part : shared_->parts) into += part;
        shared_->parts.clear();
        return shared_->ended ? State::end : State::wait;
    }
    bool blocks() const override { return on_worker_; }
    void on_wake(std::function<void()> wake) override {
        const std::lock_guard lock(shared_->mutex);
        shared_->wake = std::move(wake);
    }
    std::string_view heartbeat() const override { return ": still here\n\n"; }

private:
    std::shared_ptr<Shared> shared_;
    bool on_worker_;
};

// More than any socket takes at once.
class EndlessStream final : public BodyStream {
public:
    explicit EndlessStream(std::atomic<std::size_t>& made) : made_(made) {}
    State next(std::string& into) override {
        into.append(32 * 1024, 'x');
        made_ += 32 * 1024;
        return State::more;
    }

private:
    std::atomic<std::size_t>& made_;
};

class ServerTest : public ::testing::Test {
protected:
    void SetUp() override { start({}); }

    void start(ServerOptions options) {
        server_.reset();
        metrics_.reset();
        registry_.emplace();
        options.port = 0;
        options.session.hosts = {"h"};
        metrics_.emplace(*registry_, router_);
        auto started = Server::start(options, router_, *metrics_);
        ASSERT_TRUE(started) << started.error().what;
        server_ = std::move(*started);
    }
    ServerOptions quick() const {
        ServerOptions options;
        options.session.head_timeout = options.session.body_timeout = std::chrono::milliseconds(60);
        options.session.idle_timeout = std::chrono::milliseconds(120);
        return options;
    }

    static Route route(Method method, std::string_view path, Handler handler) {
        Route made;
        made.method = method;
        made.path = path;
        made.operation = path;
        if (method == Method::post) made.takes = {{"text/plain", ""}, {"application/json", ""}};
        made.handler = std::move(handler);
        return made;
    }
    std::vector<Route> routes() {
        std::vector<Route> all;
        all.push_back(route(Method::get, "/hello", [](const Request&, const Reply& reply) { reply(text("hello")); }));
        const Handler echo = [](const Request& request, const Reply& reply) { reply(text(std::string(request.body))); };
        all.push_back(route(Method::post, "/echo", echo));
        all.push_back(route(Method::post, "/worker", echo));
        all.back().blocks = true;
        all.push_back(route(Method::post, "/large", echo));
        all.back().body_bytes_max = 4u << 20;
        all.push_back(route(Method::get, "/held", [this](const Request&, const Reply& reply) { held_.hold(reply); }));
        all.push_back(
            route(Method::get, "/throws", [](const Request&, const Reply&) { throw std::runtime_error("x"); }));
        all.push_back(route(Method::get, "/items/{id}", [](const Request& request, const Reply& reply) {
            reply(text(std::string(request.parameter("id")) + "," + std::string(request.parameter("limit"))));
        }));
        all.back().blocks = true;
        all.back().parameters = {{.name = "id", .in = ParameterIn::path, .kind = ParameterKind::text, .max = 20},
                                 {.name = "limit", .kind = ParameterKind::integer, .min = 1, .max = 10}};
        for (const bool on_worker : {false, true}) {
            all.push_back(route(Method::get, on_worker ? "/stream-worker" : "/stream",
                                [this, on_worker](const Request&, const Reply& reply) {
                                    Response response;
                                    response.content_type = "text/event-stream";
                                    response.stream = std::make_unique<GivenStream>(given_, on_worker);
                                    reply(std::move(response));
                                }));
        }
        all.push_back(route(Method::get, "/endless", [this](const Request&, const Reply& reply) {
            Response response;
            response.stream = std::make_unique<EndlessStream>(made_);
            reply(std::move(response));
        }));
        return all;
    }

    RawClient client() const { return RawClient(server_->port()); }
    static std::string get(std::string_view path, std::string_view more = "") {
        return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more) + "\r\n";
    }
    static std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
        return "POST " + std::string(path) +
               " HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n" + std::string(more) + "\r\n" + std::string(body);
    }

    HeldReplies held_;
    std::shared_ptr<GivenStream::Shared> given_ = std::make_shared<GivenStream::Shared>();
    std::atomic<std::size_t> made_{0};
    Router router_{routes()};
    std::optional<MetricsRegistry> registry_;
    std::optional<HttpMetrics> metrics_;
    std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersOneAfterTheOtherOnOneConnection) {
    RawClient one = client();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(one.send(post("/echo", "body " + std::to_string(i))));
        const RawResponse response = one.response();
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "body " + std::to_string(i));
        EXPECT_TRUE(response.has("Content-Type: text/plain\r\n"));
        EXPECT_TRUE(response.has("Date: "));
        EXPECT_TRUE(response.has("Cache-Control: no-store\r\n"));
    }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInTheirOrder) {
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/held") + get("/hello") + post("/echo", "a") + get("/held") + post("/worker", "b")));
    held_.take(1)(text("second"));
    held_.take(0)(text("first"));
    EXPECT_EQ(one.response().body, "first");
    EXPECT_EQ(one.response().body, "hello");
    EXPECT_EQ(one.response().body, "a");
    EXPECT_EQ(one.response().body, "second");
    EXPECT_EQ(one.response().body, "b");
}

TEST_F(ServerTest, MorePipelinedThanTheBoundWaitForTheirTurn) {
    ServerOptions options;
    options.session.pipelined_max = 4;
    start(options);
    RawClient one = client();
    std::string all = get("/held");
    for (int i = 0; i < 300; ++i) all += post("/echo", std::to_string(i));
    ASSERT_TRUE(one.send(all));
    held_.take(0)(text("first"));
    EXPECT_EQ(one.response().body, "first");
    for (int i = 0; i < 300; ++i) ASSERT_EQ(one.response().body, std::to_string(i));
}

TEST_F(ServerTest, ARequestMayComeByteByByte) {
    RawClient one = client();
    const std::string chunked =
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n3;x=y\r\n, w\r\n0\r\nX: y\r\n\r\n";
    for (const char c : post("/echo", "slowly") + chunked + "\r\n" + get("/hello")) {
        ASSERT_TRUE(one.send({&c, 1}));
    }
    EXPECT_EQ(one.response().body, "slowly");
    EXPECT_EQ(one.response().body, "hello, w");
    EXPECT_EQ(one.response().body, "hello");
}

TEST_F(ServerTest, LargeBodiesArriveWhole) {
    RawClient one = client();
    std::string large(3u << 20, 'a');
    for (std::size_t i = 0; i < large.size(); i += 977) large[i] = static_cast<char>('b' + i % 23);
    std::thread sender([&] { EXPECT_TRUE(one.send(post("/large", large) + get("/hello"))); });
    const RawResponse response = one.response();
    sender.join();
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body == large);
    EXPECT_EQ(one.response().body, "hello");
}

TEST_F(ServerTest, BodiesBeyondTheRoutesLimitAreRefused) {
    RawClient one = client();
    ASSERT_TRUE(
        one.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 65537\r\n\r\n"));
    const RawResponse response = one.response();
    EXPECT_EQ(response.status, 413);
    EXPECT_TRUE(response.has("Connection: close"));
    EXPECT_TRUE(response.has("application/problem+json"));
    EXPECT_NE(response.body.find("64KiB"), std::string::npos) << response.body;
    one.end_sending();
    EXPECT_TRUE(one.ended());

    RawClient two = client();
    ASSERT_TRUE(two.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n"));
    EXPECT_EQ(two.response().status, 413);
    two.end_sending();
    EXPECT_TRUE(two.ended());
}

TEST_F(ServerTest, ARefusedClientThatStillSendsCanReadTheAnswer) {
    RawClient one = client();
    const std::string body(500'000, 'a');
    std::thread sender([&] { one.send(post("/echo", body)); });
    const RawResponse response = one.response();
    sender.join();
    EXPECT_EQ(response.status, 413);
}

struct Case {
    std::string request;
    int status;
    std::string_view code;
    bool closes;
};

TEST_F(ServerTest, WhatCannotBeTakenIsAnsweredWithAProblem) {
    const std::string echo = "POST /echo HTTP/1.1\r\nHost: h\r\n";
    const std::vector<Case> cases{
        {get("/nowhere"), 404, "not_found", false},
        {get("/items/a/b"), 404, "not_found", false},
        {get("/items/"), 404, "not_found", false},
        {post("/nowhere", "abc"), 404, "not_found", false},
        {get("/echo"), 405, "method_not_allowed", false},
        {post("/hello", "abc"), 405, "method_not_allowed", false},
        {"BREW /hello HTTP/1.1\r\nHost: h\r\n\r\n", 501, "method_not_known", true},
        {"get /hello HTTP/1.1\r\nHost: h\r\n\r\n", 501, "method_not_known", true},
        {echo + "\r\n", 411, "length_required", false},
        {echo + "Content-Length: 0\r\n\r\n", 400, "body_missing", false},
        {echo + "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "body_missing", false},
        {echo + "Content-Length: 1\r\n\r\na", 415, "content_type_not_supported", false},
        {echo + "Content-Type: text/html\r\nContent-Length: 1\r\n\r\na", 415, "content_type_not_supported", false},
        {echo + "Content-Type: text/plain; charset=latin-1\r\nContent-Length: 1\r\n\r\na", 415,
         "content_type_not_supported", false},
        {get("/hello", "Content-Length: 1\r\n") + "a", 400, "body_not_taken", false},
        {get("/hello", "Expect: the-unexpected\r\n"), 417, "expectation_failed", false},
        {get("/items/7?limit=11"), 400, "invalid_parameter", false},
        {get("/items/7?limit=1&limit=1"), 400, "duplicate_parameter", false},
        {get("/items/7?limt=1"), 400, "unknown_parameter", false},
        {get("/hello?x"), 400, "unknown_parameter", false},
        {get("/items/" + std::string(21, 'a')), 404, "not_found", false},
        {get("/throws"), 500, "internal_error", false},
        {"GET /hello HTTP/1.1\r\n\r\n", 400, "bad_host", true},
        {"GET /hello HTTP/1.0\r\n\r\n", 505, "http_version_not_supported", true},
        {"GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "host_not_served", false},
        {post("/echo", "a", "Origin: http://evil.example\r\n"), 403, "cross_origin", false},
        {post("/echo", "a", "Origin: null\r\n"), 403, "cross_origin", false},
        {post("/echo", "a", "Transfer-Encoding: chunked\r\n"), 400, "bad_framing", true},
        {"GET /hello HTTP/1.1\nHost: h\n\n", 400, "bad_framing", true},
    };
    for (const Case& refused : cases) {
        RawClient one = client();
        ASSERT_TRUE(one.send(refused.request));
        const RawResponse response = one.response();
        EXPECT_EQ(response.status, refused.status) << refused.request;
        EXPECT_TRUE(response.has("Content-Type: application/problem+json\r\n")) << refused.request;
        EXPECT_NE(response.body.find("\"code\":\"" + std::string(refused.code) + "\""), std::string::npos)
            << refused.request << response.body;
        EXPECT_EQ(response.has("Connection: close\r\n"), refused.closes) << refused.request;
        if (refused.closes) {
            one.end_sending();
            EXPECT_TRUE(one.ended()) << refused.request;
        } else {
            ASSERT_TRUE(one.send(get("/hello")));
            EXPECT_EQ(one.response().body, "hello") << "the connection is out of step after " << refused.request;
        }
    }
}

TEST_F(ServerTest, SameOriginPagesAndLocalNamesAreServed) {
    RawClient one = client();
    ASSERT_TRUE(one.send(post("/echo", "a", "Origin: http://h\r\n")));
    EXPECT_EQ(one.response().status, 200);
    for (const std::string_view host : {"localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]", "nostro.localhost"}) {
        ASSERT_TRUE(one.send("GET /hello HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"));
        EXPECT_EQ(one.response().status, 200) << host;
    }
}

TEST_F(ServerTest, HeadAndOptionsAnswerWithoutABody) {
    RawClient one = client();
    ASSERT_TRUE(
        one.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS /echo HTTP/1.1\r\nHost: h\r\n\r\n"
                 "HEAD /endless HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n" +
                 get("/hello")));
    RawResponse response = one.response(true);
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.has("Content-Length: 5\r\n"));
    response = one.response();
    EXPECT_EQ(response.status, 204);
    EXPECT_TRUE(response.has("Allow: POST, OPTIONS\r\n"));
    EXPECT_EQ(one.response(true).status, 200);
    EXPECT_EQ(one.response().status, 204);
    EXPECT_EQ(one.response().body, "hello");
}

TEST_F(ServerTest, ExpectContinueIsAnsweredInTurn) {
    RawClient one = client();
    const std::string whole = post("/echo", "abc", "Expect: 100-continue\r\n");
    ASSERT_TRUE(one.send(get("/held") + whole.substr(0, whole.size() - 3)));
    held_.take(0)(text("first"));
    EXPECT_EQ(one.response().body, "first");
    EXPECT_EQ(one.response().status, 100);
    ASSERT_TRUE(one.send("abc"));
    EXPECT_EQ(one.response().body, "abc");
    // Refused from the head alone: the body is not asked for.
    ASSERT_TRUE(one.send("POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    EXPECT_EQ(one.response().status, 404);
    one.end_sending();
    EXPECT_TRUE(one.ended());
}

TEST_F(ServerTest, ConnectionCloseIsHonoured) {
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/hello", "Connection: close\r\n") + get("/hello")));
    const RawResponse response = one.response();
    EXPECT_EQ(response.body, "hello");
    EXPECT_TRUE(response.has("Connection: close\r\n"));
    EXPECT_TRUE(one.ended());
}

TEST_F(ServerTest, AClientThatEndsSendingGetsItsAnswers) {
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/held") + get("/hello")));
    one.end_sending();
    held_.take(0)(text("first"));
    EXPECT_EQ(one.response().body, "first");
    EXPECT_EQ(one.response().body, "hello");
    EXPECT_TRUE(one.ended());
}

TEST_F(ServerTest, SlowHeadsAndBodiesGet408AndOthersAreUnaffected) {
    start(quick());
    const std::vector<std::string> begins{
        "GET /hel", "GET /hello HTTP/1.1\r\nHost: h\r\n",
        post("/echo", "abc").substr(0, post("/echo", "abc").size() - 1),
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        "POST /nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"};
    for (const std::string& begin : begins) {
        RawClient slow = client();
        ASSERT_TRUE(slow.send(begin));
        RawClient other = client();
        ASSERT_TRUE(other.send(get("/hello")));
        EXPECT_EQ(other.response().body, "hello");
        RawResponse response = slow.response();
        if (response.status == 404) response = slow.response();
        EXPECT_EQ(response.status, 408) << begin;
        slow.end_sending();
        EXPECT_TRUE(slow.ended()) << begin;
    }
    EXPECT_GE(metrics_->timeouts_total.value(), begins.size());
}

TEST_F(ServerTest, IdleConnectionsAreClosedWithoutAWord) {
    start(quick());
    RawClient silent = client();
    EXPECT_TRUE(silent.ended());
    RawClient used = client();
    ASSERT_TRUE(used.send(get("/hello")));
    EXPECT_EQ(used.response().body, "hello");
    EXPECT_TRUE(used.ended());
}

TEST_F(ServerTest, ARequestThatNobodyAnswersGets503) {
    ServerOptions options;
    options.session.reply_timeout = std::chrono::milliseconds(50);
    start(options);
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/held") + get("/hello")));
    const RawResponse response = one.response();
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(response.body.find("outcome_unknown"), std::string::npos);
    EXPECT_TRUE(response.has("Retry-After: 1\r\n"));
    EXPECT_EQ(one.response().body, "hello");
    held_.take(0)(text("too late"));
    ASSERT_TRUE(one.send(get("/hello")));
    EXPECT_EQ(one.response().body, "hello");
}

TEST_F(ServerTest, RepliesForClientsThatHaveGoneAreDropped) {
    RawClient gone = client();
    ASSERT_TRUE(gone.send(get("/held")));
    const Reply reply = held_.take(0);
    gone.close();
    reply(text("nobody reads this"));
    reply(text("a second answer"));
    RawClient other = client();
    ASSERT_TRUE(other.send(get("/hello")));
    EXPECT_EQ(other.response().body, "hello");
}

TEST_F(ServerTest, StreamsSendWhatIsGivenAndEnd) {
    for (const std::string path : {"/stream", "/stream-worker"}) {
        given_ = std::make_shared<GivenStream::Shared>();
        RawClient one = client();
        given_->give("data: 1\n\n");
        ASSERT_TRUE(one.send(get(path)));
        ASSERT_TRUE(one.read_until("data: 1")) << path;
        for (int i = 2; i < 20; ++i) {
            const std::string event = "data: " + std::to_string(i) + "\n\n";
            given_->give(event);
            ASSERT_TRUE(one.read_until(event)) << path;
        }
        given_->give("data: last\n\n", true);
        ASSERT_TRUE(one.read_until("data: last\n\n\r\n0\r\n\r\n"));
        one.forget();
        ASSERT_TRUE(one.send(get("/hello")));
        EXPECT_EQ(one.response().body, "hello");
    }
}

TEST_F(ServerTest, SilentStreamsSendHeartbeats) {
    ServerOptions options;
    options.session.heartbeat = std::chrono::milliseconds(20);
    start(options);
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/stream")));
    EXPECT_TRUE(one.read_until(": still here\n\n"));
    one.forget();
    EXPECT_TRUE(one.read_until(": still here\n\n"));
}

TEST_F(ServerTest, AStreamIsMadeOnlyAsFastAsItIsRead) {
    ServerOptions options;
    options.session.write_timeout = std::chrono::milliseconds(100);
    start(options);
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/endless")));
    // Nobody reads: the server fills the socket, stops, and closes when write_timeout has passed.
    RawClient other = client();
    ASSERT_TRUE(other.send(get("/hello")));
    EXPECT_EQ(other.response().body, "hello");
    while (metrics_->timeouts_total.value() == 0) std::this_thread::yield();
    EXPECT_LT(made_.load(), 64u << 20);
}

TEST_F(ServerTest, ManyClientsAtOnceEachGetTheirOwnAnswers) {
    ServerOptions options;
    options.io_threads = 3;
    start(options);
    constexpr int kClients = 16;
    constexpr int kRounds = 40;
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    std::latch ready(kClients);
    for (int c = 0; c < kClients; ++c) {
        threads.emplace_back([&, c] {
            RawClient one = client();
            ready.arrive_and_wait();
            for (int i = 0; i < kRounds; ++i) {
                const std::string body = std::to_string(c) + "-" + std::to_string(i);
                one.send(post(i % 2 == 0 ? "/echo" : "/worker", body) + get("/items/" + body + "?limit=3"));
                good += one.response().body == body;
                good += one.response().body == body + ",3";
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, kClients * kRounds * 2);
}

TEST_F(ServerTest, ConnectionsAboveTheBoundAreTurnedAway) {
    ServerOptions options;
    options.connections_max = 2;
    start(options);
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/hello")));
    EXPECT_EQ(one.response().status, 200);
    RawClient two = client();
    ASSERT_TRUE(two.send(get("/hello")));
    EXPECT_EQ(two.response().status, 200);
    RawClient three = client();
    const RawResponse refused = three.response();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.body.back(), '}');
    EXPECT_TRUE(three.ended());
    EXPECT_EQ(metrics_->connections_refused_total.value(), 1u);
    ASSERT_TRUE(one.send(get("/hello")));
    EXPECT_EQ(one.response().status, 200);
}

TEST_F(ServerTest, StoppingAnswersWhatIsUnderWayAndClosesTheRest) {
    RawClient idle = client();
    ASSERT_TRUE(idle.send(get("/hello")));
    EXPECT_EQ(idle.response().status, 200);
    RawClient busy = client();
    ASSERT_TRUE(busy.send(get("/held")));
    RawClient reader = client();
    ASSERT_TRUE(reader.send(get("/stream")));
    ASSERT_TRUE(reader.read_until("\r\n\r\n"));
    const Reply reply = held_.take(0);
    const std::uint16_t port = server_->port();
    std::thread stopper([&] { server_->stop(std::chrono::seconds(20)); });
    EXPECT_TRUE(idle.ended());
    reply(text("the last word"));
    const RawResponse response = busy.response();
    EXPECT_EQ(response.body, "the last word");
    EXPECT_TRUE(response.has("Connection: close\r\n"));
    EXPECT_TRUE(busy.ended());
    stopper.join();
    EXPECT_FALSE(RawClient(port).connected());
}

TEST_F(ServerTest, StoppingDoesNotWaitForAnswersThatNeverCome) {
    RawClient busy = client();
    ASSERT_TRUE(busy.send(get("/held")));
    const Reply reply = held_.take(0);
    server_->stop(std::chrono::milliseconds(10));
    EXPECT_TRUE(busy.ended());
    reply(text("dropped"));
}

TEST_F(ServerTest, RefusesToListenWhereItMayNot) {
    ServerOptions options;
    options.port = 0;
    options.address = "0.0.0.0";
    auto started = Server::start(options, router_, *metrics_);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::invalid);
    EXPECT_NE(started.error().what.find("--insecure-listen"), std::string::npos);
    options.insecure_listen = true;
    EXPECT_TRUE(Server::start(options, router_, *metrics_));
    options.address = "example.org";
    EXPECT_EQ(Server::start(options, router_, *metrics_).error().code, ErrorCode::invalid);
    options.address = "localhost";
    options.port = server_->port();
    started = Server::start(options, router_, *metrics_);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::unavailable);
    EXPECT_NE(started.error().what.find(std::to_string(options.port)), std::string::npos);
}

}  // namespace
}  // namespace nostro
