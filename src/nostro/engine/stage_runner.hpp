// A stage on a thread of its own: step() until there is nothing to do, then wait for the signal or a while.
//
// Threads: start and stop belong to one thread; signal() may be notified from any. An error ends the loop: it is given
// to `failed` on the stage's thread, which must not destroy the runner.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "nostro/base/result.hpp"
#include "nostro/base/signal.hpp"

namespace nostro {

class StageRunner {
public:
    struct Options {
        std::string name;                        // of the thread; 15 characters are shown
        std::chrono::microseconds spin{0};       // before it sleeps
        std::chrono::milliseconds idle_max{50};  // it looks again by itself after that long
        bool gives_way = false;                  // takes what the threads that answer leave over
    };
    // Returns how much was done; 0: wait.
    using Step = std::function<Result<std::size_t>()>;

    StageRunner(Options options, Step step, std::function<void(const Error&)> failed);
    ~StageRunner();  // stops
    StageRunner(const StageRunner&) = delete;
    StageRunner& operator=(const StageRunner&) = delete;

    void start();
    void stop();  // ends after the running step; waits for the thread
    Signal& signal() { return signal_; }

private:
    void run(const std::stop_token& stop);

    Options options_;
    Step step_;
    std::function<void(const Error&)> failed_;
    Signal signal_;
    std::jthread thread_;
};

}  // namespace nostro
