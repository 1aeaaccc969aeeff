// The policy with which an empty journal begins.
#pragma once
#include <string>

#include "nostro/app/config.hpp"

namespace nostro {

// TOML, out of policy.file or, where none is named, this build's own. `invalid`: it cannot be read.
Result<std::string> first_policy(const Config& config);

}  // namespace nostro
