// The version that --version, /health and the OpenAPI document name.
#pragma once
#include <string_view>

namespace nostro {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace nostro
