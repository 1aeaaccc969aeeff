// What a replay did, counted while it runs and told at the end.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nostro/base/json_text.hpp"
#include "nostro/cli/latency.hpp"
#include "nostro/formats/paysim_audit.hpp"

namespace nostro::cli {

struct ReplayReport {
    static constexpr std::size_t kShownMax = 5;  // of a kind of rows

    // Only a PaySim file has labels of fraud, and balances for double entry to be held against.
    bool is_paysim = true;
    std::uint64_t rows = 0;                     // of the file, without its header
    std::uint64_t zero_amounts = 0;             // skipped: nothing to move
    std::uint64_t unreadable = 0;               // not sent
    std::vector<std::string> unreadable_first;  // "FILE: row 17: column amount: ..."
    std::uint64_t taken = 0, replayed = 0, retried_batches = 0;
    std::map<std::string, std::uint64_t> by_status;  // of the rows taken
    std::map<std::string, std::uint64_t> rejected_by_reason;
    std::map<std::string, std::uint64_t> not_taken_by_code;  // items that the service refused to take
    std::vector<std::string> not_taken_first;
    // Detection: what the policy stopped (in review, or rejected for risk) against the labels.
    std::uint64_t fraud = 0, stopped = 0, stopped_fraud = 0;
    paysim::Audit audit;           // of the file alone
    std::uint64_t reproduced = 0;  // of the rows that add up in it: settled
    Latencies latencies;           // of the batches
    std::chrono::nanoseconds elapsed{};

    // What to do when most rows were rejected since their accounts are not open; else empty.
    std::string hint() const;
    void print() const;
    std::string json() const;

private:
    void print_paysim() const;
    void paysim_json(JsonWriter& json) const;
};

}  // namespace nostro::cli
