// Memory for the texts of one request: its own few hundred bytes, and blocks, given back at once.
//
// What alloc() and copy() return lives, unmoved, as long as the arena; clear() keeps the first block. One thread.
#pragma once
#include <array>
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
        if (at + bytes > room_) {
            add_block(bytes);
            at = 0;
        }
        used_ = at + bytes;
        return memory_ + at;
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
        used_ = 0;
        if (blocks_.empty()) return;
        blocks_.resize(1);
        go_on_in(blocks_.front());
    }

private:
    struct Block {
        std::unique_ptr<char[]> memory;
        std::size_t bytes;
    };

    void add_block(std::size_t bytes_min) {
        const std::size_t bytes = bytes_min > block_bytes_ ? bytes_min : block_bytes_;
        blocks_.push_back({std::make_unique_for_overwrite<char[]>(bytes), bytes});
        go_on_in(blocks_.back());
    }
    void go_on_in(const Block& block) {
        memory_ = block.memory.get();
        room_ = block.bytes;
    }

    alignas(std::max_align_t) std::array<char, 512> own_;  // enough for one payment; not zeroed
    char* memory_ = own_.data();
    std::size_t room_ = own_.size();
    std::size_t block_bytes_, used_ = 0;
    std::vector<Block> blocks_;
};

}  // namespace nostro
