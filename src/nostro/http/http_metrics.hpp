// What the HTTP server counts.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/http/request_metrics.hpp"
#include "nostro/http/router.hpp"

namespace nostro {

class HttpMetrics {
public:
    // `by_endpoint`: request_metrics.hpp's names too. Router and registry outlive this.
    HttpMetrics(MetricsRegistry& registry, const Router& router, bool by_endpoint = false);

    struct Answered {
        const Route* route = nullptr;        // nullptr: it had none (404, broken framing)
        std::size_t path = Router::kNoPath;  // Router::Found::path
        std::optional<Method> method;        // nullopt: none that is known
        std::uint16_t status = 200;
        std::chrono::nanoseconds time{};
    };
    void answered(const Router& router, const Answered& request);

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
    std::unique_ptr<RequestMetrics> by_endpoint_;
};

}  // namespace nostro
