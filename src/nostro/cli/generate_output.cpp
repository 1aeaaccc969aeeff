#include "nostro/cli/generate_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "nostro/base/text.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro::cli {
namespace {

constexpr int kTriesMax = 200;
constexpr auto kRetryPause = std::chrono::milliseconds(100);
constexpr std::uint64_t kBusy = 503;
constexpr std::size_t kKeyMax = 1024;

// Some messages found no room: all are sent again, since those that were taken are known.
bool is_partly_busy(const Json& answer) {
    return std::ranges::any_of(answer.items("not_taken"),
                               [](const Json& each) { return each.number("status") == kBusy; });
}

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

Result<std::string> key_path_of(std::string_view strategy) {
    if (strategy.empty() || strategy == "none") return std::string();
    if (strategy == "originator_id") return std::string("originator.party_id");
    if (strategy == "payment_id" || strategy == "payment_type") return std::string(strategy);
    return Error{
        ErrorCode::invalid,
        fmt::format("{} is no message key; there are none, originator_id, payment_id, payment_type", quoted(strategy))};
}

TopicOutput::TopicOutput(std::unique_ptr<Topic> topic, std::string key_path)
    : topic_(std::move(topic)), key_path_(std::move(key_path)) {}

Result<> TopicOutput::send(std::string_view lines) {
    messages_.clear();
    while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(lines.size(), end + 1));
        if (line.empty()) continue;
        Message message;
        message.value = line;
        if (!key_path_.empty()) {
            Arena arena;
            JsonReader reader;
            MessageValue value;
            const std::string_view path = key_path_;
            if (auto read = read_message(reader, line, std::span(&path, 1), arena, std::span(&value, 1)); !read) {
                return read.error();
            }
            const auto key = message_text(path, value, kKeyMax);
            if (!key) return key.error();
            message.key = *key;
        }
        messages_.push_back(std::move(message));
    }
    if (auto published = topic_->publish(messages_); !published) return published;
    delivered_ += messages_.size();
    return {};
}

MessageOutput::MessageOutput(Client client, std::string_view profile, const StopRequest& stop)
    : client_(std::move(client)), target_(fmt::format("/v1/profiles/{}/messages", profile)), stop_(stop) {}

Result<> MessageOutput::send(std::string_view lines) {
    for (int tries = 1;; ++tries) {
        const auto answer = client_.request("POST", target_, lines, {{"Content-Type", "application/x-ndjson"}});
        if (!answer) return answer.error();
        const auto json = Json::parse(answer->body);
        const bool busy = answer->status == static_cast<int>(kBusy) || (json && is_partly_busy(*json));
        if (busy && tries < kTriesMax && !stop_.wait_until(steady_now() + kRetryPause)) continue;
        // An answer that nothing was taken has its counts all the same.
        if (answer->status >= 300 && !(json && json->number("taken"))) {
            const auto code = answer->status >= 500 ? ErrorCode::unavailable : ErrorCode::conflict;
            return Error{code, fmt::format("POST {}: {}", target_, problem_text(*answer))};
        }
        if (!json) return Error{ErrorCode::unknown, fmt::format("POST {}: {}", target_, json.error().what)};
        count(*json, tries == 1);
        return {};
    }
}

void MessageOutput::count(const Json& answer, bool first_try) {
    counts_.taken += answer.number("taken").value_or(0);
    counts_.dead_letters += answer.number("dead_letters").value_or(0);
    counts_.refused += answer.number("refused").value_or(0);
    // Of a second try, those that the first one took are known as well.
    if (first_try) counts_.known_before += answer.number("replayed").value_or(0);
    for (const auto& [state, count] : answer.members("payments")) {
        counts_.payments[state] += parse_uint64(count).value_or(0);
    }
    if (const auto refused = answer.items("not_taken"); counts_.first_refusal.empty() && !refused.empty()) {
        counts_.first_refusal = refused.front().text("detail");
    }
}

}  // namespace nostro::cli
