#include "nostro/journal/disk_governor.hpp"

#include <algorithm>
#include <thread>

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kLookEvery{5};  // whether there is need of haste meanwhile
constexpr std::chrono::seconds kRateOver{1};

double seconds(SteadyTime::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

DiskGovernor::DiskGovernor()
    : DiskGovernor(Time{.now = steady_now, .sleep = [](auto time) { std::this_thread::sleep_for(time); }}) {}

void DiskGovernor::ended(std::size_t bytes) {
    const SteadyTime now = time_.now();
    ended_at_ = now;
    waited_ -= 1;
    frame_bytes_ += bytes;
    if (now - rate_since_.load() < kRateOver) return;
    const std::unique_lock lock(rate_mutex_, std::try_to_lock);
    const auto time = now - rate_since_.load();
    if (!lock || time < kRateOver) return;
    frame_rate_ = static_cast<double>(frame_bytes_.exchange(0)) / seconds(time);
    rate_since_ = now;
}

bool DiskGovernor::is_free(SteadyTime now, Lane lane) const {
    if (hurries_[static_cast<std::size_t>(lane)]) return true;
    return waited_ == 0 && now - ended_at_.load() > kUnusedAfter;
}

// A load that has just begun counts at once.
double DiskGovernor::rate(SteadyTime now, Lane lane) const {
    const double since = std::max(0.1, seconds(now - rate_since_.load()));
    const double frames = std::max(frame_rate_.load(), static_cast<double>(frame_bytes_.load()) / since);
    return std::max(kFrameRates * frames, lane == Lane::segment ? kSegmentRateMin : kOtherRateMin);
}

bool DiskGovernor::before(std::size_t bytes, Lane lane) {
    SteadyTime now = time_.now();
    if (is_free(now, lane)) return false;
    SteadyTime due;
    {
        const std::lock_guard lock(mutex_);
        SteadyTime& next = next_[static_cast<std::size_t>(lane)];
        due = std::max(next, now);
        const double time = static_cast<double>(bytes) / rate(now, lane);
        next = due + std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(time));
    }
    for (; now < due && !is_free(now, lane); now = time_.now()) {
        time_.sleep(std::min<std::chrono::nanoseconds>(due - now, kLookEvery));
    }
    return true;
}

}  // namespace nostro
