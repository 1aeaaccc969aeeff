#include "nostro/http/request_metrics.hpp"

#include <algorithm>
#include <string>

namespace nostro {
namespace {

constexpr std::array<std::uint16_t, 25> kKnownStatuses{200, 201, 202, 204, 304, 307, 400, 401, 403, 404, 405, 408, 409,
                                                       410, 411, 413, 414, 415, 417, 421, 422, 431, 500, 501, 503};

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::array<std::uint64_t, 14> kBounds{
    5 * kMillisecond,    10 * kMillisecond,   25 * kMillisecond,   50 * kMillisecond,    75 * kMillisecond,
    100 * kMillisecond,  250 * kMillisecond,  500 * kMillisecond,  750 * kMillisecond,   1000 * kMillisecond,
    2500 * kMillisecond, 5000 * kMillisecond, 7500 * kMillisecond, 10'000 * kMillisecond};

}  // namespace

RequestMetrics::RequestMetrics(MetricsRegistry& registry, const Router& router)
    : registry_(registry), router_(router), rows_((router.paths().size() + 1) * kMethods) {}

MetricLabels RequestMetrics::labels_of(std::size_t row) const {
    const std::size_t path = row / kMethods, method = row % kMethods;
    return {{"method", method + 1 == kMethods ? "other" : std::string(name(static_cast<Method>(method)))},
            {"endpoint", path == router_.paths().size() ? "unknown" : std::string(router_.paths()[path])}};
}

Counter& RequestMetrics::add_counter(std::size_t row, std::size_t status) {
    const std::lock_guard lock(adding_);
    auto& place = rows_[row].by_status[status];
    if (Counter* known = place.load(std::memory_order_acquire)) return *known;
    MetricLabels labels = labels_of(row);
    const bool is_known = status < kKnownStatuses.size();
    labels.emplace_back("http_status", is_known ? std::to_string(kKnownStatuses[status]) : "other");
    Counter& added = registry_.counter("http_requests_total", "Total HTTP requests.", labels);
    place.store(&added, std::memory_order_release);
    return added;
}

BoundedHistogram& RequestMetrics::add_histogram(std::size_t row) {
    const std::lock_guard lock(adding_);
    auto& place = rows_[row].seconds;
    if (BoundedHistogram* known = place.load(std::memory_order_acquire)) return *known;
    BoundedHistogram& added = registry_.bounded_histogram("http_request_duration_seconds",
                                                          "Time that HTTP requests took.", kBounds, 9, labels_of(row));
    place.store(&added, std::memory_order_release);
    return added;
}

void RequestMetrics::answered(std::size_t path, std::optional<Method> method, std::uint16_t status,
                              std::chrono::nanoseconds time) {
    const std::size_t of_method = method ? static_cast<std::size_t>(*method) : kMethods - 1;
    const std::size_t row = std::min(path, router_.paths().size()) * kMethods + of_method;
    const auto known = std::ranges::lower_bound(kKnownStatuses, status);
    const bool is_known = known != kKnownStatuses.end() && *known == status;
    const std::size_t of_status =
        is_known ? static_cast<std::size_t>(known - kKnownStatuses.begin()) : kKnownStatuses.size();
    Counter* counter = rows_[row].by_status[of_status].load(std::memory_order_acquire);
    (counter != nullptr ? *counter : add_counter(row, of_status)).add();
    BoundedHistogram* seconds = rows_[row].seconds.load(std::memory_order_acquire);
    (seconds != nullptr ? *seconds : add_histogram(row))
        .record(static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
}

}  // namespace nostro
