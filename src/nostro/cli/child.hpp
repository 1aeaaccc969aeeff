// A nostro of one's own: `bench` without --url starts the same program as a server, on a free port and an empty
// folder, and ends it afterwards.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/base/unique_fd.hpp"

namespace nostro::cli {

class ChildServer {
public:
    // Starts `nostro serve --listen 127.0.0.1:0` with further arguments and waits for the line that tells its URL.
    static Result<ChildServer> start(const std::vector<std::string>& arguments);
    ChildServer(ChildServer&& other) noexcept;
    ChildServer& operator=(ChildServer&&) = delete;
    ~ChildServer();  // ends it and removes its folder

    void stop();  // ends it; its folder stays until the destructor

    const std::string& url() const { return url_; }
    const std::filesystem::path& folder() const { return folder_; }

private:
    ChildServer() = default;
    pid_t pid_ = -1;
    UniqueFd output_;  // kept open, so that the server never writes into a closed pipe
    std::string url_;
    std::filesystem::path folder_;
};

}  // namespace nostro::cli
