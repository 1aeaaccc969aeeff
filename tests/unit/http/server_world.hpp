// A server with routes of a test's own, and replies that the test gives when it wants to.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "nostro/base/time.hpp"
#include "nostro/http/problem.hpp"
#include "nostro/http/server.hpp"
#include "tests/unit/http/raw_client.hpp"

namespace nostro::test {

// Replies that a test gives itself, when it wants to.
class HeldReplies {
public:
    void hold(const Reply& reply) {
        const std::lock_guard lock(mutex_);
        replies_.push_back(reply);
        changed_.notify_all();
    }
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return replies_.size();
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

inline Response text(std::string body) {
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
        bool has_end = false;
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
    bool has_end() const override { return shared_->has_end; }
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
        all.push_back(route(Method::get, "/read", [this](const Request&, const Reply& reply) { held_.hold(reply); }));
        all.back().keeps_request = true;
        // As a thread looks that gets no processor for a while.
        all.push_back(route(Method::get, "/busy", [this](const Request&, const Reply& reply) {
            is_busy_ = true;
            is_busy_.notify_all();
            const SteadyTime until = steady_now() + std::chrono::milliseconds(60);
            while (steady_now() < until) std::this_thread::yield();
            reply(text("at last"));
        }));
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
                                    response.body = before_;
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
    std::atomic<bool> is_busy_{false};
    std::shared_ptr<GivenStream::Shared> given_ = std::make_shared<GivenStream::Shared>();
    std::string before_;  // the body in front of it
    std::atomic<std::size_t> made_{0};
    Router router_{routes()};
    std::optional<MetricsRegistry> registry_;
    std::optional<HttpMetrics> metrics_;
    std::unique_ptr<Server> server_;
};

}  // namespace nostro::test
