// When requests are due in an open loop: evenly, whatever the answers do. Latency counts from these times, so a server
// that stops for a second is charged with every request that was due in that second, not with one a connection.
#pragma once
#include <cstdint>

#include "nostro/base/time.hpp"

namespace nostro::cli {

class BenchSchedule {
public:
    // `payments_per_second` in requests of `batch` payments each; both are at least 1.
    BenchSchedule(SteadyTime start, std::uint64_t payments_per_second, std::uint64_t batch)
        : start_(start), per_second_(payments_per_second), batch_(batch) {}

    // Of the n-th request, from 0. Computed from n: rounding never adds up.
    SteadyTime due(std::uint64_t n) const {
        const auto ns = static_cast<unsigned __int128>(n) * batch_ * kSecond / per_second_;
        return start_ + std::chrono::nanoseconds(static_cast<std::int64_t>(ns));
    }
    // How many requests are due at `now` or before.
    std::uint64_t due_by(SteadyTime now) const {
        if (now < start_) return 0;
        const auto ns = static_cast<unsigned __int128>((now - start_).count());
        return static_cast<std::uint64_t>(ns * per_second_ / (static_cast<unsigned __int128>(batch_) * kSecond)) + 1;
    }

private:
    static constexpr std::uint64_t kSecond = 1'000'000'000;
    SteadyTime start_;
    std::uint64_t per_second_, batch_;
};

}  // namespace nostro::cli
