// Refusals in the shape of the web framework that the published systems were written with, as their clients know it:
// {"detail":"..."}, and for input that does not fit {"detail":[{"type","loc","msg","input"[,"ctx"]}, ...]}.
//
// Pure. Threads: values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/wire/http_message.hpp"

namespace nostro {

// What can be wrong with a value. Types and texts are in one table, framework_errors.cpp.
enum class FrameworkFault : std::uint8_t {
    missing,
    model_attributes_type,
    json_invalid,  // cause: the parser's words
    float_parsing,
    float_type,
    string_type,
    string_unicode,
    string_too_long,  // cause: how many characters are allowed
    int_parsing,
    date_type,
    date_from_datetime_parsing,  // cause: which part is wrong
    date_from_datetime_inexact,
    // nostro's own: what the originals let in.
    string_empty,
    string_control_character,
    money_not_positive,
    money_too_many_decimals,  // cause: how many are allowed
    money_overflow,
    currency_unknown,
    date_before_start,  // cause: the field with the start
    accounts_equal,
    greater_than_equal,  // cause: the least
    less_than_equal,     // cause: the most
};

// Where the value stood: loc is [in, field], [in, position] or [in].
struct FrameworkPlace {
    std::string_view in = "body";           // body, path, query
    std::string_view field = {};            // empty: the whole of it
    std::size_t order = 0;                  // among the fields of a body; entries are in this order
    std::optional<std::size_t> position{};  // in characters, of what is no JSON
};

// The entries of one 422.
class FrameworkErrors {
public:
    // `input`: the value as compact JSON.
    void add(FrameworkFault fault, const FrameworkPlace& place, std::string_view input, std::string_view cause = {});

    bool empty() const { return entries_.empty(); }
    bool has(std::size_t order) const;  // an entry of the field of this number
    std::size_t count() const { return entries_.size(); }
    void clear() { entries_.clear(); }
    // The whole body: {"detail":[...]}.
    std::string json() const;
    // For people, in one line: "amount: Amount should be greater than 0; currency: Field required".
    std::string text() const;
    void write(Response& response) const;

private:
    struct Entry {
        std::size_t order;
        std::string json, text;
    };
    std::vector<Entry> entries_;
};

// {"detail": text}. 503 gets a Retry-After.
void write_framework_refusal(Response& response, std::uint16_t status, std::string_view detail);

}  // namespace nostro
