#include "nostro/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace nostro {

void assertion_failed(const char* condition, const char* what, const char* file, int line) noexcept {
    // stderr is unbuffered, and the log may be what broke.
    std::fprintf(stderr, "nostro: broken invariant: %s (%s) at %s:%d\n", what, condition, file, line);
    std::abort();
}

}  // namespace nostro
