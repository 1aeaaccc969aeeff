// What a server says and shows of itself before and after a load: the times of its own stages, from /metrics, and the
// processor time of its processes, where they run on this machine.
//
// Threads: one owner.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/cli/client.hpp"

namespace nostro::cli {

// The samples of a Prometheus text by their name and labels, as they stand there.
class MetricsSample {
public:
    static MetricsSample parse(std::string_view text);
    // 0: there is none.
    double value(const std::string& series) const;
    // Upper bounds and what was counted up to each, of NAME_bucket{labels...}; labels as in `nostro_x{route="/y"}`.
    std::vector<std::pair<double, double>> buckets(std::string_view name, std::string_view labels) const;

private:
    std::map<std::string, double, std::less<>> values_;
};

// A histogram's growth between two samples. Quantiles are taken as evenly spread within their bucket.
struct StageTimes {
    std::string stage;
    std::uint64_t count = 0;
    std::chrono::nanoseconds mean{}, p50{}, p90{}, p99{}, p999{}, p100{};  // p100: its bucket's upper bound
};
std::optional<StageTimes> stage_between(const MetricsSample& before, const MetricsSample& after, std::string_view stage,
                                        std::string_view name, std::string_view labels);
// All stages of a payment that nostro tells of and that were gone through meanwhile, in their order.
std::vector<StageTimes> stages_between(const MetricsSample& before, const MetricsSample& after);

// Processor time of all processes on this machine that listen on a TCP port; nullopt: none of them may be looked at.
std::optional<std::chrono::nanoseconds> listener_cpu(std::uint16_t port);
// Of these the resident memory, and its greatest so far.
struct ListenerMemory {
    std::uint64_t resident_bytes = 0, peak_bytes = 0;
};
std::optional<ListenerMemory> listener_memory(std::uint16_t port);

}  // namespace nostro::cli
