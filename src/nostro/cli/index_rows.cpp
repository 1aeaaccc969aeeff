#include "nostro/cli/index_rows.hpp"

namespace nostro::cli {

IndexRows index_rows() { return {}; }

}  // namespace nostro::cli
