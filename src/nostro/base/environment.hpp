// Variables of the process.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace nostro {

// nullopt: it is not set, or to nothing.
std::optional<std::string> environment_variable(std::string_view name);

}  // namespace nostro
