// What limits have counted: one cell for each account, limit and place in the limit's ring of buckets. A bucket that
// has gone by is overwritten in its place, so nothing is ever evicted.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>

#include "nostro/base/ids.hpp"
#include "nostro/domain/cell_table.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro {

struct CounterKey {
    AccountId account;
    std::uint32_t limit = 0;  // Limit::key
    std::uint8_t place = 0;   // bucket % ring
};

struct CounterCell {
    using Key = CounterKey;
    AccountId account;
    std::uint32_t limit;
    std::uint8_t place;
    bool is_touched;  // in this frame
    std::uint64_t bucket;
    std::int64_t value;

    bool empty() const { return account.empty(); }
    bool is(const Key& key) const { return account == key.account && limit == key.limit && place == key.place; }
    // A ring stands in one row, because a limit reads all of it.
    static CellSpot spot(const Key& key) {
        return {mixed(key.account.low ^ (std::uint64_t{key.limit} << 32), key.account.high), key.place};
    }
    CounterImage image() const { return {account, limit, bucket, place, value}; }
};
static_assert(sizeof(CounterCell) == 40);

using CounterTable = CellTable<CounterCell>;

constexpr std::uint8_t ring_place(std::uint64_t bucket, std::uint8_t ring) {
    return static_cast<std::uint8_t>(bucket % ring);
}

__extension__ typedef __int128 CounterSum;

// Over the window that ends with `bucket`. Buckets yet to come count too: after a change of a zone's borders the
// running bucket may go back by one, and a limit must never promise less.
inline CounterSum window_sum(const CounterTable& table, AccountId account, std::uint32_t limit, std::uint8_t ring,
                             std::uint64_t bucket) {
    CounterSum sum = 0;
    for (std::uint8_t place = 0; place < ring; ++place) {
        const CounterCell* cell = table.find({account, limit, place});
        if (cell != nullptr && cell->bucket + ring > bucket) sum += cell->value;
    }
    return sum;
}

// As much of it as 64 bits can show.
inline std::int64_t shown(CounterSum sum) {
    constexpr CounterSum kMost = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(sum < kMost ? sum : kMost);
}

}  // namespace nostro
