// The fence of a file in pages: eight bytes of the first key of each page, in order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace nostro {

inline std::uint64_t fence_at(std::span<const std::byte> fence, std::uint64_t page) {
    std::uint64_t head = 0;
    std::memcpy(&head, fence.data() + page * sizeof head, sizeof head);
    return head;
}

// How many pages begin with `head` or before it.
inline std::uint64_t pages_up_to(std::span<const std::byte> fence, std::uint64_t head) {
    std::uint64_t low = 0, high = fence.size() / sizeof head;
    while (low < high) {
        const std::uint64_t middle = (low + high) / 2;
        if (fence_at(fence, middle) <= head) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

}  // namespace nostro
