// Load that costs the client little, since client and server share the machine's cores: one thread, requests of one
// size that are renewed in place in a ring a connection, answers looked at only for their status and what settled.
//
// Threads: one owner. Speaks to any HTTP/1.1 server that answers with a Content-Length.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "nostro/base/result.hpp"
#include "nostro/cli/bench_requests.hpp"
#include "nostro/cli/latency.hpp"

namespace nostro::cli {

struct BenchLoadOptions {
    Url url;
    std::uint32_t connections = 1, pipeline = 1;  // pipeline: unanswered requests a connection
    std::uint32_t batch = 1;                      // payments in a request
    std::uint64_t rate = 0;                       // payments a second on schedule; 0: closed loop
    std::uint64_t payments_max = 0;               // stop when so many were sent; 0: only the time ends it
    std::chrono::nanoseconds duration = std::chrono::seconds(5);
    std::chrono::milliseconds timeout = std::chrono::seconds(60);  // without any answer
    std::function<void(std::uint64_t payments)> progress;          // ten times a second
};

struct BenchLoadResult {
    // Closed loop: from sending a request to its answer. Open loop: from when it was due.
    Latencies latencies;
    Latencies lateness;  // open loop: from when a request was due until it was sent
    // Of that, what passed while a connection was free: the client was not there to send.
    Latencies own_lateness;
    std::uint64_t requests = 0, payments = 0, settled = 0;
    std::uint64_t refused = 0;    // requests that were answered by something else than 2xx
    std::uint64_t not_taken = 0;  // payments that an answered batch did not take
    std::uint64_t unsent = 0;     // open loop: payments due that found every connection busy until the end
    std::string first_refusal;    // what the first answer said that was no 2xx or did not take all; empty: none
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::chrono::nanoseconds elapsed{}, client_cpu{};
};

// Runs for `duration`, then waits for what is under way. `unavailable`: nobody listens, or silence for `timeout`;
// `unknown`: a connection broke with requests unanswered.
Result<BenchLoadResult> run_bench_load(const BenchLoadOptions& options, BenchRequests& requests);

}  // namespace nostro::cli
