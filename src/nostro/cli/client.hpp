// A client of nostro's HTTP API for the command line: one connection, one request at a time.
//
// Threads: one owner. Errors: `unavailable`: nobody listens there, or no answer came in time; `unknown`: the connection
// broke after the request was sent, so it may have been taken: ask again with the same key.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/base/time.hpp"
#include "nostro/base/unique_fd.hpp"

namespace nostro::cli {

struct Url {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8000;
};
// "http://127.0.0.1:8000", with or without the scheme and a slash at the end.
Result<Url> parse_url(std::string_view text);
std::string percent_encoded(std::string_view text);  // for a path segment or a query value

// A connected, blocking TCP socket; its reads give up after `timeout`. `unavailable`: says who does not listen.
Result<UniqueFd> connect_to(const Url& url, std::chrono::milliseconds timeout);

struct HttpAnswer {
    int status = 0;
    std::string body, content_type;
    bool replayed = false;  // Idempotent-Replayed
};

class Client {
public:
    explicit Client(Url url, std::chrono::milliseconds timeout = std::chrono::seconds(60))
        : url_(std::move(url)), timeout_(timeout) {}

    // Tries until somebody listens there, `patience` long; that it waits is told once on standard error. `stopped`
    // waits until the time it is given, and says whether to give up; empty: nobody does.
    Result<> await_listener(std::chrono::nanoseconds patience, const std::function<bool(SteadyTime)>& stopped = {});

    using Header = std::pair<std::string_view, std::string_view>;
    Result<HttpAnswer> get(std::string_view target) { return request("GET", target, {}, {}); }
    Result<HttpAnswer> request(std::string_view method, std::string_view target, std::string_view body,
                               const std::vector<Header>& headers);

private:
    Result<HttpAnswer> exchange(std::string_view head, std::string_view body);

    Url url_;
    std::chrono::milliseconds timeout_;
    UniqueFd socket_;
};

}  // namespace nostro::cli
