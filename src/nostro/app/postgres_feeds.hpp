// What goes to PostgreSQL: the schema `nostro`, the query index where it stands there, and the tables of the profiles
// that are served, each with a connection and a cursor of its own.
//
// Threads: load, migrate and open from one, before anything is fed.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/comparison.hpp"
#include "nostro/adapters/postgres/projection.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "nostro/app/config.hpp"
#include "nostro/app/postgres_tables.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/engine/service.hpp"

namespace nostro {

class PostgresFeeds {
public:
    // Nothing is asked of a server yet. `invalid`: an address that cannot be read.
    static Result<std::unique_ptr<PostgresFeeds>> load(const Config& config, const ServedProfiles& profiles,
                                                       const EngineReads& reads);

    bool empty() const { return targets_.empty(); }
    // Where the tables of a profile are; empty: nowhere.
    std::string address(std::string_view profile) const;
    // What migrate() would do where nothing is there yet.
    std::string migration_sql() const;
    // Roles, databases and tables that are missing. `done` hears a line of each target.
    Result<> migrate(const std::function<void(const std::string&)>& done) const;
    // Connects to all, with the tries of the configuration; migrates before where that says so. Returns the furthest
    // frame that a target has seen. Errors of a server are `unavailable`: what the machine refuses.
    Result<Seq> open();
    // But the ledger, where there is one; none where other programs feed them ([projections]).
    std::vector<ServiceParts::NamedProjection> projections() const;
    // The schema nostro, where the journal writes it itself; nullptr: it does not.
    PostgresProjection* ledger() const;
    // Each of them, to be held against the frames that `read` gives.
    using ReadFrames = decltype(PostgresComparisonOptions::read);
    std::vector<std::unique_ptr<ComparedStore>> comparisons(const ReadFrames& read) const;

private:
    struct Target {
        std::string name;                  // of the feed: "postgres", "index", "postgres_tps"
        std::string address;               // of its database
        std::optional<PostgresHome> home;  // that we may make
        PostgresSchema schema;
        PostgresProjectionOptions told;
        decltype(PostgresComparisonOptions::rows_of) compared;  // says no row a second time; empty: told.rows_of
        std::unique_ptr<PostgresProjection> projection;
    };
    explicit PostgresFeeds(const Config& config)
        : config_(config.postgres),
          has_ledger_(config.journal.sql_is_the_ledger),
          is_fed_elsewhere_(config.projections.elsewhere),
          is_shared_(config.feeds_alone) {}
    void add_index();
    Result<> add_profile(const ServedProfiles::Setup& profile, const EngineReads& reads);
    Result<> migrate_target(const Target& target, const std::function<void(const std::string&)>& done) const;
    Result<std::unique_ptr<PostgresClient>> connect(const std::string& address) const;

    const Config::Postgres config_;
    const bool has_ledger_, is_fed_elsewhere_, is_shared_;
    std::vector<Target> targets_;
};

}  // namespace nostro
