#include "nostro/cli/bench_load.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

#include "nostro/base/cpu_time.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/answer_reader.hpp"
#include "nostro/cli/bench_schedule.hpp"
#include "nostro/cli/connections.hpp"

namespace nostro::cli {
namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr auto kProgressEvery = std::chrono::milliseconds(100);

// A ring of `pipeline` requests. Three counters of requests tell all: answered <= sent <= stamped <= answered + ring.
struct Connection {
    UniqueFd socket;
    std::vector<char> ring;
    std::vector<SteadyTime> since;  // by request
    std::uint64_t stamped = 0, answered = 0;
    std::uint64_t sent_bytes = 0;  // of all requests in a row
    std::vector<char> in;
    std::size_t held = 0;  // bytes in `in`
    AnswerReader reader;
    bool wants_write = false;
};

class Runner {
public:
    Runner(const BenchLoadOptions& options, BenchRequests& requests)
        : options_(options), requests_(requests), blocking_(options.connections == 1 && options.rate == 0) {}

    Result<BenchLoadResult> run() {
        if (auto done = connect(); !done) return done.error();
        (void)prctl(PR_SET_TIMERSLACK, 1UL);  // an arrival is due to the microsecond, not within fifty
        const auto cpu_before = cpu_of_thread();
        start_ = progress_at_ = now_ = steady_now();
        end_ = start_ + options_.duration;
        if (options_.rate > 0) schedule_.emplace(start_, options_.rate, options_.batch);
        auto done = options_.rate > 0 ? open_loop() : closed_loop();
        if (!done) return done.error();
        result_.elapsed = elapsed_since(start_);
        result_.client_cpu = cpu_of_thread() - cpu_before;
        return std::move(result_);
    }

private:
    Result<> connect() {
        epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
        for (std::uint32_t i = 0; i < options_.connections; ++i) {
            auto socket = connect_to(options_.url, options_.timeout);
            if (!socket) return socket.error();
            if (!blocking_) (void)fcntl(socket->get(), F_SETFL, O_NONBLOCK);
            auto connection = std::make_unique<Connection>();
            connection->socket = std::move(*socket);
            connection->ring.resize(requests_.size() * options_.pipeline);
            for (std::uint32_t slot = 0; slot < options_.pipeline; ++slot) {
                requests_.lay_out(connection->ring.data() + slot * requests_.size());
            }
            connection->since.resize(options_.pipeline);
            connection->in.resize(kReceiveBytes);
            epoll_event event{EPOLLIN, {.ptr = connection.get()}};
            (void)epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->socket.get(), &event);
            connections_.push_back(std::move(connection));
        }
        return {};
    }

    // Every answer is followed by the next request, as long as there is time.
    Result<> closed_loop() {
        for (auto& connection : connections_) {
            if (auto done = refill(*connection); !done) return done;
        }
        const auto answered = [this](Connection& connection) { return refill(connection); };
        while (in_flight_ > 0) {
            const auto done = blocking_ ? blocking_turn() : turn(options_.timeout, answered);
            if (!done) return done;
        }
        return {};
    }

    Result<> refill(Connection& connection) {
        while (has_room(connection) && now_ < end_ && may_send()) stamp(connection, now_);
        return send(connection);
    }

    // One connection needs no epoll: the thread sleeps in recv itself.
    Result<> blocking_turn() {
        Connection& connection = *connections_.front();
        if (auto done = receive(connection); !done) return done;
        return refill(connection);
    }

    // What is due goes to the connections in turn; when all are busy it waits, and its time counts from when it was
    // due.
    Result<> open_loop() {
        const auto answered = [](Connection&) { return Result<>(); };
        for (;;) {
            now_ = steady_now();
            const std::uint64_t due = schedule_->due_by(std::min(now_, end_ - std::chrono::nanoseconds(1)));
            while (issued_ < due && may_send()) {
                Connection* free = next_with_room();
                if (free == nullptr) break;
                const auto due_at = schedule_->due(issued_++);
                result_.lateness.add(now_ - due_at);
                result_.own_lateness.add(now_ - std::max(due_at, free_since_));
                stamp(*free, due_at);
                if (auto done = send(*free); !done) return done;
            }
            const bool over = now_ >= end_ || !may_send();
            if (over && in_flight_ == 0) break;
            // Over, or all busy: nothing to do until somebody answers.
            std::chrono::nanoseconds wait = options_.timeout;
            const bool all_busy = in_flight_ == std::uint64_t{options_.connections} * options_.pipeline;
            if (over && issued_ < due) result_.unsent = (due - issued_) * options_.batch;
            if (over) end_ = std::min(end_, now_);
            if (!over && !all_busy) wait = schedule_->due(issued_) - steady_now();
            if (auto done = turn(std::max(wait, std::chrono::nanoseconds(0)), answered); !done) return done;
            if (all_busy) free_since_ = now_;
        }
        return {};
    }

    Connection* next_with_room() {
        for (std::size_t tried = 0; tried < connections_.size(); ++tried) {
            Connection& connection = *connections_[turn_++ % connections_.size()];
            if (has_room(connection)) return &connection;
        }
        return nullptr;
    }

    template <class Answered>
    Result<> turn(std::chrono::nanoseconds wait, const Answered& answered) {
        std::array<epoll_event, 256> events{};
        const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
        const timespec timeout{seconds.count(), (wait - seconds).count()};
        const int count = epoll_pwait2(epoll_.get(), events.data(), events.size(), &timeout, nullptr);
        if (count == 0 && wait >= options_.timeout) return silent();
        for (int i = 0; i < count; ++i) {
            auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (auto done = receive(connection); !done) return done;
            if (auto done = answered(connection); !done) return done;
            if (connection.wants_write) {
                if (auto done = send(connection); !done) return done;
            }
        }
        return {};
    }

