#include "nostro/cli/load.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <system_error>
#include <vector>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/answer_reader.hpp"
#include "nostro/cli/connections.hpp"

namespace nostro::cli {
namespace {

struct Pending {
    std::uint64_t tag;
    SteadyTime since;
};

struct Connection {
    UniqueFd socket;
    std::string out;
    std::size_t out_sent = 0;
    std::string in;
    std::size_t in_begin = 0;
    std::deque<Pending> pending;
    AnswerReader reader;
    bool wants_write = false;
};

class Runner {
public:
    Runner(const LoadOptions& options, const Load::Next& next, const Load::Answered& answered)
        : options_(options), next_(next), answered_(answered) {}

    Result<LoadResult> run() {
        if (auto done = connect(); !done) return done.error();
        const auto start = steady_now();
        for (auto& connection : connections_) {
            if (auto done = fill(*connection); !done) return done.error();
        }
        while (in_flight_ > 0) {
            if (auto done = turn(); !done) return done.error();
        }
        result_.elapsed = elapsed_since(start);
        return result_;
    }

private:
    Result<> connect() {
        epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
        for (std::size_t i = 0; i < options_.connections; ++i) {
            auto socket = connect_to(options_.url, options_.timeout);
            if (!socket) return socket.error();
            (void)fcntl(socket->get(), F_SETFL, O_NONBLOCK);
            auto connection = std::make_unique<Connection>();
            connection->socket = std::move(*socket);
            epoll_event event{EPOLLIN, {.ptr = connection.get()}};
            (void)epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->socket.get(), &event);
            connections_.push_back(std::move(connection));
        }
        return {};
    }

    Result<> turn() {
        std::array<epoll_event, 256> events{};
        const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     static_cast<int>(options_.timeout.count()));
        if (count == 0) {
            return no_answer_for(options_.timeout);
        }
        for (int i = 0; i < count; ++i) {
            auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (auto done = receive(connection); !done) return done;
            if (auto done = fill(connection); !done) return done;
        }
        return {};
    }

    // Puts requests into the connection's buffer while it may have more under way, then sends.
    Result<> fill(Connection& connection) {
        while (!stopped_ && connection.pending.size() < options_.pipeline) {
            const auto since = steady_now();
            std::uint64_t tag = 0;
            if (!next_(connection.out, tag)) break;
            connection.pending.push_back({tag, since});
            ++in_flight_;
            ++result_.requests;
        }
        return send(connection);
    }

    Result<> send(Connection& connection) {
        while (connection.out_sent < connection.out.size()) {
            const ssize_t sent = ::send(connection.socket.get(), connection.out.data() + connection.out_sent,
                                        connection.out.size() - connection.out_sent, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
            if (sent <= 0) return broken(std::generic_category().message(errno));
            connection.out_sent += static_cast<std::size_t>(sent);
            result_.bytes_sent += static_cast<std::uint64_t>(sent);
        }
        const bool all = connection.out_sent == connection.out.size();
        if (all) {
            connection.out.clear();
            connection.out_sent = 0;
        }
        if (connection.wants_write == all) {
            connection.wants_write = !all;
            wait_to_write(epoll_, connection.socket, &connection, !all);
        }
        return {};
    }

    Result<> receive(Connection& connection) {
        for (;;) {
            const std::size_t held = connection.in.size();
            connection.in.resize(held + kReadBytes);
            const ssize_t got = ::recv(connection.socket.get(), connection.in.data() + held, kReadBytes, 0);
            connection.in.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
            if (got < 0) return broken(std::generic_category().message(errno));
            if (got == 0) return broken("closed by the server");
            if (static_cast<std::size_t>(got) < kReadBytes) break;
        }
        return take_answers(connection);
    }

    Result<> take_answers(Connection& connection) {
        while (connection.in_begin < connection.in.size()) {
            const std::string_view bytes = std::string_view(connection.in).substr(connection.in_begin);
            const auto answer = connection.reader.read(bytes);
            if (!answer) return answer.error();
            if (answer->head_bytes == 0 || bytes.size() < answer->bytes()) break;
            if (connection.pending.empty()) return Error{ErrorCode::unknown, "an answer to no request"};
            const Pending pending = connection.pending.front();
            connection.pending.pop_front();
            --in_flight_;
            result_.latencies.add(elapsed_since(pending.since));
            if (!answered_(pending.tag, answer->status, bytes.substr(answer->head_bytes, answer->body_bytes))) {
                stopped_ = true;
            }
            connection.in_begin += answer->bytes();
        }
        if (connection.in_begin == connection.in.size() || connection.in_begin > kCompactBytes) {
            connection.in.erase(0, connection.in_begin);
            connection.in_begin = 0;
        }
        return {};
    }

    Error broken(std::string_view why) const { return connection_broke(options_.url, in_flight_, why); }

    static constexpr std::size_t kReadBytes = 64 * 1024;
    static constexpr std::size_t kCompactBytes = 1 << 20;

    const LoadOptions& options_;
    const Load::Next& next_;
    const Load::Answered& answered_;
    UniqueFd epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;
    LoadResult result_;
    std::size_t in_flight_ = 0;
    bool stopped_ = false;
};

}  // namespace

Result<LoadResult> Load::run(const LoadOptions& options, const Next& next, const Answered& answered) {
    return Runner(options, next, answered).run();
}

std::string post_head(const Url& url, std::string_view target, std::string_view content_type) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: {}\r\n", target, url.host, url.port,
                       content_type);
}

void append_post(std::string& to, std::string_view head, std::string_view idempotency_key, std::string_view body) {
    to += head;
    if (!idempotency_key.empty()) fmt::format_to(std::back_inserter(to), "Idempotency-Key: {}\r\n", idempotency_key);
    fmt::format_to(std::back_inserter(to), "Content-Length: {}\r\n\r\n", body.size());
    to += body;
}

}  // namespace nostro::cli
