#include "nostro/http/io_thread.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace nostro {
namespace {

constexpr std::size_t kScratchBytes = 128 * 1024;
constexpr std::size_t kDirectBytesMin = 16 * 1024;  // smaller rests of bodies come through the scratch memory
constexpr std::size_t kSpinConnectionsMax = 4;
constexpr int kRoundsMax = 8;  // of one connection before others have their turn
constexpr std::size_t kLingerBytesMax = 1u << 20;
constexpr std::uint64_t kPlaceBits = 24;
constexpr std::uint64_t kPlaceMask = (std::uint64_t{1} << kPlaceBits) - 1;

}  // namespace

Connection::Connection(IoThread& thread, std::uint64_t number, tcp::socket socket)
    : thread_(thread), number_(number), socket_(std::move(socket)), session_(thread.around(), number) {}

void Connection::close() {
    if (closed_) return;
    closed_ = true;
    error_code ignored;
    socket_.close(ignored);
    thread_.remove(number_);
}

// A refused client may still be sending. Closing at once would answer that with a reset, which can take the answer
// away before it is read.
void Connection::finish() {
    if (!session_.must_linger() || ended_) return close();
    if (lingering_since_) return;
    lingering_since_ = thread_.around().now;
    error_code failed;
    socket_.shutdown(tcp::socket::shutdown_send, failed);
    if (failed) return close();
    await_input();
}

bool Connection::discard(std::size_t bytes) {
    discarded_ += bytes;
    return discarded_ <= kLingerBytesMax;
}

void Connection::await_input() {
    if (reading_ || ended_ || closed_ || !(lingering_since_ || session_.wants_input())) return;
    reading_ = true;
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code failed) {
        self->reading_ = false;
        if (self->closed_) return;
        self->thread_.refresh_now();
        if (failed) return self->close();
        self->thread_.begin_round();
        self->read();
        self->advance();
        self->thread_.deliver();
    });
}

void Connection::read() {
    for (int round = 0; round < kRoundsMax && !closed_; ++round) {
        const std::span<char> direct = session_.direct();
        const bool is_direct = direct.size() >= kDirectBytesMin && !lingering_since_;
        const std::span<char> into = is_direct ? direct : thread_.scratch();
        error_code failed;
        const std::size_t bytes = socket_.read_some(asio::buffer(into.data(), into.size()), failed);
        if (failed == asio::error::would_block) return;
        if (failed == asio::error::eof) {
            ended_ = true;
            if (lingering_since_) return close();
            return session_.end_of_input();
        }
        if (failed) return close();
        if (lingering_since_) {
            if (!discard(bytes)) return close();
        } else if (is_direct) {
            session_.received(bytes);
        } else {
            session_.receive({into.data(), bytes});
        }
        if (bytes < into.size() || !(lingering_since_ || session_.wants_input())) return;
    }
}

void Connection::write() {
    for (int round = 0; !writing_ && !closed_ && !session_.output().empty(); ++round) {
        error_code failed = asio::error::would_block;
        std::size_t bytes = 0;
        if (round < kRoundsMax) {
            std::array<asio::const_buffer, 16> buffers;
            const auto pieces = session_.output().pieces();
            for (std::size_t i = 0; i < pieces.size(); ++i)
                buffers[i] = asio::buffer(pieces[i].data(), pieces[i].size());
            bytes = socket_.write_some(std::span(buffers.data(), pieces.size()), failed);
        }
        if (failed == asio::error::would_block) {
            writing_ = true;
            socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code wait_failed) {
                self->writing_ = false;
                if (self->closed_) return;
                self->thread_.refresh_now();
                if (wait_failed) return self->close();
                self->advance();
                self->thread_.deliver();
            });
            return;
        }
        if (failed) return close();
        session_.written(bytes);
        session_.advance();  // there is room again
    }
}

void Connection::advance() {
    if (closed_) return;
    if (lingering_since_) return await_input();
    session_.advance();
    write();
    if (closed_) return;
    if (session_.is_over() && session_.output().empty()) return finish();
    await_input();
}

void Connection::tick() {
    if (closed_) return;
    if (lingering_since_) {
        if (thread_.around().now - *lingering_since_ > thread_.around().limits->linger_timeout) close();
        return;
    }
    if (!session_.tick()) return close();
    advance();
}

std::span<char> IoThread::scratch() { return {scratch_.get(), kScratchBytes}; }

IoThread::IoThread(const ServerOptions& options, const SessionLimits& limits, const Router& router,
                   HttpMetrics& metrics, std::shared_ptr<WorkerPool> workers, std::shared_ptr<BodyBudget> budget,
                   OpenCount& open)
    : limits_(limits),
      open_(open),
      round_begins_(options.round_begins),
      round_ends_(options.round_ends),
      spin_(options.spin),
      come_back_(options.io_threads <= 1 ? loop_ : nullptr),
      mailbox_(std::make_shared<Mailbox>(loop_, std::move(workers))),
      timer_(loop_->context),
      scratch_(std::make_unique<char[]>(kScratchBytes + kBodyPadding)) {
    around_.router = &router;
    around_.limits = &limits_;
    around_.metrics = &metrics;
    around_.cors = cors_fields(limits_.cors_origin);
    around_.sink = mailbox_;
    around_.budget = std::move(budget);
    const auto shortest = std::min({limits.head_timeout, limits.body_timeout, limits.idle_timeout, limits.write_timeout,
                                    limits.reply_timeout, limits.linger_timeout, limits.heartbeat});
    tick_every_ = std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
    connections_.reserve(std::min<std::size_t>(options.connections_max, 4096));
}

