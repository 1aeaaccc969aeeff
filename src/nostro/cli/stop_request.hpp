// Ctrl-C as a wish: whoever runs without end stops between two pieces of work, tells what was done, and ends well. The
// second Ctrl-C ends the program at once.
//
// Threads: one owner. One at a time in a program; SIGINT and SIGTERM are as before when it is gone.
#pragma once
#include <csignal>

#include "nostro/base/time.hpp"

namespace nostro::cli {

class StopRequest {
public:
    StopRequest();
    ~StopRequest();
    StopRequest(const StopRequest&) = delete;
    StopRequest& operator=(const StopRequest&) = delete;

    bool asked() const;
    // True: asked, now or while waiting. False: `due` has passed.
    bool wait_until(SteadyTime due) const;

private:
    struct sigaction interrupt_ = {}, terminate_ = {};  // what was there before
};

}  // namespace nostro::cli
