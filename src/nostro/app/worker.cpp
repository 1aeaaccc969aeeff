// nostro worker: one part of the work as a program of its own.
#include <algorithm>

#include "nostro/app/clearing_workers.hpp"
#include "nostro/app/commands.hpp"
#include "nostro/app/intake_worker.hpp"
#include "nostro/app/projection_worker.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/app/serving.hpp"
#include "nostro/app/wiring.hpp"

namespace nostro {
namespace {

using Start = Result<std::unique_ptr<Serving>> (*)(const Config& config);

Result<std::unique_ptr<Serving>> start_settlement(const Config& config) {
    if (std::ranges::count(ServedProfiles::names(config), "clearing") == 0) {
        return Error{ErrorCode::invalid,
                     "worker settlement takes what `nostro worker clearance` says of clearing's transactions: add "
                     "--profile clearing, or run `nostro serve`"};
    }
    Config settles = config;
    settles.behind_clearance = true;
    auto wiring = Wiring::start(settles);
    if (!wiring) return wiring.error();
    return std::unique_ptr<Serving>(std::move(*wiring));
}

void add_role(cli::Command worker, cli::Context& context, const std::string& name, const std::string& help,
              bool has_data, Start start) {
    cli::add_command<ServingOptions>(
        worker, context, name, help,
        [has_data](cli::Command& command, ServingOptions& options) { add_serving_options(command, options, has_data); },
        [start](cli::Context&, ServingOptions& options) {
            const auto config = config_of(options);
            if (!config) return cli::fail(cli::Exit::usage, config.error().what);
            return serve_until_signal(*config, start);
        });
}

}  // namespace

void add_worker(cli::Command app, cli::Context& context) {
    const cli::Command worker = app.add_group("worker", "Run one part of the service as a program of its own");
    add_role(worker, context, "intake", "Takes payments over HTTP into a topic, for whoever has the Book", false,
             start_intake);
    add_role(worker, context, "capture", "Passes rows that are inserted into clearing's tables to its topic", false,
             start_capture);
    add_role(worker, context, "clearance", "Says of each transaction of clearing's topic what the rules say of it",
             false, start_clearance);
    add_role(worker, context, "settlement", "Has the Book: as serve, but takes clearing's transactions from clearance",
             true, start_settlement);
    add_role(worker, context, "projection",
             "Follows a journal in Kafka or PostgreSQL and feeds tables and Redis from it", true, start_projection);
}

}  // namespace nostro
