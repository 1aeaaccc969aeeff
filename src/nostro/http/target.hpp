// Paths and queries of request targets: checked before anything is decoded, so that a target has one reading.
//
// Pure. Threads: any.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace nostro {

// What is wrong with it, in words; empty: nothing. Refuses characters that RFC 3986 does not allow, bad percent
// codes, coded control bytes; in a path also coded slashes and dot segments, plain or coded.
std::string_view path_fault(std::string_view path);
std::string_view query_fault(std::string_view query);

// Appends the decoded text to `to` and returns it. `text` passed the check above. In a query '+' is a space.
void append_decoded(std::string& to, std::string_view text, bool plus_is_space);
bool is_coded(std::string_view text, bool plus_is_space);

// Takes the next "name=value" off a query. False at its end. Empty pieces ("a=1&&b=2") are skipped.
struct QueryItem {
    std::string_view name, value;  // still coded
};
bool next_query_item(std::string_view& query, QueryItem& item);

}  // namespace nostro
