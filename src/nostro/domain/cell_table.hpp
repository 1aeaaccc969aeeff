// A fixed hash table with linear probing, at most 80 % full. Cells never move and, but for undo, never go.
//
// A Cell offers:
//   using Key;  bool is(const Key&) const;  bool empty() const;  (all bytes zero is empty)
//   static CellSpot spot(const Key&);
#pragma once
#include <cstddef>
#include <cstdint>

#include "nostro/base/assert.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/base/prefetch.hpp"
#include "nostro/domain/cell_memory.hpp"

namespace nostro {

__extension__ typedef unsigned __int128 WideHash;

// Ids are hashes already, but whoever chooses keys can choose ids whose low bits agree; and tests count from 1.
inline std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    const WideHash product =
        static_cast<WideHash>(a ^ 0x9E3779B97F4A7C15u) * static_cast<WideHash>(b ^ 0xD6E8FEB86659FD93u);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}
template <class Kind>
std::uint64_t mixed(const Id<Kind>& id) {
    return mixed(id.low, id.high);
}

// Where a search begins: a hash, and a step from there, so that keys which are read together stand side by side.
struct CellSpot {
    std::uint64_t hash;
    std::size_t step = 0;
};

// Table places for `cells_max` cells, at most 80 % of them used.
constexpr std::size_t places_for(std::size_t cells_max) { return cells_max + cells_max / 4 + 1; }

inline std::size_t place_of(const CellSpot& spot, std::size_t places) {
    const auto place = static_cast<std::size_t>((static_cast<WideHash>(spot.hash) * places) >> 64) + spot.step;
    return place < places ? place : place % places;
}

template <class Cell>
class CellTable {
public:
    using Key = typename Cell::Key;

    explicit CellTable(std::size_t cells_max) : cells_(places_for(cells_max)), cells_max_(cells_max) {}

    // The cell of the key, or the empty one where it would stand.
    Cell& look(const Key& key) {
        std::size_t at = place_of(Cell::spot(key), cells_.size());
        while (!cells_[at].empty() && !cells_[at].is(key)) {
            if (++at == cells_.size()) at = 0;
        }
        return cells_[at];
    }
    Cell* find(const Key& key) {
        Cell& cell = look(key);
        return cell.empty() ? nullptr : &cell;
    }
    const Cell* find(const Key& key) const { return const_cast<CellTable*>(this)->find(key); }

    void prefetch(const Key& key, std::size_t bytes = sizeof(Cell)) const {
        prefetch_lines(&cells_[place_of(Cell::spot(key), cells_.size())], bytes);
    }

    // To be called for each empty cell that look() gave and that was filled.
    void added() {
        NOSTRO_ASSERT(size_ < cells_max_, "a table of the Book is over-filled");
        ++size_;
    }
    // The newest first: only then is no other cell's search cut off.
    void taken_back() { --size_; }

    std::size_t size() const { return size_; }
    std::size_t cells_max() const { return cells_max_; }
    std::size_t room() const { return cells_max_ - size_; }

    template <class Each>
    void each(Each visit) const {
        for (const Cell& cell : cells_) {
            if (!cell.empty()) visit(cell);
        }
    }

private:
    CellArray<Cell> cells_;
    std::size_t cells_max_, size_ = 0;
};

}  // namespace nostro
