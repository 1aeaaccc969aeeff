#include "nostro/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace nostro {
namespace {

thread_local void (*last_words_of_thread)(void* context) noexcept = nullptr;
thread_local void* last_words_context = nullptr;

}  // namespace

void on_broken_invariant(void (*last_words)(void* context) noexcept, void* context) noexcept {
    last_words_of_thread = last_words;
    last_words_context = context;
}

void assertion_failed(const char* condition, const char* what, const char* file, int line) noexcept {
    // stderr is unbuffered, and the log may be what broke.
    std::fprintf(stderr, "nostro: broken invariant: %s (%s) at %s:%d\n", what, condition, file, line);
    // Taken out first: last words that break an invariant themselves get no second turn.
    auto* const last_words = last_words_of_thread;
    last_words_of_thread = nullptr;
    if (last_words != nullptr) last_words(last_words_context);
    std::abort();
}

}  // namespace nostro
