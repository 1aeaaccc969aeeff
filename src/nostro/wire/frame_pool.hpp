// Memory of frames that are gone, for those that come. Inner part of FrameBuilder.
//
// Threads: any. Lives as long as the builder or any of its frames.
#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "nostro/wire/frame.hpp"

namespace nostro {

class FramePool {
public:
    // Kept at most; more than are ever in flight. What is beyond is freed.
    static constexpr std::size_t kKeptMax = 16;

    struct Memory {
        AlignedBytes bytes;
        std::size_t capacity = 0;
    };
    // Empty: there is none.
    Memory take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) return {};
        Memory memory = std::move(free_.back());
        free_.pop_back();
        return memory;
    }
    void give(Memory memory) {
        const std::lock_guard lock(mutex_);
        if (free_.size() < kKeptMax) free_.push_back(std::move(memory));
    }

    // Small blocks of one size: the frame object with its reference count.
    void* take_block(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        if (blocks_.empty() || block_bytes_ != bytes) return ::operator new(bytes);
        void* block = blocks_.back();
        blocks_.pop_back();
        return block;
    }
    void give_block(void* block, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        if (block_bytes_ == 0) block_bytes_ = bytes;
        if (block_bytes_ == bytes && blocks_.size() < kKeptMax) {
            blocks_.push_back(block);
        } else {
            ::operator delete(block, bytes);
        }
    }

    FramePool() {
        free_.reserve(kKeptMax);
        blocks_.reserve(kKeptMax);
    }
    ~FramePool() {
        for (void* block : blocks_) ::operator delete(block, block_bytes_);
    }
    FramePool(const FramePool&) = delete;
    FramePool& operator=(const FramePool&) = delete;

private:
    std::mutex mutex_;
    std::vector<Memory> free_;
    std::vector<void*> blocks_;
    std::size_t block_bytes_ = 0;
};

// For std::allocate_shared: one block holds the frame and its count, and goes back to the pool.
template <class Value>
struct FramePoolAllocator {
    using value_type = Value;
    std::shared_ptr<FramePool> pool;

    explicit FramePoolAllocator(std::shared_ptr<FramePool> of) : pool(std::move(of)) {}
    template <class Other>
    FramePoolAllocator(const FramePoolAllocator<Other>& other) : pool(other.pool) {}
    Value* allocate(std::size_t count) { return static_cast<Value*>(pool->take_block(count * sizeof(Value))); }
    void deallocate(Value* block, std::size_t count) { pool->give_block(block, count * sizeof(Value)); }
    template <class Other>
    friend bool operator==(const FramePoolAllocator& a, const FramePoolAllocator<Other>& b) {
        return a.pool == b.pool;
    }
};

}  // namespace nostro
