// What must not be where money is real (server.production): passwords and payments in plain text on a network, and what
// is for trying out.
#pragma once
#include <string>
#include <string_view>

#include "nostro/app/config.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

// `invalid`: names the key and the mend. Nothing where server.production is false.
Result<> check_production(const Config& config);
// Of one address of a PostgreSQL, as libpq takes it; `key` says where it stands.
Result<> check_production_postgres(std::string_view key, std::string_view address);

}  // namespace nostro
