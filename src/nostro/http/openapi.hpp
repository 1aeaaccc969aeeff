// The OpenAPI 3.1 document of a route table. The router reads the same table, so the two cannot drift.
//
// Pure. Threads: any.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/wire/http_message.hpp"

namespace nostro {

struct OpenApiHead {
    std::string_view title = "nostro", version, description;
    // JSON objects, whose members together are the document's components.schemas.
    std::vector<std::string_view> schemas;
};

// Of all routes that are not hidden.
std::string openapi_document(std::span<const Route> routes, const OpenApiHead& head);

// What nostro says of itself in its own document.
std::string_view native_introduction();

}  // namespace nostro
