// Calls a profile's routes without a server: a request in, its answer out.
#pragma once
#include <algorithm>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "nostro/profiles/profile.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro::test {

class RouteCaller {
public:
    explicit RouteCaller(std::vector<Route> routes) : routes_(std::move(routes)) {}

    // `values`: of the route's parameters, in order; empty: not sent.
    Response call(std::string_view operation, std::string_view body, const std::vector<std::string>& values = {},
                  const std::vector<HeaderField>& headers = {}) {
        const auto route = std::ranges::find(routes_, operation, &Route::operation);
        Request request;
        request.method = route->method;
        request.path = route->path;
        request.body = body;
        request.content_type = body.empty() ? "" : "application/json";
        request.headers = headers;
        request.route = &*route;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!values[i].empty()) request.values[i] = values[i];
        }
        const auto sink = std::make_shared<Sink>();
        auto answer = sink->told.get_future();
        route->handler(request, Reply(sink, 0, 0));
        Response response = answer.get();
        sink->join();
        return response;
    }

private:
    struct Sink final : ReplySink {
        void reply(std::uint64_t, std::uint64_t, Render render) override {
            Response response;
            render(response);
            told.set_value(std::move(response));
        }
        bool on_worker(std::move_only_function<void()> work) override {
            const std::lock_guard lock(mutex);
            workers.emplace_back(std::move(work));
            return true;
        }
        // Workers hold the sink too; they end before it does.
        void join() {
            std::vector<std::jthread> all;
            const std::lock_guard lock(mutex);
            all.swap(workers);
        }
        std::promise<Response> told;
        std::mutex mutex;
        std::vector<std::jthread> workers;
    };

    std::vector<Route> routes_;
};

}  // namespace nostro::test
