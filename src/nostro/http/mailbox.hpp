// What other threads have for the sessions of one I/O thread: replies, parts of streams. Many come with one wake.
#pragma once
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "nostro/base/waker.hpp"
#include "nostro/http/session.hpp"
#include "nostro/http/worker_pool.hpp"

namespace nostro {

// Threads: any; take() and owned_by_this_thread() belong to the I/O thread, which looks into the mailbox after each
// thing it does, so that what it puts in itself needs no wake.
class Mailbox final : public SessionSink {
public:
    struct Item {
        enum class Kind : std::uint8_t { reply, woken, part } kind = Kind::reply;
        BodyStream::State state = BodyStream::State::wait;
        std::uint64_t connection = 0, request = 0;
        Render render;
        std::string part;
    };

    // `waker` makes the I/O thread call take().
    Mailbox(std::shared_ptr<Waker> waker, std::shared_ptr<WorkerPool> workers)
        : workers_(std::move(workers)), waker_(std::move(waker)) {}

    void reply(std::uint64_t connection, std::uint64_t request, Render render) override;
    bool on_worker(std::move_only_function<void()> work) override { return workers_->submit(std::move(work)); }
    void stream_woken(std::uint64_t connection, std::uint64_t request) override;
    void stream_part(std::uint64_t connection, std::uint64_t request, BodyStream::State state,
                     std::string part) override;

    void owned_by_this_thread();
    // Everything that is there, in its order. `into` is empty; its memory is used again.
    void take(std::vector<Item>& into);
    // Whatever comes later is dropped.
    void close();

private:
    void push(Item item);

    const std::shared_ptr<WorkerPool> workers_;
    std::mutex mutex_;
    std::shared_ptr<Waker> waker_;  // nullptr: closed
    std::thread::id owner_;
    std::vector<Item> items_;
    bool woken_ = false;  // a wake is on its way
};

}  // namespace nostro
