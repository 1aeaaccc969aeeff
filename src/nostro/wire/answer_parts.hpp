// Members that several answers have in common. Inner part of the answers' writers.
#pragma once
#include <string_view>

#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro {

void write_id(JsonWriter& json, std::string_view field, PaymentId id);             // null: empty
void write_text(JsonWriter& json, std::string_view field, std::string_view text);  // null: empty
void write_time(JsonWriter& json, std::string_view field, Instant at);             // null: none (zero)
void write_amount(JsonWriter& json, std::string_view field, std::int64_t minor, Currency currency);
void write_reason(JsonWriter& json, Reason reason);  // "reason", "reason_class"
void write_place(JsonWriter& json, std::string_view field, Place place);

}  // namespace nostro
