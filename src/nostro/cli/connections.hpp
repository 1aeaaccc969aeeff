// What everybody who keeps many connections from one thread needs.
#pragma once
#include <chrono>
#include <cstdint>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/base/unique_fd.hpp"
#include "nostro/cli/client.hpp"

namespace nostro::cli {

// Of a socket that is in the epoll set with `tag`, for reading: whether it also waits for room to write.
void wait_to_write(const UniqueFd& epoll, const UniqueFd& socket, void* tag, bool wanted);

Error no_answer_for(std::chrono::nanoseconds timeout);
// Requests may have been taken or not.
Error connection_broke(const Url& url, std::uint64_t unanswered, std::string_view why);

}  // namespace nostro::cli
