// What the machine itself keeps a thread waiting for: a thread a core that only sleeps, a millisecond a time, and looks
// how late it woke. At real-time priority, where that is allowed, no program of ours can be why: it was the kernel, or
// the host of a virtual machine. Without it, whatever else runs may have been. Beside them a thread that writes 4 KiB
// durably every few milliseconds: what the disk keeps whoever writes to it waiting for.
#pragma once
#include <filesystem>
#include <thread>
#include <vector>

#include "nostro/cli/latency.hpp"
#include "nostro/cli/raw_writes.hpp"

namespace nostro::cli {

class GapWatch {
public:
    struct Found {
        Latencies late;
        bool real_time = false;  // at that priority, on every core
        Latencies writes;        // none: the folder takes none
    };
    // Begins. What it writes to is laid out before it returns.
    explicit GapWatch(const std::filesystem::path& folder);
    GapWatch(const GapWatch&) = delete;
    GapWatch& operator=(const GapWatch&) = delete;
    Found end();

private:
    struct Core {
        Latencies late;
        bool real_time = false;
    };
    void watch_disk(const std::stop_token& stop);
    static void watch(const std::stop_token& stop, unsigned core, Core& into);

    std::vector<Core> cores_;
    Latencies writes_;
    RawWrites disk_;                     // of its thread, once that has begun
    std::vector<std::jthread> threads_;  // last: they end first
};

}  // namespace nostro::cli
