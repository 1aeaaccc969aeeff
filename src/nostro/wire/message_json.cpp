#include "nostro/wire/message_json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/text.hpp"
#include "nostro/wire/field_errors.hpp"
#include "nostro/wire/json_fault.hpp"
#include "nostro/wire/json_fields.hpp"

namespace nostro {
namespace {

struct Walk {
    JsonBody& body;
    std::span<const std::string_view> paths;
    std::span<MessageValue> into;
};

// What a path says below `parent`; empty: it does not lead there.
std::string_view below(std::string_view path, std::string_view parent) {
    if (parent.empty()) return path;
    const bool leads = path.size() > parent.size() && path.starts_with(parent) && path[parent.size()] == '.';
    return leads ? path.substr(parent.size() + 1) : std::string_view();
}

std::optional<std::string_view> taken_text(JsonBody& body, ondemand::value& value, ondemand::json_type type) {
    std::string_view text;
    simdjson::error_code error = simdjson::SUCCESS;
    bool flag = false;
    switch (type) {
        case ondemand::json_type::string: return read_raw_text(body, value, "");
        case ondemand::json_type::number:
            text = trim(value.raw_json_token());
            if (is_json_number(text)) return text;
            error = simdjson::NUMBER_ERROR;
            break;
        case ondemand::json_type::boolean:
            error = value.get_bool().get(flag);
            text = flag ? "true" : "false";
            break;
        case ondemand::json_type::object:
            if (auto object = as_object(body, value)) error = object->raw_json().get(text);
            break;
        default:
            if (auto array = as_array(body, value)) error = array->raw_json().get(text);
            break;
    }
    if (error == simdjson::SUCCESS) return text;
    body.broken(error);
    return std::nullopt;
}

MessageValue::Kind kind_of(ondemand::json_type type) {
    switch (type) {
        case ondemand::json_type::string: return MessageValue::Kind::text;
        case ondemand::json_type::number: return MessageValue::Kind::number;
        case ondemand::json_type::boolean: return MessageValue::Kind::boolean;
        case ondemand::json_type::object: return MessageValue::Kind::object;
        case ondemand::json_type::array: return MessageValue::Kind::array;
        default: return MessageValue::Kind::null;
    }
}

// The paths that a member concerns.
struct Wanted {
    MessageValue* value = nullptr;  // what the path that ends there gets
    std::string_view at;            // the member's own path, where others lead on below it; else empty
};

// What was read below the member before counts no more: the last member of a name does.
Wanted wanted(const Walk& walk_of, std::string_view parent, std::string_view name) {
    Wanted found;
    // "amount.value" as a name is no way to the value inside of "amount", and "" is none to anything.
    if (name.empty() || name.find('.') != std::string_view::npos) return found;
    for (std::size_t i = 0; i < walk_of.paths.size(); ++i) {
        const std::string_view path = walk_of.paths[i], rest = below(path, parent);
        if (rest == name) {
            if (found.value == nullptr) found.value = &walk_of.into[i];
        } else if (!below(rest, name).empty()) {
            walk_of.into[i] = MessageValue();
            found.at = path.substr(0, path.size() - rest.size() + name.size());
        }
    }
    return found;
}

// Depth is bounded by the paths: what none of them leads into is passed over.
void walk(Walk& walk_of, ondemand::object& object, std::string_view parent) {
    each_member(walk_of.body, object, [&](std::string_view name, ondemand::value& value, ondemand::json_type type) {
        const Wanted found = wanted(walk_of, parent, name);
        if (!found.at.empty() && type == ondemand::json_type::object) {
            if (auto inner = as_object(walk_of.body, value)) walk(walk_of, *inner, found.at);
            return;
        }
        MessageValue read{kind_of(type), {}};
        if (type == ondemand::json_type::null) {  // taken already
        } else if (found.value != nullptr || type == ondemand::json_type::string) {
            const auto text = taken_text(walk_of.body, value, type);
            if (!text) return;
            if (found.value != nullptr) read.text = walk_of.body.arena.copy(*text);
        }
        if (found.value != nullptr) *found.value = read;
    });
}

}  // namespace

Result<> read_message(JsonReader& reader, std::string_view message, std::span<const std::string_view> paths,
                      Arena& arena, std::span<MessageValue> into) {
    std::ranges::fill(into, MessageValue());
    // Also in members that nobody asks for.
    if (const auto fault = json_fault(message)) {
        return Error{ErrorCode::invalid, fmt::format("this is no JSON: its syntax is wrong near byte {}", *fault)};
    }
    FieldErrors errors;
    JsonBody body(reader.state(), arena, errors);
    auto document = body.open({message, message.size()});
    if (document) {
        if (auto object = body.object(*document)) {
            Walk walk_of{body, paths, into};
            walk(walk_of, *object, "");
            body.at_end(*document);
        }
    }
    if (errors.empty()) return {};
    return Error{ErrorCode::invalid, errors.list().front().detail};
}

std::string message_member(std::string_view object, std::string_view name) {
    if (object.empty()) return {};
    static thread_local JsonReader reader;
    Arena arena(256);
    MessageValue value;
    if (!read_message(reader, object, {&name, 1}, arena, {&value, 1})) return {};
    return std::string(value.text);
}

Result<std::string_view> message_text(std::string_view path, const MessageValue& value, std::size_t max) {
    const auto wrong = [&](std::string_view what) {
        return Error{ErrorCode::invalid, fmt::format("{}: {}", path, what)};
    };
    switch (value.kind) {
        case MessageValue::Kind::text: break;
        case MessageValue::Kind::absent: return wrong("is missing");
        case MessageValue::Kind::null: return wrong("is null");
        default: return wrong("is no text");
    }
    const auto fault = check_text(value.text, {.max = max, .may_be_empty = false});
    if (!fault.code.empty()) return wrong(fault.detail);
    return value.text;
}

Result<Money> message_amount(std::string_view path, const MessageValue& value, Currency currency) {
    const auto wrong = [&](std::string_view what) {
        return Error{ErrorCode::invalid, fmt::format("{}: {}", path, what)};
    };
    if (value.kind == MessageValue::Kind::absent) return wrong("is missing");
    if (value.kind != MessageValue::Kind::number && value.kind != MessageValue::Kind::text)
        return wrong("is no number");
    auto amount = Money::parse_signed(value.text, currency);
    if (!amount) return wrong(amount.error().what);
    return *amount;
}

}  // namespace nostro
