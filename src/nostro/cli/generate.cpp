// nostro generate KIND: seeded rows, to a file or to standard output.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>

#include "nostro/base/text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/generate/paysim.hpp"

namespace nostro::cli {
namespace {

struct GenerateOptions {
    std::uint64_t count = 1'000'000, seed = 1, rate = 0;
    std::string to = "stdout";
};

constexpr std::size_t kWriteBytes = 1 << 20;

class Output {
public:
    static Result<Output> open(const std::string& to) {
        Output output;
        output.name_ = to;
        if (to == "stdout" || to == "-") {
            output.file_ = stdout;
            return output;
        }
        output.file_ = std::fopen(to.c_str(), "wb");
        if (output.file_ == nullptr) {
            return Error{ErrorCode::unavailable,
                         fmt::format("{}: cannot be written: {}", to, std::generic_category().message(errno))};
        }
        return output;
    }
    Result<> write(std::string_view text) {
        if (std::fwrite(text.data(), 1, text.size(), file_) == text.size()) return {};
        return Error{ErrorCode::unavailable, fmt::format("{}: {}", name_, std::generic_category().message(errno))};
    }
    Result<> flush() { return told(std::fflush(file_)); }
    Result<> close() { return told(file_ == stdout ? std::fflush(file_) : std::fclose(file_)); }

private:
    Result<> told(int failed) const {
        if (failed == 0) return {};
        return Error{ErrorCode::unavailable, fmt::format("{}: {}", name_, std::generic_category().message(errno))};
    }

    std::string name_;
    std::FILE* file_ = nullptr;
};

// Waits so that `done` rows take as long as the rate says.
void keep_pace(SteadyTime start, std::uint64_t done, std::uint64_t rate) {
    if (rate == 0) return;
    const auto due = start + std::chrono::nanoseconds(done * 1'000'000'000 / rate);
    std::this_thread::sleep_until(due);
}

Result<> write_rows(Output& output, const GenerateOptions& options, bool show_progress) {
    paysim::Generator generator({.seed = options.seed, .count = options.count});
    std::optional<Progress> progress;
    if (show_progress) progress.emplace("generate", "rows", options.count);
    std::string text = std::string(paysim::kHeader) + "\n";
    const auto start = steady_now();
    const std::uint64_t flush_rows = options.rate == 0 ? 0 : std::max<std::uint64_t>(1, options.rate / 50);
    std::uint64_t rows = 0;
    while (const auto row = generator.next()) {
        paysim::append_row(text, *row);
        ++rows;
        if (text.size() < kWriteBytes && (flush_rows == 0 || rows % flush_rows != 0)) continue;
        if (auto done = output.write(text); !done) return done;
        text.clear();
        // Whoever reads a paced stream waits for its rows, not for a full buffer.
        if (options.rate != 0) {
            if (auto done = output.flush(); !done) return done;
        }
        keep_pace(start, rows, options.rate);
        if (progress) progress->update(rows);
    }
    if (auto done = output.write(text); !done) return done;
    if (progress) progress->finish(rows);
    return {};
}

// Words that name no file but a service.
bool is_service(std::string_view to) {
    if (to.find("://") != std::string_view::npos) return true;
    return std::ranges::any_of(std::array{"http", "kafka", "postgres"},
                               [&](std::string_view word) { return to == word; });
}

Exit generate_paysim(Context&, GenerateOptions& options) {
    if (is_service(options.to)) {
        return fail(Exit::usage, fmt::format("--to {}: rows go to stdout or to a file; `nostro replay FILE --url URL` "
                                             "sends a file to a service",
                                             quoted(options.to)));
    }
    auto output = Output::open(options.to);
    if (!output) return fail(output.error());
    const bool to_terminal = options.to == "stdout" || options.to == "-";
    if (auto done = write_rows(*output, options, !to_terminal); !done) return fail(done.error());
    if (auto done = output->close(); !done) return fail(done.error());
    return Exit::done;
}

}  // namespace

void add_generate(Command app, Context& context) {
    const Command generate = app.add_group("generate", "Seeded generators: the same seed gives the same bytes");
    add_command<GenerateOptions>(
        generate, context, "paysim", "Rows in the layout of the PaySim data set, fraud labelled",
        [](Command& command, GenerateOptions& options) {
            command.option("-n,--count", options.count, "Rows; 0: endless").with_default();
            command.option("--seed", options.seed, "Another seed, another file").with_default();
            command.option("--tps", options.rate, "Rows a second; 0: as fast as it goes").with_default();
            command.option("--to", options.to, "stdout or a file").with_default();
        },
        generate_paysim);
}

}  // namespace nostro::cli
