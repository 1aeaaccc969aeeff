// The names under which dashboards of the simulator look: those of its README and those of its code. Internal to
// upi.cpp.
//
// Threads: one counts.
#pragma once
#include <cstddef>
#include <map>
#include <string>

#include "nostro/profiles/upi.hpp"

namespace nostro::upi {

class Metrics {
public:
    // Balances of so many users at most have a gauge: names are many. The registry outlives this.
    Metrics(MetricsRegistry& registry, std::size_t balance_gauges);

    void count(const Outcome& outcome, const Payment* payment);

private:
    void show(const Balance& balance);

    MetricsRegistry& registry_;
    const std::size_t balance_gauges_;
    Counter &all_, &failures_, &success_, &failed_, &amount_;
    BoundedHistogram& amounts_;
    std::map<std::string, Gauge*> balances_;
};

}  // namespace nostro::upi
