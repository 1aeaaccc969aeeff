#include "nostro/http/target.hpp"

#include <algorithm>
#include <array>

namespace nostro {
namespace {

constexpr auto kPathChars = [] {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view("-._~!$&'()*+,;=:@/")) table[static_cast<unsigned char>(c)] = true;
    return table;
}();

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The byte that the code at `at` stands for; -1: not a code.
int coded_byte(std::string_view text, std::size_t at) {
    if (at + 2 >= text.size()) return -1;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string_view characters_fault(std::string_view text, bool is_path) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '%') {
            const int byte = coded_byte(text, i);
            if (byte < 0) return "a percent sign in the target is not followed by two hex digits";
            if (byte < 0x20 || byte == 0x7f) return "the target holds a coded control character";
            if (is_path && (byte == '/' || byte == '\\')) return "the path holds a coded slash";
            i += 2;
        } else if (!kPathChars[static_cast<unsigned char>(c)] && (is_path || c != '?')) {
            return "the target holds a character that must be percent-coded";
        }
    }
    return {};
}

// "." or "..", in any mix of plain and coded dots.
bool is_dot_segment(std::string_view segment) {
    std::size_t dots = 0;
    for (std::size_t i = 0; i < segment.size(); ++dots) {
        if (segment[i] == '.') {
            i += 1;
        } else if (segment[i] == '%' && coded_byte(segment, i) == '.') {
            i += 3;
        } else {
            return false;
        }
    }
    return dots == 1 || dots == 2;
}

}  // namespace

std::string_view path_fault(std::string_view path) {
    if (const auto fault = characters_fault(path, true); !fault.empty()) return fault;
    if (path.find_first_of(".%") == std::string_view::npos) return {};
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        if (is_dot_segment(path.substr(0, end))) return "the path holds a dot segment";
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return {};
}

std::string_view query_fault(std::string_view query) { return characters_fault(query, false); }

bool is_coded(std::string_view text, bool plus_is_space) {
    return text.find('%') != std::string_view::npos || (plus_is_space && text.find('+') != std::string_view::npos);
}

void append_decoded(std::string& to, std::string_view text, bool plus_is_space) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            to.push_back(static_cast<char>(coded_byte(text, i)));
            i += 2;
        } else {
            to.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
        }
    }
}

bool next_query_item(std::string_view& query, QueryItem& item) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view piece = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (piece.empty()) continue;
        const std::size_t equals = std::min(piece.find('='), piece.size());
        item.name = piece.substr(0, equals);
        item.value = equals == piece.size() ? std::string_view{""} : piece.substr(equals + 1);
        return true;
    }
    return false;
}

}  // namespace nostro
