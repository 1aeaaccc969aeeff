#include "nostro/wire/framework_json_scan.hpp"

#include <algorithm>

#include "nostro/base/digit.hpp"

namespace nostro {
namespace {

bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

bool FrameworkScan::fail(std::string_view what, std::size_t at) {
    what_ = what;
    at_ = at;
    return false;
}

void FrameworkScan::skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
        ++at_;
    }
}

bool FrameworkScan::take(char wanted) {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
}

bool FrameworkScan::end() {
    skip_space();
    return at_ == text_.size() || fail("Extra data", at_);
}

// Without recursion, however deep the text is nested.
bool FrameworkScan::value() {
    if (!value_or_opening()) return false;
    while (!open_.empty()) {
        if (!after_value()) return false;
    }
    return true;
}

// A scalar, an empty container, or the way to the first scalar in a container.
bool FrameworkScan::value_or_opening() {
    for (;;) {
        skip_space();
        const char opening = peek();
        if (opening != '{' && opening != '[') return scalar();
        if (open_.size() == kDepthMax) return fail("Nested too deep", at_);
        const char closing = opening == '{' ? '}' : ']';
        ++at_;
        skip_space();
        if (take(closing)) return true;
        open_ += closing;
        if (closing == '}' && !(name() && colon())) return false;
    }
}

// Behind a value in a container: the next one, or its end.
bool FrameworkScan::after_value() {
    skip_space();
    if (take(open_.back())) {
        open_.pop_back();
        return true;
    }
    if (!take(',')) return fail("Expecting ',' delimiter", at_);
    skip_space();
    if (open_.back() == '}' && !(name() && colon())) return false;
    return value_or_opening();
}

bool FrameworkScan::name() {
    if (peek() != '"') return fail("Expecting property name enclosed in double quotes", at_);
    return string();
}

bool FrameworkScan::colon() {
    skip_space();
    return take(':') || fail("Expecting ':' delimiter", at_);
}

bool FrameworkScan::scalar() {
    switch (peek()) {
        case '"': return string();
        case 't': return word("true");
        case 'f': return word("false");
        case 'n': return word("null");
        default: return number();
    }
}

bool FrameworkScan::word(std::string_view wanted) {
    if (!text_.substr(at_).starts_with(wanted)) return fail("Expecting value", at_);
    at_ += wanted.size();
    return true;
}

bool FrameworkScan::string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size()) {
        const auto c = static_cast<unsigned char>(text_[at_]);
        if (c < 0x20) return fail("Invalid control character at", at_);
        ++at_;
        if (c == '"') return true;
        if (c == '\\' && !escape(begin)) return false;
    }
    return fail("Unterminated string starting at", begin);
}

// Behind a backslash of the string that begins at `begin`.
bool FrameworkScan::escape(std::size_t begin) {
    if (at_ == text_.size()) return fail("Unterminated string starting at", begin);
    if (text_[at_] != 'u') {
        constexpr std::string_view kKnown = "\"\\/bfnrt";
        if (kKnown.find(text_[at_]) == std::string_view::npos) return fail("Invalid \\escape", at_ - 1);
        ++at_;
        return true;
    }
    const std::string_view code = text_.substr(at_ + 1, 4);
    if (code.size() != 4 || !std::ranges::all_of(code, is_hex_digit)) return fail("Invalid \\uXXXX escape", at_);
    at_ += 5;
    return true;
}

bool FrameworkScan::digits() {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > first;
}

// A point or exponent without digits belongs to what follows, as the originals' parser has it.
bool FrameworkScan::number() {
    const std::size_t begin = at_;
    take('-');
    if (!take('0') && !digits()) return fail("Expecting value", begin);
    std::size_t whole = at_;
    if (take('.') && !digits()) at_ = whole;
    whole = at_;
    if (peek() == 'e' || peek() == 'E') {
        ++at_;
        if (peek() == '+' || peek() == '-') ++at_;
        if (!digits()) at_ = whole;
    }
    return true;
}

}  // namespace nostro
