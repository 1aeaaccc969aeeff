// The requests of a load: all of one size, laid out once, and given new numbers in place before each is sent, so that
// making a payment costs the client some ten nanoseconds and no memory.
//
// Threads: one owner.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/cli/client.hpp"

namespace nostro::cli {

struct BenchRequestOptions {
    Url url;
    std::string path;               // empty: nostro's own, by the batch
    std::uint32_t accounts = 2;     // bench_account(0) .. bench_account(accounts - 1)
    std::uint32_t hot_percent = 0;  // of the payments: their creditor is the first account
    std::uint32_t batch = 1;        // payments in one request; 1: a request of its own, with its key in the head
    std::uint64_t seed = 1;
    // In place of a payment, without a key; each '#' becomes a digit, drawn anew each time. Only with a batch of 1.
    std::string body{};
    // In place of all that: a GET of one of these, drawn anew each time. All of one length.
    std::vector<std::string> targets{};
};

// "bench-0000017": the same for every bench, so that accounts are opened once.
std::string bench_account(std::uint32_t number);

class BenchRequests {
public:
    explicit BenchRequests(const BenchRequestOptions& options);

    std::size_t size() const { return text_.size(); }
    // Fills `size()` bytes with all that stays the same.
    void lay_out(char* to) const;
    // Gives a request that was laid out at `at` keys of its own, accounts and amounts. No key is used twice, by this
    // run or another.
    void stamp(char* at);

private:
    void lay_out_payments(const BenchRequestOptions& options);
    void lay_out_body(const BenchRequestOptions& options);
    void lay_out_target(const Url& url);

    // Where in a request the parts of one payment stand.
    struct Places {
        std::size_t key, debtor, creditor, amount, reference;
    };

    std::string text_;
    std::vector<Places> places_;
    std::vector<std::size_t> digits_;  // of a body that was given
    std::vector<std::string> targets_;
    std::size_t target_at_ = 0;
    Xoshiro256 random_;
    std::uint32_t accounts_, hot_percent_;
    std::uint64_t number_ = 0;
};

}  // namespace nostro::cli
