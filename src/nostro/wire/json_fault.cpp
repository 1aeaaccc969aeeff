#include "nostro/wire/json_fault.hpp"

#include <algorithm>
#include <string>

#include "nostro/base/digit.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

// Reads without recursion, however deep the text is nested.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<std::size_t> fault() {
        bool fine = value_or_opening();
        while (fine && !open_.empty()) fine = after_value();
        if (!fine) return at_;
        skip_space();
        return at_ == text_.size() ? std::nullopt : std::optional(at_);
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }
    bool take(char wanted) {
        if (at_ == text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    // A scalar, an empty container, or the way to the first scalar in a container.
    bool value_or_opening() {
        for (;;) {
            skip_space();
            if (peek() != '{' && peek() != '[') return scalar();
            const char closing = peek() == '{' ? '}' : ']';
            ++at_;
            skip_space();
            if (take(closing)) return true;
            open_ += closing;
            if (closing == '}' && !name()) return false;
        }
    }

    // Behind a value in a container: the next one, or its end.
    bool after_value() {
        skip_space();
        if (take(open_.back())) {
            open_.pop_back();
            return true;
        }
        if (!take(',')) return false;
        if (open_.back() == '}' && !name()) return false;
        return value_or_opening();
    }

    bool name() {
        skip_space();
        if (!string()) return false;
        skip_space();
        return take(':');
    }

    bool scalar() {
        switch (peek()) {
            case '"': return string();
            case 't': return word("true");
            case 'f': return word("false");
            case 'n': return word("null");
            default: return number();
        }
    }

    bool word(std::string_view wanted) {
        return std::ranges::all_of(wanted, [&](char c) { return take(c); });
    }

    bool string() {
        if (!take('"')) return false;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (is_control(c)) return false;
            ++at_;
            if (c == '"') return true;
            if (c != '\\') continue;
            if (take('u')) {
                for (int i = 0; i < 4; ++i) {
                    if (!take_one_of("0123456789abcdefABCDEF")) return false;
                }
            } else if (!take_one_of("\"\\/bfnrt")) {
                return false;
            }
        }
        return false;
    }

    bool take_one_of(std::string_view wanted) {
        if (at_ == text_.size() || wanted.find(text_[at_]) == std::string_view::npos) return false;
        ++at_;
        return true;
    }
    bool digits() {
        const std::size_t first = at_;
        while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
        return at_ > first;
    }
    bool number() {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (!take_one_of("eE")) return true;
        take_one_of("+-");
        return digits();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string open_;  // what closes the containers that are open
};

}  // namespace

std::optional<std::size_t> json_fault(std::string_view text) { return Scanner(text).fault(); }

std::optional<std::size_t> utf8_fault(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_sequence_length(text.substr(at));
        if (length == 0) return at;
        at += length;
    }
    return std::nullopt;
}

}  // namespace nostro
