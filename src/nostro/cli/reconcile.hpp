// nostro reconcile, where the program can also read the journal by itself.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "nostro/cli/command.hpp"
#include "nostro/engine/reconcile.hpp"

namespace nostro::cli {

// What a comparison without a service goes by: the settings that one would have.
struct OfflineReconcile {
    std::string data, config_file;  // empty: the usual ones
    std::vector<std::string> sets, profiles;
    bool repair = false;
    std::function<void(const std::string& store, std::uint64_t done, std::uint64_t total)> progress;
};
// A run that is done. Errors: `invalid`: the settings are wrong; others: the journal cannot be read.
using ReconcileOffline = std::function<Result<ReconcileRun>(const OfflineReconcile&)>;

void add_reconcile(Command app, Context& context, ReconcileOffline offline);

}  // namespace nostro::cli
