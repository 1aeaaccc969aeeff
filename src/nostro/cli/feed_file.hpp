// A file in another system's shape as messages, one after the other: JSON lines, a JSON array (bare, or the member
// `transactions` of an object), or a CSV with a header line.
//
// Threads: one owner. Errors: `invalid`, with the file's name and, of rows, the row.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/cli/mapped_file.hpp"
#include "nostro/formats/csv.hpp"

namespace nostro::cli {

// Which columns of a CSV become which members; none: all, under their own names.
struct FeedColumns {
    struct Column {
        std::string_view name, member;
    };
    std::vector<Column> columns;
    std::string_view more_members;  // JSON added to each row: "\"status\":\"Historical\""
};

class FeedFile {
public:
    enum class Shape : std::uint8_t { lines, array, csv };

    static Result<FeedFile> open(const std::string& path, const FeedColumns& columns);
    FeedFile(FeedFile&&) noexcept;
    FeedFile& operator=(FeedFile&&) = delete;
    ~FeedFile();

    // Appends the next message and a line feed; false: there is none. A row that is no CSV is an error.
    Result<bool> next(std::string& into);

    Shape shape() const { return shape_; }
    std::uint64_t line() const { return line_; }  // of the file, in which the last message began; from 1
    std::uint64_t bytes_read() const;
    std::uint64_t bytes() const { return file_.text().size(); }
    std::string digest() const;  // of the whole content: names the file wherever it lies

private:
    FeedFile(std::string path, MappedFile file, const FeedColumns& columns);
    Result<> find_shape();
    Result<> read_header();
    Result<bool> next_line(std::string& into);
    Result<bool> next_element(std::string& into);
    Result<bool> next_row(std::string& into);
    void begins_at(std::string_view message);
    Error wrong(std::string_view what) const;

    std::string path_;
    MappedFile file_;
    FeedColumns columns_;
    Shape shape_ = Shape::lines;
    std::string_view rest_;  // of lines and elements
    std::unique_ptr<CsvReader> csv_;
    std::vector<std::pair<std::size_t, std::string>> fields_;  // column of the row, member of the message
    std::uint64_t rows_ = 0, row_bytes_ = 0;
    std::uint64_t line_ = 1;
    const char* counted_ = nullptr;  // up to here the lines are counted
};

}  // namespace nostro::cli
