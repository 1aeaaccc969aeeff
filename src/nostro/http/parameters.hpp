// The parameters of routes: how each kind is checked and how OpenAPI shows it, side by side so that the two agree.
//
// Pure. Threads: any.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/json_text.hpp"
#include "nostro/http/head.hpp"
#include "nostro/http/problem.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

struct ParameterFault {
    std::uint16_t status = 400;  // 404: a path that can name nothing
    std::string code;
    std::string detail;
    std::string parameter;
};

// What is wrong with one decoded value; nullopt: nothing.
std::optional<std::string> parameter_fault(const Parameter& parameter, std::string_view value);

// The schema of a parameter as JSON.
void write_parameter_schema(JsonWriter& json, const Parameter& parameter);

// Decodes and checks all parameters of `request.route` into request.values. `segments`: the captured ones of the
// path, in order. `decoded` keeps what had to be decoded; it must live as long as the request.
std::optional<ParameterFault> read_parameters(std::span<const std::string_view> segments, const RequestHead& head,
                                              std::string& decoded, Request& request);

}  // namespace nostro
