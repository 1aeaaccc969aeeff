// Inner part: a checkpoint as a member of a larger document.
#pragma once
#include <simdjson.h>

#include "nostro/wire/checkpoint.hpp"

namespace nostro {

Result<Checkpoint> read_checkpoint(simdjson::dom::element json);

}  // namespace nostro
