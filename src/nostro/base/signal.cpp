#include "nostro/base/signal.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace nostro {
namespace {

// A bare futex and not a condition variable: notify() then takes no lock, and nothing is destroyed under a waker.
std::uint32_t* word_of(std::atomic<std::uint32_t>& state) {
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
    static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
    return reinterpret_cast<std::uint32_t*>(&state);
}

// Returns at the latest at the deadline; may return early.
void sleep_while(std::atomic<std::uint32_t>& state, std::uint32_t value, Signal::Deadline deadline) {
    const auto since_boot = std::max(deadline.time_since_epoch(), Signal::Deadline::duration::zero());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
    const timespec at{static_cast<time_t>(seconds.count()), static_cast<long>((since_boot - seconds).count())};
    // The bitset form takes an absolute time on the monotonic clock, which is what steady_clock reads.
    ::syscall(SYS_futex, word_of(state), FUTEX_WAIT_BITSET_PRIVATE, value, &at, nullptr, FUTEX_BITSET_MATCH_ANY);
}

void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

void Signal::notify() noexcept {
    if (state_.exchange(notified, std::memory_order_acq_rel) == sleeping) {
        ::syscall(SYS_futex, word_of(state_), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
}

bool Signal::try_take() noexcept {
    // Looked at before it is written: a spinning waiter leaves the line to the notifiers.
    if (state_.load(std::memory_order_relaxed) != notified) return false;
    std::uint32_t expected = notified;
    return state_.compare_exchange_strong(expected, idle, std::memory_order_acq_rel, std::memory_order_relaxed);
}

bool Signal::wait_until(Deadline deadline, std::chrono::nanoseconds spin) noexcept {
    if (try_take()) return true;
    if (spin.count() > 0) {
        const Deadline spin_end = std::min(deadline, std::chrono::steady_clock::now() + spin);
        do {
            for (int i = 0; i < 32; ++i) relax();
            if (try_take()) return true;
        } while (std::chrono::steady_clock::now() < spin_end);
    }
    for (;;) {
        std::uint32_t expected = idle;
        if (!state_.compare_exchange_strong(expected, sleeping, std::memory_order_acq_rel) && try_take()) return true;
        if (std::chrono::steady_clock::now() >= deadline) break;
        sleep_while(state_, sleeping, deadline);
        if (try_take()) return true;
    }
    std::uint32_t expected = sleeping;
    if (state_.compare_exchange_strong(expected, idle, std::memory_order_acq_rel)) return false;
    return try_take();  // notified between the last look at the clock and here
}

}  // namespace nostro
