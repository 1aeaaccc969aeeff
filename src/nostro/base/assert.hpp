// NOSTRO_ASSERT(condition, "what"): a broken invariant of ours stops the process, in release builds too.
//
// Never for anything that a user, a file or the network sent: that is a Result.
#pragma once

namespace nostro {

// Prints one line to standard error and aborts. Allocates nothing, so it works in any state.
[[noreturn]] void assertion_failed(const char* condition, const char* what, const char* file, int line) noexcept;

// What the calling thread still does, once, when an invariant breaks on it: a last chance to write down what it was
// working on. nullptr: nothing.
void on_broken_invariant(void (*last_words)(void* context) noexcept, void* context) noexcept;

}  // namespace nostro

#define NOSTRO_ASSERT(condition, what) \
    (static_cast<bool>(condition) ? void(0) : ::nostro::assertion_failed(#condition, what, __FILE__, __LINE__))
