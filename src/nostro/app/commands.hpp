// The commands that need the whole program: serve, worker, config, migrate, rebuild.
#pragma once
#include <string>
#include <vector>

#include "nostro/app/config.hpp"
#include "nostro/cli/command.hpp"

namespace nostro {

void add_serve(cli::Command app, cli::Context& context);
void add_worker(cli::Command app, cli::Context& context);
void add_pull(cli::Command app, cli::Context& context);
void add_config(cli::Command app, cli::Context& context);
void add_migrate(cli::Command app, cli::Context& context);
void add_rebuild(cli::Command app, cli::Context& context);

// Configuration from a file, the environment and --set, in that order. `file` empty: none.
Result<Config> load_config(const std::string& file, const std::vector<std::string>& sets);

}  // namespace nostro
