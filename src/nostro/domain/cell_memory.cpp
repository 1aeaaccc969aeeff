#include "nostro/domain/cell_memory.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace nostro {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t rounded_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Ends of the mapping that do not belong to whole huge pages are given back.
void* map_aligned(std::size_t bytes) {
    const std::size_t wide = bytes + kHugePage;
    void* mapped = mmap(nullptr, wide, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    auto* first = static_cast<std::byte*>(mapped);
    const std::size_t head = (kHugePage - reinterpret_cast<std::uintptr_t>(first) % kHugePage) % kHugePage;
    if (head != 0) munmap(first, head);
    munmap(first + head + bytes, wide - head - bytes);
    return first + head;
}

void fault_in(void* data, std::size_t bytes) {
    madvise(data, bytes, MADV_HUGEPAGE);  // advice: where it is not taken, small pages serve as well
#ifdef MADV_POPULATE_WRITE
    if (madvise(data, bytes, MADV_POPULATE_WRITE) == 0) return;
#endif
    auto* at = static_cast<volatile std::byte*>(data);
    for (std::size_t i = 0; i < bytes; i += kPage) at[i] = std::byte{0};
}

}  // namespace

CellMemory::CellMemory(std::size_t bytes, Fault fault) {
    if (bytes >= kHugePage) {
        bytes_ = rounded_up(bytes, kHugePage);
        is_mapped_ = true;
        data_ = map_aligned(bytes_);
        if (fault == Fault::at_once) fault_in(data_, bytes_);
        return;
    }
    bytes_ = rounded_up(bytes == 0 ? 1 : bytes, kLine);
    data_ = std::aligned_alloc(kLine, bytes_);
    if (data_ == nullptr) throw std::bad_alloc();
    std::memset(data_, 0, bytes_);
}

CellMemory::~CellMemory() {
    if (is_mapped_) {
        munmap(data_, bytes_);
    } else {
        std::free(data_);
    }
}

}  // namespace nostro
