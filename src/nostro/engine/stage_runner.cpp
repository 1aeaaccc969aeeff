#include "nostro/engine/stage_runner.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace nostro {
namespace {

constexpr int kNice = 10;
// Of who cannot take it back: half of what it takes to keep up with a full load is left beside busy cores, not a tenth.
constexpr int kNiceForGood = 3;
constexpr int kNiceMax = 19;
constexpr std::uint64_t kSliceNs = 100'000;
constexpr std::chrono::milliseconds kPaceEvery{20};

// struct sched_attr as Linux has it; glibc brings it only later.
struct SchedulerAttributes {
    std::uint32_t size = sizeof(SchedulerAttributes);
    std::uint32_t policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = kSliceNs, deadline = 0, period = 0;
};

int own_nice() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

// Of the calling thread: on Linux nice counts for one. A short slice (Linux 6.12 and later, else it is without effect)
// lets whoever answers run at once, and not when the usual 3 ms are over.
bool set_nice(int nice) {
    SchedulerAttributes attributes;
    attributes.nice = nice;
    if (::syscall(SYS_sched_setattr, 0, &attributes, 0u) == 0) return true;
    return ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice) == 0;
}

}  // namespace

StageRunner::StageRunner(Options options, Step step, std::function<void(const Error&)> failed)
    : options_(std::move(options)), step_(std::move(step)), failed_(std::move(failed)) {}

StageRunner::~StageRunner() { stop(); }

void StageRunner::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    pthread_setname_np(thread_.native_handle(), options_.name.substr(0, 15).c_str());
}

void StageRunner::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    signal_.notify();
    thread_.join();
}

// A tenth of a busy core is left, so nothing stands still. That nothing can be set changes speed alone.
void StageRunner::give_way(int nice) {
    if (for_good_ || nice == nice_) return;
    if (set_nice(std::min(own_ + nice, kNiceMax))) nice_ = nice;
}

void StageRunner::keep_pace() {
    if (!options_.behind) return;
    const SteadyTime now = steady_now();
    if (now < look_at_) return;
    look_at_ = now + kPaceEvery;
    const double much = (options_.behind() - kBehindLittle) / (kBehindMuch - kBehindLittle);
    give_way(static_cast<int>(std::lround(kNice * (1 - std::clamp(much, 0.0, 1.0)))));
}

void StageRunner::run(const std::stop_token& stop) {
    own_ = own_nice();
    if (options_.gives_way && options_.behind && set_nice(own_ + 1) && !set_nice(own_)) {
        give_way(kNiceForGood);
        for_good_ = true;
    }
    if (options_.gives_way) give_way(kNice);
    while (!stop.stop_requested()) {
        keep_pace();
        const auto done = step_();
        if (!done) return failed_(done.error());
        if (*done == 0) static_cast<void>(signal_.wait_for(options_.idle_max, options_.spin));
    }
}

}  // namespace nostro
