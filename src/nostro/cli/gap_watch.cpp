#include "nostro/cli/gap_watch.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>

#include "nostro/base/time.hpp"

namespace nostro::cli {
namespace {

constexpr std::chrono::milliseconds kSleep{1}, kWriteEvery{3};

std::vector<unsigned> cores_of_this_process() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<unsigned> cores;
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
    for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(core, &set)) cores.push_back(core);
    }
    return cores;
}

}  // namespace

GapWatch::GapWatch(const std::filesystem::path& folder) : disk_(folder) {
    const auto cores = cores_of_this_process();
    cores_.resize(cores.size());
    for (std::size_t i = 0; i < cores.size(); ++i) {
        threads_.emplace_back(
            [core = cores[i], into = &cores_[i]](const std::stop_token& stop) { watch(stop, core, *into); });
    }
    threads_.emplace_back([this](const std::stop_token& stop) { watch_disk(stop); });
}

void GapWatch::watch_disk(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const SteadyTime begun = steady_now();
        if (!disk_.write()) return;
        writes_.add(elapsed_since(begun));
        std::this_thread::sleep_for(kWriteEvery);
    }
}

void GapWatch::watch(const std::stop_token& stop, unsigned core, Core& into) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    static_cast<void>(::sched_setaffinity(0, sizeof set, &set));
    const sched_param lowest{::sched_get_priority_min(SCHED_FIFO)};
    into.real_time = ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &lowest) == 0;
    static_cast<void>(::prctl(PR_SET_TIMERSLACK, 1UL));
    while (!stop.stop_requested()) {
        const SteadyTime due = steady_now() + kSleep;
        std::this_thread::sleep_until(due);
        into.late.add(elapsed_since(due));
    }
}

GapWatch::Found GapWatch::end() {
    threads_.clear();
    Found found;
    found.writes = writes_;
    for (const Core& core : cores_) found.late.add(core.late);
    found.real_time = !cores_.empty() && std::ranges::all_of(cores_, &Core::real_time);
    return found;
}

}  // namespace nostro::cli
