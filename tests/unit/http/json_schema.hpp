// Checks JSON against the part of JSON Schema that our OpenAPI document uses. A keyword it does not know is a fault, so
// that a schema cannot promise what no test looks at.
#pragma once
#include <simdjson.h>

#include <string>
#include <string_view>

namespace nostro::test {

class JsonSchemas {
public:
    // `document`: an OpenAPI document, whose components.schemas are referred to.
    explicit JsonSchemas(std::string_view document);

    const simdjson::dom::element& document() const { return document_; }
    // What is wrong with `value`, and where; empty: nothing.
    std::string fault(const simdjson::dom::element& value, const simdjson::dom::element& schema) const;
    // Faults of the schema itself: unknown keywords, references into nothing.
    std::string fault_of_schema(const simdjson::dom::element& schema) const;
    bool has(std::string_view schema) const;

private:
    simdjson::dom::parser parser_;
    simdjson::dom::element document_;
};

}  // namespace nostro::test
