#include "nostro/app/rest.hpp"

#include <malloc.h>

namespace nostro {
namespace {

constexpr int kLargeBlock = 4 << 20, kFreedKept = 16 << 20;  // bytes

}  // namespace

bool Rest::begins(SteadyTime now, std::chrono::nanoseconds cpu) {
    if (!since_) since_ = now;
    const auto window = now - *since_;
    if (window < kWindow) return false;
    const auto used = cpu - cpu_;
    since_ = now;
    cpu_ = cpu;
    if (used * 100 > window * kQuietPercent) {
        done_ += used;
        return false;
    }
    if (done_ < kWorth) return false;
    done_ = {};
    return true;
}

void keep_little_freed() {
#ifdef __GLIBC__
    // Setting one of them alone leaves the other at 128 KiB, and each block above that costs page faults.
    (void)mallopt(M_MMAP_THRESHOLD, kLargeBlock);  // NOLINT(concurrency-mt-unsafe): there is one thread
    (void)mallopt(M_TRIM_THRESHOLD, kFreedKept);   // NOLINT(concurrency-mt-unsafe)
#endif
}

void give_back_freed() {
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

}  // namespace nostro
