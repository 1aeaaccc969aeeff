// What is made from the journal, held against it ([reconcile]).
//
// Threads: make, start and stop from one.
#pragma once
#include <memory>
#include <vector>

#include "nostro/app/postgres_feeds.hpp"
#include "nostro/app/redis_parts.hpp"
#include "nostro/engine/reconcile.hpp"

namespace nostro {

class ReconcileParts {
public:
    struct From {
        Service* service;
        const Clock* clock;
        MetricsRegistry* metrics;
    };
    // All that is given here and below outlives it.
    ReconcileParts(const Config& config, const From& from);
    Reconciler& reconciler() { return *reconciler_; }
    // With what this process feeds, once it owns the Book. `redis`: nullptr: none.
    void start(const PostgresFeeds& postgres, RedisParts* redis, const Journal& journal);

private:
    std::vector<std::unique_ptr<ComparedStore>> tables_;
    std::unique_ptr<Reconciler> reconciler_;
};

}  // namespace nostro
