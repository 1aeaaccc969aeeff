#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/http/server_world.hpp"

namespace nostro {
namespace {

using namespace test;

class ServerRefusalsTest : public ServerTest {};

TEST_F(ServerRefusalsTest, BodiesBeyondTheRoutesLimitAreRefused) {
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

TEST_F(ServerRefusalsTest, ARefusedClientThatStillSendsCanReadTheAnswer) {
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

TEST_F(ServerRefusalsTest, WhatCannotBeTakenIsAnsweredWithAProblem) {
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

TEST_F(ServerRefusalsTest, SameOriginPagesAndLocalNamesAreServed) {
    RawClient one = client();
    ASSERT_TRUE(one.send(post("/echo", "a", "Origin: http://h\r\n")));
    EXPECT_EQ(one.response().status, 200);
    for (const std::string_view host : {"localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]", "nostro.localhost"}) {
        ASSERT_TRUE(one.send("GET /hello HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"));
        EXPECT_EQ(one.response().status, 200) << host;
    }
}

TEST_F(ServerRefusalsTest, SlowHeadsAndBodiesGet408AndOthersAreUnaffected) {
    ServerOptions options = quick();
    options.session.idle_timeout = std::chrono::seconds(60);  // whoever has connected may ask late
    start(options);
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

TEST_F(ServerRefusalsTest, BodiesThatAreOnlyAnnouncedTakeNoRoomFromOthers) {
    ServerOptions options;
    options.session.body_bytes_in_flight_max = 1u << 20;
    start(options);
    std::vector<RawClient> slow;
    for (int i = 0; i < 8; ++i) {
        slow.push_back(client());
        ASSERT_TRUE(slow.back().send(
            "POST /large HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 4000000\r\n\r\nabc"));
    }
    while (metrics_->received_bytes_total.value() < slow.size() * 80) std::this_thread::yield();
    RawClient other = client();
    const std::string body(300'000, 'b');
    ASSERT_TRUE(other.send(post("/large", body)));
    EXPECT_EQ(other.response().body, body);
}

TEST_F(ServerRefusalsTest, LargeBodiesUnderWayDoNotStandInTheWayOfSmallOnes) {
    ServerOptions options;
    options.session.body_bytes_in_flight_max = 1u << 20;
    start(options);
    RawClient slow = client();
    const std::string most(3'000'000, 'a');
    ASSERT_TRUE(
        slow.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 4000000\r\n\r\n"));
    ASSERT_TRUE(slow.send(most));
    while (metrics_->received_bytes_total.value() < most.size()) std::this_thread::yield();
    RawClient large = client();
    ASSERT_TRUE(large.send(post("/large", std::string(300'000, 'b'))));
    EXPECT_EQ(large.response().status, 503);
    RawClient small = client();
    ASSERT_TRUE(small.send(post("/echo", "small")));
    EXPECT_EQ(small.response().body, "small");
}

TEST_F(ServerRefusalsTest, IdleConnectionsAreClosedWithoutAWord) {
    start(quick());
    RawClient silent = client();
    EXPECT_TRUE(silent.ended());
    // Whoever asks too late finds it closed already, and asks on another one.
    bool is_answered = false;
    for (int tries = 0; !is_answered && tries < 100; ++tries) {
        RawClient used = client();
        used.send(get("/hello"));
        is_answered = used.response().body == "hello";
        EXPECT_TRUE(used.ended());
    }
    EXPECT_TRUE(is_answered);
}

TEST_F(ServerRefusalsTest, ARequestThatNobodyAnswersGets503) {
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

TEST_F(ServerRefusalsTest, ConnectionsAboveTheBoundAreTurnedAway) {
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

TEST_F(ServerRefusalsTest, RefusesToListenWhereItMayNot) {
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
