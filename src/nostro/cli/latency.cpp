#include "nostro/cli/latency.hpp"

#include <algorithm>

namespace nostro::cli {

// Values below kSteps have a bucket each; above, each power of two is divided into kSteps.
std::size_t Latencies::bucket_of(std::uint64_t ns) {
    if (ns < kSteps) return static_cast<std::size_t>(ns);
    const auto power = static_cast<std::size_t>(std::bit_width(ns)) - 6;
    return (power + 1) * kSteps + static_cast<std::size_t>((ns >> power) & (kSteps - 1));
}

std::uint64_t Latencies::end_of(std::size_t bucket) {
    if (bucket < kSteps) return bucket;
    const std::size_t power = bucket / kSteps - 1;
    const std::uint64_t step = kSteps + bucket % kSteps;
    return ((step + 1) << power) - 1;
}

void Latencies::add(std::chrono::nanoseconds latency) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count()));
    ++buckets_[std::min(bucket_of(ns), buckets_.size() - 1)];
    ++count_;
    worst_ = std::max(worst_, latency);
}

void Latencies::add(const Latencies& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    worst_ = std::max(worst_, other.worst_);
}

std::chrono::nanoseconds Latencies::at(std::uint64_t per_million) const {
    if (per_million >= 1'000'000 || count_ == 0) return worst_;
    const auto wanted = static_cast<std::uint64_t>(static_cast<unsigned __int128>(count_) * per_million / 1'000'000);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen > wanted) return std::min(worst_, std::chrono::nanoseconds(end_of(i)));
    }
    return worst_;
}

}  // namespace nostro::cli
