// Cells that go again: holds and the sums of reversals. Found by payment id, and in the order in which they are due.
//
// A pool of fixed cells, which never move; an index with linear probing that shifts back on erase, so that no
// tombstones gather; and a heap by (due, id), whose order is the same however the cells came in.
//
// Image offers id_of(image) and due_of(image) by overload.
#pragma once
#include <cstddef>
#include <cstdint>

#include "nostro/base/assert.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/domain/cell_memory.hpp"
#include "nostro/domain/cell_table.hpp"

namespace nostro {

template <class Image>
class DueTable {
public:
    struct Cell {
        Image image;
        std::uint32_t heap_at;
        bool is_touched;  // in this frame
        bool is_open;     // false: closed in this frame, kept for its image
    };

    explicit DueTable(std::size_t cells_max)
        : cells_(cells_max, CellMemory::Fault::as_used),
          index_(2 * cells_max + 1),
          heap_(cells_max),
          free_(cells_max) {}

    Cell* find(PaymentId id) {
        const std::size_t at = place(id);
        return index_[at].number == 0 ? nullptr : &cells_[index_[at].number - 1];
    }
    const Cell* find(PaymentId id) const { return const_cast<DueTable*>(this)->find(id); }
    void prefetch(PaymentId id) const { prefetch_lines(&index_[home(hash(id))], 8); }

    std::size_t size() const { return heap_size_; }
    std::size_t cells_max() const { return cells_.size(); }
    std::size_t room() const { return cells_.size() - used_ + free_size_; }

    // The one due first; nullptr: none.
    Cell* first_due() { return heap_size_ == 0 ? nullptr : &cells_[heap_[0].slot]; }
    const Cell* first_due() const { return const_cast<DueTable*>(this)->first_due(); }

    Cell& open(const Image& image) {
        NOSTRO_ASSERT(room() != 0, "a table of the Book is over-filled");
        const std::uint32_t slot = free_size_ != 0 ? free_[--free_size_] : used_++;
        cells_[slot] = Cell{};
        link(cells_[slot], image);
        return cells_[slot];
    }
    // No longer found or due; its cell and its last image stay until released.
    void close(Cell& cell) {
        unlink_index(id_of(cell.image));
        unlink_heap(cell.heap_at);
        cell.is_open = false;
    }
    void reopen(Cell& cell, const Image& image) { link(cell, image); }
    void release(Cell& cell) { free_[free_size_++] = slot_of(cell); }
    // To be called when due_of() an open cell's image has changed.
    void reschedule(Cell& cell) {
        heap_[cell.heap_at].due = due_of(cell.image);
        sift_up(cell.heap_at);
        sift_down(cell.heap_at);
    }

    template <class Each>
    void each(Each visit) const {
        for (std::size_t i = 0; i < heap_size_; ++i) visit(cells_[heap_[i].slot]);
    }

private:
    struct Entry {
        std::uint32_t number;  // of the cell, from 1; 0: empty
        std::uint32_t hash;
    };
    struct HeapEntry {
        Instant due;
        std::uint32_t slot;
    };

    static std::uint32_t hash(PaymentId id) { return static_cast<std::uint32_t>(mixed(id) >> 32); }
    std::size_t home(std::uint32_t hashed) const { return (std::uint64_t{hashed} * index_.size()) >> 32; }
    std::size_t next(std::size_t at) const { return at + 1 == index_.size() ? 0 : at + 1; }
    std::uint32_t slot_of(const Cell& cell) const { return static_cast<std::uint32_t>(&cell - cells_.begin()); }

    // Of the id, or the empty place where it would stand.
    std::size_t place(PaymentId id) const {
        const std::uint32_t hashed = hash(id);
        std::size_t at = home(hashed);
        while (index_[at].number != 0 &&
               (index_[at].hash != hashed || id_of(cells_[index_[at].number - 1].image) != id)) {
            at = next(at);
        }
        return at;
    }

    void link(Cell& cell, const Image& image) {
        cell.image = image;
        cell.is_open = true;
        const PaymentId id = id_of(image);
        const std::size_t at = place(id);
        NOSTRO_ASSERT(index_[at].number == 0, "a payment is held twice");
        index_[at] = {slot_of(cell) + 1, hash(id)};
        heap_[heap_size_] = {due_of(image), slot_of(cell)};
        cell.heap_at = static_cast<std::uint32_t>(heap_size_++);
        sift_up(cell.heap_at);
    }

    void unlink_index(PaymentId id) {
        std::size_t hole = place(id);
        NOSTRO_ASSERT(index_[hole].number != 0, "a payment that is not held is let go");
        for (std::size_t at = next(hole); index_[at].number != 0; at = next(at)) {
            // What stands behind the hole may move into it unless its search begins behind the hole.
            const std::size_t from_home = distance(home(index_[at].hash), at);
            if (from_home < distance(hole, at)) continue;
            index_[hole] = index_[at];
            hole = at;
        }
        index_[hole] = {};
    }
    std::size_t distance(std::size_t from, std::size_t to) const {
        return to >= from ? to - from : to + index_.size() - from;
    }

    void unlink_heap(std::size_t at) {
        const HeapEntry moved = heap_[--heap_size_];
        if (at == heap_size_) return;
        put(at, moved);
        sift_up(at);
        sift_down(cells_[moved.slot].heap_at);
    }
    bool before(const HeapEntry& a, const HeapEntry& b) const {
        if (a.due != b.due) return a.due < b.due;
        return id_of(cells_[a.slot].image) < id_of(cells_[b.slot].image);
    }
    void put(std::size_t at, HeapEntry entry) {
        heap_[at] = entry;
        cells_[entry.slot].heap_at = static_cast<std::uint32_t>(at);
    }
    void sift_up(std::size_t at) {
        const HeapEntry entry = heap_[at];
        while (at != 0 && before(entry, heap_[(at - 1) / 2])) {
            put(at, heap_[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        put(at, entry);
    }
    void sift_down(std::size_t at) {
        const HeapEntry entry = heap_[at];
        for (std::size_t child = 2 * at + 1; child < heap_size_; child = 2 * at + 1) {
            if (child + 1 < heap_size_ && before(heap_[child + 1], heap_[child])) ++child;
            if (!before(heap_[child], entry)) break;
            put(at, heap_[child]);
            at = child;
        }
        put(at, entry);
    }

    CellArray<Cell> cells_;
    CellArray<Entry> index_;
    CellArray<HeapEntry> heap_;
    CellArray<std::uint32_t> free_;
    std::size_t heap_size_ = 0, free_size_ = 0;
    std::uint32_t used_ = 0;  // cells that were ever in use
};

}  // namespace nostro
