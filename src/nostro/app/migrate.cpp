// nostro migrate: the tables that `nostro serve` feeds, made or brought up to date.
#include <fmt/format.h>

#include "nostro/app/commands.hpp"
#include "nostro/app/postgres_feeds.hpp"
#include "nostro/app/serving.hpp"

namespace nostro {
namespace {

using cli::Exit;

struct MigrateOptions {
    std::string config_file;
    std::vector<std::string> sets, profiles;
    bool dry_run = false;
};

Exit migrate_stores(cli::Context&, MigrateOptions& options) {
    const auto config = config_of({.config_file = options.config_file,
                                   .data = {},
                                   .listen = {},
                                   .sets = options.sets,
                                   .profiles = options.profiles});
    if (!config) return cli::fail(Exit::usage, config.error().what);
    MetricsRegistry metrics;
    const auto profiles = ServedProfiles::load(*config, metrics);
    if (!profiles) return cli::fail(Exit::usage, profiles.error().what);
    const auto feeds = PostgresFeeds::load(*config, **profiles, {});
    if (!feeds) return cli::fail(Exit::usage, feeds.error().what);
    if ((*feeds)->empty()) {
        return cli::fail(Exit::usage, "there is nothing to migrate: set postgres.url (NOSTRO_POSTGRES_URL)");
    }
    if (options.dry_run) {
        fmt::print("{}", (*feeds)->migration_sql());
        return Exit::done;
    }
    const auto done = (*feeds)->migrate([](const std::string& line) { fmt::print("{}\n", line); });
    if (!done) return cli::fail(Exit::environment, done.error().what);
    return Exit::done;
}

}  // namespace

void add_migrate(cli::Command app, cli::Context& context) {
    cli::add_command<MigrateOptions>(
        app, context, "migrate", "Make the tables in PostgreSQL, or bring them up to date",
        [](cli::Command& command, MigrateOptions& options) {
            command.option("--config", options.config_file, "TOML file; postgres.url names the server");
            command.option("--set", options.sets, "section.key=value; may be repeated").repeatable();
            command
                .option("--profile", options.profiles,
                        "Also the database of this profile: upi, tps, logging, clearing; may be repeated")
                .repeatable();
            command.flag("--dry-run", options.dry_run, "Print the SQL for a server without any of it, and do nothing");
        },
        migrate_stores);
}

}  // namespace nostro
