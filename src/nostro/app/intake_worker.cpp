#include "nostro/app/intake_worker.hpp"

#ifdef NOSTRO_KAFKA
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "nostro/adapters/kafka/kafka_intake.hpp"
#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/app/intake_profiles.hpp"
#include "nostro/app/kafka.hpp"
#include "nostro/app/kafka_settings.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/app/version.hpp"
#include "nostro/app/wiring.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/http_metrics.hpp"
#include "nostro/http/intake.hpp"
#include "nostro/http/operating.hpp"
#include "nostro/http/router.hpp"

namespace nostro {
namespace {

class IntakeWorker final : public Serving {
public:
    explicit IntakeWorker(const Config& config)
        : config_(config),
          confirmed_(metrics_.counter("nostro_intake_commands_total", "Commands by what the brokers said of them.",
                                      {{"result", "confirmed"}})),
          refused_(metrics_.counter("nostro_intake_commands_total", "Commands by what the brokers said of them.",
                                    {{"result", "refused"}})),
          unknown_(metrics_.counter("nostro_intake_commands_total", "Commands by what the brokers said of them.",
                                    {{"result", "unknown"}})),
          under_way_(metrics_.gauge("nostro_intake_under_way_commands", "Commands that wait for the brokers.")) {}
    ~IntakeWorker() override { IntakeWorker::stop(); }

    Result<> start();
    std::string url() const override { return server_->url(); }
    void stop() override {
        if (server_) server_->stop();
        posted_.reset();
        intake_.reset();
    }

private:
    Result<> load_policy();
    Result<> open_intake();
    std::vector<Route> routes();
    std::vector<const KafkaIntake*> intakes() const;
    std::vector<PartState> states() const;
    void refresh();

