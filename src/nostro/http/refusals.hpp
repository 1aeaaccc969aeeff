// What the server itself refuses, in the shape that clients of the path know: problem+json on native routes, and as
// soon as a profile is served, {"detail": text} everywhere but under /v1.
//
// Pure. Threads: any.
#pragma once
#include <cstdint>
#include <string_view>

#include "nostro/http/head.hpp"
#include "nostro/http/router.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

struct ParameterFault;

enum class RefusalShape : std::uint8_t { problem, framework };

// `route` nullptr: none has this path with this method.
RefusalShape refusal_shape(bool has_profiles, const Route* route, std::string_view path);
RefusalShape refusal_shape(const Router& router, const Route* route, std::string_view path);

void write_refusal(Response& response, RefusalShape shape, const Refusal& refusal);
Response refusal_of(RefusalShape shape, const Refusal& refusal);

// Of a profile's route: the refusal of a parameter as clients of the originals know it.
Response framework_refusal(const ParameterFault& fault, const Request& request);

// One that a handler left to the server (Response::refuse) is put into words; others stay.
void finish_refusal(Response& response, const Router& router, const Route* route);

}  // namespace nostro
