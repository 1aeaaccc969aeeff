// Inner part: what the documents that hold a checkpoint are read with.
#pragma once
#include <simdjson.h>

#include "nostro/wire/checkpoint.hpp"

namespace nostro {

Result<Checkpoint> read_checkpoint(simdjson::dom::element json);

// A document of version 1, which lives as long as the parser.
Result<simdjson::dom::element> read_versioned(simdjson::dom::parser& parser, const simdjson::padded_string& text);
// Empty where there is none.
std::string_view text_of(simdjson::dom::element json, const char* member);

}  // namespace nostro
