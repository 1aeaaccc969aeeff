// What people see: colours, tables that fit the width, progress with rate and time left. Where the output is no
// terminal there are no colours, no cursor movements and nothing is cut.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/time.hpp"

namespace nostro::cli {

bool is_terminal(std::FILE* stream);
std::size_t terminal_width();  // 80 where it is not known

enum class Colour : std::uint8_t { plain, bold, dim, green, yellow, red, cyan };
// As it is unless standard output is a terminal and NO_COLOR is not set.
std::string coloured(Colour colour, std::string_view text);
Colour colour_of_status(std::string_view status);

// Columns are as wide as their widest cell; when the terminal is narrower, the widest give way.
class Table {
public:
    enum class Align : std::uint8_t { left, right };
    struct Column {
        std::string title;
        Align align = Align::left;
    };
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    void add(std::vector<std::string> cells);
    // `width` 0: as wide as it gets.
    std::string text(std::size_t width) const;
    void print() const;
    std::size_t rows() const { return rows_.size(); }

private:
    std::vector<std::size_t> widths(std::size_t width) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// A line on standard error that is drawn again in place; without a terminal a plain line every ten seconds.
class Progress {
public:
    // `total` 0: not known; then there is no bar and no time left. `unit`: "rows".
    Progress(std::string label, std::string unit, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void update(std::uint64_t done);  // cheap: draws at most ten times a second
    void finish(std::uint64_t done);

private:
    void draw(std::uint64_t done, bool last);

    std::string label_, unit_;
    std::uint64_t total_;
    bool terminal_;
    SteadyTime start_, drawn_;
    bool finished_ = false;
};

// "[#####-----]  50 %  1,000,000 of 2,000,000 rows  51,234/s  20 s left": what Progress draws.
std::string progress_line(std::string_view label, std::string_view unit, std::uint64_t done, std::uint64_t total,
                          std::chrono::nanoseconds elapsed, bool last);

}  // namespace nostro::cli
