// A run of the reconciler as the API shows it.
#pragma once
#include <string>

#include "nostro/engine/reconcile.hpp"

namespace nostro {

std::string reconciliation_json(const ReconcileRun& run);  // a document

}  // namespace nostro
