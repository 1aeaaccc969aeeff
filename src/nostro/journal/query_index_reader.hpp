// What one request reads out of frames: a few outcomes of each, not all. Inner part of the query index.
//
// Threads: one.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/journal/query_index.hpp"
#include "nostro/wire/frame_parts.hpp"

namespace nostro {

class QueryIndex::Reader {
public:
    explicit Reader(const QueryIndex& index) : index_(index), held_(index.runs()) {}

    // Outcomes there are asked for next: what they need of the disk is fetched together.
    void expect(std::span<const Place> places);
    // not_found: older than kept history; `corrupt`: the index names an outcome that is not there.
    Result<RecordedPart> outcome_at(Place place);
    // With all that became of it later. Of dropped history: `invalid`, history_dropped.
    Result<Recorded> recorded_of(const RecordedPart& first);
    Result<Recorded> recorded_at(Place place);

private:
    using PartAt = std::pair<Seq, std::uint32_t>;  // frame, and which of its parts
    void will_find(std::span<const PartAt> parts) const;
    ReadRange reads_of(Seq seq) const;
    Result<FramePart> find_part(Seq seq, std::uint32_t number) const;
    Result<> load_part(Seq seq, std::uint32_t number);
    Result<std::vector<Place>> later_of(Place origin);
    Result<> add_stored_later(std::string_view prefix, std::vector<Place>& places);

    const QueryIndex& index_;
    const IndexRuns::List held_;             // before the walk: what becomes a file in between is met twice
    std::string gap_low_, gap_high_;         // two keys of it with nothing between; both empty: not known
    std::optional<IndexStore::Walk> later_;  // one for all payments of a page
    std::map<PartAt, FramePart> expected_;   // that are not read yet
    FramePart part_;                         // the last one that was read; neighbours are often in it
    std::shared_ptr<const std::vector<std::byte>> bytes_;  // its bytes; nullptr: none
};

}  // namespace nostro
