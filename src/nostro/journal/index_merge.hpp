// Walks several sorted sources of index entries as one: the entry with the least key, of equal keys the newest.
//
// Source offers: bool valid() const; std::uint64_t head() const; std::string_view key() const; void next();
// What key() gave stays readable until the second next() after it.
// Threads: one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/journal/index_head.hpp"

namespace nostro {

template <class Source>
class IndexMerge {
public:
    // Oldest first. They must outlive this, and stay where they are.
    explicit IndexMerge(std::vector<Source>& sources)
        : sources_(sources.data()),
          count_(sources.size()),
          heads_(std::make_unique<std::uint64_t[]>(count_ + 1)),
          losers_(std::make_unique<std::size_t[]>(count_ + 1)) {
        heads_[0] = kEnd;  // should there be none
        for (std::size_t i = 0; i < count_; ++i) note(i);
        if (count_ > 1) winner_ = play(1);
    }

    bool valid() const { return heads_[winner_] != kEnd; }
    Source& source() { return sources_[winner_]; }

    // To the next key; entries of this key in older sources are passed over.
    void next() {
        const std::uint64_t head = heads_[winner_];
        const std::string_view passed = source().key();
        step();
        while (heads_[winner_] == head && compare_behind_head(source().key(), passed) == 0) step();
    }

private:
    static constexpr std::uint64_t kEnd = ~std::uint64_t{0};  // no key's head

    void note(std::size_t i) { heads_[i] = sources_[i].valid() ? sources_[i].head() : kEnd; }
    bool before(std::size_t a, std::size_t b) const {
        return heads_[a] != heads_[b] ? heads_[a] < heads_[b] : is_before(a, b);
    }
    bool is_before(std::size_t a, std::size_t b) const {
        if (heads_[a] == kEnd) return a < b;
        const int order = compare_behind_head(sources_[a].key(), sources_[b].key());
        return order != 0 ? order < 0 : a > b;
    }
    // A tournament: leaves are the sources, each inner node keeps who lost there.
    std::size_t play(std::size_t node) {
        if (node >= count_) return node - count_;
        const std::size_t a = play(2 * node), b = play(2 * node + 1);
        const bool a_wins = before(a, b);
        losers_[node] = a_wins ? b : a;
        return a_wins ? a : b;
    }
    void step() {
        sources_[winner_].next();
        note(winner_);
        std::size_t winner = winner_;
        for (std::size_t node = (winner + count_) / 2; node != 0; node /= 2) {
            if (before(losers_[node], winner)) std::swap(losers_[node], winner);
        }
        winner_ = winner;
    }

    Source* const sources_;
    const std::size_t count_;
    const std::unique_ptr<std::uint64_t[]> heads_;
    const std::unique_ptr<std::size_t[]> losers_;
    std::size_t winner_ = 0;
};

}  // namespace nostro
