// Refusals as application/problem+json (RFC 9457), and the words that belong to statuses.
//
// Pure. Threads: any.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

// One field of a body ("/amount", a JSON pointer) or one parameter ("limit") that is wrong.
struct FieldProblem {
    std::string where;
    bool is_parameter = false;
    std::string code;
    std::string detail;
};

std::string_view status_phrase(std::uint16_t status);  // "Not Found"

// Makes `response` a problem. 503 gets a Retry-After.
void write_problem(Response& response, std::uint16_t status, std::string_view code, std::string_view detail,
                   std::span<const FieldProblem> fields = {});
Response problem(std::uint16_t status, std::string_view code, std::string_view detail,
                 std::span<const FieldProblem> fields = {});

}  // namespace nostro
