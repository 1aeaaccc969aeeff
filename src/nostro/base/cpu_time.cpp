#include "nostro/base/cpu_time.hpp"

#include <sys/resource.h>

namespace nostro {
namespace {

template <class Who>
std::chrono::nanoseconds used_by(Who who) {
    rusage usage{};
    (void)getrusage(who, &usage);
    const auto of = [](const timeval& time) {
        return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace

std::chrono::nanoseconds cpu_of_process() { return used_by(RUSAGE_SELF); }
std::chrono::nanoseconds cpu_of_thread() { return used_by(RUSAGE_THREAD); }

}  // namespace nostro
