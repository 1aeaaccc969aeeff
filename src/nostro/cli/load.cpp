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
    bool wants_write = false;
};

struct Head {
    int status = 0;
    std::size_t head_bytes = 0, body_bytes = 0;
};

// nullopt by head_bytes 0: not whole yet.
Result<Head> read_head(std::string_view bytes) {
    Head head;
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return head;
    const std::string_view text = bytes.substr(0, end);
    if (!text.starts_with("HTTP/1.1 ") || text.size() < 12) {
        return Error{ErrorCode::unknown, "the answer is no HTTP/1.1"};
    }
    head.status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
    for (std::string_view rest = text; !rest.empty();) {
        const auto line_end = std::min(rest.find("\r\n"), rest.size());
        const auto [name, value] = split_once(rest.substr(0, line_end), ':');
        if (equal_ignoring_case(name, "content-length")) {
            const auto length = parse_uint64(trim(value));
            if (!length) return Error{ErrorCode::unknown, "the answer has a bad Content-Length"};
            head.body_bytes = static_cast<std::size_t>(*length);
        }
        rest.remove_prefix(std::min(rest.size(), line_end + 2));
    }
    head.head_bytes = end + 4;
    return head;
}

class Runner {
public:
    Runner(const LoadOptions& options, const Load::Next& next, const Load::Answered& answered)
        : options_(options), next_(next), answered_(answered) {}

    Result<LoadResult> run() {
        if (auto done = connect(); !done) return done.error();
        const auto start = steady_now();
        due_ = start;
        for (auto& connection : connections_) {
            if (auto done = fill(*connection); !done) return done.error();
        }
        while (in_flight_ > 0 || (options_.rate > 0 && !stopped_ && !exhausted_)) {
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
        int wait_ms = static_cast<int>(options_.timeout.count());
        if (options_.rate > 0 && !exhausted_) wait_ms = due_ <= steady_now() ? 0 : 1;
        const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms);
        if (count == 0 && (options_.rate == 0 || exhausted_)) {
            return Error{ErrorCode::unavailable, fmt::format("no answer for {}", human_duration(options_.timeout))};
        }
        for (int i = 0; i < count; ++i) {
            auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (auto done = receive(connection); !done) return done;
            if (auto done = fill(connection); !done) return done;
        }
        // Open loop: what is due goes out even if nobody has answered meanwhile.
        if (options_.rate > 0) {
            for (std::size_t i = 0; i < connections_.size() && due_ <= steady_now() && !exhausted_; ++i) {
                if (auto done = fill(*connections_[turn_++ % connections_.size()]); !done) return done;
            }
        }
        return {};
    }

    // Puts requests into the connection's buffer while it may have more under way, then sends.
    Result<> fill(Connection& connection) {
        while (!stopped_ && connection.pending.size() < options_.pipeline) {
            auto since = steady_now();
            if (options_.rate > 0) {
                if (since < due_) break;
                since = due_;
                due_ += std::chrono::nanoseconds(1'000'000'000) / static_cast<std::int64_t>(options_.rate);
            }
            std::uint64_t tag = 0;
            exhausted_ = !next_(connection.out, tag);
            if (exhausted_) break;
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
            epoll_event event{all ? EPOLLIN : EPOLLIN | EPOLLOUT, {.ptr = &connection}};
            (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
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
            const auto head = read_head(bytes);
            if (!head) return head.error();
            if (head->head_bytes == 0 || bytes.size() < head->head_bytes + head->body_bytes) break;
            if (connection.pending.empty()) return Error{ErrorCode::unknown, "an answer to no request"};
            const Pending pending = connection.pending.front();
            connection.pending.pop_front();
            --in_flight_;
            result_.latencies.add(elapsed_since(pending.since));
            if (!answered_(pending.tag, head->status, bytes.substr(head->head_bytes, head->body_bytes))) {
                stopped_ = true;
            }
            connection.in_begin += head->head_bytes + head->body_bytes;
        }
        if (connection.in_begin == connection.in.size() || connection.in_begin > kCompactBytes) {
            connection.in.erase(0, connection.in_begin);
            connection.in_begin = 0;
        }
        return {};
    }

    Error broken(std::string_view why) const {
        return {ErrorCode::unknown, fmt::format("connection to http://{}:{} broke with {} requests unanswered: {}",
                                                options_.url.host, options_.url.port, in_flight_, why)};
    }

    static constexpr std::size_t kReadBytes = 64 * 1024;
    static constexpr std::size_t kCompactBytes = 1 << 20;

    const LoadOptions& options_;
    const Load::Next& next_;
    const Load::Answered& answered_;
    UniqueFd epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;
    LoadResult result_;
    SteadyTime due_{};
    std::size_t in_flight_ = 0, turn_ = 0;
    bool exhausted_ = false;  // the last time `next` was asked; an answer may change that
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
