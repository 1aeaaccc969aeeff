// The HTTP/1.1 server: sockets, threads and timers around Session.
//
// Threads: start and stop from one; handlers run on the I/O threads, those of blocking routes on workers.
// Errors:  start gives `invalid` for an address it may not listen on, `unavailable` when the system refuses (the port
//          is taken, no permission).
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "nostro/base/result.hpp"
#include "nostro/base/waker.hpp"
#include "nostro/http/http_metrics.hpp"
#include "nostro/http/router.hpp"
#include "nostro/http/session.hpp"

namespace nostro {

struct ServerOptions {
    std::string address = "127.0.0.1";  // or localhost
    std::uint16_t port = 8000;          // 0: any free one
    // There is no authentication and no TLS: whoever reaches the port may move money. So other addresses than this
    // machine's own are refused unless this says that a proxy or a closed network stands in front.
    bool insecure_listen = false;
    unsigned io_threads = 1;
    // How long an I/O thread with few connections looks for the next request before it sleeps. Not where there is a
    // single core.
    std::chrono::microseconds spin{0};
    unsigned worker_threads = 2;
    std::size_t work_waiting_max = 1024;
    std::size_t connections_max = 4096;
    SessionLimits session;
    // Around all that is ready at the sockets of an I/O thread, on that thread; requests may be answered in
    // `round_ends`, which is also called whenever the thread was woken, by its argument among others; that is nullptr
    // where several threads read. Both or none.
    std::function<void()> round_begins;
    std::function<void(const std::shared_ptr<Waker>& thread)> round_ends;
};

class Server {
public:
    // `router` and `metrics` outlive the server. It listens when this returns.
    static Result<std::unique_ptr<Server>> start(const ServerOptions& options, const Router& router,
                                                 HttpMetrics& metrics);
    // `invalid`: no address, or one that may not be listened on. The system is not asked.
    static Result<> check_address(const ServerOptions& options);
    ~Server();  // as stop()
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const;
    std::string url() const;  // http://127.0.0.1:8000

    // Listens no more, answers what is under way (at most for `patience`), ends all threads. Twice is once.
    void stop(std::chrono::milliseconds patience = std::chrono::seconds(10));

private:
    struct Running;
    explicit Server(std::unique_ptr<Running> running);
    std::unique_ptr<Running> running_;
};

}  // namespace nostro
