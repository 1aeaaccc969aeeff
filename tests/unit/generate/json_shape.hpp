// What a document must look like, written as a document: the same members in the same order and no others. A text that
// begins with ~ is a regular expression for a text, one that begins with # ("#0..100") the bounds of a whole number,
// "$" an amount with two decimals; everything else stands for itself.
#pragma once
#include <gtest/gtest.h>
#include <simdjson.h>

#include <map>
#include <regex>
#include <string>
#include <string_view>

#include "nostro/base/text.hpp"

namespace nostro::generate {

namespace dom = simdjson::dom;

inline bool matches(std::string_view text, const std::string& pattern) {
    static std::map<std::string, std::regex> compiled;
    const auto [at, fresh] = compiled.try_emplace(pattern);
    if (fresh) at->second = std::regex(pattern);
    return std::regex_match(text.begin(), text.end(), at->second);
}

inline bool fits_leaf(dom::element value, dom::element shape) {
    std::string_view wanted, text;
    if (shape.get(wanted) != simdjson::SUCCESS || wanted.empty())
        return simdjson::minify(value) == simdjson::minify(shape);
    if (wanted.front() == '~') {
        return value.get(text) == simdjson::SUCCESS && matches(text, std::string(wanted.substr(1)));
    }
    if (wanted.front() == '#') {
        const auto dots = wanted.find("..");
        std::int64_t number = 0;
        return value.is_int64() && value.get(number) == simdjson::SUCCESS &&
               number >= parse_int64(wanted.substr(1, dots - 1)).value() &&
               number <= parse_int64(wanted.substr(dots + 2)).value();
    }
    if (wanted == "$") return value.is_double();
    return simdjson::minify(value) == simdjson::minify(shape);
}

// Where the two differ first; "" when they do not.
inline std::string difference(dom::element value, dom::element shape, const std::string& path = "") {
    dom::object members, wanted;
    if (shape.get(wanted) != simdjson::SUCCESS) {
        return fits_leaf(value, shape) ? "" : path + ": " + simdjson::minify(value);
    }
    if (value.get(members) != simdjson::SUCCESS) return path + ": no object";
    auto at = members.begin();
    for (const auto [name, inner] : wanted) {
        const std::string here = path + "/" + std::string(name);
        if (at == members.end()) return here + ": absent";
        if (at.key() != name) return here + ": in its place is " + std::string(at.key());
        if (const std::string found = difference(at.value(), inner, here); !found.empty()) return found;
        ++at;
    }
    return at == members.end() ? "" : path + ": one more member, " + std::string(at.key());
}

class Document {
public:
    explicit Document(std::string_view text) : text_(text) {
        EXPECT_EQ(parser_.parse(text_).get(root_), simdjson::SUCCESS) << text;
    }
    dom::element root() const { return root_; }
    dom::element at(std::string_view pointer) const {
        dom::element found;
        EXPECT_EQ(root_.at_pointer(pointer).get(found), simdjson::SUCCESS) << pointer << " in " << text_;
        return found;
    }
    std::string text(std::string_view pointer) const {
        std::string_view found;
        EXPECT_EQ(at(pointer).get(found), simdjson::SUCCESS) << pointer << " in " << text_;
        return std::string(found);
    }
    std::int64_t number(std::string_view pointer) const {
        std::int64_t found = 0;
        EXPECT_EQ(at(pointer).get(found), simdjson::SUCCESS) << pointer << " in " << text_;
        return found;
    }

private:
    std::string text_;
    dom::parser parser_;
    dom::element root_;
};

// Bad shapes are bugs of the test.
inline std::string difference(std::string_view text, std::string_view shape) {
    const Document document(text), wanted(shape);
    return difference(document.root(), wanted.root());
}

}  // namespace nostro::generate
