#include "nostro/http/parameters.hpp"

#include <algorithm>

#include "nostro/base/digit.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/domain/account.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/http/target.hpp"

namespace nostro {
namespace {

using Fault = std::optional<std::string>;

bool are_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

Fault text_fault(const Parameter& parameter, std::string_view value) {
    if (!is_valid_utf8(value)) return "is not UTF-8";
    const auto length = static_cast<std::int64_t>(utf8_length(value));
    if (length >= parameter.min && length <= parameter.max) return std::nullopt;
    return "must have " + std::to_string(parameter.min) + " to " + std::to_string(parameter.max) + " characters";
}

Fault integer_fault(const Parameter& parameter, std::string_view value) {
    const auto number = parse_int64(value);
    if (number && *number >= parameter.min && *number <= parameter.max) return std::nullopt;
    return "must be a whole number from " + std::to_string(parameter.min) + " to " + std::to_string(parameter.max);
}

Fault choice_fault(const Parameter& parameter, std::string_view value) {
    if (std::ranges::find(parameter.choices, value) != parameter.choices.end()) return std::nullopt;
    std::string fault = "must be one of";
    for (const std::string_view choice : parameter.choices) fault.append(" ").append(choice);
    return fault;
}

Fault instant_fault(const Parameter&, std::string_view value) {
    auto instant = parse_rfc3339(value);
    if (instant) return std::nullopt;
    return "must be an RFC 3339 time such as 2026-11-21T09:30:00Z (a plus sign is sent as %2B): " +
           instant.error().what;
}

Fault as_of_fault(const Parameter& parameter, std::string_view value) {
    if (!value.starts_with("seq:")) return instant_fault(parameter, value);
    if (parse_uint64(value.substr(4))) return std::nullopt;
    return "must be an RFC 3339 time, or seq: and the number of a frame";
}

Fault decimal_fault(const Parameter&, std::string_view value) {
    const auto [whole, part] = split_once(value, '.');
    const bool has_point = whole.size() < value.size();
    if (are_digits(whole) && whole.size() <= 18 && (!has_point || (are_digits(part) && part.size() <= 18))) {
        return std::nullopt;
    }
    return "must be a decimal amount such as 12.50";
}

Fault currency_fault(const Parameter&, std::string_view value) {
    if (value.size() == 3 && std::ranges::all_of(value, [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return std::nullopt;
    }
    return "must be a currency code of three capitals";
}

Fault payment_id_fault(const Parameter&, std::string_view value) {
    if (payment_id_from_hex(value)) return std::nullopt;
    return "must be 32 lower-case hex digits";
}

Fault account_name_fault(const Parameter&, std::string_view value) {
    if (check_account_name(value)) return std::nullopt;
    return "must be 1 to 64 characters of A-Z a-z 0-9 . _ : @ + -";
}

Fault key_fault(const Parameter&, std::string_view value) {
    if (is_key(value)) return std::nullopt;
    return "must be 8 to 128 characters of A-Z a-z 0-9 . _ : -";
}

Fault place_fault(const Parameter&, std::string_view value) {
    const auto [seq, index] = split_once(value, '.');
    if (parse_uint64(seq) && parse_uint32(index)) return std::nullopt;
    return "must be an event's id: the frame's number, a point, and the outcome's number";
}

Fault no_fault(const Parameter&, std::string_view) { return std::nullopt; }

// Row n belongs to kind n.
struct Kind {
    Fault (*check)(const Parameter&, std::string_view);
    std::string_view pattern;
    std::string_view format;
};
constexpr std::array<Kind, 12> kKinds{{
    {text_fault, "", ""},
    {integer_fault, "", ""},
    {choice_fault, "", ""},
    {instant_fault, "", "date-time"},
    {as_of_fault, R"(^(seq:(0|[1-9][0-9]{0,18})|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].+)$)", ""},
    {decimal_fault, R"(^[0-9]{1,18}(\.[0-9]{1,18})?$)", ""},
    {currency_fault, "^[A-Z]{3}$", ""},
    {payment_id_fault, "^[0-9a-f]{32}$", ""},
    {account_name_fault, R"(^[A-Za-z0-9._:@+-]{1,64}$)", ""},
    {key_fault, R"(^("[A-Za-z0-9._:-]{8,128}"|[A-Za-z0-9._:-]{8,128})$)", ""},
    {place_fault, R"(^(0|[1-9][0-9]{0,18})\.(0|[1-9][0-9]{0,8})$)", ""},
    {no_fault, "", ""},
}};

const Kind& kind_of(const Parameter& parameter) { return kKinds[static_cast<std::size_t>(parameter.kind)]; }

ParameterFault fault_of(const Parameter& parameter, std::string_view problem_code, std::string_view detail) {
    ParameterFault fault;
    fault.code = problem_code;
    fault.detail = std::string(parameter.name).append(" ").append(detail);
    fault.parameter = parameter.name;
    if (parameter.in == ParameterIn::path) {
        fault.status = 404;
        fault.code = "not_found";
    } else if (parameter.kind == ParameterKind::key) {
        fault.code = problem_code == "missing_parameter" ? "idempotency_key_missing" : "idempotency_key_malformed";
    }
    return fault;
}

// A structured-field string, as the draft of Idempotency-Key wants it, or the bare key.
std::string_view unquoted(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') return value.substr(1, value.size() - 2);
    return value;
}

std::string_view decode(std::string_view text, bool plus_is_space, std::string& decoded) {
    if (!is_coded(text, plus_is_space)) return text;
    const std::size_t begin = decoded.size();
    append_decoded(decoded, text, plus_is_space);
    return std::string_view(decoded).substr(begin);
}

ParameterFault unknown_parameter(std::string_view query_name, const Route& route) {
    std::string detail = quoted(query_name) + " is no parameter of this route;";
    bool any = false;
    for (const Parameter& parameter : route.parameters) {
        if (parameter.in != ParameterIn::query) continue;
        detail.append(any ? ", " : " it knows ").append(parameter.name);
        any = true;
    }
    if (!any) detail.append(" it has none");
    return {400, "unknown_parameter", detail, std::string(query_name.substr(0, 64))};
}

std::optional<ParameterFault> read_query(std::string& decoded, Request& request) {
    std::string_view rest = request.query;
    QueryItem item;
    while (next_query_item(rest, item)) {
        const std::string_view item_name = decode(item.name, true, decoded);
        const auto& parameters = request.route->parameters;
        const auto found = std::ranges::find_if(parameters, [&](const Parameter& parameter) {
            return parameter.in == ParameterIn::query && parameter.name == item_name;
        });
        // The originals look for those that they know, of a name that stands twice at the last.
        const bool lenient = !request.route->profile.empty();
        if (found == parameters.end()) {
            if (lenient) continue;
            return unknown_parameter(item_name, *request.route);
        }
        std::string_view& value = request.values[static_cast<std::size_t>(found - parameters.begin())];
        if (value.data() != nullptr && !lenient) return fault_of(*found, "duplicate_parameter", "may be sent once");
        value = decode(item.value, true, decoded);
    }
    return std::nullopt;
}

std::optional<ParameterFault> read_header(const Parameter& parameter, const RequestHead& head,
                                          std::string_view& value) {
    for (const HeaderField& field : head.headers()) {
        if (field.name.size() != parameter.name.size() || !equal_ignoring_case(field.name, parameter.name)) continue;
        if (parameter.kind == ParameterKind::prefer) {
            if (value.data() == nullptr || field.value.find("wait") != std::string_view::npos) value = field.value;
            continue;
        }
        if (value.data() != nullptr) return fault_of(parameter, "invalid_parameter", "may be sent once");
        value = parameter.kind == ParameterKind::key ? unquoted(field.value) : field.value;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> parameter_fault(const Parameter& parameter, std::string_view value) {
    return kind_of(parameter).check(parameter, value);
}

void write_parameter_schema(JsonWriter& json, const Parameter& parameter) {
    const Kind& kind = kind_of(parameter);
    json.begin_object().field("type", parameter.kind == ParameterKind::integer ? "integer" : "string");
    if (parameter.kind == ParameterKind::integer) json.field("minimum", parameter.min).field("maximum", parameter.max);
    if (parameter.kind == ParameterKind::text) json.field("minLength", parameter.min).field("maxLength", parameter.max);
    if (!kind.pattern.empty()) json.field("pattern", kind.pattern);
    if (!kind.format.empty()) json.field("format", kind.format);
    if (!parameter.choices.empty()) {
        json.key("enum").begin_array();
        for (const std::string_view choice : parameter.choices) json.string(choice);
        json.end_array();
    }
    json.end_object();
}

std::optional<ParameterFault> read_parameters(std::span<const std::string_view> segments, const RequestHead& head,
                                              std::string& decoded, Request& request) {
    const auto& parameters = request.route->parameters;
    // Never grows below, so the views into it stay.
    if (!request.query.empty() || !segments.empty()) decoded.reserve(head.path.size() + head.query.size());
    for (std::size_t i = 0; i < segments.size(); ++i) request.values[i] = decode(segments[i], false, decoded);
    if (auto fault = read_query(decoded, request)) return fault;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Parameter& parameter = parameters[i];
        std::string_view& value = request.values[i];
        if (parameter.in == ParameterIn::header) {
            if (auto fault = read_header(parameter, head, value)) return fault;
        }
        if (value.data() == nullptr) {
            if (parameter.required) return fault_of(parameter, "missing_parameter", "is required");
            continue;
        }
        if (auto fault = parameter_fault(parameter, value)) {
            return fault_of(parameter, "invalid_parameter", *fault);
        }
    }
    return std::nullopt;
}

}  // namespace nostro
