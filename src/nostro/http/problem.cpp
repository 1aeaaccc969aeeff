#include "nostro/http/problem.hpp"

#include "nostro/base/json_text.hpp"

namespace nostro {

std::string_view status_phrase(std::uint16_t status) {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "Status";
    }
}

void write_problem(Response& response, std::uint16_t status, std::string_view code, std::string_view detail,
                   std::span<const FieldProblem> fields) {
    response.clear();
    response.status = status;
    response.content_type = "application/problem+json";
    if (status == 503) response.header("Retry-After", "1");
    JsonWriter json(response.body);
    json.begin_object()
        .field("type", "about:blank")
        .field("title", status_phrase(status))
        .field("status", status)
        .field("detail", detail)
        .field("code", code);
    if (!fields.empty()) {
        json.key("errors").begin_array();
        for (const FieldProblem& field : fields) {
            json.begin_object()
                .field(field.is_parameter ? "parameter" : "pointer", field.where)
                .field("code", field.code)
                .field("detail", field.detail)
                .end_object();
        }
        json.end_array();
    }
    json.end_object();
}

Response problem(std::uint16_t status, std::string_view code, std::string_view detail,
                 std::span<const FieldProblem> fields) {
    Response response;
    write_problem(response, status, code, detail, fields);
    return response;
}

}  // namespace nostro
