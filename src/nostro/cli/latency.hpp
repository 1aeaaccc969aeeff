// Latencies of many answers in fixed memory: buckets of at most 1/32 of their value, the worst one exact.
// Threads: one owner.
#pragma once
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace nostro::cli {

class Latencies {
public:
    void add(std::chrono::nanoseconds latency);
    void add(const Latencies& other);
    std::uint64_t count() const { return count_; }
    // Upper bound of the bucket in which the `per_million`-th answer stands; 1'000'000: the worst, exact.
    std::chrono::nanoseconds at(std::uint64_t per_million) const;
    std::chrono::nanoseconds p50() const { return at(500'000); }
    std::chrono::nanoseconds p90() const { return at(900'000); }
    std::chrono::nanoseconds p99() const { return at(990'000); }
    std::chrono::nanoseconds p999() const { return at(999'000); }
    std::chrono::nanoseconds p100() const { return worst_; }

private:
    static constexpr std::size_t kSteps = 32;
    static std::size_t bucket_of(std::uint64_t ns);
    static std::uint64_t end_of(std::size_t bucket);

    std::array<std::uint64_t, kSteps * 60> buckets_{};
    std::uint64_t count_ = 0;
    std::chrono::nanoseconds worst_{0};
};

}  // namespace nostro::cli
