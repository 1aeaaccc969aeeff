// Whether a text is JSON, by a parser that looks at every byte; the program's own looks at what it is asked for.
#pragma once
#include <simdjson.h>

#include <string_view>

namespace nostro {

inline bool is_strict_json(std::string_view text) {
    static simdjson::dom::parser parser;
    const auto error = parser.parse(text.data(), text.size()).error();
    // Numbers are kept as they are written: those beyond 64 bits are fine.
    return error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR;
}

}  // namespace nostro
