// http_requests_total{method,endpoint,http_status} and http_request_duration_seconds{method,endpoint}, as dashboards of
// the published systems read them: every answer is counted, refusals too. An endpoint is a route's template; all paths
// that no route has are one, so labels are bounded. A series appears with its first answer.
//
// Threads: any.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/http/router.hpp"

namespace nostro {

class RequestMetrics {
public:
    // Registry and router outlive this.
    RequestMetrics(MetricsRegistry& registry, const Router& router);

    // `path`: Router::Found's. `method` nullopt: none that is known.
    void answered(std::size_t path, std::optional<Method> method, std::uint16_t status, std::chrono::nanoseconds time);

private:
    static constexpr std::size_t kMethods = 8;    // the last one: none that is known
    static constexpr std::size_t kStatuses = 26;  // the last one: all others

    struct Series {
        std::array<std::atomic<Counter*>, kStatuses> by_status{};
        std::atomic<BoundedHistogram*> seconds{};
    };
    Counter& add_counter(std::size_t row, std::size_t status);
    BoundedHistogram& add_histogram(std::size_t row);
    MetricLabels labels_of(std::size_t row) const;

    MetricsRegistry& registry_;
    const Router& router_;
    std::mutex adding_;
    std::vector<Series> rows_;  // by path and method; the last path: none
};

}  // namespace nostro
