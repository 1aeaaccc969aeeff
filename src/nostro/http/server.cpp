// Listening, starting and stopping. One acceptor deals connections out to the threads in turn, because the kernel's
// own way (SO_REUSEPORT) spreads few connections unevenly.
#include "nostro/http/server.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/http/io_thread.hpp"
#include "nostro/http/problem.hpp"

namespace nostro {
namespace {

// Sent without looking at the request: there is no session to read it.
const std::string& too_many_connections() {
    static const std::string text = [] {
        const Response response = problem(503, "overloaded", "too many connections are open; try again");
        return "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: " +
               std::to_string(response.body.size()) + "\r\nConnection: close\r\n" + response.headers + "\r\n" +
               response.body;
    }();
    return text;
}

}  // namespace

struct Server::Running {
    ServerOptions options;
    OpenCount open;
    HttpMetrics* metrics = nullptr;
    std::shared_ptr<WorkerPool> workers;
    std::vector<std::unique_ptr<IoThread>> threads;
    std::optional<tcp::acceptor> acceptor;           // belongs to the first thread
    std::optional<asio::steady_timer> accept_again;  // when the system was out of descriptors
    std::size_t next_thread = 0;
    tcp::endpoint endpoint;
    bool stopped = false;

    void accept_next();
    void take(tcp::socket socket, IoThread& thread);
};

void Server::Running::take(tcp::socket socket, IoThread& thread) {
    if (!open.enter(options.connections_max)) {
        metrics->connections_refused_total.add();
        error_code ignored;
        socket.non_blocking(true, ignored);
        socket.write_some(asio::buffer(too_many_connections()), ignored);
        socket.shutdown(tcp::socket::shutdown_both, ignored);
        return;
    }
    if (&thread == threads.front().get()) return thread.adopt(std::move(socket));
    asio::post(thread.loop().context,
               [&thread, moved = std::move(socket)]() mutable { thread.adopt(std::move(moved)); });
}

void Server::Running::accept_next() {
    IoThread& thread = *threads[next_thread++ % threads.size()];
    acceptor->async_accept(thread.loop().context, [this, &thread](error_code failed, tcp::socket socket) {
        // A connection may have come in just before the acceptor was closed; nothing is awaited after it.
        if (failed == asio::error::operation_aborted || !acceptor->is_open()) return;
        if (!failed) {
            take(std::move(socket), thread);
            return accept_next();
        }
        log_warn("http_accept_failed", {{"why", failed.message()}});
        accept_again->expires_after(std::chrono::milliseconds(50));
        accept_again->async_wait([this](error_code cancelled) {
            if (!cancelled && acceptor->is_open()) accept_next();
        });
    });
}

namespace {

Result<tcp::endpoint> endpoint_of(const ServerOptions& options) {
    const std::string address = options.address == "localhost" ? "127.0.0.1" : options.address;
    error_code failed;
    const auto parsed = asio::ip::make_address(address, failed);
    if (failed) {
        return Error{ErrorCode::invalid,
                     "listen: \"" + options.address + "\" is no IP address; name one, or localhost"};
    }
    if (!parsed.is_loopback() && !options.insecure_listen) {
        return Error{
            ErrorCode::invalid,
            "listen: " + options.address +
                " can be reached from other machines, and there is no authentication yet: listen on 127.0.0.1, "
                "or say --insecure-listen if something in front keeps strangers out"};
    }
    return tcp::endpoint(parsed, options.port);
}

Result<> listen_on(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
    error_code failed;
    acceptor.open(endpoint.protocol(), failed);
    if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor.bind(endpoint, failed);
    if (!failed) acceptor.listen(tcp::acceptor::max_listen_connections, failed);
    if (!failed) return {};
    std::string what = "listen: port " + std::to_string(endpoint.port()) + " of " + endpoint.address().to_string() +
                       " cannot be had: " + failed.message();
    if (failed == asio::error::address_in_use) what += "; another program listens there, choose another port";
    return Error{ErrorCode::unavailable, std::move(what)};
}

}  // namespace

Result<> Server::check_address(const ServerOptions& options) {
    if (const auto endpoint = endpoint_of(options); !endpoint) return endpoint.error();
    return {};
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, const Router& router,
                                              HttpMetrics& metrics) {
    auto endpoint = endpoint_of(options);
    if (!endpoint) return endpoint.error();
    auto running = std::make_unique<Running>();
    running->options = options;
    running->options.session.local_hosts_only = endpoint->address().is_loopback();
    running->metrics = &metrics;
    running->workers = std::make_shared<WorkerPool>(std::max(1u, options.worker_threads), options.work_waiting_max);
    const auto budget = std::make_shared<BodyBudget>();
    for (unsigned i = 0; i < std::max(1u, options.io_threads); ++i) {
        running->threads.push_back(std::make_unique<IoThread>(options, running->options.session, router, metrics,
                                                              running->workers, budget, running->open));
    }
    auto& context = running->threads.front()->loop().context;
    running->acceptor.emplace(context);
    running->accept_again.emplace(context);
    if (auto listening = listen_on(*running->acceptor, *endpoint); !listening) return listening.error();
    error_code failed;
    running->endpoint = running->acceptor->local_endpoint(failed);
    for (const auto& thread : running->threads) thread->start();
    asio::post(context, [state = running.get()] { state->accept_next(); });
    return std::unique_ptr<Server>(new Server(std::move(running)));
}

Server::Server(std::unique_ptr<Running> running) : running_(std::move(running)) {}

Server::~Server() { stop(); }

std::uint16_t Server::port() const { return running_->endpoint.port(); }

std::string Server::url() const {
    const auto address = running_->endpoint.address();
    const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    return "http://" + host + ":" + std::to_string(port());
}

void Server::stop(std::chrono::milliseconds patience) {
    if (std::exchange(running_->stopped, true)) return;
    asio::post(running_->threads.front()->loop().context, [state = running_.get()] {
        error_code ignored;
        state->acceptor->close(ignored);
        state->accept_again->cancel();
    });
    for (const auto& thread : running_->threads) thread->begin_stop();
    running_->open.wait_for_none(patience);
    running_->workers->stop();
    for (const auto& thread : running_->threads) thread->end();
}

}  // namespace nostro
