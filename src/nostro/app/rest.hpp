// When a program rests: time to give back what a load has left behind.
//
// What was freed stays with the allocator, and pages of files that were asked stay mapped: hundreds of MiB after a
// large load. Giving them back costs milliseconds, and once more when the next load takes them, so it is done at rest
// alone.
#pragma once
#include <chrono>
#include <optional>

#include "nostro/base/time.hpp"

namespace nostro {

class Rest {
public:
    static constexpr std::chrono::milliseconds kWindow{1'000};
    static constexpr int kQuietPercent = 4;                  // of one processor, over a window
    static constexpr std::chrono::milliseconds kWorth{100};  // of processor time, in windows that were not quiet

    // To be told now and then how much processor time the process has used. True, once: it has done something worth it
    // and rests now.
    bool begins(SteadyTime now, std::chrono::nanoseconds cpu);

private:
    std::optional<SteadyTime> since_;
    std::chrono::nanoseconds cpu_{};   // at the begin of the window
    std::chrono::nanoseconds done_{};  // since it rested last
};

// Both where the C library is glibc; without effect elsewhere.
//
// To be called before there are threads: a large block goes back to the system when it is freed, and of each thread's
// memory 16 MiB at most stay behind its end. glibc would raise both bounds to 32 and 64 MiB by itself.
void keep_little_freed();
// What else was freed goes back.
void give_back_freed();

}  // namespace nostro
