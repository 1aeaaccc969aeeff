#include "nostro/app/postgres_feeds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "nostro/adapters/postgres/history_tables.hpp"
#include "nostro/adapters/postgres/native_tables.hpp"
#include "nostro/base/log.hpp"
#include "nostro/cli/index_rows.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {
namespace {

// What a server refuses is no wrong use of the program; whom our own settings trust is.
Error of_server(const Error& error) {
    const auto says = [&](std::string_view word) { return error.what.find(word) != error.what.npos; };
    if (error.code == ErrorCode::invalid && (says("certificate") || says("does not support SSL"))) return error;
    const bool wrong = error.code == ErrorCode::invalid || error.code == ErrorCode::not_found;
    return {wrong ? ErrorCode::unavailable : error.code, error.what};
}

Result<std::string> address_of(const Config::Postgres& config, const ProfileSetup& setup, const ProfileTables& tables) {
    // The original's own variables come first; they name a server of its own.
    if (std::string url = setup.setting("postgres_url", ""); !url.empty()) return url;
    if (const std::string host = setup.setting("postgres_host", ""); !host.empty()) {
        const std::vector<std::pair<std::string, std::string>> parts = {
            {"host", host},
            {"port", setup.setting("postgres_port", "5432")},
            {"dbname", tables.database},
            {"user", tables.role},
            {"password", tables.password}};
        return postgres_address("", parts);
    }
    if (config.url.empty()) return std::string();
    const std::vector<std::pair<std::string, std::string>> parts = {{"dbname", tables.database}};
    return postgres_address(config.url, parts);
}

// Rows that are written with their frame need its policies, and the names of its tenants, before anybody else has seen
// them.
std::function<Result<>(const DecodedFrame&, PostgresRows&)> rows_with_frame(const EngineReads& reads) {
    using Key = std::pair<std::string, PolicyVersion>;
    struct Seen {
        std::map<Key, PolicyPtr> policies;
        std::map<TenantNo, std::string> names;
    };
    auto seen = std::make_shared<Seen>();
    const auto tenant = [reads, seen](TenantNo number) {
        const auto found = seen->names.find(number);
        return found == seen->names.end() ? reads.tenant(number) : found->second;
    };
    const auto policy = [reads, seen, tenant](TenantNo number, PolicyVersion version) {
        if (PolicyPtr known = reads.policy(number, version); known != nullptr) return known;
        const auto found = seen->policies.find({tenant(number), version});
        return found == seen->policies.end() ? nullptr : found->second;
    };
    return [seen, names = NativeNames{policy, tenant}](const DecodedFrame& frame, PostgresRows& into) {
        const auto& policies = frame.changes.policies;
        for (std::size_t i = 0; i < policies.size(); ++i) {
            seen->policies.insert_or_assign({std::string(policies[i]->tenant()), policies[i]->version()}, policies[i]);
            if (const auto number = tenant_of_policy(frame.changes, i)) {
                seen->names.insert_or_assign(*number, std::string(policies[i]->tenant()));
            }
        }
        return add_native_rows(frame, names, into);
    };
}

}  // namespace

Result<std::unique_ptr<PostgresFeeds>> PostgresFeeds::load(const Config& config, const ServedProfiles& profiles,
                                                           const EngineReads& reads) {
    std::unique_ptr<PostgresFeeds> feeds(new PostgresFeeds(config));
    if (!config.postgres.url.empty()) {
        const auto readable = postgres_address(config.postgres.url, {});
        if (!readable) return Error{readable.error().code, "postgres.url: " + readable.error().what};
        Target& native = feeds->targets_.emplace_back();
        native.name = "postgres";
        native.address = config.postgres.url;
        native.schema = native_schema();
        const NativeNames names{reads.policy, reads.tenant};
        native.told = {.address = native.address,
                       .schema = native.schema,
                       .tables = native_tables(),
                       .rows_of = [names](const DecodedFrame& frame,
                                          PostgresRows& into) { return add_native_rows(frame, names, into); },
                       .shared = feeds->is_shared_};
        PostgresProjectionOptions told = native.told;
        if (feeds->has_ledger_) told.rows_of = rows_with_frame(reads);
        native.projection = std::make_unique<PostgresProjection>(std::move(told));
    }
    if (config.index.enabled && config.index.kind == "postgres") feeds->add_index();
    for (const ServedProfiles::Setup& profile : profiles.setups()) {
        if (auto added = feeds->add_profile(profile, reads); !added) {
            return Error{added.error().code, fmt::format("profile {}: {}", profile.entry->name, added.error().what)};
        }
    }
    return feeds;
}

void PostgresFeeds::add_index() {
    static_assert(kHistoryRowsVersion == kProfileRowsVersion, "history_schema() needs a step that empties its tables");
    Target& target = targets_.emplace_back();
    target.name = "index";
    target.address = config_.url;
    target.schema = history_schema();
    target.told = {
        .address = target.address,
        .schema = target.schema,
        .tables = history_tables(),
        .rows_of = [rows = cli::index_rows().of](const DecodedFrame& frame,
                                                 PostgresRows& into) { return add_history_rows(frame, rows, into); },
        .shared = is_shared_};
    target.projection = std::make_unique<PostgresProjection>(target.told);
}

