#include "nostro/wire/framework_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/base/json_text.hpp"

namespace nostro {
namespace {

// Row n belongs to fault n. {} in a message is the cause; `context` is the cause's name in "ctx", none: it has no ctx.
struct Row {
    std::string_view type, message;
    std::string_view context{};
    bool is_number = false;
};
constexpr std::array<Row, 22> kRows{{
    {"missing", "Field required"},
    {"model_attributes_type", "Input should be a valid dictionary or object to extract fields from"},
    {"json_invalid", "JSON decode error", "error"},
    {"float_parsing", "Input should be a valid number, unable to parse string as a number"},
    {"float_type", "Input should be a valid number"},
    {"string_type", "Input should be a valid string"},
    {"string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string"},
    {"string_too_long", "String should have at most {} characters", "max_length", true},
    {"int_parsing", "Input should be a valid integer, unable to parse string as an integer"},
    {"date_type", "Input should be a valid date"},
    {"date_from_datetime_parsing", "Input should be a valid date or datetime, {}", "error"},
    {"date_from_datetime_inexact", "Datetimes provided to dates should have zero time - e.g. be exact dates"},
    {"string_empty", "String should not be empty"},
    {"string_control_character", "String should not hold control characters"},
    {"money_not_positive", "Amount should be greater than 0"},
    {"money_too_many_decimals", "Amount should have at most {} decimals in its currency", "decimals", true},
    {"money_overflow", "Amount is too large"},
    {"currency_unknown", "Currency should be a code of ISO 4217 that is in use, such as USD"},
    {"date_before_start", "Date should not be before {}", "start"},
    {"accounts_equal", "Input should name somebody else than the other party"},
    {"greater_than_equal", "Input should be greater than or equal to {}", "ge", true},
    {"less_than_equal", "Input should be less than or equal to {}", "le", true},
}};
static_assert(static_cast<std::size_t>(FrameworkFault::less_than_equal) + 1 == kRows.size());

void write_loc(JsonWriter& json, const FrameworkPlace& place) {
    json.key("loc").begin_array().string(place.in);
    if (place.position) json.number(*place.position);
    if (!place.field.empty()) json.string(place.field);
    json.end_array();
}

}  // namespace

void FrameworkErrors::add(FrameworkFault fault, const FrameworkPlace& place, std::string_view input,
                          std::string_view cause) {
    const Row& row = kRows[static_cast<std::size_t>(fault)];
    const std::string message = fmt::format(fmt::runtime(row.message), cause);
    Entry entry{place.order, {}, fmt::format("{}: {}", place.field.empty() ? place.in : place.field, message)};
    JsonWriter json(entry.json);
    json.begin_object().field("type", row.type);
    write_loc(json, place);
    json.field("msg", message).key("input").raw(input);
    if (!row.context.empty()) {
        json.key("ctx").begin_object().key(row.context);
        if (row.is_number) {
            json.raw(cause);
        } else {
            json.string(cause);
        }
        json.end_object();
    }
    json.end_object();
    const auto behind = std::ranges::upper_bound(entries_, entry.order, {}, &Entry::order);
    entries_.insert(behind, std::move(entry));
}

bool FrameworkErrors::has(std::size_t order) const {
    return std::ranges::binary_search(entries_, order, {}, &Entry::order);
}

std::string FrameworkErrors::text() const {
    std::string all;
    for (const Entry& entry : entries_) all.append(all.empty() ? "" : "; ").append(entry.text);
    return all;
}

std::string FrameworkErrors::json() const {
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("detail").begin_array();
    for (const Entry& entry : entries_) json.raw(entry.json);
    json.end_array().end_object();
    return text;
}

void FrameworkErrors::write(Response& response) const {
    response.clear();
    response.status = 422;
    response.body = json();
}

void write_framework_refusal(Response& response, std::uint16_t status, std::string_view detail) {
    response.clear();
    response.status = status;
    if (status == 503) response.header("Retry-After", "1");
    JsonWriter(response.body).begin_object().field("detail", detail).end_object();
}

}  // namespace nostro
