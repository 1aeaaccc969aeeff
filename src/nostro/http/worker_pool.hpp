// Threads for work that may wait for a disk, so that the threads which read sockets never do.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nostro {

// Threads: submit from any. Bounded: when `waiting_max` wait, submit says false and keeps nothing.
class WorkerPool {
public:
    WorkerPool(unsigned threads, std::size_t waiting_max);
    ~WorkerPool();  // as stop()
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    bool submit(std::move_only_function<void()> work);
    // Finishes what runs, drops what waits.
    void stop();

private:
    void run();

    const std::size_t waiting_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::move_only_function<void()>> waiting_;
    bool stopping_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace nostro
