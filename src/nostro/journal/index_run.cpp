#include "nostro/journal/index_run.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "nostro/base/assert.hpp"
#include "nostro/journal/index_merge.hpp"

namespace nostro {
namespace {

using Entry = IndexRun::Entry;

bool by_head(const Entry& a, const Entry& b) { return a.head < b.head; }

// Sorts by heads and leaves equal ones in their order. Heads of one kind are spread evenly (ids, hashes) or stand in
// order already (places): a few hundred buckets put nearly all of them where they belong.
void sort_by_head(std::span<Entry> entries, std::vector<Entry>& spare) {
    constexpr std::size_t kFew = 24, kBucketsMax = 2048, kInBucket = 8;
    if (entries.size() < 2) return;
    if (entries.size() <= kFew) {
        for (auto at = entries.begin() + 1; at != entries.end(); ++at) {
            const Entry entry = *at;
            auto to = at;
            for (; to != entries.begin() && entry.head < std::prev(to)->head; --to) *to = *std::prev(to);
            *to = entry;
        }
        return;
    }
    if (std::ranges::is_sorted(entries, by_head)) return;
    const auto [least, most] = std::ranges::minmax_element(entries, by_head);
    const std::uint64_t first = least->head, range = most->head - first;
    const std::size_t buckets = std::min(std::bit_ceil(entries.size() / kInBucket), kBucketsMax);
    const auto wide = static_cast<int>(std::bit_width(range)), kept = static_cast<int>(std::bit_width(buckets - 1));
    const int shift = std::max(0, wide - kept);
    std::array<std::uint32_t, kBucketsMax + 1> memory;
    const auto ends = std::span(memory).first(buckets + 1);
    std::ranges::fill(ends, 0);
    const auto bucket = [&](const Entry& entry) { return static_cast<std::size_t>((entry.head - first) >> shift); };
    for (const Entry& entry : entries) ++ends[bucket(entry) + 1];
    for (std::size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
    if (spare.size() < entries.size()) spare.resize(entries.size());
    for (const Entry& entry : entries) spare[ends[bucket(entry)]++] = entry;
    std::copy_n(spare.begin(), entries.size(), entries.begin());
    std::uint32_t begin = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        if (ends[i] - begin > 1) sort_by_head(entries.subspan(begin, ends[i] - begin), spare);
        begin = ends[i];
    }
}

}  // namespace

std::size_t IndexRun::lower_bound(std::string_view wanted) const {
    const std::uint64_t wanted_head = index_head(wanted);
    std::size_t low = 0, high = entries_.size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const std::uint64_t found = entries_[middle].head;
        if (found != wanted_head ? found < wanted_head : key(middle) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

std::optional<std::size_t> IndexRun::find(std::string_view wanted) const {
    const std::size_t at = lower_bound(wanted);
    if (at == entries_.size() || key(at) != wanted) return std::nullopt;
    return at;
}

void IndexRunBuilder::add(std::string_view key, std::string_view value, bool removed) {
    NOSTRO_ASSERT(key.size() <= IndexRun::kKeyMax && value.size() <= IndexRun::kValueMax,
                  "an entry of the index has a length that its program knows");
    Entry entry;
    entry.head = index_head(key);
    entry.offset = static_cast<std::uint32_t>(run_->bytes_.size());
    entry.key_bytes = static_cast<std::uint8_t>(key.size());
    entry.value_bytes = static_cast<std::uint16_t>(value.size()) & IndexRun::kValueMax;
    entry.removed = removed ? 1 : 0;
    run_->bytes_.append(key);
    if (!value.empty()) run_->bytes_.append(value);
    run_->entries_.push_back(entry);
}

IndexRunPtr IndexRunBuilder::finish() {
    auto& entries = run_->entries_;
    const char* bytes = run_->bytes_.data();
    const auto key = [bytes](const Entry& entry) { return std::string_view(bytes + entry.offset, entry.key_bytes); };
    // Most keys whose heads are equal were added in their own order; a look at their neighbours finds the others.
    sort_by_head(entries, spare_);
    const auto by_key = [&](const Entry& a, const Entry& b) {
        const int order = compare_behind_head(key(a), key(b));
        return order != 0 ? order < 0 : a.offset < b.offset;
    };
    std::size_t kept = 0, begin = 0;
    while (begin < entries.size()) {
        std::size_t end = begin + 1;
        bool in_order = true;
        for (; end < entries.size() && entries[end].head == entries[begin].head; ++end) {
            in_order = in_order && by_key(entries[end - 1], entries[end]);
        }
        if (!in_order) std::sort(&entries[begin], &entries[begin] + (end - begin), by_key);
        for (; begin < end; ++begin) {
            if (begin + 1 < end && compare_behind_head(key(entries[begin]), key(entries[begin + 1])) == 0) continue;
            entries[kept++] = entries[begin];
        }
    }
    entries.resize(kept);
    // No larger than it must be, and in order: whoever merges runs walks their bytes from begin to end.
    auto run = std::make_shared<IndexRun>();
    run->payments_ = run_->payments_;
    run->bytes_.reserve(run_->bytes_.size());
    for (Entry& entry : entries) {
        const char* from = bytes + entry.offset;
        entry.offset = static_cast<std::uint32_t>(run->bytes_.size());
        run->bytes_.append(from, std::size_t{entry.key_bytes} + entry.value_bytes);
    }
    run->entries_.assign(entries.begin(), entries.end());
    run_->bytes_.clear();
    run_->entries_.clear();
    run_->payments_ = 0;
    return run;
}

IndexRunPtr IndexRunBuilder::merge(std::span<const IndexRunPtr> runs) {
    IndexRunBuilder builder;
    std::vector<IndexRunSource> sources;
    std::size_t bytes = 0, entries = 0;
    for (const IndexRunPtr& run : runs) {
        sources.push_back({run.get(), 0});
        bytes += run->bytes_.size();
        entries += run->size();
        builder.run_->payments_ += run->payments_;
    }
    builder.run_->bytes_.reserve(bytes);
    builder.run_->entries_.reserve(entries);
    for (IndexMerge<IndexRunSource> merge(sources); merge.valid(); merge.next()) {
        const IndexRunSource& from = merge.source();
        Entry entry = from.run->entries_[from.at];
        const char* begin = from.run->bytes_.data() + entry.offset;
        entry.offset = static_cast<std::uint32_t>(builder.run_->bytes_.size());
        builder.run_->bytes_.append(begin, std::size_t{entry.key_bytes} + entry.value_bytes);
        builder.run_->entries_.push_back(entry);
    }
    return std::exchange(builder.run_, nullptr);
}

IndexRuns::List IndexRuns::with(const List& runs, IndexRunPtr newest) {
    // Of large runs there are few before they become a file, so merging them would only cost.
    constexpr std::size_t kWide = 8, kLarge = 32'768, kRunsMax = 40;
    List list = runs;
    list.push_back(std::move(newest));
    for (;;) {
        const std::size_t size = list.back()->size();
        std::size_t alike = 1;
        while (alike < list.size() && list[list.size() - alike - 1]->size() < kWide * size) ++alike;
        if (alike < kWide || (size >= kLarge && list.size() <= kRunsMax)) return list;
        auto merged = IndexRunBuilder::merge(std::span(list).last(alike));
        list.resize(list.size() - alike);
        list.push_back(std::move(merged));
    }
}

}  // namespace nostro
