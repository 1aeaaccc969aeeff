// Lets a reader wait, without a thread of its own, until the index has read what it was told of.
//
// Threads: any. Callbacks run on the thread that calls reached() or expire(), outside the lock.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/time.hpp"

namespace nostro {

class Freshness {
public:
    static constexpr std::size_t kWaitingMax = 10'000;  // more are not made to wait

    // At once when `seq` was reached already.
    void when(Seq seq, SteadyTime deadline, std::function<void()> then);
    void reached(Seq seq);
    void expire(SteadyTime now);
    void expire_all();  // from now on nobody waits
    std::size_t waiting() const;

private:
    struct Waiter {
        SteadyTime deadline;
        std::function<void()> then;
    };

    mutable std::mutex mutex_;
    Seq reached_ = 0;
    bool ended_ = false;
    std::multimap<Seq, Waiter> waiting_;
};

}  // namespace nostro
