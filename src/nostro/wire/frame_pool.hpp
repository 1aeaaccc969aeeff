// Memory of frames that are gone, for those that come. Inner part of FrameBuilder.
//
// Threads: any. Lives as long as the builder or any of its frames.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "nostro/wire/frame.hpp"

namespace nostro {

class FramePool {
public:
    // Kept at most of large memory; more than are ever in flight. What is beyond is freed.
    static constexpr std::size_t kKeptMax = 16;
    // Up to here a frame has memory of about its own size. Thousands of them are kept for readers, and large memory for
    // each would be gigabytes that nobody touches.
    static constexpr std::size_t kSmallMax = 64 * 1024;

    struct Memory {
        AlignedBytes bytes;
        std::size_t capacity = 0;
    };
    // For a frame of `size` bytes at most kSmallMax.
    Memory take_small(std::size_t size) {
        const std::lock_guard lock(mutex_);
        auto& free = small_[size_class(size)];
        const std::size_t capacity = kFrameAlign << size_class(size);
        if (free.empty()) {
            slabs_.push_back(allocate_aligned(kSlabBytes));
            for (std::size_t at = 0; at < kSlabBytes; at += capacity) free.push_back(slabs_.back().get() + at);
        }
        Memory memory{AlignedBytes(free.back()), capacity};
        free.pop_back();
        return memory;
    }
    // Large; empty: there is none.
    Memory take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) return {};
        Memory memory = std::move(free_.back());
        free_.pop_back();
        return memory;
    }
    void give(Memory memory) {
        const std::lock_guard lock(mutex_);
        if (memory.capacity <= kSmallMax) {
            small_[size_class(memory.capacity)].push_back(memory.bytes.release());
        } else if (free_.size() < kKeptMax) {
            free_.push_back(std::move(memory));
        }
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
    static constexpr std::size_t kSlabBytes = 4 * kSmallMax, kClasses = 5;
    static std::size_t size_class(std::size_t size) {
        return static_cast<std::size_t>(std::bit_width((size - 1) / kFrameAlign));
    }
    static_assert(kFrameAlign << (kClasses - 1) == kSmallMax);

    std::mutex mutex_;
    std::vector<AlignedBytes> slabs_;  // cut into small memory, for good
    std::array<std::vector<std::byte*>, kClasses> small_;
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
