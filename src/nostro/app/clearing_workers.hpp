// The two parts of clearing in front of settlement, as programs of their own: capture, which passes the rows that
// people insert to a topic, and clearance, which says of each what the rules say. Neither has a Book or keeps anything.
//
// Any number of each may run. `unavailable`: a server that does not answer; `invalid`: configuration.
#pragma once
#include <memory>

#include "nostro/app/serving.hpp"

namespace nostro {

Result<std::unique_ptr<Serving>> start_capture(const Config& config);
Result<std::unique_ptr<Serving>> start_clearance(const Config& config);

}  // namespace nostro
