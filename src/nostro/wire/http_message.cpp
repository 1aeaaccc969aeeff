#include "nostro/wire/http_message.hpp"

#include "nostro/base/text.hpp"

namespace nostro {

std::string_view name(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::del: return "DELETE";
        case Method::options: return "OPTIONS";
    }
    return "GET";
}

std::string_view Request::parameter(std::string_view parameter_name) const {
    if (route == nullptr) return {};
    for (std::size_t i = 0; i < route->parameters.size(); ++i) {
        if (route->parameters[i].name == parameter_name) return values[i];
    }
    return {};
}

bool Request::has(std::string_view parameter_name) const { return parameter(parameter_name).data() != nullptr; }

std::string_view Request::header(std::string_view header_name) const {
    for (const HeaderField& field : headers) {
        if (equal_ignoring_case(field.name, header_name)) return field.value;
    }
    return {};
}

void Response::refuse(std::uint16_t with_status, std::string_view code, std::string_view detail) {
    clear();
    status = with_status;
    refusal_code = code;
    refusal_detail = detail;
}

void Response::header(std::string_view header_name, std::string_view value) {
    headers.append(header_name).append(": ").append(value).append("\r\n");
}

void Response::clear() {
    status = 200;
    content_type = "application/json";
    headers.clear();
    body.clear();
    fixed_body = {};
    stream.reset();
    cacheable = false;
    refusal_code = refusal_detail = {};
}

void Reply::operator()(Response response) const {
    later([whole = std::move(response)](Response& into) mutable { into = std::move(whole); });
}

void Reply::on_worker(std::move_only_function<void()> work) const {
    if (sink_->on_worker(std::move(work))) return;
    later([](Response& response) { response.refuse(503, "overloaded", "too many reads wait already; try again"); });
}

}  // namespace nostro
