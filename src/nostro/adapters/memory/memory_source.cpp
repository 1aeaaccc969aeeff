#include "nostro/adapters/memory/memory_source.hpp"

#include <utility>

namespace nostro {

void MemorySource::put(const Command& command, std::shared_ptr<const void> memory) {
    const std::lock_guard lock(mutex_);
    entries_.push_back({command, std::move(memory)});
}

void MemorySource::trouble(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(error);
}

std::uint64_t MemorySource::position() const {
    const std::lock_guard lock(mutex_);
    return next_;
}

Result<> MemorySource::seek(std::span<const Cursor> cursors) {
    const std::lock_guard lock(mutex_);
    if (trouble_) return *trouble_;
    next_ = 0;
    for (const Cursor& cursor : cursors) {
        if (cursor.source == number_ && cursor.part == 0) next_ = cursor.next;
    }
    return {};
}

Result<> MemorySource::poll(std::size_t count_max, std::vector<Arrival>& arrivals) {
    const std::lock_guard lock(mutex_);
    if (trouble_) return *trouble_;
    for (; count_max > 0 && next_ < entries_.size(); --count_max) {
        const Entry& entry = entries_[next_++];
        arrivals.push_back({entry.command, Cursor{number_, 0, next_}, entry.memory});
    }
    return {};
}

}  // namespace nostro
