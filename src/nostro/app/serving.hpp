// What serve and the workers share: options of the command line, an HTTP server, and life until a signal.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nostro/app/config.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/http/server.hpp"

namespace nostro {

// A program that listens. Threads: one.
class Serving {
public:
    virtual ~Serving() = default;
    virtual std::string url() const = 0;
    // Of the key that signs checkpoints, in hex digits; empty: this program signs none.
    virtual std::string public_key() const { return {}; }
    virtual void stop() = 0;  // in good order; twice is once
};

struct ServingOptions {
    std::string config_file, data, listen;
    std::vector<std::string> sets, profiles;
    bool insecure_listen = false, standby = false;
};
// --data, --listen, --config, --set, --profile, --insecure-listen; `has_data`: it keeps something in a folder.
void add_serving_options(cli::Command& command, ServingOptions& options, bool has_data = true);
// The settings that these words, the file and the environment make; also for commands that have some of them only.
Result<Config> config_of(const ServingOptions& options);

// Starts it, tells where it listens, and stops it at SIGTERM or SIGINT; a second signal ends it at once.
cli::Exit serve_until_signal(const Config& config,
                             const std::function<Result<std::unique_ptr<Serving>>(const Config&)>& start);

// Nothing may go on: what is in memory may be ahead of what is durable. No destructor runs, so nothing more is told.
[[noreturn]] void end_process(const Error& error);

// server.* of the configuration; `address`: HOST:PORT.
Result<ServerOptions> server_options(const Config& config, const std::string& address);

}  // namespace nostro
