// Asks for memory ahead of its use.
//
// Cost: nothing is waited for, but a page that the processor has no translation of is looked up. Never fails, whatever
// the address. Threads: any.
#pragma once
#include <cstddef>

namespace nostro {

inline void prefetch(const void* at) {
    __builtin_prefetch(at);
    // To g++ a function that does nothing but prefetch has no effect, and calls of it are dropped. This is one.
    __asm__ volatile("" : : "r"(at));
}

inline void prefetch_lines(const void* at, std::size_t bytes) {
    const auto* line = static_cast<const char*>(at);
    for (std::size_t i = 0; i < bytes; i += 64) prefetch(line + i);
}

}  // namespace nostro
