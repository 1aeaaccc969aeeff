#include "nostro/cli/generate_output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "nostro/cli/command.hpp"

namespace nostro::cli {
namespace {

constexpr int kTriesMax = 200;
constexpr auto kRetryPause = std::chrono::milliseconds(100);
constexpr int kBusy = 503;

}  // namespace

Result<FileOutput> FileOutput::open(const std::string& to) {
    if (to == "stdout" || to == "-") return FileOutput("standard output", stdout);
    std::FILE* file = std::fopen(to.c_str(), "wb");
    if (file != nullptr) return FileOutput(to, file);
    return Error{ErrorCode::unavailable,
                 fmt::format("{}: cannot be written: {}", to, std::generic_category().message(errno))};
}

FileOutput::FileOutput(FileOutput&& from) noexcept
    : name_(std::move(from.name_)), file_(std::exchange(from.file_, nullptr)) {}

FileOutput::~FileOutput() {
    if (file_ != nullptr && file_ != stdout) (void)std::fclose(file_);
}

Result<> FileOutput::told(bool done) const {
    if (done) return {};
    return Error{ErrorCode::unavailable, fmt::format("{}: {}", name_, std::generic_category().message(errno))};
}

Result<> FileOutput::write(std::string_view text) {
    return told(std::fwrite(text.data(), 1, text.size(), file_) == text.size());
}

Result<> FileOutput::flush() { return told(std::fflush(file_) == 0); }

Result<> FileOutput::close() {
    std::FILE* file = std::exchange(file_, nullptr);
    return told((file == stdout ? std::fflush(file) : std::fclose(file)) == 0);
}

MessageOutput::MessageOutput(Client client, std::string_view profile, const StopRequest& stop)
    : client_(std::move(client)), target_(fmt::format("/v1/profiles/{}/messages", profile)), stop_(stop) {}

Result<> MessageOutput::send(std::string_view lines) {
    for (int tries = 1;; ++tries) {
        const auto answer = client_.request("POST", target_, lines, {{"Content-Type", "application/x-ndjson"}});
        if (!answer) return answer.error();
        if (answer->status == kBusy && tries < kTriesMax && !stop_.wait_until(steady_now() + kRetryPause)) continue;
        if (answer->status >= 300) {
            const auto code = answer->status >= 500 ? ErrorCode::unavailable : ErrorCode::conflict;
            return Error{code, fmt::format("POST {}: {}", target_, problem_text(*answer))};
        }
        const auto json = Json::parse(answer->body);
        if (!json) return Error{ErrorCode::unknown, fmt::format("POST {}: {}", target_, json.error().what)};
        taken_ += json->number("taken").value_or(0);
        dead_letters_ += json->number("dead_letters").value_or(0);
        return {};
    }
}

}  // namespace nostro::cli
