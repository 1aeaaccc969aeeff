#include "nostro/http/worker_pool.hpp"

#include <exception>

#include "nostro/base/log.hpp"

namespace nostro {

WorkerPool::WorkerPool(unsigned threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(std::move_only_function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || waiting_.size() >= waiting_max_) return false;
        waiting_.push_back(std::move(work));
    }
    changed_.notify_one();
    return true;
}

void WorkerPool::stop() {
    std::deque<std::move_only_function<void()>> dropped;  // destroyed outside the lock
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        dropped.swap(waiting_);
    }
    changed_.notify_all();
    threads_.clear();
}

void WorkerPool::run() {
    for (;;) {
        std::move_only_function<void()> work;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            work = std::move(waiting_.front());
            waiting_.pop_front();
        }
        try {
            work();
        } catch (const std::exception& failure) {
            log_error("http_worker_failed", {{"what", failure.what()}});
        }
    }
}

}  // namespace nostro
