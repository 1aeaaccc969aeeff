#include "nostro/app/serving.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "nostro/app/commands.hpp"
#include "nostro/app/wiring.hpp"
#include "nostro/base/log.hpp"

namespace nostro {
namespace {

using cli::Exit;

constexpr std::chrono::microseconds kReaderSpin{50};

// SIGTERM and SIGINT are waited for here, so no other thread may take them.
sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

// Wrong configuration is wrong use; what the machine refuses is environment; missing data is a no.
Exit exit_of_start(const Error& error) {
    if (error.code == ErrorCode::invalid) return Exit::usage;
    if (error.code == ErrorCode::corrupt) return Exit::no;
    return Exit::environment;
}

}  // namespace

void add_serving_options(cli::Command& command, ServingOptions& options, bool has_data) {
    if (has_data) command.option("--data", options.data, "Folder of the journal; made if it is not there");
    command.option("--listen", options.listen, "HOST:PORT; port 0 takes any free one");
    command.option("--config", options.config_file, "TOML file; `nostro config show` prints one");
    command.option("--set", options.sets, "section.key=value, over everything else; may be repeated").repeatable();
    command
        .option("--profile", options.profiles,
                "Served beside the native routes: upi, tps, logging, b2b, clearing; may be repeated")
        .repeatable();
    command.flag("--insecure-listen", options.insecure_listen,
                 "Allow an address beyond loopback, though there is no authentication");
}

Result<Config> config_of(const ServingOptions& options) {
    auto sets = options.sets;
    if (!options.data.empty()) sets.push_back("data.dir=" + options.data);
    if (!options.listen.empty()) sets.push_back("server.listen=" + options.listen);
    if (options.insecure_listen) sets.emplace_back("server.insecure_listen=true");
    if (options.standby) sets.emplace_back("standby.enabled=true");
    if (!options.profiles.empty()) sets.push_back(fmt::format("profiles.serve={}", fmt::join(options.profiles, ",")));
    return load_config(options.config_file, sets);
}

Exit serve_until_signal(const Config& config,
                        const std::function<Result<std::unique_ptr<Serving>>(const Config&)>& start) {
    configure_log({.level = *log_level_from(config.log.level)});
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);

    auto serving = start(config);
    if (!serving) {
        flush_log();
        return cli::fail(exit_of_start(serving.error()), serving.error().what);
    }
    // Not in the log alone, which may be set to leave such lines out: a proof is worth what its key is known by.
    const std::string key = (*serving)->public_key();
    fmt::print("nostro listens on {}\n{}", (*serving)->url(),
               key.empty() ? "" : fmt::format("checkpoints are signed by {}\n", key));
    std::fflush(stdout);

    int received = 0;
    sigwait(&signals, &received);
    log_info("stopping", {{"signal", received}});
    // A second signal ends it at once.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    (*serving)->stop();
    serving->reset();
    flush_log();
    return Exit::done;
}

void end_process(const Error& error) {
    // The journal and settlement may meet the same end at once; the first one tells of it.
    static std::atomic<bool> ending{false};
    while (ending.exchange(true)) std::this_thread::sleep_for(std::chrono::seconds(1));
    log_error("fatal", {{"code", name(error.code)}, {"what", error.what}});
    flush_log();
    std::_Exit(3);
}

Result<ServerOptions> server_options(const Config& config, const std::string& listen) {
    const auto address = parse_listen(listen);
    if (!address) return address.error();
    ServerOptions options;
    options.address = address->host;
    options.port = address->port;
    options.insecure_listen = config.server.insecure_listen;
    options.io_threads = config.server.io_threads;
    if (std::thread::hardware_concurrency() > 1) options.spin = kReaderSpin;
    options.connections_max = config.server.connections_max;
    const auto ms = [](std::chrono::nanoseconds ns) { return std::chrono::ceil<std::chrono::milliseconds>(ns); };
    options.session.cors_origin = config.server.cors_origin;
    options.session.idle_timeout = ms(config.server.idle_timeout);
    options.session.head_timeout = ms(config.server.head_timeout);
    options.session.body_timeout = ms(config.server.body_timeout);
    return options;
}

}  // namespace nostro
