// Writing JSON. All JSON that leaves nostro goes through here, so it is always well-formed UTF-8.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace nostro {

// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& to, std::string_view text);

// Appends compact JSON to a string and puts the commas. Allocates nothing of its own. One thread.
//
//     JsonWriter json(body);
//     json.begin_object().field("status", "settled").key("why").begin_array().end_array().end_object();
//
// Wrong nesting, or more than kDepthMax levels, is a bug and stops the process. Amounts are strings: there is no
// field() for Money on purpose, write money.decimal().
class JsonWriter {
public:
    static constexpr unsigned kDepthMax = 63;

    explicit JsonWriter(std::string& to) : to_(to) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }
    JsonWriter& key(std::string_view name);

    JsonWriter& string(std::string_view value);
    template <class Integer>
        requires std::is_integral_v<Integer> && (!std::is_same_v<Integer, bool>) && (!std::is_same_v<Integer, char>)
    JsonWriter& number(Integer value) {
        if constexpr (std::is_signed_v<Integer>) {
            return signed_number(value);
        } else {
            return unsigned_number(value);
        }
    }
    JsonWriter& number(double value);  // shortest form that reads back; null when not finite
    JsonWriter& boolean(bool value);
    JsonWriter& null();
    // A value that is JSON already; taken as it is.
    JsonWriter& raw(std::string_view json);
    // Members of the open object that are JSON already, with commas between them: "a":1,"b":2
    JsonWriter& raw_members(std::string_view json);

    JsonWriter& value(std::string_view text) { return string(text); }
    JsonWriter& value(const char* text) { return string(text); }
    JsonWriter& value(const std::string& text) { return string(text); }
    JsonWriter& value(bool flag) { return boolean(flag); }
    JsonWriter& value(double number_value) { return number(number_value); }
    JsonWriter& value(std::nullptr_t) { return null(); }
    template <class Integer>
        requires std::is_integral_v<Integer> && (!std::is_same_v<Integer, bool>) && (!std::is_same_v<Integer, char>)
    JsonWriter& value(Integer number_value) {
        return number(number_value);
    }

    // key() and value() at once.
    template <class Value>
    JsonWriter& field(std::string_view name, const Value& field_value) {
        key(name);
        return value(field_value);
    }

    // Everything that was opened is closed.
    bool complete() const { return depth_ == 0 && !after_key_; }

private:
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);
    JsonWriter& signed_number(std::int64_t value);
    JsonWriter& unsigned_number(std::uint64_t value);
    void separate();
    void separate_member();

    std::string& to_;
    // One bit a level: has it a member already, is it an object.
    std::uint64_t has_member_ = 0, is_object_ = 0;
    unsigned depth_ = 0;
    bool after_key_ = false;
};

}  // namespace nostro
