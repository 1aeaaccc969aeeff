// Many connections from one thread: sends requests, at most so many unanswered a connection, and gives the
// answers back. For replays, where every answer matters, and for load, where the time matters.
//
// Threads: one owner. Speaks to nostro only: it reads answers with a Content-Length, as nostro sends them.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/cli/client.hpp"
#include "nostro/cli/latency.hpp"

namespace nostro::cli {

struct LoadOptions {
    Url url;
    std::size_t connections = 8;
    std::size_t pipeline = 1;                                      // unanswered requests a connection
    std::chrono::milliseconds timeout = std::chrono::seconds(60);  // without any answer
};

struct LoadResult {
    Latencies latencies;
    std::uint64_t requests = 0;
    std::uint64_t bytes_sent = 0;
    std::chrono::nanoseconds elapsed{};
};

class Load {
public:
    // Appends one whole request (head and body) and returns true, or returns false: there is none now. It is asked
    // again after each answer, so that a refused request may be sent once more. `tag` comes back with the answer.
    using Next = std::function<bool(std::string& request, std::uint64_t& tag)>;
    // false: stop sending; what is under way is still waited for.
    using Answered = std::function<bool(std::uint64_t tag, int status, std::string_view body)>;

    // Runs until `next` ends and everything is answered. `unavailable`: nobody listens, or silence for `timeout`;
    // `unknown`: a connection broke with requests unanswered (which may be taken or not).
    static Result<LoadResult> run(const LoadOptions& options, const Next& next, const Answered& answered);
};

// The head of a POST as Load sends it, without the body's length: "POST /v1/payments HTTP/1.1\r\nHost: ...".
std::string post_head(const Url& url, std::string_view target, std::string_view content_type);
void append_post(std::string& to, std::string_view head, std::string_view idempotency_key, std::string_view body);

}  // namespace nostro::cli
