#include "nostro/base/json_text.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include "nostro/base/assert.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr bool needs_no_escape(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

// How many characters at the begin need no escape; eight at a time, as nearly all texts are short and plain.
std::size_t plain_prefix(std::string_view text) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
    const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHigh; };
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
        if (((word | below_space | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\')) & kHigh) != 0) break;
    }
    while (at < text.size() && needs_no_escape(static_cast<unsigned char>(text[at]))) ++at;
    return at;
}

void append_escaped(std::string& to, unsigned char c) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (c) {
        case '"': to += "\\\""; return;
        case '\\': to += "\\\\"; return;
        case '\n': to += "\\n"; return;
        case '\r': to += "\\r"; return;
        case '\t': to += "\\t"; return;
        case '\b': to += "\\b"; return;
        case '\f': to += "\\f"; return;
        default: break;
    }
    to += "\\u00";
    to += kHex[c >> 4];
    to += kHex[c & 15];
}

template <class Number>
void append_number(std::string& to, Number value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    to.append(digits, end);
}

}  // namespace

void append_json_string(std::string& to, std::string_view text) {
    to += '"';
    while (!text.empty()) {
        const std::size_t plain = plain_prefix(text);
        to.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) break;
        const auto c = static_cast<unsigned char>(text[0]);
        if (c < 0x80) {
            append_escaped(to, c);
            text.remove_prefix(1);
        } else if (const std::size_t length = utf8_sequence_length(text); length != 0) {
            to.append(text.substr(0, length));
            text.remove_prefix(length);
        } else {
            to += "\xEF\xBF\xBD";
            text.remove_prefix(1);
        }
    }
    to += '"';
}

void JsonWriter::separate() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    const std::uint64_t level = std::uint64_t{1} << depth_;
    NOSTRO_ASSERT(depth_ == 0 || (is_object_ & level) == 0, "JSON: a member of an object needs a key");
    NOSTRO_ASSERT(depth_ != 0 || (has_member_ & level) == 0, "JSON: a second value at the top");
    if ((has_member_ & level) != 0) to_ += ',';
    has_member_ |= level;
}

JsonWriter& JsonWriter::open(char bracket) {
    separate();
    NOSTRO_ASSERT(depth_ < kDepthMax, "JSON: nested too deep");
    ++depth_;
    const std::uint64_t level = std::uint64_t{1} << depth_;
    has_member_ &= ~level;
    is_object_ = bracket == '{' ? is_object_ | level : is_object_ & ~level;
    to_ += bracket;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    const std::uint64_t level = std::uint64_t{1} << depth_;
    NOSTRO_ASSERT(depth_ > 0 && !after_key_, "JSON: closed too early");
    NOSTRO_ASSERT(((is_object_ & level) != 0) == (bracket == '}'), "JSON: closed by the wrong bracket");
    --depth_;
    to_ += bracket;
    return *this;
}

void JsonWriter::separate_member() {
    const std::uint64_t level = std::uint64_t{1} << depth_;
    NOSTRO_ASSERT(depth_ > 0 && (is_object_ & level) != 0 && !after_key_, "JSON: a key where none may stand");
    if ((has_member_ & level) != 0) to_ += ',';
    has_member_ |= level;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate_member();
    append_json_string(to_, name);
    to_ += ':';
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::raw_members(std::string_view json) {
    separate_member();
    to_ += json;
    return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
    separate();
    append_json_string(to_, value);
    return *this;
}

JsonWriter& JsonWriter::signed_number(std::int64_t value) {
    separate();
    append_number(to_, value);
    return *this;
}

JsonWriter& JsonWriter::unsigned_number(std::uint64_t value) {
    separate();
    append_number(to_, value);
    return *this;
}

JsonWriter& JsonWriter::number(double value) {
    if (!std::isfinite(value)) return null();
    separate();
    append_number(to_, value);
    return *this;
}

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    to_ += json;
    return *this;
}

}  // namespace nostro
