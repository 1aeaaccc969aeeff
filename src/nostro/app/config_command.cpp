// nostro config: check, show, explain.
#include <fmt/format.h>

#include <filesystem>

#include "nostro/app/commands.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/app/serving.hpp"
#include "nostro/app/wiring.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro {
namespace {

using cli::Exit;

struct ConfigOptions {
    std::string file, key;
    std::vector<std::string> sets, profiles;
};

// The profiles that are served, and every other one whose file lies in profiles.folder: a start would read it one day.
std::string profiles_to_check(const Config& config) {
    std::string names = config.profiles.serve;
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator(config.profiles.folder, none)) {
        if (file.path().extension() != ".toml") continue;
        const std::string name = file.path().stem().string();
        if (find_profile(name) == nullptr) {
            fmt::print("note: {}: no profile has this name, so nothing reads it\n", file.path().string());
        } else {
            names += "," + name;
        }
    }
    return names;
}

Exit check_config(cli::Context&, ConfigOptions& options) {
    auto config = config_of(
        {.config_file = options.file, .data = {}, .listen = {}, .sets = options.sets, .profiles = options.profiles});
    if (!config) return cli::fail(Exit::usage, config.error().what);
    if (const auto listen = check_listen(*config); !listen) {
        return cli::fail(Exit::usage, listen.error().what);
    }
    config->profiles.serve = profiles_to_check(*config);
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
    cli::add_command<ConfigOptions>(
        config, context, "check", "Say whether it is fine, or where it is not",
        [](cli::Command& command, ConfigOptions& options) {
            describe(command, options);
            command.option("--profile", options.profiles, "As `nostro serve` takes it; may be repeated").repeatable();
        },
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
