// A stage on a thread of its own: step() until there is nothing to do, then wait for the signal or a while.
//
// Threads: start and stop belong to one thread; signal() may be notified from any; keep_pace() is the step's own. An
// error ends the loop: it is given to `failed` on the stage's thread, which must not destroy the runner.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "nostro/base/result.hpp"
#include "nostro/base/signal.hpp"
#include "nostro/base/time.hpp"

namespace nostro {

class StageRunner {
public:
    struct Options {
        std::string name;                        // of the thread; 15 characters are shown
        std::chrono::microseconds spin{0};       // before it sleeps
        std::chrono::milliseconds idle_max{50};  // it looks again by itself after that long
        bool gives_way = false;                  // takes what the threads that answer leave over...
        // ...and less so the further it is behind: up to kBehindLittle not at all, from kBehindMuch on it takes its
        // full share. Where the system lets no thread take its niceness back (CAP_SYS_NICE, RLIMIT_NICE) it gives way a
        // little all the time. Asked on the stage's thread; empty: never behind.
        std::function<double()> behind{};
    };
    static constexpr double kBehindLittle = 0.25, kBehindMuch = 0.75;
    // Returns how much was done; 0: wait.
    using Step = std::function<Result<std::size_t>()>;

    StageRunner(Options options, Step step, std::function<void(const Error&)> failed);
    ~StageRunner();  // stops
    StageRunner(const StageRunner&) = delete;
    StageRunner& operator=(const StageRunner&) = delete;

    void start();
    void stop();  // ends after the running step; waits for the thread
    Signal& signal() { return signal_; }
    // Looks how far it is behind, now and then however often it is called: for steps that take long.
    void keep_pace();

private:
    void run(const std::stop_token& stop);
    void give_way(int nice);

    Options options_;
    Step step_;
    std::function<void(const Error&)> failed_;
    Signal signal_;
    // Of the stage's thread: its niceness at the start, and how far it gives way.
    int own_ = 0, nice_ = 0;
    bool for_good_ = false;
    SteadyTime look_at_{};
    std::jthread thread_;
};

}  // namespace nostro
