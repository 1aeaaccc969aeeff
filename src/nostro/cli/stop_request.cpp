#include "nostro/cli/stop_request.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "nostro/base/assert.hpp"

namespace nostro::cli {
namespace {

// A signal handler knows nothing but what is static.
std::atomic<bool> stop_asked{false};
std::atomic<int> stop_event{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// An event beside the flag, so that no signal is lost between looking at the flag and going to sleep.
void ask(int /*signal*/) {
    const int saved = errno;
    stop_asked.store(true);
    const std::uint64_t one = 1;
    if (::write(stop_event.load(), &one, sizeof one) < 0) {
    }
    errno = saved;
}

}  // namespace

StopRequest::StopRequest() {
    NOSTRO_ASSERT(stop_event.load() < 0, "two wait for Ctrl-C");
    stop_asked.store(false);
    stop_event.store(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    struct sigaction action{};
    action.sa_handler = ask;
    // A write under way goes on. The next signal does what it always did.
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
}

StopRequest::~StopRequest() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
    ::close(stop_event.exchange(-1));
}

bool StopRequest::asked() const { return stop_asked.load(std::memory_order_relaxed); }

bool StopRequest::wait_until(SteadyTime due) const {
    pollfd event{.fd = stop_event.load(), .events = POLLIN, .revents = 0};
    for (;;) {
        if (asked()) return true;
        const auto left = std::chrono::nanoseconds(due - steady_now()).count();
        if (left <= 0) return false;
        const timespec time{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
        ppoll(&event, 1, &time, nullptr);
    }
}

}  // namespace nostro::cli
