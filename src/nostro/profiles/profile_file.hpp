// profiles/NAME.toml: a policy (docs/policy.md), and in its table [profile] what else the profile needs.
//
//     [profile]
//     opening_balance = "1000000"      # any key: a setting of this profile
//
//     [[profile.account]]              # sample data
//     name = "user:user_1"
//     currency = "INR"
//     opening = "1000000"
//
// ${VARIABLE:-default} anywhere stands for an environment variable that the original system promises.
//
// Pure. Errors: `invalid`, with file name, line and column.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {

using EnvironmentOf = std::function<std::optional<std::string>(std::string_view variable)>;

Result<ProfileSetup> read_profile_file(std::string_view text, std::string_view file, const EnvironmentOf& environment);

}  // namespace nostro
