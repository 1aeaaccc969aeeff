// Where generated documents go: a file, standard output, or a running nostro.
//
// Threads: one owner each.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/cli/client.hpp"
#include "nostro/cli/stop_request.hpp"

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

// Messages of a profile, which knows them by their ids: one that is sent twice changes nothing.
class MessageOutput {
public:
    static constexpr std::uint64_t kMessagesMax = 1'000;  // a request

    MessageOutput(Client client, std::string_view profile, const StopRequest& stop);

    // `lines`: NDJSON, at most kMessagesMax of them. A busy service is asked again for 20 seconds. `conflict`: it does
    // not take them; `unavailable`, `unknown`: as Client.
    Result<> send(std::string_view lines);

    std::uint64_t taken() const { return taken_; }
    std::uint64_t dead_letters() const { return dead_letters_; }  // what the service could not read

private:
    Client client_;
    std::string target_;
    const StopRequest& stop_;
    std::uint64_t taken_ = 0, dead_letters_ = 0;
};

}  // namespace nostro::cli
