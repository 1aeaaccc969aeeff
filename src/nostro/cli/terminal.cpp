#include "nostro/cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

constexpr std::size_t kColumnLeast = 8;
constexpr std::string_view kGap = "  ";

std::string cut(std::string_view text, std::size_t width) {
    if (utf8_length(text) <= width) return std::string(text);
    std::string kept;
    for (std::size_t taken = 0; taken + 1 < width; ++taken) {
        const std::size_t length = std::max<std::size_t>(1, utf8_sequence_length(text));
        kept += text.substr(0, length);
        text.remove_prefix(length);
    }
    return kept + "…";
}

std::string padded(std::string_view text, std::size_t width, Table::Align align) {
    const std::size_t length = utf8_length(text);
    const std::string space(width > length ? width - length : 0, ' ');
    return align == Table::Align::left ? std::string(text) + space : space + std::string(text);
}

}  // namespace

bool is_terminal(std::FILE* stream) { return isatty(fileno(stream)) == 1; }

std::size_t terminal_width() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

std::string coloured(Colour colour, std::string_view text) {
    // Nobody sets variables while the program runs.
    static const bool enabled =
        is_terminal(stdout) && std::getenv("NO_COLOR") == nullptr;  // NOLINT(concurrency-mt-unsafe)
    if (!enabled || colour == Colour::plain) return std::string(text);
    constexpr std::string_view codes[] = {"0", "1", "2", "32", "33", "31", "36"};
    return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(colour)], text);
}

Colour colour_of_status(std::string_view status) {
    if (status == "settled") return Colour::green;
    if (status == "in_review" || status == "held") return Colour::yellow;
    if (status == "rejected" || status == "quarantined") return Colour::red;
    return Colour::dim;
}

void Table::add(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(std::size_t width) const {
    std::vector<std::size_t> wide;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        std::size_t most = utf8_length(columns_[column].title);
        for (const auto& row : rows_) most = std::max(most, utf8_length(row[column]));
        wide.push_back(most);
    }
    const std::size_t gaps = kGap.size() * (columns_.size() - 1);
    while (width > 0 && std::accumulate(wide.begin(), wide.end(), gaps) > width) {
        const auto widest = std::ranges::max_element(wide);
        if (*widest <= kColumnLeast) break;
        --*widest;
    }
    return wide;
}

std::string Table::text(std::size_t width) const {
    const auto wide = widths(width);
    std::string all;
    const auto add_line = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (std::size_t column = 0; column < cells.size(); ++column) {
            if (column > 0) line += kGap;
            line += padded(cut(cells[column], wide[column]), wide[column], columns_[column].align);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        all += line + "\n";
    };
    std::vector<std::string> titles;
    titles.reserve(columns_.size());
    for (const Column& column : columns_) titles.push_back(column.title);
    add_line(titles);
    for (const auto& row : rows_) add_line(row);
    return all;
}

void Table::print() const {
    const std::string all = text(is_terminal(stdout) ? terminal_width() : 0);
    const auto [titles, rest] = split_once(all, '\n');
    fmt::print("{}\n{}", coloured(Colour::bold, titles), rest);
}

std::string progress_line(std::string_view label, std::string_view unit, std::uint64_t done, std::uint64_t total,
                          std::chrono::nanoseconds elapsed, bool last) {
    const std::string rate = human_rate(done, std::max(elapsed, std::chrono::nanoseconds(1)));
    if (total == 0) return fmt::format("{}  {} {}  {}", label, human_count(done), unit, rate);
    constexpr std::size_t kBar = 24;
    const std::uint64_t shown = std::min(done, total);
    const auto filled = static_cast<std::size_t>(static_cast<unsigned __int128>(shown) * kBar / total);
    const auto percent = static_cast<unsigned>(static_cast<unsigned __int128>(shown) * 100 / total);
    std::string tail;
    if (last) {
        tail = fmt::format("in {}", human_duration(elapsed));
    } else if (done > 0) {
        const auto left =
            static_cast<__int128>(elapsed.count()) * static_cast<__int128>(total - shown) / static_cast<__int128>(done);
        const auto seconds =
            std::chrono::ceil<std::chrono::seconds>(std::chrono::nanoseconds(static_cast<std::int64_t>(left)));
        tail = fmt::format("{} left", human_duration(seconds));
    }
    return fmt::format("{}  [{}{}] {:>3} %  {} of {} {}  {}  {}", label, std::string(filled, '#'),
                       std::string(kBar - filled, '-'), percent, human_count(done), human_count(total), unit, rate,
                       tail);
}

Progress::Progress(std::string label, std::string unit, std::uint64_t total)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(is_terminal(stderr)),
      start_(steady_now()),
      drawn_(start_) {}

Progress::~Progress() {
    if (!finished_ && terminal_) fmt::print(stderr, "\n");
}

void Progress::update(std::uint64_t done) {
    const auto now = steady_now();
    if (now - drawn_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000))) return;
    drawn_ = now;
    draw(done, false);
}

void Progress::finish(std::uint64_t done) {
    draw(done, true);
    finished_ = true;
}

void Progress::draw(std::uint64_t done, bool last) {
    const std::string line = progress_line(label_, unit_, done, total_, elapsed_since(start_), last);
    if (terminal_) {
        fmt::print(stderr, "\r\x1b[K{}{}", cut(line, terminal_width() - 1), last ? "\n" : "");
    } else {
        fmt::print(stderr, "{}\n", line);
    }
    std::fflush(stderr);
}

}  // namespace nostro::cli
