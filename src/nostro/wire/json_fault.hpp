// Where a text stops being JSON: for telling people after a parser has refused it, and for readers that pass over much
// of what they are given.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace nostro {

// The first byte that cannot stand where it stands; the text's size when more should follow. nullopt: it is one JSON
// value with nothing but white space around it (its strings may still be no UTF-8, its escapes half a pair).
std::optional<std::size_t> json_fault(std::string_view text);

// The first byte of what is no UTF-8; nullopt: all of it is.
std::optional<std::size_t> utf8_fault(std::string_view text);

}  // namespace nostro
