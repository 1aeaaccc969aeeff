#include "nostro/journal/verify_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "nostro/base/hex.hpp"
#include "nostro/ports/index_hash.hpp"

namespace nostro {
namespace {

constexpr std::size_t kPartsNamed = 8;

std::string_view name_of(IndexTag tag) {
    switch (tag) {
        case IndexTag::account: return "outcome of an account";
        case IndexTag::change: return "opening or change of an account";
        case IndexTag::letter: return "dead letter";
        case IndexTag::name: return "account name";
        case IndexTag::number: return "frame by number";
        case IndexTag::part: return "part of a frame";
        case IndexTag::later: return "later outcome of a payment";
        case IndexTag::payment: return "outcome of a payment";
        case IndexTag::total: return "sum of the trial balance";
        case IndexTag::reference: return "payment by reference";
        case IndexTag::row: return "payment by row";
        case IndexTag::status: return "payment by state";
        case IndexTag::time: return "frame by time";
        case IndexTag::image: return "newest sums of an account";
        case IndexTag::review: return "open review";
        case IndexTag::next: return "cursor";
    }
    return "entry of no known kind";
}

// "payment by state, 53 00 00...": the kind, where it stands, and the key itself for whoever looks it up.
std::string describe_key(std::string_view key) {
    const auto tag = static_cast<IndexTag>(key.front());
    std::string text(name_of(tag));
    const bool begins_with_id =
        tag == IndexTag::account || tag == IndexTag::change || tag == IndexTag::payment || tag == IndexTag::image;
    if (begins_with_id && key.size() >= 17) text += " " + to_hex(std::as_bytes(std::span(key.substr(1, 16))));
    const bool has_place = tag != IndexTag::image && tag != IndexTag::name && tag != IndexTag::next &&
                           tag != IndexTag::total && tag != IndexTag::time && tag != IndexTag::number;
    if (has_place && key.size() > kPlaceBytes) {
        const Place place = read_place(key);
        text += fmt::format(", frame {} outcome {}", place.seq, place.index);
    }
    return text + ", key " + to_hex(std::as_bytes(std::span(key)));
}

}  // namespace

Result<std::unique_ptr<VerifyIndex>> VerifyIndex::open(const std::string& folder, const IndexRows& rows) {
    auto store = IndexStore::open_to_look(folder);
    if (!store) return store.error();
    std::unique_ptr<VerifyIndex> index(new VerifyIndex(std::move(*store), rows));
    if (auto read = index->read_next(); !read) return read.error();
    return index;
}

Result<> VerifyIndex::read_next() {
    const IndexKey key(IndexTag::next);
    const auto walk = store_->walk(key.view(), std::string(key.view()) + '\0', false);
    if (auto status = walk.status(); !status) return status;
    if (!walk.valid()) return {};  // nothing was written to it yet
    const auto next = nostro::read_next(walk.value(), rows_);
    if (!next) return next.error();
    next_ = next->seq;
    return {};
}

// Where earlier frames were dropped only entries that name a kept one can be compared: of the others nobody knows.
bool VerifyIndex::is_compared(std::string_view key) const {
    if (first_ <= 1) return true;
    switch (static_cast<IndexTag>(key.front())) {
        case IndexTag::name:
        case IndexTag::total:
        case IndexTag::image: return false;
        case IndexTag::next: return true;
        case IndexTag::time: return key.size() == 17 && read_big_endian(key, 9, 8) >= first_;
        case IndexTag::number: return key.size() == 19 && read_big_endian(key, 11, 8) >= first_;
        default: return read_place(key).seq >= first_;
    }
}

std::size_t VerifyIndex::part_of(std::string_view key) {
    const std::size_t kind = static_cast<unsigned char>(key.front()) % kKinds;
    return kind * kParts + index_hash(key) % kParts;
}

void VerifyIndex::count(Part& part, std::string_view key, std::string_view value, bool removed) {
    const std::uint64_t hash = index_hash(key) * 0x9E3779B97F4A7C15u ^ index_hash(value);
    const std::uint64_t mixed = index_hash({reinterpret_cast<const char*>(&hash), sizeof hash});
    part.count += removed ? ~std::uint64_t{0} : 1;
    part.sum += removed ? -mixed : mixed;
}

void VerifyIndex::extract(const DecodedFrame& frame, IndexTotals& totals, const Each& each) {
    extract_outcomes(frame, rows_, builder_);
    totals.add(totals.take(frame), frame.seq(), builder_);
    const IndexRunPtr run = builder_.take_unsorted();
    for (std::size_t i = 0; i < run->size(); ++i) {
        const std::string_view key = run->key(i), value = run->value(i);
        if (!is_compared(key)) continue;
        // A letter that is resolved replaces its entry; nothing else is put twice.
        const bool replaces = key.front() == static_cast<char>(IndexTag::letter) && value != std::string_view("\0", 1);
        if (replaces) each(key, std::string_view("\0", 1), true);
        each(key, value, run->removed(i));
    }
}

// What stands once: the newest image of each account, and how far the index has read.
void VerifyIndex::give_end(const IndexTotals& totals, const Each& each) {
    totals.images().each([this](AccountId account, const IndexedImage& image) { put_image(account, image, builder_); });
    if (next_ > 1) put_next({next_, time_}, rows_, builder_);
    const IndexRunPtr run = builder_.take_unsorted();
    for (std::size_t i = 0; i < run->size(); ++i) {
        if (is_compared(run->key(i))) each(run->key(i), run->value(i), false);
    }
}

void VerifyIndex::add(const DecodedFrame& frame) {
    if (first_ == 0) first_ = frame.seq();
    if (frame.seq() >= next_) return;
    time_ = frame.time();
    extract(frame, totals_, [this](std::string_view key, std::string_view value, bool removed) {
        count(parts_[part_of(key)], key, value, removed);
    });
}

Result<> VerifyIndex::compare(const ReadFrames& read, const Fault& fault) {
    if (first_ == 0) first_ = 1;
    if (next_ <= first_ && first_ > 1) return {};  // it holds nothing of what was kept
    give_end(totals_, [this](std::string_view key, std::string_view value, bool removed) {
        count(parts_[part_of(key)], key, value, removed);
    });
    std::vector<Part> found(parts_.size());
    auto walk = store_->walk_all();
    for (; walk.valid(); walk.next()) {
        const std::string_view key = walk.key();
        if (key.empty() || !is_compared(key)) continue;
        count(found[part_of(key)], key, walk.value(), false);
    }
    if (auto status = walk.status(); !status) return status;
    std::vector<std::size_t> differing;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        entries_ += parts_[i] == found[i] ? parts_[i].count : 0;
        if (parts_[i] != found[i]) differing.push_back(i);
    }
    if (differing.empty()) return {};
    const std::size_t all = differing.size();
    differing.resize(std::min(all, kPartsNamed));
    return name_differences(differing, read, fault);
}