    bool has_room(const Connection& connection) const {
        return connection.stamped - connection.answered < options_.pipeline;
    }
    bool may_send() const {
        return options_.payments_max == 0 || result_.requests * options_.batch < options_.payments_max;
    }

    void stamp(Connection& connection, SteadyTime since) {
        const std::size_t slot = connection.stamped++ % options_.pipeline;
        requests_.stamp(connection.ring.data() + slot * requests_.size());
        connection.since[slot] = since;
        ++in_flight_;
        ++result_.requests;
    }

    // All that is stamped and not sent: one piece of the ring, or two where it begins anew.
    Result<> send(Connection& connection) {
        const std::uint64_t size = requests_.size(), ring = size * options_.pipeline;
        while (connection.sent_bytes < connection.stamped * size) {
            const std::uint64_t left = connection.stamped * size - connection.sent_bytes;
            const std::uint64_t from = connection.sent_bytes % ring;
            const std::uint64_t first = std::min(left, ring - from);
            std::array<iovec, 2> pieces = {iovec{connection.ring.data() + from, first},
                                           iovec{connection.ring.data(), left - first}};
            msghdr message{};
            message.msg_iov = pieces.data();
            message.msg_iovlen = left > first ? 2 : 1;
            const ssize_t sent = sendmsg(connection.socket.get(), &message, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
            if (sent <= 0) return broken(std::generic_category().message(errno));
            connection.sent_bytes += static_cast<std::uint64_t>(sent);
            result_.bytes_sent += static_cast<std::uint64_t>(sent);
        }
        const bool all = connection.sent_bytes == connection.stamped * size;
        if (connection.wants_write == all) {
            connection.wants_write = !all;
            wait_to_write(epoll_, connection.socket, &connection, !all);
        }
        return {};
    }

    Result<> receive(Connection& connection) {
        for (;;) {
            if (connection.held == connection.in.size()) connection.in.resize(connection.in.size() * 2);
            const std::size_t room = connection.in.size() - connection.held;
            const ssize_t got = recv(connection.socket.get(), connection.in.data() + connection.held, room, 0);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return blocking_ ? silent() : Result<>();
            if (got < 0) return broken(std::generic_category().message(errno));
            if (got == 0) return broken("closed by the server");
            connection.held += static_cast<std::size_t>(got);
            result_.bytes_received += static_cast<std::uint64_t>(got);
            if (auto done = take_answers(connection); !done) return done;
            if (blocking_ || static_cast<std::size_t>(got) < room) return {};
        }
    }

    Result<> take_answers(Connection& connection) {
        now_ = steady_now();
        std::size_t taken = 0;
        while (taken < connection.held) {
            const std::string_view bytes(connection.in.data() + taken, connection.held - taken);
            const auto answer = connection.reader.read(bytes);
            if (!answer) return answer.error();
            if (answer->head_bytes == 0 || bytes.size() < answer->bytes()) break;
            if (connection.sent_bytes < (connection.answered + 1) * requests_.size()) {
                return Error{ErrorCode::unknown, fmt::format("answered {} before the request was sent: {}",
                                                             answer->status, bytes.substr(0, 400))};
            }
            count(*answer, bytes.substr(answer->head_bytes, answer->body_bytes));
            result_.latencies.add(now_ - connection.since[connection.answered++ % options_.pipeline]);
            --in_flight_;
            taken += answer->bytes();
        }
        if (taken > 0) {
            connection.held -= taken;
            std::memmove(connection.in.data(), connection.in.data() + taken, connection.held);
        }
        if (options_.progress && now_ >= progress_at_) {
            progress_at_ = now_ + kProgressEvery;
            options_.progress(result_.payments);
        }
        return {};
    }

    void count(const AnswerReader::Answer& answer, std::string_view body) {
        if (answer.status < 200 || answer.status > 299) {
            ++result_.refused;
            note_refusal(answer.status, body);
            return;
        }
        const std::uint64_t taken = options_.batch > 1 ? taken_of(body, options_.batch) : 1;
        result_.payments += taken;
        result_.not_taken += options_.batch - taken;
        if (taken < options_.batch)
            note_refusal(answer.status, body.substr(std::min(body.size(), body.find("\"error\""))));
        result_.settled += count_settled(body);
    }

    void note_refusal(int status, std::string_view body) {
        constexpr std::size_t kTold = 300;
        if (result_.first_refusal.empty()) result_.first_refusal = fmt::format("{} {}", status, body.substr(0, kTold));
    }

    Error silent() const { return no_answer_for(options_.timeout); }
    Error broken(std::string_view why) const { return connection_broke(options_.url, in_flight_, why); }

    const BenchLoadOptions& options_;
    BenchRequests& requests_;
    const bool blocking_;
    UniqueFd epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;
    BenchLoadResult result_;
    std::optional<BenchSchedule> schedule_;
    SteadyTime start_{}, end_{}, now_{}, progress_at_{};
    SteadyTime free_since_{};  // open loop: a connection
    std::uint64_t in_flight_ = 0, issued_ = 0;
    std::size_t turn_ = 0;
};

}  // namespace

Result<BenchLoadResult> run_bench_load(const BenchLoadOptions& options, BenchRequests& requests) {
    return Runner(options, requests).run();
}

}  // namespace nostro::cli
