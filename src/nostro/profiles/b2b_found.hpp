// What a query of business payments finds, as a JSON array in the order of the row keys, part by part.
//
// Cost: one page of the index at a time. Index rows count only their first bytes; those that are alike are sorted here,
// at most kAlikeMax at once: where more are, the index is read again for each that many.
// Threads: one. Blocks on disk.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/ports/history.hpp"

namespace nostro::b2b {

class FoundPayments {
public:
    static constexpr std::uint32_t kFirstPage = 20, kPage = 100;
    static constexpr std::size_t kAlikeMax = 10'000;

    // `search.to` is not empty. The history outlives it.
    FoundPayments(const History& history, RowSearch search, std::size_t alike_max = kAlikeMax);

    // Appends the next part of the array: first what one small page of the index holds, so that nobody waits long for
    // the begin, then some 32 KiB each. Error: the index cannot answer; the array has no end.
    Result<> next(std::string& into);
    bool at_end() const { return state_ == State::end; }

private:
    enum class State : std::uint8_t { begin, middle, end };
    struct Item {
        std::string key, json;
    };

    Result<> read_page(std::string& into);
    void take(const Recorded& recorded, std::string& into);
    void write_alike(std::string& into);
    bool again();

    const History& history_;
    RowSearch search_;
    const std::size_t alike_max_;
    State state_ = State::begin;
    bool wrote_ = false;
    std::string alike_;  // the row, as it counts, of items_
    std::vector<Item> items_;
    bool left_out_ = false;  // items_ are the first ones of more
    std::string behind_;     // of those alike, keys up to here are written
};

}  // namespace nostro::b2b
