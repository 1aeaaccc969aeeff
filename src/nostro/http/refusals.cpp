#include "nostro/http/refusals.hpp"

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

void finish_refusal(Response& response, const Router& router, const Route* route) {
    if (response.refusal_code.empty()) return;
    const Refusal refusal{response.status, response.refusal_code, response.refusal_detail};
    write_refusal(response, route == nullptr ? RefusalShape::problem : refusal_shape(router, route, route->path),
                  refusal);
}

}  // namespace nostro
