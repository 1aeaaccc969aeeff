#include "tests/unit/http/json_schema.hpp"

#include <algorithm>
#include <array>
#include <regex>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro::test {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;
using Type = simdjson::dom::element_type;

constexpr std::array<std::string_view, 22> kKeywords{"type",          "enum",
                                                     "const",         "$ref",
                                                     "oneOf",         "required",
                                                     "properties",    "additionalProperties",
                                                     "items",         "pattern",
                                                     "format",        "minimum",
                                                     "maximum",       "exclusiveMinimum",
                                                     "minLength",     "maxLength",
                                                     "minItems",      "maxItems",
                                                     "minProperties", "maxProperties",
                                                     "description",   "examples"};

bool is_of_type(const element& value, std::string_view type) {
    switch (value.type()) {
        case Type::OBJECT: return type == "object";
        case Type::ARRAY: return type == "array";
        case Type::STRING: return type == "string";
        case Type::BOOL: return type == "boolean";
        case Type::NULL_VALUE: return type == "null";
        case Type::INT64:
        case Type::UINT64: return type == "integer" || type == "number";
        case Type::DOUBLE: return type == "number";
    }
    return false;
}

std::string text_of(const element& value) {
    std::string text = simdjson::minify(value);
    return text.substr(0, 200);
}

class Checker {
public:
    explicit Checker(const element& document) : document_(document) {}

    std::string check(const element& value, const element& schema, const std::string& at) const {
        element reference;
        if (schema["$ref"].get(reference) == simdjson::SUCCESS) return check(value, referred(reference), at);
        if (auto fault = check_alternatives(value, schema, at); !fault.empty()) return fault;
        if (auto fault = check_type(value, schema, at); !fault.empty()) return fault;
        if (value.is_string()) return check_string(value, schema, at);
        if (value.is_number()) return check_number(value, schema, at);
        if (value.is_array()) return check_array(value, schema, at);
        if (value.is_object()) return check_object(value, schema, at);
        return {};
    }

    element referred(const element& reference) const {
        std::string pointer(std::string_view(reference).substr(1));
        return document_.at_pointer(pointer).value();
    }

private:
    std::string check_alternatives(const element& value, const element& schema, const std::string& at) const {
        array alternatives;
        if (schema["oneOf"].get(alternatives) == simdjson::SUCCESS) {
            std::size_t fitting = 0;
            for (const element& one : alternatives) fitting += check(value, one, at).empty();
            if (fitting != 1) return at + ": fits " + std::to_string(fitting) + " of oneOf: " + text_of(value);
        }
        if (schema["enum"].get(alternatives) == simdjson::SUCCESS) {
            bool known = false;
            for (const element& one : alternatives) known |= text_of(one) == text_of(value);
            if (!known) return at + ": not in enum: " + text_of(value);
        }
        element constant;
        if (schema["const"].get(constant) == simdjson::SUCCESS && text_of(constant) != text_of(value)) {
            return at + ": is " + text_of(value);
        }
        return {};
    }

    std::string check_type(const element& value, const element& schema, const std::string& at) const {
        element type;
        if (schema["type"].get(type) != simdjson::SUCCESS) return {};
        if (type.is_string() && is_of_type(value, std::string_view(type))) return {};
        if (type.is_array()) {
            for (const element& one : array(type)) {
                if (is_of_type(value, std::string_view(one))) return {};
            }
        }
        return at + ": wrong type: " + text_of(value);
    }

    std::string check_string(const element& value, const element& schema, const std::string& at) const {
        const std::string_view text(value);
        std::string_view pattern;
        if (schema["pattern"].get(pattern) == simdjson::SUCCESS &&
            !std::regex_search(std::string(text), std::regex(std::string(pattern)))) {
            return at + ": does not match " + std::string(pattern) + ": " + text_of(value);
        }
        std::string_view format;
        if (schema["format"].get(format) == simdjson::SUCCESS && format == "date-time" && !parse_rfc3339(text)) {
            return at + ": no time: " + text_of(value);
        }
        return check_bounds(utf8_length(text), schema, "minLength", "maxLength", at);
    }

