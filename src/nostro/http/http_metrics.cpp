#include "nostro/http/http_metrics.hpp"

#include <algorithm>
#include <string>

namespace nostro {

HttpMetrics::HttpMetrics(MetricsRegistry& registry, const Router& router, bool by_endpoint)
    : connections_total(registry.counter("nostro_http_connections_total", "Connections taken.")),
      connections_refused_total(
          registry.counter("nostro_http_connections_refused_total", "Connections turned away: too many were open.")),
      connections(registry.gauge("nostro_http_connections", "Connections open now.")),
      streams(registry.gauge("nostro_http_streams", "Answers being streamed now.")),
      received_bytes_total(registry.counter("nostro_http_received_bytes_total", "Bytes read from clients.")),
      sent_bytes_total(registry.counter("nostro_http_sent_bytes_total", "Bytes written to clients.")),
      timeouts_total(registry.counter("nostro_http_timeouts_total",
                                      "Connections closed because a client was too slow, or idle for too long.")),
      refused_heads_total(registry.counter("nostro_http_refused_messages_total",
                                           "Messages refused because their framing was wrong or ambiguous.")) {
    const auto add = [&](std::string_view method, std::string_view path) {
        const MetricLabels labels{{"method", std::string(method)}, {"route", std::string(path)}};
        OfRoute of_route{};
        for (std::size_t i = 1; i < of_route.by_class.size(); ++i) {
            MetricLabels with_status = labels;
            with_status.emplace_back("status", std::to_string(i + 1) + "xx");
            of_route.by_class[i] = &registry.counter("nostro_http_requests_total", "Requests answered.", with_status);
        }
        of_route.seconds = &registry.histogram("nostro_http_request_seconds",
                                               "From the last byte of a request to its answer on the way out.",
                                               Unit::nanoseconds, labels);
        routes_.push_back(of_route);
    };
    for (const Route& route : router.routes()) add(name(route.method), route.path);
    add("", "");
    if (by_endpoint) by_endpoint_ = std::make_unique<RequestMetrics>(registry, router);
}

void HttpMetrics::answered(const Router& router, const Answered& request) {
    const OfRoute& of_route = request.route == nullptr ? routes_.back() : routes_[router.number(*request.route)];
    const std::size_t status_class = std::clamp<std::size_t>(request.status / 100u, 2, 5) - 1;
    of_route.by_class[status_class]->add();
    of_route.seconds->record(request.time);
    if (by_endpoint_ != nullptr) by_endpoint_->answered(request.path, request.method, request.status, request.time);
}

}  // namespace nostro
