// nostro verify --proof: what proves a payment, or the state of the books, checked without journal or service.
#pragma once
#include <string>

#include "nostro/cli/command.hpp"

namespace nostro::cli {

// `key`: the public key to trust, 64 hex digits; empty: whichever signed, which is then told.
Exit verify_proof(const Context& context, const std::string& file, const std::string& key);

}  // namespace nostro::cli
