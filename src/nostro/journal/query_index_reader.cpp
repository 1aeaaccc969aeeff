#include "nostro/journal/query_index_reader.hpp"

#include <algorithm>
#include <span>

#include "nostro/ports/history_pages.hpp"

namespace nostro {
namespace {

Error damaged(const std::string& what) {
    return {ErrorCode::corrupt, "query index: " + what + "; `nostro rebuild index` makes a new one"};
}

}  // namespace

Result<std::optional<std::string>> QueryIndex::get(std::string_view key) const {
    const IndexRuns::List held = runs();  // runs first, as in scan()
    for (auto run = held.rbegin(); run != held.rend(); ++run) {
        const auto at = (*run)->find(key);
        if (!at) continue;
        if ((*run)->removed(*at)) return std::optional<std::string>();
        return std::optional<std::string>((*run)->value(*at));
    }
    return store_->get(key);
}

Result<FramePart> QueryIndex::Reader::find_part(Seq seq, std::uint32_t number) const {
    const auto kept = index_.get(IndexKey(IndexTag::part).place({seq, number}).view());
    if (!kept) return kept.error();
    if (!*kept) return damaged("a place without a part of its frame");
    auto part = decode_part(**kept, seq, number);
    if (!part) return damaged(part.error().what);
    return part;
}

void QueryIndex::Reader::will_find(std::span<const PartAt> parts) const {
    std::vector<IndexKey> keys;
    std::vector<std::string_view> views;
    keys.reserve(parts.size());
    for (const PartAt& at : parts) {
        views.push_back(keys.emplace_back(IndexTag::part).place({at.first, at.second}).view());
    }
    index_.store_->will_get(views);
}

// Where nothing is in memory, one payment after the other would wait for the disk twice each.
void QueryIndex::Reader::expect(std::span<const Place> places) {
    const auto& will_read = index_.options_.will_read;
    expected_.clear();
    if (!will_read || places.size() < 2) return;
    std::vector<PartAt> parts;
    for (const Place place : places) parts.emplace_back(place.seq, place.index / kPartOutcomes);
    std::ranges::sort(parts);
    const auto twice = std::ranges::unique(parts);
    parts.erase(twice.begin(), twice.end());
    will_find(parts);
    for (const PartAt& at : parts) {
        auto part = find_part(at.first, at.second);
        if (!part) return;  // whoever reads it says so
        for (const FramePart::Range range : {part->outcomes, part->commands}) {
            if (range.bytes != 0) will_read(at.first, range.begin, range.bytes);
        }
        expected_.emplace(at, std::move(*part));
    }
}

Result<> QueryIndex::Reader::load_part(Seq seq, std::uint32_t number) {
    if (bytes_ != nullptr && part_.seq == seq && part_.before.index == number * kPartOutcomes) return {};
    bytes_.reset();
    if (const auto expected = expected_.find({seq, number}); expected != expected_.end()) {
        part_ = expected->second;
    } else {
        auto part = find_part(seq, number);
        if (!part) return part.error();
        part_ = std::move(*part);
    }
    auto bytes = read_part(part_, reads_of(seq));
    if (!bytes) return bytes.error();
    bytes_ = std::move(*bytes);
    return {};
}

ReadRange QueryIndex::Reader::reads_of(Seq seq) const {
    return [this, seq](std::uint32_t begin, std::span<std::byte> into) {
        return index_.options_.read_bytes(seq, begin, into);
    };
}

Result<RecordedPart> QueryIndex::Reader::outcome_at(Place place) {
    if (!index_.options_.read_bytes) {
        const auto frame = index_.read_frame_(place.seq);
        if (!frame) return frame.error();
        const auto& outcomes = (*frame)->changes.outcomes;
        if (place.index >= outcomes.size()) return damaged("a place without an outcome");
        const Outcome& outcome = outcomes[place.index];
        return RecordedPart{outcome, command_of(**frame, outcome), place, (*frame)->time(), *frame};
    }
    if (auto loaded = load_part(place.seq, place.index / kPartOutcomes); !loaded) return loaded.error();
    const auto alone = read_outcome(part_, bytes_, reads_of(place.seq), place.index);
    if (!alone) return alone.error();
    return recorded_part(*alone);
}

// Most payments have no later outcome, and neither have their neighbours: a seek tells it of all up to the next key.
Result<> QueryIndex::Reader::add_stored_later(std::string_view prefix, std::vector<Place>& places) {
    if (gap_low_ < prefix && prefix < gap_high_ && !gap_high_.starts_with(prefix)) return {};
    const IndexKey all(IndexTag::later);
    const std::string end = end_of(all.view());
    if (!later_) later_.emplace(index_.store_->walk(all.view(), end, false));
    later_->seek(prefix);
    if (later_->valid() && later_->key().starts_with(prefix)) {
        for (; later_->valid() && later_->key().starts_with(prefix); later_->next()) {
            places.push_back(read_place(later_->key()));
        }
        return later_->status();
    }
    if (auto status = later_->status(); !status) return status;
    gap_high_ = later_->valid() ? std::string(later_->key()) : end;
    later_->previous();
    gap_low_ = later_->valid() ? std::string(later_->key()) : std::string();
    return later_->status();
}

Result<std::vector<Place>> QueryIndex::Reader::later_of(Place origin) {
    std::vector<Place> places;
    const IndexKey prefix = IndexKey(IndexTag::later).place(origin);
    for (const IndexRunPtr& run : held_) {
        for (std::size_t i = run->lower_bound(prefix.view()); i < run->size(); ++i) {
            if (!run->key(i).starts_with(prefix.view())) break;
            places.push_back(read_place(run->key(i)));
        }
    }
    if (auto added = add_stored_later(prefix.view(), places); !added) return added.error();
    std::ranges::sort(places);
    const auto twice = std::ranges::unique(places);
    places.erase(twice.begin(), twice.end());
    return places;
}

Result<Recorded> QueryIndex::Reader::recorded_of(const RecordedPart& first) {
    Recorded found;
    add_outcome(found, first);
    const auto places = later_of(first.place);
    if (!places) return places.error();
    for (const Place place : *places) {
        const auto later = outcome_at(place);
        if (!later) return dropped(later.error());
        add_outcome(found, *later);
    }
    return found;
}

Result<Recorded> QueryIndex::Reader::recorded_at(Place place) {
    const auto first = outcome_at(place);
    if (!first) return dropped(first.error());
    return recorded_of(*first);
}

}  // namespace nostro
