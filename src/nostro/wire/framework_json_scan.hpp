// Whether a text is one JSON value, with the words and places that the originals' parser has for what is not. Inner
// part of framework_json.cpp.
//
// Unlike json_fault it gives away where the members of an object stand, so a body is read and checked in one pass.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace nostro {

class FrameworkScan {
public:
    static constexpr std::size_t kDepthMax = 200;

    explicit FrameworkScan(std::string_view text) : text_(text) {}

    // One value and nothing behind it. Of an object `each(name, value)` meets all members, as they stand: the name
    // between its quotes, the value from its first byte to its last. False: what() and at() say why not.
    template <class Each>
    bool document(Each each);

    std::string_view what() const { return what_; }
    std::size_t at() const { return at_; }  // bytes

private:
    bool fail(std::string_view what, std::size_t at);
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space();
    bool take(char wanted);
    bool value();
    bool value_or_opening();
    bool after_value();
    bool name();
    bool colon();
    bool scalar();
    bool word(std::string_view wanted);
    bool string();
    bool escape(std::size_t begin);
    bool number();
    bool digits();
    bool end();

    std::string_view text_;
    std::size_t at_ = 0;
    std::string_view what_;
    std::string open_;  // what closes the containers that are open
};

template <class Each>
bool FrameworkScan::document(Each each) {
    skip_space();
    if (peek() != '{') return value() && end();
    ++at_;
    skip_space();
    if (take('}')) return end();
    for (;;) {
        const std::size_t name_begin = at_ + 1;
        if (!name()) return false;
        const std::string_view member = text_.substr(name_begin, at_ - 1 - name_begin);
        if (!colon()) return false;
        skip_space();
        const std::size_t begin = at_;
        if (!value()) return false;
        each(member, text_.substr(begin, at_ - begin));
        skip_space();
        if (take('}')) return end();
        if (!take(',')) return fail("Expecting ',' delimiter", at_);
        skip_space();
    }
}

}  // namespace nostro
