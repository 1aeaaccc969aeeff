// Memory of a Book's tables: zeroed, faulted in at once, on huge pages where the system gives them, so that no
// page fault meets the settlement thread. What fills in order, from the begin on, may be faulted in as it is used: a
// fault of a microsecond for many cells.
//
// Errors: std::bad_alloc from the constructor. Cost: proportional to the size; small arrays come from the heap.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace nostro {

class CellMemory {
public:
    enum class Fault : std::uint8_t { at_once, as_used };
    CellMemory(std::size_t bytes, Fault fault);
    ~CellMemory();
    CellMemory(const CellMemory&) = delete;
    CellMemory& operator=(const CellMemory&) = delete;
    CellMemory(CellMemory&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_), is_mapped_(other.is_mapped_) {}
    CellMemory& operator=(CellMemory&&) = delete;

    void* data() const { return data_; }

private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
    bool is_mapped_ = false;
};

// A fixed number of cells, all bytes zero at first: that is what every table takes for an empty cell.
template <class Cell>
class CellArray {
    static_assert(std::is_trivially_copyable_v<Cell> && std::is_trivially_destructible_v<Cell>);

public:
    explicit CellArray(std::size_t size, CellMemory::Fault fault = CellMemory::Fault::at_once)
        : memory_(size * sizeof(Cell), fault), cells_(static_cast<Cell*>(memory_.data())), size_(size) {}

    std::size_t size() const { return size_; }
    Cell& operator[](std::size_t i) { return cells_[i]; }
    const Cell& operator[](std::size_t i) const { return cells_[i]; }
    Cell* begin() { return cells_; }
    Cell* end() { return cells_ + size_; }
    const Cell* begin() const { return cells_; }
    const Cell* end() const { return cells_ + size_; }

private:
    CellMemory memory_;
    Cell* cells_;
    std::size_t size_;
};

}  // namespace nostro
