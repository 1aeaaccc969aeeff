// Cells of a Book and what names each: for folding frames into an image, later images winning.
#pragma once
#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "nostro/domain/outcome.hpp"
#include "nostro/journal/flat_map.hpp"

namespace nostro {

inline auto cell_key(const AccountImage& cell) { return cell.id; }
inline auto cell_key(const CounterImage& cell) { return std::tuple(cell.account, cell.limit, cell.place); }
inline auto cell_key(const HoldImage& cell) { return cell.payment; }
inline auto cell_key(const ReversedImage& cell) { return cell.original; }
inline auto cell_key(const BoundImage& cell) { return std::tuple(cell.account, cell.name_key); }
inline auto cell_key(const TenantImage& cell) { return cell.tenant; }
inline auto cell_key(const PolicyPtr& cell) { return std::tuple(cell->tenant(), cell->version()); }

// An image that says: the cell is gone.
inline bool is_gone(const HoldImage& cell) { return !is_open(cell.status); }
inline bool is_gone(const ReversedImage& cell) { return cell.reversed_minor == 0; }
inline bool is_gone(const BoundImage& cell) { return cell.removed; }
template <class Cell>
bool is_gone(const Cell&) {
    return false;
}

// Calls `each` with a pointer to the member of Changes that holds one kind, in the order of image files.
template <class Each>
void for_each_kind(Each each) {
    each(&Changes::accounts);
    each(&Changes::counters);
    each(&Changes::holds);
    each(&Changes::reversed);
    each(&Changes::bounds);
    each(&Changes::tenants);
    each(&Changes::policies);
}

// Sorts by key and keeps the last of each.
template <class Cell>
void keep_last(std::vector<Cell>& cells) {
    std::stable_sort(cells.begin(), cells.end(),
                     [](const Cell& a, const Cell& b) { return cell_key(a) < cell_key(b); });
    auto to = cells.begin();
    for (auto from = cells.begin(); from != cells.end(); ++from) {
        if (std::next(from) != cells.end() && cell_key(*std::next(from)) == cell_key(*from)) continue;
        if (to != from) *to = std::move(*from);
        ++to;
    }
    cells.erase(to, cells.end());
}

// Newest images of the cells that some frames touched. Bytes are those of the images, not of what they took in a frame.
class NewestCells {
public:
    void add(const Changes& changes) {
        for_each_kind([&](auto kind) {
            auto& cells = cells_.*kind;
            for (const auto& cell : changes.*kind) {
                if (std::uint32_t* place = place_of(cell, cells.size())) {
                    cells[*place] = cell;
                } else {
                    cells.push_back(cell);
                }
            }
        });
    }
    // Sorts, once, at the end.
    void finish() {
        for_each_kind([&](auto kind) { keep_last(cells_.*kind); });
    }
    std::size_t bytes() const {
        std::size_t sum = 0;
        for_each_kind([&](auto kind) { sum += (cells_.*kind).size() * sizeof((cells_.*kind)[0]); });
        return sum;
    }
    const Changes& cells() const { return cells_; }

private:
    using CounterKey = decltype(cell_key(CounterImage()));
    struct CounterHash {
        std::size_t operator()(const CounterKey& key) const {
            const auto& [account, limit, place] = key;
            return std::hash<AccountId>()(account) + limit * std::size_t{0x9E3779B9} + place;
        }
    };

    // Where a cell stands that every payment touches; nullptr: it is new, and will stand at the end.
    std::uint32_t* place_of(const AccountImage& cell, std::size_t end) { return find(accounts_, cell_key(cell), end); }
    std::uint32_t* place_of(const CounterImage& cell, std::size_t end) { return find(counters_, cell_key(cell), end); }
    // The others are seldom, and sorted out at the end.
    template <class Cell>
    static std::uint32_t* place_of(const Cell&, std::size_t) {
        return nullptr;
    }
    template <class Map, class Key>
    static std::uint32_t* find(Map& map, const Key& key, std::size_t end) {
        auto [place, is_new] = map.get(key);
        if (!is_new) return &place;
        place = static_cast<std::uint32_t>(end);
        return nullptr;
    }

    Changes cells_;
    FlatMap<AccountId, std::uint32_t> accounts_;
    FlatMap<CounterKey, std::uint32_t, CounterHash> counters_;
};

}  // namespace nostro
