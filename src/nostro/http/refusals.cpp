#include "nostro/http/refusals.hpp"

#include <algorithm>
#include <string>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/parameters.hpp"
#include "nostro/http/problem.hpp"
#include "nostro/wire/framework_errors.hpp"

namespace nostro {

RefusalShape refusal_shape(const Router& router, const Route* route, std::string_view path) {
    return refusal_shape(router.has_profiles(), route, path);
}

RefusalShape refusal_shape(bool has_profiles, const Route* route, std::string_view path) {
    if (!has_profiles) return RefusalShape::problem;
    if (route != nullptr && !route->profile.empty()) return RefusalShape::framework;
    return path == "/v1" || path.starts_with("/v1/") ? RefusalShape::problem : RefusalShape::framework;
}

void write_refusal(Response& response, RefusalShape shape, const Refusal& refusal) {
    if (shape == RefusalShape::framework) return write_framework_refusal(response, refusal.status, refusal.detail);
    write_problem(response, refusal.status, refusal.code, refusal.detail);
}

Response refusal_of(RefusalShape shape, const Refusal& refusal) {
    Response response;
    write_refusal(response, shape, refusal);
    return response;
}

Response framework_refusal(const ParameterFault& fault, const Request& request) {
    Response response;
    const auto found = std::ranges::find(request.route->parameters, fault.parameter, &Parameter::name);
    const bool is_number =
        found != request.route->parameters.end() && found->kind == ParameterKind::integer && request.has(found->name);
    if (!is_number) return refusal_of(RefusalShape::framework, {422, fault.code, fault.detail});
    const std::string_view value = request.parameter(found->name);
    std::string input;
    append_json_string(input, value);
    const FrameworkPlace place{.in = found->in == ParameterIn::path ? "path" : "query", .field = found->name};
    FrameworkErrors errors;
    if (const auto number = parse_int64(value); !number) {
        errors.add(FrameworkFault::int_parsing, place, input);
    } else if (*number < found->min) {
        errors.add(FrameworkFault::greater_than_equal, place, input, std::to_string(found->min));
    } else {
        errors.add(FrameworkFault::less_than_equal, place, input, std::to_string(found->max));
    }
    errors.write(response);
    return response;
}

void finish_refusal(Response& response, const Router& router, const Route* route) {
    if (response.refusal_code.empty()) return;
    const Refusal refusal{response.status, response.refusal_code, response.refusal_detail};
    write_refusal(response, route == nullptr ? RefusalShape::problem : refusal_shape(router, route, route->path),
                  refusal);
}

}  // namespace nostro
