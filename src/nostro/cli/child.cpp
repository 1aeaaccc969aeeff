#include "nostro/cli/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "nostro/base/text.hpp"

extern char** environ;

namespace nostro::cli {
namespace {

// The URL stands at the end of the line "nostro listens on http://...".
Result<std::string> read_url(int output) {
    std::string text;
    char byte = 0;
    while (::read(output, &byte, 1) == 1) {
        text += byte;
        if (byte != '\n') continue;
        const auto begin = text.find("http://");
        if (begin != std::string::npos) return std::string(trim(std::string_view(text).substr(begin)));
        text.clear();
    }
    return Error{ErrorCode::unavailable, "the server ended before it listened; its own words stand above"};
}

}  // namespace

Result<ChildServer> ChildServer::start(const std::vector<std::string>& arguments) {
    ChildServer child;
    std::string folder = (std::filesystem::current_path() / "nostro-bench-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) {
        return Error{ErrorCode::unavailable, fmt::format("{}: {}", folder, std::generic_category().message(errno))};
    }
    child.folder_ = folder;
    std::vector<std::string> words = {"nostro", "serve", "--listen", "127.0.0.1:0", "--data", folder};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) return Error{ErrorCode::unavailable, std::generic_category().message(errno)};
    child.output_ = UniqueFd(pipe_ends[0]);
    UniqueFd write_end(pipe_ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    const int failed = posix_spawn(&child.pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return Error{ErrorCode::unavailable,
                     fmt::format("cannot start the server: {}", std::generic_category().message(failed))};
    write_end.reset();
    auto url = read_url(child.output_.get());
    if (!url) return url.error();
    child.url_ = *url;
    return child;
}

ChildServer::ChildServer(ChildServer&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::move(other.output_)),
      url_(std::move(other.url_)),
      folder_(std::exchange(other.folder_, {})) {}

void ChildServer::stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

ChildServer::~ChildServer() {
    stop();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace nostro::cli
