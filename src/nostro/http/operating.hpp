// /health, /readiness and /metrics of any program of ours, with a Book or without one.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

// What it refers to outlives the routes. Functions may be called from any thread.
struct Operating {
    std::function<std::vector<PartState>()> parts;
    std::function<void()> refresh;  // before metrics are printed
    MetricsRegistry* metrics = nullptr;
    std::string version;
    const Service* service = nullptr;  // whose role is told; nullptr: a program without books
};
std::vector<Route> operating_routes(Operating operating);

}  // namespace nostro
