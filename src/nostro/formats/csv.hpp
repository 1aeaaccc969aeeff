// Rows of a CSV text after RFC 4180: commas, quoted fields, doubled quotes and line feeds inside quotes.
//
// Where people differ from it, it follows them: blank lines are skipped, lines may end in LF alone, a byte order mark
// is dropped, spaces around a field do not count unless they are quoted, and a quote inside a field that does not begin
// with one is a letter like any other.
//
// Threads: one owner. Memory: one row. Errors: `invalid`, without file and row; any bytes are read without harm.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro {

class CsvReader {
public:
    static constexpr std::size_t kFieldsMax = 256;
    static constexpr std::size_t kRowBytesMax = 64 * 1024;

    // `text` must outlive the reader.
    explicit CsvReader(std::string_view text);
    CsvReader(const CsvReader&) = delete;
    CsvReader& operator=(const CsvReader&) = delete;

    // Reads the next row; false: there is none. `invalid`: this row cannot be read. The next call goes on with the line
    // behind its first one, so that a quote that nobody closed costs one row.
    Result<bool> next();

    // Of the last row, until the next call.
    std::span<const std::string_view> fields() const { return fields_; }
    std::string_view row() const { return row_; }  // as it stands in the text, without its line end

private:
    bool skip_blank_lines();
    Result<> read_field();
    Result<> read_quoted();

    std::string_view rest_;  // behind what has been read
    std::string_view row_;
    std::vector<std::string_view> fields_;
    std::string unquoted_;  // of the fields with doubled quotes; never grows beyond its first capacity
};

}  // namespace nostro
