// Values out of other systems' JSON messages: those that are asked for, wherever they stand and in whatever order;
// other members are passed over. Exact: numbers are given as the text that stands there.
//
// Threads: one a reader and arena. Ownership: texts are in the arena, or in the message.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/domain/money.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/json_input.hpp"

namespace nostro {

struct MessageValue {
    enum class Kind : std::uint8_t { absent, null, text, number, boolean, object, array } kind = Kind::absent;
    std::string_view text;  // of a text without quotes and escapes; of a number, object or array as it stands there
};

// `paths`: "amount", "amount.value"; no name has a point in itself. `into`: one for each. A member that stands twice:
// the last counts. Error: it is no JSON object, and where; all of it is looked at.
Result<> read_message(JsonReader& reader, std::string_view message, std::span<const std::string_view> paths,
                      Arena& arena, std::span<MessageValue> into);

// One text out of a JSON object; empty: it has none, or is no JSON.
std::string message_member(std::string_view object, std::string_view name);

// A text that must be there: not empty, at most `max` bytes, no control characters.
Result<std::string_view> message_text(std::string_view path, const MessageValue& value, std::size_t max);
// An amount as number or plain decimal text, signed; every digit counts.
Result<Money> message_amount(std::string_view path, const MessageValue& value, Currency currency);

}  // namespace nostro
