#include <fmt/format.h>

#include <exception>

#include "nostro/app/commands.hpp"
#include "nostro/app/kafka.hpp"
#include "nostro/app/reconcile_offline.hpp"
#include "nostro/app/rest.hpp"
#include "nostro/app/version.hpp"
#include "nostro/cli/take_over.hpp"
#include "nostro/domain/tenant_names.hpp"
#include "nostro/profiles/profile.hpp"

namespace {

// As a service that is started here would find it; without settings, a broker on this machine.
nostro::Result<std::unique_ptr<nostro::Topic>> open_topic_of_environment(const std::string& topic) {
    auto config = nostro::load_config({}, {});
    if (!config) return config.error();
    const bool is_named = !config->kafka.bootstrap_servers.empty();
    if (!is_named) config->kafka.bootstrap_servers = "localhost:9092";
    if (auto provided = nostro::provide_topic(*config, topic); !provided) {
        if (!is_named) provided.error().what += "; KAFKA_BOOTSTRAP_SERVERS is not set, so this machine was tried";
        return provided.error();
    }
    return nostro::open_topic(*config, topic);
}

int run(int argc, char** argv) {
    using namespace nostro;
    cli::Context context;
    context.open_topic = [](const std::string& topic) { return open_topic_of_environment(topic); };
    cli::Program program(
        "nostro: a payment engine. Takes payments in, decides them, settles them on a ledger, proves it.", kVersion);
    const cli::Command commands = program.commands();
    add_serve(commands, context);
    add_worker(commands, context);
    cli::add_submit(commands, context);
    cli::add_payments(commands, context);
    cli::add_accounts(commands, context);
    cli::add_reviews(commands, context);
    cli::add_dead_letters(commands, context);
    cli::add_generate(commands, context);
    cli::add_feed(commands, context);
    cli::add_replay(commands, context);
    cli::add_journal(commands, context);
    cli::add_export(commands, context);
    add_pull(commands, context);
    add_rebuild(commands, context);
    cli::add_take_over(commands, context);
    add_migrate(commands, context);
    cli::add_reconcile(commands, context, reconcile_offline);
    cli::add_bench(commands, context);
    add_config(commands, context);
    cli::add_keys(commands, context);
    cli::add_completion(commands);
    if (!program.run(argc, argv)) context.exit = cli::Exit::usage;
    return static_cast<int>(cli::end_of_output(context.exit));
}

}  // namespace

int main(int argc, char** argv) {
    nostro::keep_little_freed();
    try {
        for (const nostro::ProfileEntry& profile : nostro::profiles()) {
            nostro::know_tenant(profile.tenant, profile.name);
        }
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "nostro: {}\n", error.what());
        return static_cast<int>(nostro::cli::Exit::environment);
    }
}
