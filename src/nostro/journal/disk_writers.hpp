// A few threads that each do one durable write at a time, for PosixDisk.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "nostro/ports/disk.hpp"

namespace nostro {

class DiskWriters {
public:
    class Target {
    public:
        virtual ~Target() = default;
        // Returns when the bytes are durable. Empty: done; else what failed.
        virtual std::string write(std::uint64_t offset, std::span<const std::byte> block) = 0;
    };
    struct Write {
        std::shared_ptr<Target> target;
        std::uint64_t offset = 0;
        std::span<const std::byte> block;
        std::uint64_t tag = 0;
        std::shared_ptr<const void> owner;  // of the block's memory
    };
    explicit DiskWriters(std::size_t threads);
    ~DiskWriters();  // finishes what was started

    void start(Write write);
    void completed(std::vector<Disk::Completion>& into);
    // Returns when the one before is called no more: whoever it belonged to may go.
    void on_completion(std::function<void()> wake);

private:
    void work();

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Write> queue_;  // few: a vector that keeps its memory
    bool ending_ = false;

    std::mutex done_mutex_;
    std::vector<Disk::Completion> done_;
    std::function<void()> wake_;
    std::size_t waking_ = 0;  // threads inside wake_
    std::condition_variable woken_;

    std::vector<std::jthread> threads_;
};

}  // namespace nostro
