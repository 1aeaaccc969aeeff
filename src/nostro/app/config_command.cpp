// nostro config: check, show, explain.
#include <fmt/format.h>

#include "nostro/app/commands.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/app/wiring.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro {
namespace {

using cli::Exit;

struct ConfigOptions {
    std::string file, key;
    std::vector<std::string> sets;
};

Exit check_config(cli::Context&, ConfigOptions& options) {
    const auto config = load_config(options.file, options.sets);
    if (!config) return cli::fail(Exit::usage, config.error().what);
    if (const auto listen = check_listen(*config); !listen) {
        return cli::fail(Exit::usage, listen.error().what);
    }
    MetricsRegistry metrics;
    const auto served = ServedProfiles::load(*config, metrics);
    if (!served) return cli::fail(Exit::usage, served.error().what);
    for (const std::string& remark : (*served)->remarks()) fmt::print("note: {}\n", remark);
    fmt::print("the configuration is fine\n");
    return Exit::done;
}

Exit show_config(cli::Context&, ConfigOptions& options) {
    const auto config = load_config(options.file, options.sets);
    if (!config) return cli::fail(Exit::usage, config.error().what);
    fmt::print("{}", to_toml(*config));
    return Exit::done;
}

Exit explain(cli::Context&, ConfigOptions& options) {
    const Setting* setting = find_setting(options.key);
    if (setting == nullptr) {
        const auto near = nearest_setting(options.key);
        return cli::fail(Exit::usage, near.empty()
                                          ? fmt::format("{} is no key; `nostro config show` lists all", options.key)
                                          : fmt::format("{} is no key, did you mean {}?", options.key, near));
    }
    const auto config = load_config(options.file, options.sets);
    if (!config) return cli::fail(Exit::usage, config.error().what);
    fmt::print("{}\n\n{}\n\ndefault  {}\nnow      {}\nas environment variable: {}\n", setting->key, setting->help,
               setting->get(Config{}), setting->get(*config), setting->environment());
    return Exit::done;
}

void describe(cli::Command& command, ConfigOptions& options) {
    command.option("--config", options.file, "TOML file");
    command.option("--set", options.sets, "section.key=value; may be repeated").repeatable();
}

}  // namespace

void add_config(cli::Command app, cli::Context& context) {
    const cli::Command config = app.add_group("config", "Check, show or explain the configuration");
    cli::add_command<ConfigOptions>(config, context, "check", "Say whether it is fine, or where it is not", describe,
                                    check_config);
    cli::add_command<ConfigOptions>(config, context, "show", "Print all of it as a TOML file", describe, show_config);
    cli::add_command<ConfigOptions>(
        config, context, "explain", "Say what a key does",
        [](cli::Command& command, ConfigOptions& options) {
            describe(command, options);
            command.option("key", options.key, "section.key").required();
        },
        explain);
}

}  // namespace nostro
