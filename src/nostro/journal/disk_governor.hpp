// Lets what is written behind the scenes give way to durable writes: of frames, and of the few small things beside
// them.
//
// A disk serves what it was given in that order: tens of MiB that a fold or a merge hands over at once stand in front
// of the next frame. So such bytes are written in small pieces, each on disk before the next, and no faster than they
// have to be: some times as fast as frames are written, which is more than all that is made from them takes. While
// nobody waits for the disk there is no limit.
//
// Threads: any.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

#include "nostro/base/time.hpp"

namespace nostro {

class DiskGovernor {
public:
    // Whose bytes: a segment that the journal will need soon stands in nobody's queue.
    enum class Lane : std::uint8_t { segment, other };
    static constexpr std::size_t kPieceBytes = 256u << 10;
    static constexpr double kFrameRates = 4;             // so many times what frames take...
    static constexpr double kSegmentRateMin = 64 << 20;  // ...and at least so many bytes a second
    static constexpr double kOtherRateMin = 24 << 20;
    static constexpr std::chrono::milliseconds kUnusedAfter{50};  // without a write that somebody waits for

    struct Time {
        std::function<SteadyTime()> now;
        std::function<void(std::chrono::nanoseconds)> sleep;
    };
    DiskGovernor();  // the system's
    explicit DiskGovernor(Time time) : time_(std::move(time)) {}

    // Around each write that somebody waits for; `bytes` of those that it made durable.
    void began() { waited_ += 1; }
    void ended(std::size_t bytes);
    // Returns when so many further bytes may be written. False: there is no limit at present.
    bool before(std::size_t bytes, Lane lane);
    // Somebody will be refused if that lane goes on slowly: the journal has no segment left but the one that is being
    // made, or the fold is so far behind that keys may find no room. It is held up no longer.
    void hurry(Lane lane, bool hurries) { hurries_[static_cast<std::size_t>(lane)] = hurries; }

private:
    bool is_free(SteadyTime now, Lane lane) const;
    double rate(SteadyTime now, Lane lane) const;  // bytes a second

    const Time time_;
    std::array<std::atomic<bool>, 2> hurries_{};
    std::atomic<std::size_t> waited_{0};  // under way
    std::atomic<SteadyTime> ended_at_{SteadyTime{}};
    std::atomic<double> frame_rate_{0};          // of the second before rate_since_
    std::atomic<std::uint64_t> frame_bytes_{0};  // since then
    std::atomic<SteadyTime> rate_since_{SteadyTime{}};
    std::mutex rate_mutex_;  // who ends a write tries it; nobody waits
    std::mutex mutex_;
    std::array<SteadyTime, 2> next_{};  // mutex_; when a lane's next piece is due
};

}  // namespace nostro
