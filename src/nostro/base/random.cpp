#include "nostro/base/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstddef>

namespace nostro {

std::uint64_t random_u64() {
    std::uint64_t value = 0;
    ssize_t got = -1;
    // Up to 256 bytes are never cut short, but the wait for the first seed at boot can be interrupted.
    do {
        got = ::getrandom(&value, sizeof value, 0);
    } while (got < 0 && errno == EINTR);
    NOSTRO_ASSERT(got == static_cast<ssize_t>(sizeof value), "the system gives no random numbers");
    return value;
}

}  // namespace nostro
