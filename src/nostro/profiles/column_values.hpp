// What columns of the originals' tables hold, where several profiles have the same.
#pragma once
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/base/time.hpp"

namespace nostro {

// A date-time as RFC 3339 writes it; without a zone it is UTC. Error: it is none.
Result<Instant> parse_column_time(std::string_view text);

}  // namespace nostro