    const Config config_;
    SystemClock clock_;
    MetricsRegistry metrics_;
    Counter& confirmed_;
    Counter& refused_;
    Counter& unknown_;
    Gauge& under_way_;
    Policies policies_{"nostro"};
    std::unique_ptr<KafkaIntake> intake_;
    std::unique_ptr<ServedProfiles> profiles_;
    std::unique_ptr<IntakeProfiles> posted_;  // of the profiles
    IntakeApi api_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<HttpMetrics> http_metrics_;
    std::unique_ptr<Server> server_;
};

Result<> IntakeWorker::load_policy() {
    const auto text = first_policy(config_);
    if (!text) return text.error();
    auto policy = Policy::parse(*text, 1, clock_.now());
    if (!policy) return policy.error();
    policies_.publish(0, std::move(*policy));
    return {};
}

Result<> IntakeWorker::open_intake() {
    const auto settings = kafka_settings(config_);
    if (!settings) return settings.error();
    KafkaIntakeOptions options;
    options.topic = config_.kafka.commands_topic;
    options.compression = config_.kafka.compression;
    options.commands_max = config_.inbox.commands_max;
    options.bytes_max = config_.inbox.bytes_max;
    options.fatal = end_process;
    auto opened = KafkaIntake::open(*settings, options, clock_);
    if (!opened) return opened.error();
    intake_ = std::move(*opened);
    auto posted = IntakeProfiles::open(config_, *profiles_, *settings, options, policies_, clock_);
    if (!posted) return posted.error();
    posted_ = std::move(*posted);
    return {};
}

std::vector<const KafkaIntake*> IntakeWorker::intakes() const {
    auto all = posted_->intakes();
    all.insert(all.begin(), intake_.get());
    return all;
}

// The routes of a whole service, of which this one has a few. They are made from one that is never started.
std::vector<Route> IntakeWorker::routes() {
    const auto log = std::make_shared<MemoryLog>();
    MemoryJournal nowhere(log);
    MetricsRegistry unused;
    ServiceParts parts;
    parts.journal = &nowhere;
    parts.clock = &clock_;
    parts.metrics = &unused;
    ServiceOptions options;
    options.book = {.accounts_max = 1'000,
                    .counters_max = 1'000,
                    .holds_max = 1'000,
                    .reversed_max = 1'000,
                    .bounds_max = 1'000,
                    .known_max = 100'000};
    Service none(std::move(parts), std::move(options));
    Api api;
    api.service = &none;
    api.metrics = &unused;
    api.clock = &clock_;
    api.version = kVersion;
    const auto operating = operating_routes({.parts = [this] { return states(); },
                                             .refresh = [this] { refresh(); },
                                             .metrics = &metrics_,
                                             .version = std::string(kVersion)});
    std::set<std::string_view> own;
    for (const Route& route : operating) own.insert(route.path);
    std::vector<Route> native = native_routes(api);
    std::erase_if(native, [&](const Route& route) { return own.contains(route.path); });
    std::vector<Route> all = intake_routes(api_, std::move(native));
    all.insert(all.end(), operating.begin(), operating.end());
    for (Route& route : posted_->routes(elsewhere(api_))) all.push_back(std::move(route));
    const auto documents = profiles_->documents();
    add_pages(all, api, documents);
    return all;
}

Result<> IntakeWorker::start() {
    if (config_.kafka.bootstrap_servers.empty() || config_.kafka.commands_topic.empty()) {
        return Error{ErrorCode::invalid,
                     "kafka.commands_topic: this worker puts payments into a topic; name it, and the brokers in "
                     "kafka.bootstrap_servers or KAFKA_BOOTSTRAP_SERVERS"};
    }
    auto profiles = ServedProfiles::load(config_, metrics_);
    if (!profiles) return profiles.error();
    profiles_ = std::move(*profiles);
    auto options = server_options(config_, profiles_->listen(config_));
    if (!options) return options.error();
    if (auto loaded = load_policy(); !loaded) return loaded;
    if (auto reached = reach_kafka(config_); !reached) return reached;
    if (auto provided = provide_topic(config_, config_.kafka.commands_topic); !provided) return provided;
    if (auto opened = open_intake(); !opened) return opened;
    api_ = {.intake = intake_.get(),
            .policies = &policies_,
            .book = fmt::format("whoever reads the topic {} (nostro serve, nostro worker settlement)",
                                config_.kafka.commands_topic),
            .profiles = posted_->list(),
            .command_bytes_max = KafkaIntakeOptions{}.command_bytes_max};
    router_ = std::make_unique<Router>(routes());
    http_metrics_ = std::make_unique<HttpMetrics>(metrics_, *router_);
    auto server = Server::start(*options, *router_, *http_metrics_);
    if (!server) return server.error();
    server_ = std::move(*server);
    return {};
}

std::vector<PartState> IntakeWorker::states() const {
    std::vector<PartState> states;
    for (const KafkaIntake* intake : intakes()) {
        PartState& state = states.emplace_back();
        state.name = "topic " + intake->topic();
        state.reason = intake->trouble();
        state.ready = state.reason.empty();
    }
    return states;
}

void IntakeWorker::refresh() {
    const auto sum = [all = intakes()](auto count) {
        std::uint64_t all_of_them = 0;
        for (const KafkaIntake* intake : all) all_of_them += (intake->*count)();
        return all_of_them;
    };
    const auto bring = [](Counter& counter, std::uint64_t now) { counter.add(now - std::min(now, counter.value())); };
    bring(confirmed_, sum(&KafkaIntake::confirmed));
    bring(refused_, sum(&KafkaIntake::refused));
    bring(unknown_, sum(&KafkaIntake::unknown));
    under_way_.set(sum(&KafkaIntake::under_way));
}

}  // namespace

Result<std::unique_ptr<Serving>> start_intake(const Config& config) {
    auto worker = std::make_unique<IntakeWorker>(config);
    if (auto started = worker->start(); !started) return started.error();
    return std::unique_ptr<Serving>(std::move(worker));
}

}  // namespace nostro

#else

#include "nostro/app/kafka.hpp"

namespace nostro {

// Says that there is no Kafka in this build.
Result<std::unique_ptr<Serving>> start_intake(const Config& config) { return reach_kafka(config).error(); }

}  // namespace nostro

#endif
