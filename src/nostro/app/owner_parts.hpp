// What only the owner of a Book does beside settling it: tables are fed, rows and messages are taken, outcomes are
// told, stores are compared. Who starts as the owner has all of it before the service starts; who was a standby comes
// to it step by step, behind the first payments.
//
// Threads: one, and the steps one other; states from any. What it is made with outlives it, and so does the service.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "nostro/app/config.hpp"
#include "nostro/app/mirrored.hpp"
#include "nostro/app/postgres_feeds.hpp"
#include "nostro/app/profile_topics.hpp"
#include "nostro/app/reconcile_parts.hpp"
#include "nostro/app/redis_parts.hpp"
#include "nostro/app/row_source.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/engine/service.hpp"

namespace nostro {

class OwnerParts {
public:
    struct Around {
        const Config* config;
        ServedProfiles* profiles;
        RedisParts* redis;  // nullptr: none
        const Journal* journal;
        const Mirrored* mirrored;  // nullptr: the journal is not on a server
        Disk* disk;                // nullptr: what was published is not remembered
        const Clock* clock;
        MetricsRegistry* metrics;
        // Somebody has seen that frame accepted.
        std::function<void(Seq seq, const std::string& says_who)> expect;
    };
    explicit OwnerParts(Around around) : around_(std::move(around)) {}

    // Before the journal is taken over: the tables, where the journal writes some of them itself.
    Result<> open_tables() { return open_tables(*around_.config); }
    const PostgresFeeds& tables() const { return *postgres_; }  // once they are open
    // Tables and topics, for a service that starts as the owner, once they are open.
    Result<> add_to(ServiceParts& parts);
    // The service for which all this is; before it starts.
    void use(Service& service);
    Reconciler& reconciler() { return reconcile_->reconciler(); }
    // The service owns the Book, and the profiles' policies are in force.
    void begin();
    // The same for who was a standby, in this order; each may be called again after it said `unavailable`.
    using Step = std::function<Result<>(const std::stop_token& stop)>;
    std::vector<Step> steps();

    void states(std::vector<PartState>& into) const;
    void stop_comparing();
    void stop_taking();  // rows and messages; both before the service

private:
    Result<> open_tables(const Config& config);
    Result<> open_topics(const Config& config);
    // A step is tried again by itself, and this program may end in between.
    Config for_one_try() const;
    Result<> add_tables();
    Result<> add_topics();
    Result<> add_sources();

    const Around around_;
    Service* service_ = nullptr;
    mutable std::mutex mutex_;  // what comes late to who was a standby: the first three
    std::unique_ptr<PostgresFeeds> postgres_;
    std::unique_ptr<RowSource> rows_;  // nullptr: none
    std::unique_ptr<ProfileTopics> topics_;
    std::vector<Source*> sources_;  // that the service does not have yet
    std::unique_ptr<ReconcileParts> reconcile_;
};

}  // namespace nostro
