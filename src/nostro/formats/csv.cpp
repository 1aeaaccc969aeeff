#include "nostro/formats/csv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Error wrong(std::size_t column, std::string_view what) {
    return {ErrorCode::invalid, fmt::format("column {}: {}", column + 1, what)};
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

}  // namespace

CsvReader::CsvReader(std::string_view text) : rest_(text) {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
    unquoted_.reserve(kRowBytesMax);
}

bool CsvReader::skip_blank_lines() {
    while (!rest_.empty()) {
        const std::size_t end = std::min(rest_.find('\n'), rest_.size());
        if (!trim(rest_.substr(0, end)).empty()) return true;
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
    }
    return false;
}

Result<bool> CsvReader::next() {
    fields_.clear();
    unquoted_.clear();
    row_ = {};
    if (!skip_blank_lines()) return false;
    const std::string_view begin = rest_;
    // The reader sees no more than a row may have, so whatever stands there it stops in time.
    const std::string_view window = begin.substr(0, kRowBytesMax);
    rest_ = window;
    const auto fail = [&](Error error) {
        const std::size_t line = std::min(begin.find('\n'), begin.size());
        row_ = begin.substr(0, line);
        rest_ = begin.substr(std::min(line + 1, begin.size()));
        fields_.clear();
        return error;
    };
    bool more = true;
    while (more) {
        if (fields_.size() == kFieldsMax) {
            return fail({ErrorCode::invalid, fmt::format("more than {} columns", kFieldsMax)});
        }
        if (auto done = read_field(); !done) return fail(done.error());
        more = !rest_.empty() && rest_.front() == ',';
        if (more) rest_.remove_prefix(1);
    }
    const std::size_t size = window.size() - rest_.size();
    if (rest_.empty() && window.size() < begin.size()) {
        return fail({ErrorCode::invalid, fmt::format("longer than {} bytes", kRowBytesMax)});
    }
    row_ = trim(begin.substr(0, size));
    rest_ = begin.substr(std::min(size + 1, begin.size()));
    return true;
}

// Leaves the comma or line feed that ended the field.
Result<> CsvReader::read_field() {
    std::size_t blanks = 0;
    while (blanks < rest_.size() && is_blank(rest_[blanks])) ++blanks;
    if (blanks < rest_.size() && rest_[blanks] == '"') {
        rest_.remove_prefix(blanks + 1);
        return read_quoted();
    }
    const std::size_t end = std::min(rest_.find_first_of(",\n"), rest_.size());
    fields_.push_back(trim(rest_.substr(0, end)));
    rest_.remove_prefix(end);
    return {};
}

Result<> CsvReader::read_quoted() {
    const std::size_t begin = unquoted_.size();
    bool doubled = false;
    std::string_view field;
    for (;;) {
        const std::size_t quote = rest_.find('"');
        if (quote == std::string_view::npos) {
            return wrong(fields_.size(), "a quote is opened and never closed; close it, or double it if it is text");
        }
        field = rest_.substr(0, quote);
        rest_.remove_prefix(quote + 1);
        const bool again = !rest_.empty() && rest_.front() == '"';
        if (!again && !doubled) break;
        unquoted_.append(field);
        if (!again) break;
        doubled = true;
        unquoted_.push_back('"');
        rest_.remove_prefix(1);
    }
    fields_.push_back(doubled ? std::string_view(unquoted_).substr(begin) : field);
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    if (!rest_.empty() && rest_.front() != ',' && rest_.front() != '\n') {
        return wrong(fields_.size() - 1, "text behind the closing quote; a quote inside quotes is written twice");
    }
    return {};
}

}  // namespace nostro