void IoThread::start() {
    loop_->on_wake = [this] { end_round(); };
    refresh_now();
    refresh_date();
    schedule_tick();
    loop_->work.emplace(loop_->context.get_executor());
    thread_ = std::thread([this] {
        mailbox_->owned_by_this_thread();
        run();
    });
}

void IoThread::run() {
    while (spin() || loop_->context.run_one() != 0) {
    }
}

// A client that waits for each answer before it asks again comes back within the time that a sleeping thread takes to
// wake. With many clients others wait for the core meanwhile, and somebody asks before this thread would sleep.
bool IoThread::spin() {
    if (spin_.count() == 0 || own_open_ == 0 || own_open_ > kSpinConnectionsMax) return false;
    const SteadyTime end = steady_now() + spin_;
    do {
        if (loop_->context.poll() != 0) return true;
    } while (steady_now() < end);
    return false;
}

void IoThread::adopt(tcp::socket socket) {
    refresh_now();
    error_code failed;
    socket.non_blocking(true, failed);
    if (!failed) socket.set_option(tcp::no_delay(true), failed);
    if (failed || around_.stopping) {
        open_.leave();
        return;
    }
    if (free_.empty()) {
        free_.push_back(connections_.size());
        connections_.emplace_back();
    }
    const std::size_t place = free_.back();
    free_.pop_back();
    const std::uint64_t number = (++generation_ << kPlaceBits) | place;
    connections_[place] = std::make_shared<Connection>(*this, number, std::move(socket));
    around_.metrics->connections_total.add();
    around_.metrics->connections.add(1);
    ++own_open_;
    const auto adopted = connections_[place];
    adopted->advance();
}

void IoThread::remove(std::uint64_t number) {
    const auto place = static_cast<std::size_t>(number & kPlaceMask);
    connections_[place].reset();
    free_.push_back(place);
    around_.metrics->connections.add(-1);
    --own_open_;
    open_.leave();
}

Connection* IoThread::find(std::uint64_t number) {
    const auto place = static_cast<std::size_t>(number & kPlaceMask);
    Connection* found = place < connections_.size() ? connections_[place].get() : nullptr;
    return found;
}

void IoThread::hand_over(Mailbox::Item& item) {
    Connection* connection = find(item.connection);
    if (connection == nullptr || connection->number() != item.connection) return;  // it has gone
    Session& session = connection->session();
    switch (item.kind) {
        case Mailbox::Item::Kind::reply: session.reply(item.request, item.render); break;
        case Mailbox::Item::Kind::woken: session.stream_woken(item.request); break;
        case Mailbox::Item::Kind::part: session.stream_part(item.request, item.state, std::move(item.part)); break;
    }
    if (connection->touched) return;
    connection->touched = true;
    touched_.push_back(connection->shared_from_this());
}

// All replies of a round first, then the sockets: one write a connection, however many of its requests were answered.
void IoThread::deliver() {
    for (;;) {
        items_.clear();
        mailbox_->take(items_);
        if (items_.empty()) return;
        for (Mailbox::Item& item : items_) hand_over(item);
        for (const auto& connection : touched_) {
            connection->touched = false;
            connection->advance();
        }
        touched_.clear();
    }
}

// What is posted comes behind everything that is ready now.
void IoThread::begin_round() {
    if (in_round_ || !round_begins_) return;
    in_round_ = true;
    round_begins_();
    asio::post(loop_->context, [this] {
        in_round_ = false;
        end_round();
    });
}

void IoThread::end_round() {
    if (round_ends_) round_ends_(come_back_);
    refresh_now();
    deliver();
}

void IoThread::schedule_tick() {
    timer_.expires_after(tick_every_);
    timer_.async_wait([this](error_code failed) {
        // A wait that is over already cannot be cancelled any more: its handler comes as if nothing had happened.
        if (failed || ended_) return;
        tick();
        schedule_tick();
    });
}

void IoThread::refresh_date() {
    const std::time_t now = std::time(nullptr);
    if (now == date_of_) return;
    date_of_ = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    const int size = std::snprintf(text, sizeof text, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                                   kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                   kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                                   parts.tm_min, parts.tm_sec);
    around_.date.assign(text, static_cast<std::size_t>(size));
}

void IoThread::tick() {
    refresh_now();
    refresh_date();
    const auto all = connections_;  // ticking may close some
    for (const auto& connection : all) {
        if (connection != nullptr) connection->tick();
    }
    deliver();
}

void IoThread::begin_stop() {
    asio::post(loop_->context, [this] {
        refresh_now();
        around_.stopping = true;
        const auto all = connections_;
        for (const auto& connection : all) {
            if (connection == nullptr) continue;
            connection->session().stop();
            connection->advance();
        }
        deliver();
    });
}

void IoThread::end() {
    if (!thread_.joinable()) return;
    asio::post(loop_->context, [this] {
        ended_ = true;
        mailbox_->close();
        const auto all = connections_;
        for (const auto& connection : all) {
            if (connection != nullptr) connection->close();
        }
        timer_.cancel();
        loop_->work.reset();  // run() returns once the handlers of what was closed have run
    });
    thread_.join();
}

}  // namespace nostro
