// A queue with a bound, from many producers to one consumer that takes everything at once.
#pragma once
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace nostro {

// Threads: try_push and close from any; drain is for one thread. It wakes nobody: pair it with a Signal.
// Cost:    one uncontended lock a push; draining a queue that fits `max` swaps two vectors under the lock.
//          Memory for `capacity` elements is taken at construction and at the consumer's first drain.
template <class T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) { items_.reserve(capacity); }

    // False when full or closed; then `item` is untouched.
    bool try_push(T&& item) {
        const std::lock_guard lock(mutex_);
        if (!has_room(1)) return false;
        items_.push_back(std::move(item));
        return true;
    }

    // All in their order with nothing in between, or false and none. On success `items` is left empty.
    bool try_push_all(std::vector<T>& items) {
        {
            const std::lock_guard lock(mutex_);
            if (!has_room(items.size())) return false;
            items_.insert(items_.end(), std::make_move_iterator(items.begin()), std::make_move_iterator(items.end()));
        }
        items.clear();
        return true;
    }

    // Appends at most `max` of the oldest to `into`; how many. Goes on after close() until all is taken.
    std::size_t drain(std::vector<T>& into, std::size_t max) {
        if (into.capacity() < capacity_) into.reserve(capacity_);  // outside the lock; the vectors change places
        const std::lock_guard lock(mutex_);
        const std::size_t taken = std::min(max, waiting());
        if (into.empty() && taken == items_.size()) {
            items_.swap(into);
            return taken;
        }
        const auto first = items_.begin() + static_cast<std::ptrdiff_t>(taken_);
        const auto last = first + static_cast<std::ptrdiff_t>(taken);
        into.insert(into.end(), std::make_move_iterator(first), std::make_move_iterator(last));
        taken_ += taken;
        if (taken_ == items_.size()) {
            items_.clear();
            taken_ = 0;
        }
        return taken;
    }

    // From now on every push is refused.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return waiting();
    }
    std::size_t capacity() const { return capacity_; }

private:
    std::size_t waiting() const { return items_.size() - taken_; }

    bool has_room(std::size_t count) {
        if (closed_ || count > capacity_ - waiting()) return false;
        if (items_.size() + count > items_.capacity() && taken_ != 0) {  // close the gap before memory would grow
            items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(taken_));
            taken_ = 0;
        }
        return true;
    }

    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::vector<T> items_;   // oldest first
    std::size_t taken_ = 0;  // of items_, already drained
    bool closed_ = false;
};

}  // namespace nostro
