// Memory of frames that are gone, for those that come. Inner part of FrameBuilder.
//
// Threads: any. Lives as long as the builder or any of its frames.
#pragma once
#include <algorithm>
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
    // Up to here memory is cut from slabs, for good; what is larger is kept up to kKeptBytes, the rest is freed.
    static constexpr std::size_t kSmallMax = 64 * 1024;
    static constexpr std::size_t kKeptBytes = 8u << 20;  // a few frames of a full load

    struct Memory {
        AlignedBytes bytes;
        std::size_t capacity = 0;
    };
    // For a frame of `size` bytes, and not much more: thousands of them are kept for readers.
    Memory take(std::size_t size) { return size <= kSmallMax ? take_small(size) : take_large(size); }
    void give(Memory memory) {
        if (memory.capacity > kSmallMax) return give_large(std::move(memory));
        const std::lock_guard lock(mutex_);
        small_[size_class(memory.capacity)].push_back(memory.bytes.release());
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
        if (block_bytes_ == bytes && blocks_.size() < kBlocksKept) {
            blocks_.push_back(block);
        } else {
            ::operator delete(block, bytes);
        }
    }

    FramePool() { blocks_.reserve(kBlocksKept); }
    ~FramePool() {
        for (void* block : blocks_) ::operator delete(block, block_bytes_);
    }
    FramePool(const FramePool&) = delete;
    FramePool& operator=(const FramePool&) = delete;

private:
    static constexpr std::size_t kSlabBytes = 4 * kSmallMax, kClasses = 5, kBlocksKept = 16;
    static std::size_t size_class(std::size_t size) {
        return static_cast<std::size_t>(std::bit_width((size - 1) / kFrameAlign));
    }
    static_assert(kFrameAlign << (kClasses - 1) == kSmallMax);

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
    // What was given back last and fits without a quarter too much; its pages are there already.
    Memory take_large(std::size_t size) {
        const std::size_t step = std::bit_floor(size) / 4;
        const std::size_t capacity = (size + step - 1) / step * step;
        {
            const std::lock_guard lock(mutex_);
            const auto fits = [&](const Memory& each) { return each.capacity == capacity; };
            if (const auto found = std::ranges::find_if(large_, fits); found != large_.end()) {
                Memory memory = std::move(*found);
                large_.erase(found);
                kept_bytes_ -= capacity;
                return memory;
            }
        }
        return {allocate_aligned(capacity), capacity};
    }
    // Newest first; the oldest go where there are too many.
    void give_large(Memory memory) {
        std::vector<Memory> freed;  // outside the lock
        const std::lock_guard lock(mutex_);
        kept_bytes_ += memory.capacity;
        large_.insert(large_.begin(), std::move(memory));
        for (; kept_bytes_ > kKeptBytes && large_.size() > 1; large_.pop_back()) {
            kept_bytes_ -= large_.back().capacity;
            freed.push_back(std::move(large_.back()));
        }
    }

    std::mutex mutex_;
    std::vector<AlignedBytes> slabs_;  // cut into small memory, for good
    std::array<std::vector<std::byte*>, kClasses> small_;
    std::vector<Memory> large_;  // few
    std::size_t kept_bytes_ = 0;
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
