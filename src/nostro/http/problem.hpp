// Refusals as application/problem+json (RFC 9457), and the words that belong to statuses.
//
// Pure. Threads: any.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "nostro/wire/field_errors.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

std::string_view status_phrase(std::uint16_t status);  // "Not Found"

// Added to a problem as members of their own: {"state", "settled"}.
using ProblemMembers = std::span<const std::pair<std::string_view, std::string_view>>;

// Makes `response` a problem. 503 gets a Retry-After.
void write_problem(Response& response, std::uint16_t status, std::string_view code, std::string_view detail,
                   const FieldErrors* errors = nullptr, ProblemMembers more = {});
Response problem(std::uint16_t status, std::string_view code, std::string_view detail,
                 const FieldErrors* errors = nullptr, ProblemMembers more = {});

}  // namespace nostro
