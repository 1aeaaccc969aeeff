// Memory for the texts of one request: a few blocks, given back at once.
//
// What alloc() and copy() return lives, unmoved, as long as the arena; clear() keeps the first block. One thread.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace nostro {

class Arena {
public:
    explicit Arena(std::size_t block_bytes = 4096) : block_bytes_(block_bytes) {}
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // Not zeroed.
    char* alloc(std::size_t bytes, std::size_t align = 1) {
        auto at = (used_ + align - 1) & ~(align - 1);
        if (blocks_.empty() || at + bytes > blocks_.back().bytes) {
            add_block(bytes);
            at = 0;
        }
        used_ = at + bytes;
        return blocks_.back().memory.get() + at;
    }

    std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        char* to = alloc(text.size());
        std::memcpy(to, text.data(), text.size());
        return {to, text.size()};
    }

    template <class Value>
        requires std::is_trivially_destructible_v<Value>
    std::span<Value> copy(std::span<const Value> values) {
        if (values.empty()) return {};
        char* to = alloc(values.size_bytes(), alignof(Value));
        std::uninitialized_copy(values.begin(), values.end(), reinterpret_cast<Value*>(to));
        return {reinterpret_cast<Value*>(to), values.size()};
    }

    void clear() {
        if (blocks_.size() > 1) blocks_.resize(1);
        used_ = 0;
    }

private:
    struct Block {
        std::unique_ptr<char[]> memory;
        std::size_t bytes;
    };

    void add_block(std::size_t bytes_min) {
        const std::size_t bytes = bytes_min > block_bytes_ ? bytes_min : block_bytes_;
        blocks_.push_back({std::make_unique_for_overwrite<char[]>(bytes), bytes});
        used_ = 0;
    }

    std::size_t block_bytes_, used_ = 0;
    std::vector<Block> blocks_;
};

}  // namespace nostro
