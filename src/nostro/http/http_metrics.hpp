// What the HTTP server counts.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/http/router.hpp"

namespace nostro {

class HttpMetrics {
public:
    HttpMetrics(MetricsRegistry& registry, const Router& router);

    // One answered request; route nullptr: it had none (404, broken framing).
    void answered(const Router& router, const Route* route, std::uint16_t status, std::chrono::nanoseconds time);

    Counter& connections_total;
    Counter& connections_refused_total;  // above connections_max
    Gauge& connections;
    Gauge& streams;
    Counter& received_bytes_total;
    Counter& sent_bytes_total;
    Counter& timeouts_total;
    Counter& refused_heads_total;  // framing nobody may take

private:
    struct OfRoute {
        std::array<Counter*, 5> by_class;  // 1xx is never counted: 2xx..5xx at 1..4
        Histogram* seconds;
    };
    std::vector<OfRoute> routes_;  // the last one: no route
};

}  // namespace nostro
