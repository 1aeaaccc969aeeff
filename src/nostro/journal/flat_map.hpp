// A hash table of many small entries in one piece of memory: one cache line is touched to find an entry, and none is
// freed on its own. Entries are added and changed, never taken away; adding one may move all of them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "nostro/base/prefetch.hpp"

namespace nostro {

template <class Key, class Value, class Hash = std::hash<Key>>
class FlatMap {
public:
    struct Entry {
        Key key{};
        [[no_unique_address]] Value value{};  // `used` may stand in bytes that it leaves
        bool used = false;
    };

    std::size_t size() const { return size_; }

    Value* find(const Key& key) {
        Entry& entry = entries_[place(key)];
        return entry.used ? &entry.value : nullptr;
    }
    const Value* find(const Key& key) const { return const_cast<FlatMap*>(this)->find(key); }

    // The value, as constructed if it was not there: then `second` is true.
    std::pair<Value&, bool> get(const Key& key) {
        Entry* entry = &entries_[place(key)];
        if (entry->used) return {entry->value, false};
        if (5 * (size_ + 1) > 4 * entries_.size()) {
            grow();
            entry = &entries_[place(key)];
        }
        entry->key = key;
        entry->used = true;
        ++size_;
        return {entry->value, true};
    }

    void prefetch(const Key& key) const { nostro::prefetch(&entries_[home(key)]); }

    template <class Each>
    void each(Each visit) const {
        for (const Entry& entry : entries_) {
            if (entry.used) visit(entry.key, entry.value);
        }
    }

private:
    std::size_t home(const Key& key) const {
        const std::uint64_t mixed = Hash()(key) * 0x9E3779B97F4A7C15u;
        return static_cast<std::size_t>((static_cast<unsigned __int128>(mixed) * entries_.size()) >> 64);
    }
    std::size_t place(const Key& key) const {
        std::size_t at = home(key);
        while (entries_[at].used && !(entries_[at].key == key)) at = at + 1 == entries_.size() ? 0 : at + 1;
        return at;
    }
    // By a quarter: many tables of a million entries stand beside each other.
    void grow() {
        std::vector<Entry> old(entries_.size() + entries_.size() / 4);
        old.swap(entries_);
        for (Entry& entry : old) {
            if (entry.used) entries_[place(entry.key)] = std::move(entry);
        }
    }

    std::vector<Entry> entries_ = std::vector<Entry>(64);
    std::size_t size_ = 0;
};

}  // namespace nostro
