// The one place that says what profiles keep in the query index.
#pragma once
#include "nostro/journal/index_rows.hpp"

namespace nostro::cli {

// For whoever fills, rebuilds or proves an index: of all profiles, served or not, so that one index fits all.
IndexRows index_rows();

}  // namespace nostro::cli