Result<> PostgresFeeds::add_profile(const ServedProfiles::Setup& profile, const EngineReads& reads) {
    auto tables = profile_tables(*profile.entry, *profile.setup, reads);
    if (!tables) return {};
    tables->database = profile.setup->setting("postgres_database", tables->database);
    tables->role = profile.setup->setting("postgres_role", tables->role);
    tables->password = profile.setup->setting("postgres_password", tables->password);
    const auto address = address_of(config_, *profile.setup, *tables);
    if (!address) return address.error();
    if (address->empty()) return {};
    Target& target = targets_.emplace_back();
    target.name = fmt::format("postgres_{}", profile.entry->name);
    target.address = *address;
    target.schema = std::move(tables->schema);
    const bool is_beside_ours =
        profile.setup->setting("postgres_url", "").empty() && profile.setup->setting("postgres_host", "").empty();
    if (is_beside_ours) {
        target.home = PostgresHome{tables->database, tables->role, tables->password};
        target.schema.owner = tables->role;
    }
    target.told = {.address = target.address,
                   .schema = target.schema,
                   .tables = std::move(tables->tables),
                   .rows_of = std::move(tables->rows_of),
                   .shared = is_shared_};
    EngineReads quiet = reads;
    quiet.says_left_out = false;
    target.compared = profile_tables(*profile.entry, *profile.setup, quiet)->rows_of;
    target.projection = std::make_unique<PostgresProjection>(target.told);
    return {};
}

std::string PostgresFeeds::address(std::string_view profile) const {
    const auto found = std::ranges::find(targets_, profile, [](const Target& each) { return each.schema.name; });
    return found == targets_.end() ? std::string() : found->address;
}

std::string PostgresFeeds::migration_sql() const {
    std::string sql;
    for (const Target& target : targets_) {
        sql += fmt::format("-- {}: {}\n", target.schema.name, without_password(target.address));
        if (target.home) sql += home_sql(*target.home) + fmt::format("-- in {}:\n", target.home->database);
        sql += nostro::migration_sql(target.schema, 0) + "\n";
    }
    return sql;
}

Result<std::unique_ptr<PostgresClient>> PostgresFeeds::connect(const std::string& address) const {
    return PostgresClient::connect(address, config_.connect_tries, config_.connect_pause);
}

Result<> PostgresFeeds::migrate_target(const Target& target,
                                       const std::function<void(const std::string&)>& done) const {
    if (target.home) {
        const auto administrator = connect(config_.url);
        if (!administrator) return administrator.error();
        const auto made = make_home(**administrator, *target.home);
        if (!made) return made.error();
        if (*made)
            done(fmt::format("{}: made database {} of {}", target.schema.name, target.home->database,
                             target.home->role));
    }
    const auto client = connect(target.address);
    if (!client) return client.error();
    const auto before = nostro::migrate(**client, target.schema);
    if (!before) return before.error();
    const std::size_t now = target.schema.steps.size();
    done(*before == now
             ? fmt::format("{}: {} is up to date", target.schema.name, (*client)->place())
             : fmt::format("{}: {} went from version {} to {}", target.schema.name, (*client)->place(), *before, now));
    return {};
}

Result<> PostgresFeeds::migrate(const std::function<void(const std::string&)>& done) const {
    for (const Target& target : targets_) {
        if (auto migrated = migrate_target(target, done); !migrated) return of_server(migrated.error());
    }
    return {};
}

Result<Seq> PostgresFeeds::open() {
    if (config_.migrate) {
        const auto told = [](const std::string& line) { log_info("postgres_migrated", {{"what", line}}); };
        if (auto migrated = migrate(told); !migrated) return migrated.error();
    }
    Seq furthest = 0;
    for (Target& target : targets_) {
        if (auto opened = target.projection->open(config_.connect_tries, config_.connect_pause); !opened) {
            return of_server(opened.error());
        }
        const auto next = target.projection->next();
        if (!next) return of_server(next.error());
        furthest = std::max(furthest, *next - 1);
    }
    return furthest;
}

std::vector<ServiceParts::NamedProjection> PostgresFeeds::projections() const {
    std::vector<ServiceParts::NamedProjection> all;
    if (is_fed_elsewhere_) return all;
    for (const Target& target : targets_) {
        if (target.projection.get() != ledger()) all.push_back({target.name, target.projection.get()});
    }
    return all;
}

PostgresProjection* PostgresFeeds::ledger() const {
    return has_ledger_ && !targets_.empty() ? targets_.front().projection.get() : nullptr;
}

std::vector<std::unique_ptr<ComparedStore>> PostgresFeeds::comparisons(const ReadFrames& read) const {
    std::vector<std::unique_ptr<ComparedStore>> all;
    for (const Target& target : targets_) {
        all.push_back(std::make_unique<PostgresComparison>(
            PostgresComparisonOptions{.name = target.name,
                                      .address = target.address,
                                      .schema = target.schema,
                                      .tables = target.told.tables,
                                      .rows_of = target.compared ? target.compared : target.told.rows_of,
                                      .read = read,
                                      .is_ledger = target.projection.get() == ledger()}));
    }
    return all;
}

}  // namespace nostro
