// Tables in PostgreSQL held against the journal without a service: both are found by the settings.
#pragma once
#include "nostro/cli/reconcile.hpp"

namespace nostro {

// The journal, in files or in PostgreSQL, is read as it stands, also while its owner writes. Redis, whose documents are
// made by a service, is left out. `invalid`: a setting is wrong, or there is nothing to compare; otherwise why the
// journal cannot be read.
Result<ReconcileRun> reconcile_offline(const cli::OfflineReconcile& options);

}  // namespace nostro
