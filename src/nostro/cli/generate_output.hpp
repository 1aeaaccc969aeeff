// Where generated documents go: a file, standard output, a topic, or a running nostro.
//
// Threads: one owner each.
#pragma once
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/cli/client.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/stop_request.hpp"
#include "nostro/ports/topic.hpp"

namespace nostro::cli {

// Errors are `unavailable` and name the file.
class FileOutput {
public:
    // "stdout" and "-" are standard output; anything else is a file, which is emptied.
    static Result<FileOutput> open(const std::string& to);
    FileOutput(FileOutput&& from) noexcept;
    FileOutput& operator=(FileOutput&&) = delete;
    ~FileOutput();

    Result<> write(std::string_view text);
    Result<> flush();
    Result<> close();

private:
    FileOutput(std::string name, std::FILE* file) : name_(std::move(name)), file_(file) {}
    Result<> told(bool done) const;

    std::string name_;
    std::FILE* file_;
};

// How the keys of messages are found: the path of a member of theirs; empty: they have none.
// `invalid`: another strategy than none, originator_id, payment_id, payment_type.
Result<std::string> key_path_of(std::string_view strategy);

// Lines as messages of a topic.
class TopicOutput {
public:
    // `key_path`: as key_path_of() gives it.
    TopicOutput(std::unique_ptr<Topic> topic, std::string key_path);

    // Returns when all are durable. Errors: the topic's; `invalid`: a message has no text where its key should be.
    Result<> send(std::string_view lines);

    std::uint64_t delivered() const { return delivered_; }

private:
    std::unique_ptr<Topic> topic_;
    const std::string key_path_;
    std::vector<Message> messages_;
    std::uint64_t delivered_ = 0;
};

// What became of messages that were sent.
struct MessageCounts {
    std::uint64_t taken = 0;         // durable, dead letters among them
    std::uint64_t known_before = 0;  // of those taken
    std::uint64_t dead_letters = 0;  // nobody could read them
    std::uint64_t refused = 0;
    std::string first_refusal;
    std::map<std::string, std::uint64_t> payments;  // by state
};

// Messages of a profile, which knows them by their ids: one that is sent twice changes nothing.
class MessageOutput {
public:
    static constexpr std::uint64_t kMessagesMax = 1'000;  // a request

    MessageOutput(Client client, std::string_view profile, const StopRequest& stop);

    // `lines`: NDJSON, at most kMessagesMax of them. A busy service is asked again for 20 seconds. `conflict`: it does
    // not take them; `unavailable`, `unknown`: as Client.
    Result<> send(std::string_view lines);

    const MessageCounts& counts() const { return counts_; }

private:
    void count(const Json& answer, bool first_try);

    Client client_;
    std::string target_;
    const StopRequest& stop_;
    MessageCounts counts_;
};

}  // namespace nostro::cli
