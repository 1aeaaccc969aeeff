// A sorted, immutable piece of the query index in memory: what a few frames added. Runs are merged as they gather, so
// that readers ask few; at last they become one file.
//
// Threads: any, once built.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/journal/index_head.hpp"

namespace nostro {

class IndexRun {
public:
    static constexpr std::size_t kKeyMax = 255, kValueMax = (1u << 15) - 1;

    struct Entry {
        std::uint64_t head = 0;
        std::uint32_t offset = 0;
        std::uint8_t key_bytes = 0;
        std::uint16_t value_bytes : 15 = 0;
        std::uint16_t removed : 1 = 0;
    };
    std::size_t size() const { return entries_.size(); }
    std::size_t payments() const { return payments_; }
    std::uint64_t head(std::size_t i) const { return entries_.data()[i].head; }
    std::string_view key(std::size_t i) const {
        const Entry& entry = entries_.data()[i];
        return {bytes_.data() + entry.offset, entry.key_bytes};
    }
    std::string_view value(std::size_t i) const {
        const Entry& entry = entries_.data()[i];
        return {bytes_.data() + entry.offset + entry.key_bytes, entry.value_bytes};
    }
    bool removed(std::size_t i) const { return entries_[i].removed != 0; }
    std::size_t lower_bound(std::string_view key) const;  // first entry that is not less
    std::optional<std::size_t> find(std::string_view key) const;

private:
    friend class IndexRunBuilder;
    std::string bytes_;
    std::vector<Entry> entries_;
    std::size_t payments_ = 0;
};
static_assert(sizeof(IndexRun::Entry) == 16);
using IndexRunPtr = std::shared_ptr<const IndexRun>;

// A run from begin to end, as IndexMerge walks it.
struct IndexRunSource {
    const IndexRun* run = nullptr;
    std::size_t at = 0;

    bool valid() const { return at < run->size(); }
    std::uint64_t head() const { return run->head(at); }
    std::string_view key() const { return run->key(at); }
    std::string_view value() const { return run->value(at); }
    bool removed() const { return run->removed(at); }
    void next() { ++at; }
};

// Keeps its memory for the next run.
class IndexRunBuilder {
public:
    IndexRunBuilder() : run_(std::make_shared<IndexRun>()) {}
    // Keys begin with a capital letter and have at most kKeyMax bytes, values kValueMax.
    void put(std::string_view key, std::string_view value = {}) { add(key, value, false); }
    void remove(std::string_view key) { add(key, {}, true); }
    void count_payment() { ++run_->payments_; }
    // Sorts; of equal keys the one that was added last stays.
    IndexRunPtr finish();
    // As it was added, neither sorted nor made one where keys are equal.
    IndexRunPtr take_unsorted() { return std::exchange(run_, std::make_shared<IndexRun>()); }
    // Oldest first: of equal keys the newest run's entry stays.
    static IndexRunPtr merge(std::span<const IndexRunPtr> runs);

private:
    void add(std::string_view key, std::string_view value, bool removed);
    std::shared_ptr<IndexRun> run_;
    std::vector<IndexRun::Entry> spare_;
};

// The runs that are not in a file yet, oldest first. Small ones are merged by eights, so there are few.
class IndexRuns {
public:
    using List = std::vector<IndexRunPtr>;
    // The list with one more, merged where it has grown too long.
    static List with(const List& runs, IndexRunPtr newest);
};

}  // namespace nostro
