// Wakes one waiting thread: settlement, when producers or write completions have something for it.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>

namespace nostro {

// Remembers one notification, however many were given, so none is lost between looking for work and waiting:
//
//     producer: queue.try_push(...); signal.notify();
//     consumer: for (;;) { work_through(queue); signal.wait_until(deadline); }
//
// Threads: notify() from any; waiting is for one thread. What was written before notify() is seen after the wait.
// Cost:    notify() is one atomic exchange unless the other side sleeps, then a futex call. Waking a sleeper takes
//          tens of microseconds, which is what `spin` saves where answers must be quick. Do not spin on every core.
class Signal {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    Signal() = default;
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    void notify() noexcept;

    // True: notified, now or since the last wait. False: the deadline has passed.
    bool wait_until(Deadline deadline, std::chrono::nanoseconds spin = std::chrono::nanoseconds{0}) noexcept;
    bool wait_for(std::chrono::nanoseconds time, std::chrono::nanoseconds spin = std::chrono::nanoseconds{0}) noexcept {
        return wait_until(std::chrono::steady_clock::now() + time, spin);
    }

    // Takes a notification that is there, without waiting.
    bool try_take() noexcept;

private:
    enum State : std::uint32_t { idle, notified, sleeping };

    std::atomic<std::uint32_t> state_{idle};
};

}  // namespace nostro
