#include "nostro/journal/index_run.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nostro {
namespace {

std::uint64_t head_of(std::string_view key) {
    std::uint64_t head = 0;
    std::memcpy(&head, key.data(), std::min<std::size_t>(key.size(), sizeof head));
    return __builtin_bswap64(head);
}

}  // namespace

std::size_t IndexRun::lower_bound(std::string_view wanted) const {
    std::size_t low = 0, high = entries_.size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (key(middle) < wanted) {
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
    IndexRun::Entry entry;
    entry.head = head_of(key);
    entry.offset = static_cast<std::uint32_t>(run_->bytes_.size());
    entry.key_bytes = static_cast<std::uint16_t>(key.size());
    entry.value_bytes = static_cast<std::uint16_t>(value.size());
    entry.removed = removed;
    run_->bytes_ += key;
    run_->bytes_ += value;
    run_->entries_.push_back(entry);
}

IndexRunPtr IndexRunBuilder::finish() {
    auto& entries = run_->entries_;
    const char* bytes = run_->bytes_.data();
    const auto key = [bytes](const IndexRun::Entry& entry) {
        return std::string_view(bytes + entry.offset, entry.key_bytes);
    };
    // Offsets grow in the order of adding: equal keys stay in it.
    std::ranges::sort(entries, [&](const IndexRun::Entry& a, const IndexRun::Entry& b) {
        if (a.head != b.head) return a.head < b.head;
        const int order = key(a).compare(key(b));
        return order != 0 ? order < 0 : a.offset < b.offset;
    });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (i + 1 < entries.size() && key(entries[i]) == key(entries[i + 1])) continue;
        entries[kept++] = entries[i];
    }
    entries.resize(kept);
    return std::exchange(run_, std::make_shared<IndexRun>());
}

void IndexRunBuilder::append(const IndexRun& from, std::size_t entry) {
    add(from.key(entry), from.value(entry), from.removed(entry));
}

IndexRunPtr IndexRunBuilder::merge(const IndexRun& older, const IndexRun& newer) {
    IndexRunBuilder builder;
    builder.run_->bytes_.reserve(older.bytes_.size() + newer.bytes_.size());
    builder.run_->entries_.reserve(older.size() + newer.size());
    std::size_t o = 0, n = 0;
    while (o < older.size() || n < newer.size()) {
        if (n == newer.size()) {
            builder.append(older, o++);
            continue;
        }
        if (o == older.size()) {
            builder.append(newer, n++);
            continue;
        }
        const int order = older.key(o).compare(newer.key(n));
        if (order < 0) {
            builder.append(older, o++);
        } else {
            builder.append(newer, n++);
            if (order == 0) ++o;
        }
    }
    builder.run_->payments_ = older.payments_ + newer.payments_;
    return std::exchange(builder.run_, nullptr);
}

IndexRuns::List IndexRuns::with(const List& runs, IndexRunPtr newest) {
    List list = runs;
    list.push_back(std::move(newest));
    while (list.size() > 1 && list[list.size() - 2]->size() < 2 * list.back()->size()) {
        auto merged = IndexRunBuilder::merge(*list[list.size() - 2], *list.back());
        list.resize(list.size() - 2);
        list.push_back(std::move(merged));
    }
    return list;
}

IndexRunPtr IndexRuns::all(const List& runs) {
    if (runs.empty()) return nullptr;
    IndexRunPtr all = runs.back();
    for (std::size_t i = runs.size() - 1; i-- > 0;) all = IndexRunBuilder::merge(*runs[i], *all);
    return all;
}

}  // namespace nostro
