// nostro serve: the service, until it is told to end.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "nostro/app/commands.hpp"
#include "nostro/app/wiring.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"

extern char** environ;

namespace nostro {
namespace {

using cli::Exit;

struct ServeOptions {
    std::string config_file, data, listen;
    std::vector<std::string> sets, profiles;
    bool insecure_listen = false;
};

// SIGTERM and SIGINT are waited for here, so no other thread may take them.
sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

Result<Config> config_of(const ServeOptions& options) {
    auto sets = options.sets;
    if (!options.data.empty()) sets.push_back("data.dir=" + options.data);
    if (!options.listen.empty()) sets.push_back("server.listen=" + options.listen);
    if (options.insecure_listen) sets.emplace_back("server.insecure_listen=true");
    if (!options.profiles.empty()) sets.push_back(fmt::format("profiles.serve={}", fmt::join(options.profiles, ",")));
    return load_config(options.config_file, sets);
}

// Wrong configuration is wrong use; what the machine refuses is environment; missing data is a no.
Exit exit_of_start(const Error& error) {
    if (error.code == ErrorCode::invalid) return Exit::usage;
    if (error.code == ErrorCode::corrupt) return Exit::no;
    return Exit::environment;
}

Exit serve(cli::Context&, ServeOptions& options) {
    const auto config = config_of(options);
    if (!config) return cli::fail(Exit::usage, config.error().what);
    configure_log({.level = *log_level_from(config->log.level)});
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);

    auto wiring = Wiring::start(*config);
    if (!wiring) {
        flush_log();
        return cli::fail(exit_of_start(wiring.error()), wiring.error().what);
    }
    fmt::print("nostro listens on {}\n", (*wiring)->url());
    std::fflush(stdout);

    int received = 0;
    sigwait(&signals, &received);
    log_info("stopping", {{"signal", received}});
    // A second signal ends it at once.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    (*wiring)->stop();
    wiring->reset();
    flush_log();
    return Exit::done;
}

}  // namespace

Result<Config> load_config(const std::string& file, const std::vector<std::string>& sets) {
    Config config;
    if (!file.empty()) {
        std::ifstream stream(file, std::ios::binary);
        if (!stream) return Error{ErrorCode::invalid, fmt::format("{}: cannot be read", file)};
        const std::string text(std::istreambuf_iterator<char>(stream), {});
        if (auto done = read_config(config, text, file); !done) return done.error();
    }
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
    if (auto done = read_environment(config, environment); !done) return done.error();
    for (const std::string& pair : sets) {
        if (pair.find('=') == std::string::npos) {
            return Error{ErrorCode::invalid, fmt::format("--set {}: expected section.key=value", quoted(pair))};
        }
        const auto [key, value] = split_once(pair, '=');
        if (auto done = set(config, key, value); !done) return done.error();
    }
    if (auto done = check(config); !done) return done.error();
    return config;
}

void add_serve(cli::Command app, cli::Context& context) {
    cli::add_command<ServeOptions>(
        app, context, "serve", "Run the service",
        [](cli::Command& command, ServeOptions& options) {
            command.option("--data", options.data, "Folder of the journal; made if it is not there");
            command.option("--listen", options.listen, "HOST:PORT; port 0 takes any free one");
            command.option("--config", options.config_file, "TOML file; `nostro config show` prints one");
            command.option("--set", options.sets, "section.key=value, over everything else; may be repeated")
                .repeatable();
            command
                .option("--profile", options.profiles,
                        "Served beside the native routes: upi, tps, logging, b2b, clearing; may be repeated")
                .repeatable();
            command.flag("--insecure-listen", options.insecure_listen,
                         "Allow an address beyond loopback, though there is no authentication");
        },
        serve);
}

}  // namespace nostro
