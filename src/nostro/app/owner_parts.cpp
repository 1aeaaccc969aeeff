#include "nostro/app/owner_parts.hpp"

#include <algorithm>
#include <utility>

namespace nostro {
namespace {

constexpr std::chrono::seconds kOneTry{5};

}  // namespace

Config OwnerParts::for_one_try() const {
    Config config = *around_.config;
    config.postgres.connect_tries = 1;
    config.kafka.start_timeout = std::min<std::chrono::nanoseconds>(config.kafka.start_timeout, kOneTry);
    return config;
}

Result<> OwnerParts::open_tables(const Config& config) {
    EngineReads reads;
    reads.frame = [this](Seq seq) { return service_->frame(seq); };
    reads.policy = [this](TenantNo tenant, PolicyVersion version) {
        const Policies& policies = service_->policies();
        return version == 0 ? policies.current(tenant) : policies.version(tenant, version);
    };
    reads.tenant = [this](TenantNo tenant) { return service_->policies().tenant_name(tenant); };
    auto loaded = PostgresFeeds::load(config, *around_.profiles, reads);
    if (!loaded) return loaded.error();
    const auto furthest = (*loaded)->open();
    if (!furthest) return furthest.error();
    // It takes accepted frames only, as the index does.
    around_.expect(*furthest, "PostgreSQL");
    if (PostgresProjection* ledger = (*loaded)->ledger(); ledger != nullptr) {
        if (auto shared = around_.mirrored->share(*ledger, config.postgres.url); !shared) return shared.error();
    }
    const std::lock_guard lock(mutex_);
    postgres_ = std::move(*loaded);
    return {};
}

Result<> OwnerParts::open_topics(const Config& config) {
    ProfileTopics::Progress progress{.disk = around_.disk, .journal = {}};
    if (around_.mirrored != nullptr) progress.journal = [this] { return around_.mirrored->origin(); };
    auto opened = ProfileTopics::open(config, *around_.profiles, *around_.metrics, progress);
    if (!opened) return opened.error();
    const std::lock_guard lock(mutex_);
    topics_ = std::move(*opened);
    return {};
}

Result<> OwnerParts::add_to(ServiceParts& parts) {
    if (auto opened = open_tables(*around_.config); !opened) return opened;
    if (auto opened = open_topics(*around_.config); !opened) return opened;
    for (auto& projection : postgres_->projections()) parts.projections.push_back(std::move(projection));
    topics_->add_to(parts, [this] { return service_->accepted(); });
    if (around_.config->behind_clearance) return {};
    rows_ = RowSource::make(*postgres_);
    if (rows_) parts.sources.push_back(rows_->source());
    return {};
}

void OwnerParts::use(Service& service) {
    service_ = &service;
    reconcile_ = std::make_unique<ReconcileParts>(
        *around_.config, ReconcileParts::From{.service = &service, .clock = around_.clock, .metrics = around_.metrics});
}

void OwnerParts::begin() {
    topics_->begin(*service_, *around_.profiles);
    if (rows_) rows_->begin(*service_, *around_.profiles);
    reconcile_->start(*postgres_, around_.redis, *around_.journal);
}

// What can be refused for a while is a step of its own, so that nothing is done twice when it is tried again.
std::vector<OwnerParts::Step> OwnerParts::steps() {
    return {
        [this](const std::stop_token&) { return add_tables(); },
        [this](const std::stop_token&) { return add_sources(); },
        [this](const std::stop_token&) -> Result<> {
            if (rows_) rows_->begin(*service_, *around_.profiles);
            reconcile_->start(*postgres_, around_.redis, *around_.journal);
            return {};
        },
        [this](const std::stop_token&) { return add_topics(); },
        [this](const std::stop_token&) { return add_sources(); },
        [this](const std::stop_token&) -> Result<> {
            topics_->begin(*service_, *around_.profiles);
            return {};
        },
    };
}

Result<> OwnerParts::add_tables() {
    if (!postgres_) {
        if (auto opened = open_tables(for_one_try()); !opened) return opened;
    }
    for (const auto& projection : postgres_->projections()) service_->add_projection(projection);
    if (around_.config->behind_clearance) return {};
    const std::lock_guard lock(mutex_);
    rows_ = RowSource::make(*postgres_);
    if (rows_) sources_.push_back(rows_->source());
    return {};
}

Result<> OwnerParts::add_topics() {
    if (auto opened = open_topics(for_one_try()); !opened) return opened;
    ServiceParts parts;
    topics_->add_to(parts, [this] { return service_->accepted(); });
    for (const auto& projection : parts.projections) service_->add_projection(projection);
    sources_ = std::move(parts.sources);
    return {};
}

Result<> OwnerParts::add_sources() {
    for (; !sources_.empty(); sources_.pop_back()) {
        if (auto added = service_->add_source(*sources_.back()); !added) return added;
    }
    return {};
}

void OwnerParts::states(std::vector<PartState>& into) const {
    const std::lock_guard lock(mutex_);
    if (topics_) topics_->states(into);
    if (rows_) into.push_back(rows_->state());
}

void OwnerParts::stop_comparing() {
    if (reconcile_) reconcile_->reconciler().stop();
}

void OwnerParts::stop_taking() {
    if (rows_) rows_->stop();
    if (topics_) topics_->stop();
}

}  // namespace nostro
