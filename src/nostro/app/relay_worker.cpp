#include "nostro/app/relay_worker.hpp"

#include <algorithm>
#include <utility>

#include "nostro/app/version.hpp"
#include "nostro/base/log.hpp"
#include "nostro/http/operating.hpp"

namespace nostro {

RelayWorker::RelayWorker(Plan plan)
    : plan_(std::move(plan)),
      relay_({.source = plan_.source}, *plan_.reader, plan_.transform, *plan_.topic),
      runner_(
          {.name = plan_.name}, [this] { return relay_.step(); }, end_process),
      relayed_(metrics_.counter("nostro_relay_messages_total", "Messages that were passed on.")),
      dropped_(metrics_.counter("nostro_relay_dropped_total", "Messages that had been delivered before.")) {}

RelayWorker::~RelayWorker() { RelayWorker::stop(); }

Result<std::unique_ptr<Serving>> RelayWorker::start(const Config& config, Plan plan) {
    // Several of them may run on one machine: any free port, unless somebody says which.
    auto options = server_options(config, config.server.listen_given ? config.server.listen : "127.0.0.1:0");
    if (!options) return options.error();
    if (auto begun = plan.reader->seek({}); !begun) return begun.error();
    std::unique_ptr<RelayWorker> worker(new RelayWorker(std::move(plan)));
    worker->router_ =
        std::make_unique<Router>(operating_routes({.parts = [self = worker.get()] { return self->states(); },
                                                   .refresh = [self = worker.get()] { self->refresh(); },
                                                   .metrics = &worker->metrics_,
                                                   .version = std::string(kVersion)}));
    worker->http_metrics_ = std::make_unique<HttpMetrics>(worker->metrics_, *worker->router_);
    auto server = Server::start(*options, *worker->router_, *worker->http_metrics_);
    if (!server) return server.error();
    worker->server_ = std::move(*server);
    worker->runner_.start();
    return std::unique_ptr<Serving>(std::move(worker));
}

void RelayWorker::stop() {
    runner_.stop();
    if (server_) server_->stop();
}

std::vector<PartState> RelayWorker::states() const {
    PartState state{.name = plan_.name, .ready = true, .needed = true, .reason = relay_.trouble()};
    state.ready = state.reason.empty();
    if (state.ready && plan_.standing_by()) state.reason = "stands by: another program does the work";
    return {state};
}

void RelayWorker::refresh() {
    const std::lock_guard lock(lags_mutex_);
    relayed_.add(relay_.relayed() - std::min(relay_.relayed(), relayed_.value()));
    dropped_.add(relay_.dropped() - std::min(relay_.dropped(), dropped_.value()));
    for (const TopicPart& part : relay_.lags()) {
        Gauge*& gauge = lags_[part.part];
        if (gauge == nullptr) {
            gauge = &metrics_.gauge("nostro_relay_lag_messages", "Messages that are not passed on yet.",
                                    {{"input", plan_.input}, {"partition", std::to_string(part.part)}});
        }
        gauge->set(part.end);
    }
}

}  // namespace nostro
