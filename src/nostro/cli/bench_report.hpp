// What bench has measured, as a table with bars for people and as JSON for programs.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "nostro/cli/bench_load.hpp"
#include "nostro/cli/gap_watch.hpp"
#include "nostro/cli/machine.hpp"
#include "nostro/cli/server_watch.hpp"

namespace nostro::cli {

struct BenchMeasured {
    std::string load;  // "bulk"
    BenchLoadOptions options;
    BenchLoadResult result;
    std::optional<GapWatch::Found> gaps;                 // of the machine meanwhile; open loop alone
    std::vector<StageTimes> stages;                      // none: the server tells of none
    std::optional<std::chrono::nanoseconds> server_cpu;  // nullopt: it runs elsewhere
    std::optional<ListenerMemory> server_memory;
    std::uint64_t frames = 0, frame_bytes = 0;  // 0: it is no nostro
    bool counts_settled = true;                 // false: it is no nostro

    std::uint64_t payments_per_second() const;
};

struct BenchReport {
    std::vector<BenchMeasured> loads;
    Machine machine;
    std::string server;          // "http://127.0.0.1:8000", with what kind of journal where bench knows
    std::optional<bool> proved;  // nullopt: nobody asked
    std::uint64_t proved_payments = 0;
};

void print_table(const BenchReport& report);
std::string to_json(const BenchReport& report);

}  // namespace nostro::cli