Result<> VerifyIndex::name_differences(const std::vector<std::size_t>& parts, const ReadFrames& read,
                                       const Fault& fault) {
    const std::unordered_set<std::size_t> wanted(parts.begin(), parts.end());
    Entries implied;
    const Each collect = [&](std::string_view key, std::string_view value, bool removed) {
        if (!wanted.contains(part_of(key))) return;
        if (removed) {
            implied.erase(std::string(key));
        } else {
            implied.insert_or_assign(std::string(key), std::string(value));
        }
    };
    IndexTotals totals;
    auto done = read(first_, next_ - 1, [&](const DecodedFrame& frame) { extract(frame, totals, collect); });
    if (!done) return done;
    give_end(totals, collect);
    auto walk = store_->walk_all();
    for (; walk.valid(); walk.next()) {
        const std::string_view key = walk.key();
        if (key.empty() || !is_compared(key) || !wanted.contains(part_of(key))) continue;
        const auto found = implied.find(key);
        if (found == implied.end()) {
            fault("holds an entry that no frame gives: " + describe_key(key));
            continue;
        }
        if (found->second != walk.value()) fault("holds another value than the frames give: " + describe_key(key));
        implied.erase(found);
    }
    for (const auto& [key, value] : implied) fault("misses an entry that the frames give: " + describe_key(key));
    return walk.status();
}

}  // namespace nostro
