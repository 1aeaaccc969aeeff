// What can be checked of a service that is reached over HTTP alone.
#pragma once
#include "nostro/cli/command.hpp"

namespace nostro::cli {

// Checks that each currency sums to zero, and, if no frame comes meanwhile, that the balances and holds of all accounts
// of all tenants add up to those sums. Says what it checked and what only the journal can prove.
Exit verify_url(Context& context);

}  // namespace nostro::cli
