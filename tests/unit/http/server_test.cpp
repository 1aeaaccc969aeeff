#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>

#include "tests/unit/http/server_world.hpp"

namespace nostro {
namespace {

using namespace test;

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

TEST_F(ServerTest, OfPipelinedReadsOnlyAFewAreUnderWay) {
    RawClient one = client();
    std::string requests;
    for (int i = 0; i < 10; ++i) requests += get("/read");
    ASSERT_TRUE(one.send(requests));
    for (std::size_t i = 0; i < 10; ++i) {
        const Reply reply = held_.take(i);
        RawClient other = client();
        ASSERT_TRUE(other.send(get("/hello")));
        EXPECT_EQ(other.response().body, "hello");
        EXPECT_LE(held_.count(), i + SessionLimits{}.pipelined_reads_max);
        reply(text(std::to_string(i)));
        EXPECT_EQ(one.response().body, std::to_string(i));
    }
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

// What is answered at the end of a round may wait for something that ends elsewhere.
TEST_F(ServerTest, ARoundEndsAgainWhenItsThreadIsWoken) {
    std::promise<std::shared_ptr<Waker>> first;
    std::atomic<int> begun{0}, ended{0};
    std::atomic<bool> is_there{false};
    ServerOptions options;
    options.round_begins = [&] { ++begun; };
    options.round_ends = [&](const std::shared_ptr<Waker>& thread) {
        const bool answers = is_there.exchange(false);
        if (++ended == 1) first.set_value(thread);
        if (answers) held_.take(0)(text("durable"));
    };
    start(options);
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/held")));
    const auto thread = first.get_future().get();
    ASSERT_NE(thread, nullptr);
    is_there = true;
    thread->wake();
    EXPECT_EQ(one.response().body, "durable");
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(ended, 2);
    server_.reset();
    thread->wake();  // whoever still has it may call
}

TEST_F(ServerTest, AmongSeveralThreadsNoneIsWoken) {
    std::promise<std::shared_ptr<Waker>> first;
    std::atomic<int> ended{0};
    ServerOptions options;
    options.io_threads = 2;
    options.round_begins = [] {};
    options.round_ends = [&](const std::shared_ptr<Waker>& thread) {
        if (++ended == 1) first.set_value(thread);
    };
    start(options);
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/hello")));
    EXPECT_EQ(one.response().body, "hello");
    EXPECT_EQ(first.get_future().get(), nullptr);
    server_.reset();
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

TEST_F(ServerTest, AClientThatEndsSendingGetsItsDocumentToTheEnd) {
    given_->has_end = true;
    RawClient one = client();
    ASSERT_TRUE(one.send(get("/stream-worker")));
    given_->give("first,");
    ASSERT_TRUE(one.read_until("first,"));
    one.end_sending();
    RawClient other = client();
    ASSERT_TRUE(other.send(get("/hello")));
    EXPECT_EQ(other.response().body, "hello");
    given_->give("last", true);
    EXPECT_TRUE(one.read_until("last\r\n0\r\n\r\n"));
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

TEST_F(ServerTest, ABodyLeavesWhileItsStreamHasNothing) {
    before_ = "data: first\n\n";
    for (const std::string path : {"/stream", "/stream-worker"}) {
        given_ = std::make_shared<GivenStream::Shared>();
        RawClient one = client();
        ASSERT_TRUE(one.send(get(path)));
        ASSERT_TRUE(one.read_until("data: first\n\n\r\n")) << path;
        given_->give("data: last\n\n", true);
        EXPECT_TRUE(one.read_until("\r\nc\r\ndata: last\n\n\r\n0\r\n\r\n")) << path;
    }
}

TEST_F(ServerTest, WhatIsAskedBehindAStreamIsAnsweredBehindIt) {
    for (const std::string path : {"/stream", "/stream-worker"}) {
        given_ = std::make_shared<GivenStream::Shared>();
        RawClient one = client();
        ASSERT_TRUE(one.send(get(path) + get("/hello", "Connection: close\r\n")));
        ASSERT_TRUE(one.read_until("\r\n\r\n")) << path;
        given_->give("data: last\n\n", true);
        EXPECT_TRUE(one.read_until("\r\n\r\nhello")) << path;
        one.forget();
        EXPECT_TRUE(one.ended());
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

TEST_F(ServerTest, StoppingLetsADocumentThatIsUnderWayReachItsEnd) {
    given_->has_end = true;
    RawClient reader = client();
    ASSERT_TRUE(reader.send(get("/stream-worker")));
    given_->give("first,");
    ASSERT_TRUE(reader.read_until("first,"));
    RawClient idle = client();
    ASSERT_TRUE(idle.send(get("/hello")));
    EXPECT_EQ(idle.response().status, 200);
    std::thread stopper([&] { server_->stop(std::chrono::seconds(20)); });
    EXPECT_TRUE(idle.ended());
    given_->give("last", true);
    EXPECT_TRUE(reader.read_until("last\r\n0\r\n\r\n"));
    reader.forget();
    EXPECT_TRUE(reader.ended());
    stopper.join();
}

TEST_F(ServerTest, ADocumentThatCannotBeFinishedIsNotEndedAsIfItWere) {
    given_->has_end = true;
    RawClient reader = client();
    ASSERT_TRUE(reader.send(get("/stream-worker")));
    given_->give("first,");
    ASSERT_TRUE(reader.read_until("first,"));
    server_->stop(std::chrono::milliseconds(10));
    EXPECT_FALSE(reader.read_until("0\r\n\r\n"));
}

TEST_F(ServerTest, StoppingEndsAThreadWhoseTickIsDueAtThatMoment) {
    for (int round = 0; round < 3; ++round) {
        start(quick());
        is_busy_ = false;
        std::optional<RawClient> one;
        while (!is_busy_) {  // whoever connects and does not ask at once finds it closed, and asks again
            one.emplace(server_->port());
            if (!one->send(get("/busy"))) continue;
            const SteadyTime until = steady_now() + std::chrono::seconds(1);
            while (!is_busy_ && steady_now() < until) std::this_thread::yield();
        }
        server_->stop(std::chrono::milliseconds(0));
    }
}

// While it looks for the next request it does all else too: what others answer, what is due, and the end.
TEST_F(ServerTest, AThreadThatDoesNotSleepAnswersClosesAndEndsAsOthersDo) {
    ServerOptions options;
    options.spin = std::chrono::hours(1);
    start(options);
    std::vector<std::unique_ptr<RawClient>> clients;  // in the end more than it waits awake for
    for (int i = 0; i < 8; ++i) {
        clients.push_back(std::make_unique<RawClient>(server_->port()));
        RawClient& one = *clients.back();
        ASSERT_TRUE(one.send(post("/echo", "at once") + get("/held") + post("/worker", "worker")));
        held_.take(static_cast<std::size_t>(i))(text("by another thread"));
        EXPECT_EQ(one.response().body, "at once");
        EXPECT_EQ(one.response().body, "by another thread");
        EXPECT_EQ(one.response().body, "worker");
    }
    clients.resize(1);
    server_->stop();
    EXPECT_TRUE(clients.front()->ended());

    options = quick();
    options.spin = std::chrono::hours(1);
    start(options);
    EXPECT_TRUE(client().ended()) << "it was idle for too long";
}

TEST_F(ServerTest, StoppingDoesNotWaitForAnswersThatNeverCome) {
    RawClient busy = client();
    ASSERT_TRUE(busy.send(get("/held")));
    const Reply reply = held_.take(0);
    server_->stop(std::chrono::milliseconds(10));
    EXPECT_TRUE(busy.ended());
    reply(text("dropped"));
}

}  // namespace
}  // namespace nostro
