// The books as a verifier keeps them: from images and outcomes alone, checked against each other frame by frame.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nostro/journal/cells.hpp"
#include "nostro/journal/flat_map.hpp"
#include "nostro/journal/image_file.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

class VerifyBooks {
public:
    // What is wrong, and with which payment if it is one's.
    using Fault = std::function<void(std::string what, std::optional<PaymentId> payment)>;

    // Takes the cells of an image as they are: the begin, where earlier frames were dropped.
    void begin_with(const Changes& cells);
    // One frame: outcomes, then images.
    void check(const DecodedFrame& frame, const Fault& fault);
    // Each cell of an image must be the one that stands here; call with all chunks, then with the counts.
    void compare(const Changes& cells, const Fault& fault);
    void compare_counts(const CellCounts& counts, const Fault& fault);
    // What an image must be to begin with: sums are zero, and what is reserved is what its open payments reserve.
    void check_begin(const Fault& fault) const;
    // Every payment has ended once or is open.
    void end(const Fault& fault) const;

    std::uint64_t outcomes() const { return outcomes_; }
    std::uint64_t payments() const { return payments_; }
    std::uint64_t open() const { return holds_.size(); }
    // Payments by the state they are in: each that was submitted, or open at the begin, stands in exactly one.
    std::array<std::uint64_t, 8> states() const;
    std::uint64_t accounts() const { return accounts_.size(); }
    std::vector<std::string> currencies() const;

private:
    __extension__ typedef __int128 Sum;
    struct Account {
        AccountId id;
        AccountImage image;
        std::int64_t running = 0;  // balance as outcomes say, within a frame
        Sum reserved = 0;          // by open payments
        bool is_open = false;      // an image was seen
        bool is_touched = false;
    };
    struct CounterKey {
        AccountId account;
        std::uint32_t limit;
        std::uint8_t place;
        friend bool operator==(const CounterKey&, const CounterKey&) = default;
    };
    struct HashCounter {
        std::size_t operator()(const CounterKey& key) const {
            return std::hash<AccountId>()(key.account) ^ (key.limit * 31u + key.place);
        }
    };
    struct BoundKey {
        AccountId account;
        std::uint32_t name;
        friend bool operator==(const BoundKey&, const BoundKey&) = default;
    };
    struct HashBound {
        std::size_t operator()(const BoundKey& key) const { return std::hash<AccountId>()(key.account) ^ key.name; }
    };
    void check_outcome(const DecodedFrame& frame, std::size_t index, const Fault& fault);
    void follow(AccountId id, std::int64_t before, std::int64_t after, std::string_view side, const Outcome& outcome,
                const Fault& fault);
    void check_state(const DecodedFrame& frame, std::size_t index, const Fault& fault);
    void take_accounts(const Changes& changes, const Fault& fault);
    void take_holds(const Changes& changes, const Fault& fault);
    void take_others(const Changes& changes);
    void end_frame(const Fault& fault);
    void prefetch(const Outcome& outcome) const;
    Account* find(AccountId id);
    Account& made(AccountId id);
    Account& touch(AccountId id);
    Account& touch(Account& account);
    void add_to_sum(Currency currency, Sum amount);
    void reserve(const HoldImage& hold, int sign);

    FlatMap<AccountId, std::uint32_t> places_;  // in accounts_
    std::vector<Account> accounts_;
    FlatMap<CounterKey, CounterImage, HashCounter> counters_;
    std::unordered_map<PaymentId, HoldImage> holds_;
    std::unordered_map<PaymentId, ReversedImage> reversed_;
    std::unordered_map<BoundKey, BoundImage, HashBound> bounds_;
    std::map<TenantNo, TenantImage> tenants_;
    std::map<std::pair<std::string, PolicyVersion>, std::string> policies_;  // compiled
    std::vector<std::pair<Currency, Sum>> sums_;                             // posted; currencies are few
    std::vector<std::uint32_t> touched_;                                     // places
    std::unordered_map<PaymentId, Status> open_;                             // as the outcomes say
    std::vector<PaymentId> changed_;  // payments that opened or ended in this frame
    std::uint64_t outcomes_ = 0, payments_ = 0, open_at_begin_ = 0;
    std::array<std::uint64_t, 8> ended_{};  // by status
};

}  // namespace nostro