    std::string check_number(const element& value, const element& schema, const std::string& at) const {
        const double number = value.is_double() ? double(value) : double(std::int64_t(value));
        double bound = 0;
        if (schema["minimum"].get(bound) == simdjson::SUCCESS && number < bound) return at + ": too small";
        if (schema["maximum"].get(bound) == simdjson::SUCCESS && number > bound) return at + ": too large";
        if (schema["exclusiveMinimum"].get(bound) == simdjson::SUCCESS && number <= bound) return at + ": too small";
        return {};
    }

    std::string check_array(const element& value, const element& schema, const std::string& at) const {
        element items;
        std::size_t index = 0;
        const bool has_items = schema["items"].get(items) == simdjson::SUCCESS;
        for (const element& one : array(value)) {
            if (has_items) {
                if (auto fault = check(one, items, at + "/" + std::to_string(index)); !fault.empty()) return fault;
            }
            ++index;
        }
        return check_bounds(index, schema, "minItems", "maxItems", at);
    }

    std::string check_object(const element& value, const element& schema, const std::string& at) const {
        array required;
        if (schema["required"].get(required) == simdjson::SUCCESS) {
            for (const element& member : required) {
                if (value[std::string_view(member)].error() != simdjson::SUCCESS)
                    return at + ": misses " + text_of(member);
            }
        }
        std::size_t count = 0;
        for (const auto& [key, member] : object(value)) {
            if (auto fault = check_member(key, member, schema, at + "/" + std::string(key)); !fault.empty())
                return fault;
            ++count;
        }
        return check_bounds(count, schema, "minProperties", "maxProperties", at);
    }

    std::string check_member(std::string_view key, const element& value, const element& schema,
                             const std::string& at) const {
        element properties, property, additional;
        const bool has_properties = schema["properties"].get(properties) == simdjson::SUCCESS;
        if (has_properties && properties[key].get(property) == simdjson::SUCCESS) return check(value, property, at);
        if (schema["additionalProperties"].get(additional) != simdjson::SUCCESS) {
            // What answers hold has to be documented.
            return has_properties ? at + ": is not documented" : "";
        }
        if (additional.is_bool()) return bool(additional) ? "" : at + ": is not allowed";
        return check(value, additional, at);
    }

    std::string check_bounds(std::size_t count, const element& schema, const char* least, const char* most,
                             const std::string& at) const {
        std::uint64_t bound = 0;
        if (schema[least].get(bound) == simdjson::SUCCESS && count < bound) return at + ": too few";
        if (schema[most].get(bound) == simdjson::SUCCESS && count > bound) return at + ": too many";
        return {};
    }

    const element& document_;
};

}  // namespace

JsonSchemas::JsonSchemas(std::string_view document) {
    document_ = parser_.parse(document.data(), document.size()).value();
}

std::string JsonSchemas::fault(const element& value, const element& schema) const {
    return Checker(document_).check(value, schema, "");
}

bool JsonSchemas::has(std::string_view schema) const {
    return document_["components"]["schemas"][schema].error() == simdjson::SUCCESS;
}

std::string JsonSchemas::fault_of_schema(const element& schema) const {
    for (const auto& [key, value] : object(schema)) {
        if (key == "propertyNames") continue;
        if (std::ranges::find(kKeywords, key) == kKeywords.end()) return "unknown keyword " + std::string(key);
        if (key == "$ref") {
            std::string pointer(std::string_view(value).substr(1));
            if (document_.at_pointer(pointer).error() != simdjson::SUCCESS)
                return "refers into nothing: " + text_of(value);
        }
        if (key == "items" || (key == "additionalProperties" && value.is_object())) {
            if (auto fault = fault_of_schema(value); !fault.empty()) return fault;
        }
        if (key == "oneOf") {
            for (const element& one : array(value)) {
                if (auto fault = fault_of_schema(one); !fault.empty()) return fault;
            }
        }
        if (key == "properties") {
            for (const auto& [property, of_property] : object(value)) {
                if (auto fault = fault_of_schema(of_property); !fault.empty())
                    return std::string(property) + ": " + fault;
            }
        }
    }
    return {};
}

}  // namespace nostro::test
