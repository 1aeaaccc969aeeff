// The OpenAPI 3.1 document of a route table. The router reads the same table, so the two cannot drift.
//
// Pure. Threads: any.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "nostro/wire/http_message.hpp"

namespace nostro {

// `schemas`: a JSON object, the document's components.schemas.
std::string openapi_document(std::span<const Route> routes, std::string_view version, std::string_view schemas);

}  // namespace nostro
