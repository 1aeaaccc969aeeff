// nostro serve: the service, until it is told to end.
#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "nostro/app/commands.hpp"
#include "nostro/app/serving.hpp"
#include "nostro/app/wiring.hpp"
#include "nostro/base/text.hpp"

extern char** environ;

namespace nostro {
namespace {

using cli::Exit;

// Everything that is set, over what `config` says already.
Result<Config> configured(Config config, const std::string& file, const std::vector<std::string>& sets) {
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
    return config;
}

Result<std::unique_ptr<Serving>> start_wiring(const Config& config) {
    auto wiring = Wiring::start(config);
    if (!wiring) return wiring.error();
    return std::unique_ptr<Serving>(std::move(*wiring));
}

}  // namespace

Result<Config> load_config(const std::string& file, const std::vector<std::string>& sets) {
    auto config = configured({}, file, sets);
    if (!config) return config;
    // What stays as it was put there was set by nobody.
    Config marked;
    marked.server.listen.clear();
    const auto again = configured(std::move(marked), file, sets);
    config->server.listen_given = again && !again->server.listen.empty();
    if (auto done = check(*config); !done) return done.error();
    return config;
}

void add_serve(cli::Command app, cli::Context& context) {
    cli::add_command<ServingOptions>(
        app, context, "serve", "Run the service",
        [](cli::Command& command, ServingOptions& options) {
            add_serving_options(command, options);
            command.flag("--standby", options.standby,
                         "Follow a journal in Kafka or PostgreSQL, and take over when its owner is gone");
        },
        [](cli::Context&, ServingOptions& options) {
            const auto config = config_of(options);
            if (!config) return cli::fail(Exit::usage, config.error().what);
            return serve_until_signal(*config, start_wiring);
        });
}

}  // namespace nostro
