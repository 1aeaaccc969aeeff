#include "nostro/cli/feed_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view behind_space(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    return text;
}

// The JSON value that `text` begins with, by its brackets; empty: it has no end.
std::string_view first_value(std::string_view text) {
    std::size_t depth = 0;
    bool is_in_text = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_in_text) {
            if (c == '\\') ++i;
            is_in_text = c != '"';
            continue;
        }
        if (c == '"') is_in_text = true;
        if (c == '{' || c == '[') ++depth;
        if (depth == 0 && (c == ',' || c == ']')) return text.substr(0, i);
        if ((c == '}' || c == ']') && --depth == 0) return text.substr(0, i + 1);
    }
    return {};
}

// Behind `"transactions": [` of an object that begins here; nullopt: it has no such member.
std::optional<std::string_view> list_in(std::string_view object) {
    constexpr std::string_view kMember = "\"transactions\"";
    const auto at = object.find(kMember);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view rest = behind_space(object.substr(at + kMember.size()));
    if (!rest.starts_with(':')) return std::nullopt;
    rest = behind_space(rest.substr(1));
    if (!rest.starts_with('[')) return std::nullopt;
    return rest.substr(1);
}

void append_without_lines(std::string& into, std::string_view json) {
    // Between values line ends are white space, and inside of texts they are never bare.
    for (const char c : json) into += c == '\n' || c == '\r' ? ' ' : c;
    into += '\n';
}

}  // namespace

FeedFile::FeedFile(std::string path, MappedFile file, const FeedColumns& columns)
    : path_(std::move(path)), file_(std::move(file)), columns_(columns) {}
FeedFile::FeedFile(FeedFile&&) noexcept = default;
FeedFile::~FeedFile() = default;

void FeedFile::begins_at(std::string_view message) {
    if (counted_ == nullptr) counted_ = file_.text().data();
    line_ += static_cast<std::uint64_t>(std::count(counted_, message.data(), '\n'));
    counted_ = message.data();
}

Error FeedFile::wrong(std::string_view what) const { return {ErrorCode::invalid, fmt::format("{}: {}", path_, what)}; }

Result<FeedFile> FeedFile::open(const std::string& path, const FeedColumns& columns) {
    auto file = MappedFile::open(path);
    if (!file) return file.error();
    FeedFile feed(path == "-" ? "standard input" : path, std::move(*file), columns);
    if (auto found = feed.find_shape(); !found) return found.error();
    return feed;
}

Result<> FeedFile::find_shape() {
    rest_ = behind_space(file_.text());
    if (rest_.starts_with('[')) {
        shape_ = Shape::array;
        rest_.remove_prefix(1);
        return {};
    }
    if (!rest_.starts_with('{')) {
        shape_ = Shape::csv;
        return read_header();
    }
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    const std::string_view first = first_value(rest_);
    const bool is_whole_file = behind_space(rest_.substr(first.size())).empty();
    if (const auto list = list_in(rest_); list && (first.empty() || is_whole_file)) {
        shape_ = Shape::array;
        rest_ = *list;
        return {};
    }
    // Of a document a list is asked, however few lines it has.
    const bool is_document = is_whole_file && path_.ends_with(".json");
    if (first.size() > line.size() || first.empty() || is_document) {
        return wrong(
            "is one JSON object without a list in its member \"transactions\"; expected that, a JSON array, "
            "one JSON object a line (in a file that is not called .json), or a CSV with a header line");
    }
    return {};
}

Result<> FeedFile::read_header() {
    csv_ = std::make_unique<CsvReader>(file_.text());
    const auto read = csv_->next();
    if (!read) return wrong(read.error().what);
    if (!*read) return wrong("has no header line");
    row_bytes_ = csv_->row().size() + 1;
    const auto header = csv_->fields();
    for (std::size_t i = 0; columns_.columns.empty() && i < header.size(); ++i) fields_.emplace_back(i, header[i]);
    for (const auto& [name, member] : columns_.columns) {
        const auto found = std::ranges::find_if(
            header, [wanted = name](std::string_view column) { return equal_ignoring_case(column, wanted); });
        if (found == header.end()) {
            return wrong(fmt::format("has no column {}; its header is: {}", name, csv_->row().substr(0, 200)));
        }
        fields_.emplace_back(static_cast<std::size_t>(found - header.begin()), member);
    }
    return {};
}

Result<bool> FeedFile::next(std::string& into) {
    switch (shape_) {
        case Shape::lines: return next_line(into);
        case Shape::array: return next_element(into);
        case Shape::csv: return next_row(into);
    }
    return false;
}

Result<bool> FeedFile::next_line(std::string& into) {
    rest_ = behind_space(rest_);
    if (rest_.empty()) return false;
    begins_at(rest_);
    const auto end = std::min(rest_.find('\n'), rest_.size());
    into.append(trim(rest_.substr(0, end))).push_back('\n');
    rest_.remove_prefix(std::min(rest_.size(), end + 1));
    return true;
}

Result<bool> FeedFile::next_element(std::string& into) {
    rest_ = behind_space(rest_);
    if (rest_.starts_with(']')) return false;
    const std::string_view value = first_value(rest_);
    if (value.empty()) return wrong(fmt::format("the list has no end; {} messages were read", rows_));
    begins_at(value);
    append_without_lines(into, value);
    ++rows_;
    rest_ = behind_space(rest_.substr(value.size()));
    if (rest_.starts_with(',')) rest_.remove_prefix(1);
    return true;
}

Result<bool> FeedFile::next_row(std::string& into) {
    const auto read = csv_->next();
    ++rows_;
    if (!read) return wrong(fmt::format("row {}: {}", rows_, read.error().what));
    if (!*read) return false;
    begins_at(csv_->row());
    row_bytes_ += csv_->row().size() + 1;
    const auto row = csv_->fields();
    JsonWriter json(into);
    json.begin_object();
    for (const auto& [column, member] : fields_) {
        if (column < row.size()) json.field(member, row[column]);
    }
    if (!columns_.more_members.empty()) json.raw_members(columns_.more_members);
    json.end_object();
    into.push_back('\n');
    return true;
}

std::uint64_t FeedFile::bytes_read() const {
    if (shape_ == Shape::array && rest_.starts_with(']')) return bytes();  // what is behind the list is not looked at
    return shape_ == Shape::csv ? std::min<std::uint64_t>(row_bytes_, bytes()) : bytes() - rest_.size();
}

std::string FeedFile::digest() const { return to_hex(sha256(file_.text())); }

}  // namespace nostro::cli
