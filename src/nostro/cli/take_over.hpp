// nostro take-over.
#pragma once
#include "nostro/cli/command.hpp"

namespace nostro::cli {

void add_take_over(Command app, Context& context);

}  // namespace nostro::cli
