// A sorted, immutable piece of the query index in memory: what a few frames added. Runs are merged as they gather, so
// that readers ask few; at last they become one file.
//
// Threads: any, once built.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nostro {

class IndexRun {
public:
    struct Entry {
        std::uint64_t head = 0;  // first eight bytes of the key, big-endian: most comparisons end here
        std::uint32_t offset = 0;
        std::uint16_t key_bytes = 0, value_bytes = 0;
        bool removed = false;
    };
    std::size_t size() const { return entries_.size(); }
    std::size_t payments() const { return payments_; }
    std::string_view key(std::size_t i) const { return {bytes_.data() + entries_[i].offset, entries_[i].key_bytes}; }
    std::string_view value(std::size_t i) const {
        return {bytes_.data() + entries_[i].offset + entries_[i].key_bytes, entries_[i].value_bytes};
    }
    bool removed(std::size_t i) const { return entries_[i].removed; }
    std::size_t lower_bound(std::string_view key) const;  // first entry that is not less
    std::optional<std::size_t> find(std::string_view key) const;

private:
    friend class IndexRunBuilder;
    std::string bytes_;
    std::vector<Entry> entries_;
    std::size_t payments_ = 0;
};
using IndexRunPtr = std::shared_ptr<const IndexRun>;

class IndexRunBuilder {
public:
    IndexRunBuilder() : run_(std::make_shared<IndexRun>()) {}
    void put(std::string_view key, std::string_view value = {}) { add(key, value, false); }
    void remove(std::string_view key) { add(key, {}, true); }
    void count_payment() { ++run_->payments_; }
    // Sorts; of equal keys the one that was added last stays.
    IndexRunPtr finish();
    // As it was added, neither sorted nor made one where keys are equal.
    IndexRunPtr take_unsorted() { return std::exchange(run_, std::make_shared<IndexRun>()); }
    // Of two runs with equal keys the newer one's entry stays.
    static IndexRunPtr merge(const IndexRun& older, const IndexRun& newer);

private:
    void add(std::string_view key, std::string_view value, bool removed);
    void append(const IndexRun& from, std::size_t entry);

    std::shared_ptr<IndexRun> run_;
};

// The runs that are not in a file yet, oldest first. Sizes fall from old to new by halves at least, so there are few.
class IndexRuns {
public:
    using List = std::vector<IndexRunPtr>;
    // The list with one more, merged where it has grown too long.
    static List with(const List& runs, IndexRunPtr newest);
    static IndexRunPtr all(const List& runs);  // nullptr: none
};

}  // namespace nostro
