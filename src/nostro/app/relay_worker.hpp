// A relay with what a program needs around it: a thread, metrics, /health, /readiness and /metrics.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nostro/app/serving.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/engine/relay.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/http/http_metrics.hpp"
#include "nostro/http/router.hpp"
#include "nostro/http/server.hpp"

namespace nostro {

class RelayWorker final : public Serving {
public:
    struct Plan {
        std::string name;    // "capture"
        std::string source;  // "rows:financial_db"
        std::string input;   // as people know it, for metrics: "financial-transactions"
        std::unique_ptr<TopicReader> reader{};
        Relay::Transform transform{};
        std::unique_ptr<Topic> topic{};
        std::function<bool()> standing_by = [] { return false; };  // another program does the work
    };
    // Listens, and relays from then on. What cannot be mended ends the process.
    static Result<std::unique_ptr<Serving>> start(const Config& config, Plan plan);
    ~RelayWorker() override;

    std::string url() const override { return server_->url(); }
    void stop() override;

private:
    explicit RelayWorker(Plan plan);
    std::vector<PartState> states() const;
    void refresh();

    const Plan plan_;
    MetricsRegistry metrics_;
    Relay relay_;
    StageRunner runner_;
    Counter& relayed_;
    Counter& dropped_;
    std::mutex lags_mutex_;
    std::map<std::uint32_t, Gauge*> lags_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<HttpMetrics> http_metrics_;
    std::unique_ptr<Server> server_;
};

}  // namespace nostro
