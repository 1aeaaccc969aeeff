// Bodies of a profile's routes, read as leniently as the originals read them and no more exactly than needed: any order
// of fields, further ones ignored, of a name that stands twice the last. But whatever is read is JSON to the last byte,
// and an amount stays the text that it is: no value passes through a float.
//
// What is wrong becomes entries of FrameworkErrors, all of them, in the order of the fields.
// Threads: any. Texts are in the arena or in the request's body, and live as long as the shorter of the two.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nostro/domain/money.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/framework_errors.hpp"

namespace nostro {

enum class FrameworkKind : std::uint8_t {
    text,
    currency,  // a text that is a currency in use
    money,  // a number, or a text that is a plain decimal; > 0. framework_money() knows how many decimals it may have
    date,   // YYYY-MM-DD; a date-time or Unix seconds that are midnight
};

struct FrameworkField {
    std::string_view name;
    FrameworkKind kind = FrameworkKind::text;
    bool required = true;
    std::string_view otherwise{};  // the text of one that is absent
    std::size_t max = 140;         // characters of a text
    bool may_be_empty = false;     // a text
};

struct FrameworkValue {
    std::string_view text;      // unescaped; of money plain digits and at most one point, of a date YYYY-MM-DD
    std::string_view raw;       // as it stood; empty: it was not there
    std::chrono::sys_days day;  // of a date
};

// Reads `fields` (at most 32) from the request's body into as many values. False: `errors` says why not.
bool read_framework_body(const Request& request, std::span<const FrameworkField> fields, Arena& arena,
                         std::span<FrameworkValue> into, FrameworkErrors& errors);

// Whether it fits into the originals' columns numeric(20,4): 16 digits before the point.
bool fits_numeric_20_4(Money amount);
// The amount of field `number`, which was read as money, in a currency; it fits into such a column. nullopt: noted.
std::optional<Money> framework_money(std::span<const FrameworkField> fields, std::size_t number,
                                     const FrameworkValue& value, Currency currency, FrameworkErrors& errors);

// A whole number in a path as the originals take it: "7", "+7", "07", "7.0". Those beyond 64 bits are the largest or
// smallest. nullopt: it is none (int_parsing).
std::optional<std::int64_t> framework_integer(std::string_view text);

// A JSON value without white space and escapes that need not be.
std::string compact_json(std::string_view json);

}  // namespace nostro
