// One thread of the server with the connections that belong to it. Only server.cpp and io_thread.cpp include this:
// Boost.Asio goes no further.
//
// Each connection stays on its thread for life, so a session needs no lock.
#pragma once
// Fences order a handler's memory against threads that share a loop. No two threads share one here, what they
// exchange stands behind a mutex, and the thread sanitizer cannot follow fences.
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "nostro/http/mailbox.hpp"
#include "nostro/http/server.hpp"

namespace nostro {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// How many connections are open, over all threads.
class OpenCount {
public:
    bool enter(std::size_t most) {
        const std::lock_guard lock(mutex_);
        if (open_ >= most) return false;
        ++open_;
        return true;
    }
    void leave() {
        const std::lock_guard lock(mutex_);
        if (--open_ == 0) none_.notify_all();
    }
    void wait_for_none(std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex_);
        none_.wait_for(lock, patience, [&] { return open_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable none_;
    std::size_t open_ = 0;
};

struct Loop final : Waker {
    asio::io_context context{1};
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
    std::function<void()> on_wake;  // set before the loop runs
    void wake() override {
        asio::post(context, [this] { on_wake(); });
    }
};

class IoThread;

class Connection final : public std::enable_shared_from_this<Connection> {
public:
    Connection(IoThread& thread, std::uint64_t number, tcp::socket socket);

    // Writes what is ready and waits for what comes next. After everything that may have changed something.
    void advance();
    void tick();
    void close();
    Session& session() { return session_; }
    std::uint64_t number() const { return number_; }

    bool touched = false;  // is in its thread's list of those to advance

private:
    void read();
    void write();
    void await_input();
    void finish();
    bool discard(std::size_t bytes);

    IoThread& thread_;
    const std::uint64_t number_;
    tcp::socket socket_;
    Session session_;
    bool reading_ = false, writing_ = false, ended_ = false, closed_ = false;
    std::optional<SteadyTime> lingering_since_;
    std::size_t discarded_ = 0;
};

// One thread, its loop, and the connections that belong to it.
class IoThread {
public:
    IoThread(const ServerOptions& options, const SessionLimits& limits, const Router& router, HttpMetrics& metrics,
             std::shared_ptr<WorkerPool> workers, std::shared_ptr<BodyBudget> budget, OpenCount& open);

    void start();
    void adopt(tcp::socket socket);
    void remove(std::uint64_t number);
    // Brings what others put into the mailbox to its sessions.
    void deliver();
    void begin_round();  // when a socket has something; it ends by itself
    void begin_stop();
    void end();  // closes everything and joins
    SessionSurroundings& around() { return around_; }
    Loop& loop() { return *loop_; }
    void refresh_now() { around_.now = steady_now(); }
    std::span<char> scratch();  // kBodyPadding bytes more may be read behind it

private:
    void run();
    bool spin();
    void end_round();
    Connection* find(std::uint64_t number);
    void hand_over(Mailbox::Item& item);
    void schedule_tick();
    void tick();
    void refresh_date();

    const SessionLimits& limits_;
    OpenCount& open_;
    const std::function<void()> round_begins_;
    const std::function<void(const std::shared_ptr<Waker>&)> round_ends_;
    const std::chrono::microseconds spin_;
    bool in_round_ = false, ended_ = false;
    std::shared_ptr<Loop> loop_ = std::make_shared<Loop>();
    const std::shared_ptr<Waker> come_back_;  // what round_ends is given
    std::shared_ptr<Mailbox> mailbox_;
    SessionSurroundings around_;
    asio::steady_timer timer_;
    std::chrono::milliseconds tick_every_{};
    std::unique_ptr<char[]> scratch_;
    std::vector<std::shared_ptr<Connection>> connections_;  // by the lower half of their numbers
    std::vector<std::size_t> free_;
    std::size_t own_open_ = 0;  // connections of this thread
    std::uint64_t generation_ = 0;
    std::vector<Mailbox::Item> items_;
    std::vector<std::shared_ptr<Connection>> touched_;
    std::time_t date_of_ = 0;
    std::thread thread_;
};

}  // namespace nostro
