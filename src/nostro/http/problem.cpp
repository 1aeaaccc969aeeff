#include "nostro/http/problem.hpp"

#include "nostro/base/json_text.hpp"
#include "nostro/wire/answer_json.hpp"

namespace nostro {

std::string_view status_phrase(std::uint16_t status) {
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
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
                   const FieldErrors* errors, ProblemMembers more) {
    response.clear();
    response.status = status;
    response.content_type = "application/problem+json";
    if (status == 503) response.header("Retry-After", "1");
    JsonWriter json(response.body);
    write_problem(json, {.status = status,
                         .code = code,
                         .title = status_phrase(status),
                         .detail = detail,
                         .errors = errors,
                         .more = more});
}

Response problem(std::uint16_t status, std::string_view code, std::string_view detail, const FieldErrors* errors,
                 ProblemMembers more) {
    Response response;
    write_problem(response, status, code, detail, errors, more);
    return response;
}

}  // namespace nostro
