#include "nostro/cli/connections.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include "nostro/base/text.hpp"

namespace nostro::cli {

void wait_to_write(const UniqueFd& epoll, const UniqueFd& socket, void* tag, bool wanted) {
    epoll_event event{wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, {.ptr = tag}};
    (void)epoll_ctl(epoll.get(), EPOLL_CTL_MOD, socket.get(), &event);
}

Error no_answer_for(std::chrono::nanoseconds timeout) {
    return {ErrorCode::unavailable, fmt::format("no answer for {}", human_duration(timeout))};
}

Error connection_broke(const Url& url, std::uint64_t unanswered, std::string_view why) {
    return {ErrorCode::unknown, fmt::format("connection to http://{}:{} broke with {} requests unanswered: {}",
                                            url.host, url.port, unanswered, why)};
}

}  // namespace nostro::cli
