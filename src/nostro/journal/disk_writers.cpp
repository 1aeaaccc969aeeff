#include "nostro/journal/disk_writers.hpp"

#include <iterator>
#include <utility>

namespace nostro {

DiskWriters::DiskWriters(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

DiskWriters::~DiskWriters() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    arrived_.notify_all();
    threads_.clear();
}

void DiskWriters::start(Write write) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(write));
    }
    arrived_.notify_one();
}

void DiskWriters::completed(std::vector<Disk::Completion>& into) {
    const std::lock_guard lock(done_mutex_);
    into.insert(into.end(), std::make_move_iterator(done_.begin()), std::make_move_iterator(done_.end()));
    done_.clear();
}

void DiskWriters::on_completion(std::function<void()> wake) {
    std::unique_lock lock(done_mutex_);
    woken_.wait(lock, [this] { return waking_ == 0; });
    wake_ = std::move(wake);
}

void DiskWriters::work() {
    for (;;) {
        Write write;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [this] { return ending_ || !queue_.empty(); });
            if (queue_.empty()) return;
            write = std::move(queue_.front());
            queue_.erase(queue_.begin());
        }
        std::string failed = write.target->write(write.offset, write.block);
        const bool ok = failed.empty();
        {
            const std::lock_guard lock(done_mutex_);
            done_.push_back({write.tag, ok, std::move(failed)});
            if (!wake_) continue;
            ++waking_;
        }
        wake_();  // stays as it is while somebody is inside
        {
            const std::lock_guard lock(done_mutex_);
            --waking_;
        }
        woken_.notify_all();
    }
}

}  // namespace nostro
