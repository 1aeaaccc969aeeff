#include "nostro/engine/query.hpp"

#include <algorithm>
#include <vector>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/wire/dead_letter.hpp"

namespace nostro {
namespace {

Error behind(Seq frames) {
    return {ErrorCode::unavailable, "index_behind: the query index is " + std::to_string(frames) + " frames behind"};
}

Error no_index() { return {ErrorCode::unavailable, "no_index: this program keeps no query index"}; }

}  // namespace

Query::Query(const History* index, const FrameCache& frames) : index_(index), frames_(frames) {}

AsOf Query::as_of() const {
    if (index_ != nullptr) return index_->as_of();
    const Seq newest = frames_.accepted();
    const auto frame = frames_.frame(newest);
    return {newest, frame ? (*frame)->time() : Instant{}};
}

Result<std::optional<Recorded>> Query::payment(PaymentId id) const {
    if (id.empty()) return std::optional<Recorded>();  // what outcomes of accounts have in its place
    const Seq newest = frames_.accepted();
    std::optional<Recorded> found;
    std::optional<Error> cannot;  // say what is older than the newest frames
    const Seq newest_ones = newest < kFramesMax ? 1 : newest - kFramesMax + 1;
    Seq from = newest_ones;
    if (index_ == nullptr && from > 1) cannot = no_index();
    if (index_ != nullptr) {
        from = index_->as_of().seq + 1;  // asked first: what it reads meanwhile is met twice, and told once
        auto indexed = index_->payment(id);
        if (indexed) found = std::move(*indexed);
        if (!indexed && indexed.error().code != ErrorCode::unavailable) return indexed.error();
        if (!indexed) from = newest_ones;
        if (!indexed && from > 1) cannot = indexed.error();
    }
    if (newest >= from && newest - from >= kFramesMax) {
        return behind(newest + 1 - from);
    }
    if (auto added = add_newer_frames(id, from, found); !added) return added.error();
    // What is older than the newest frames cannot be told from what never was.
    const bool is_whole = found && found->outcomes.front().event == Event::submitted;
    if (cannot && !is_whole) return *cannot;
    return found;
}

Result<> Query::add_newer_frames(PaymentId id, Seq from, std::optional<Recorded>& found) const {
    std::vector<DecodedPtr> frames;
    if (const auto read = frames_.frames(from, kFramesMax, frames); !read) return read.error();
    for (const DecodedPtr& frame : frames) {
        const auto& outcomes = frame->changes.outcomes;
        for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
            if (outcomes[i].payment != id && (!found || outcomes[i].reverses != id)) continue;
            if (!found) found.emplace();
            add_outcome(*found, frame, i);
        }
    }
    return {};
}

Result<Instant> Query::time_of(Seq seq) const {
    const auto frame = frames_.frame(seq);
    if (!frame) return frame.error();
    return (*frame)->time();
}

Result<Query::At> Query::outcome_at(Place place) const {
    auto frame = frames_.frame(place.seq);
    if (!frame) return frame.error();
    const auto& outcomes = (*frame)->changes.outcomes;
    if (place.index >= outcomes.size()) {
        return Error{ErrorCode::not_found,
                     "frame " + std::to_string(place.seq) + " has no outcome " + std::to_string(place.index)};
    }
    return At{*frame, &outcomes[place.index]};
}

Result<Seq> Query::resolve_as_of(std::string_view text) const {
    if (text.starts_with("seq:")) {
        const auto seq = parse_uint64(text.substr(4));
        if (!seq || *seq == 0) return Error{ErrorCode::invalid, "as_of: " + quoted(text) + " is not seq:1 or later"};
        if (*seq > frames_.accepted()) {
            return Error{ErrorCode::invalid, "as_of: the newest frame is seq:" + std::to_string(frames_.accepted())};
        }
        return *seq;
    }
    const auto at = parse_rfc3339(text);
    if (!at) return Error{ErrorCode::invalid, "as_of: send an RFC 3339 time or seq:N; " + at.error().what};
    return seq_at(*at);
}

Result<Page<Recorded>> Query::payments(const Search& search) const {
    if (index_ == nullptr) return no_index();
    return index_->payments(search);
}

Result<Page<Recorded>> Query::reviews(TenantNo tenant, std::uint32_t count_max, const std::string& cursor) const {
    if (index_ == nullptr) return no_index();
    return index_->reviews(tenant, count_max, cursor);
}

Result<std::optional<AccountRecord>> Query::account(AccountId id) const {
    if (index_ == nullptr) return no_index();
    const Seq newest = frames_.accepted();
    const Seq from = index_->as_of().seq + 1;
    auto found = index_->account(id);
    if (!found || *found || newest < from) return found;
    // That there is none would be wrong of one that was opened since.
    if (newest - from >= kFramesMax) return behind(newest + 1 - from);
    std::vector<DecodedPtr> frames;
    if (const auto read = frames_.frames(from, kFramesMax, frames); !read) return read.error();
    for (const DecodedPtr& frame : frames) {
        const auto& accounts = frame->changes.accounts;
        if (std::ranges::find(accounts, id, &AccountImage::id) != accounts.end()) return behind(newest + 1 - from);
    }
    return found;
}

Result<std::optional<AccountRecord>> Query::account_as_of(AccountId id, Seq at) const {
    if (index_ == nullptr) return no_index();
    return index_->account_as_of(id, at);
}

Result<Page<AccountRecord>> Query::accounts(TenantNo tenant, std::uint32_t count_max, const std::string& cursor) const {
    if (index_ == nullptr) return no_index();
    return index_->accounts(tenant, count_max, cursor);
}

Result<AccountImage> Query::account_at(AccountId id, Seq at) const {
    if (index_ == nullptr) return no_index();
    return index_->account_at(id, at);
}

Result<Seq> Query::seq_at(Instant at) const {
    if (index_ == nullptr) return no_index();
    return index_->seq_at(at);
}

Result<Page<Entry>> Query::entries(AccountId id, std::optional<Instant> from, std::optional<Instant> to,
                                   bool newest_first, std::uint32_t count_max, const std::string& cursor) const {
    if (index_ == nullptr) return no_index();
    return index_->entries(id, from, to, newest_first, count_max, cursor);
}

Result<Page<DeadLetter>> Query::dead_letters(std::uint32_t count_max, const std::string& cursor) const {
    if (index_ == nullptr) return no_index();
    return index_->dead_letters(count_max, cursor);
}

Result<std::optional<DeadLetter>> Query::dead_letter(Place place) const {
    if (index_ == nullptr) return no_index();
    auto found = index_->dead_letter(place);
    if (!found || *found || index_->as_of().seq >= place.seq) return found;
    // Kept a moment ago, behind what the index has read: as it was kept. That it is resolved once its id sees to.
    const auto frame = frames_.frame(place.seq);
    if (!frame && frame.error().code != ErrorCode::not_found) return frame.error();
    return frame ? dead_letter_at(**frame, place.index) : std::nullopt;
}

Result<std::vector<Book::KindTotal>> Query::totals_at(Seq at) const {
    if (index_ == nullptr) return no_index();
    return index_->totals_at(at);
}

Result<std::optional<Seq>> Query::frame_of_number(TenantNo tenant, std::uint64_t number) const {
    const Seq newest = frames_.accepted();
    Seq from = newest < kFramesMax ? 1 : newest - kFramesMax + 1;
    if (index_ != nullptr) {
        from = index_->as_of().seq + 1;  // asked first, as for payments
        auto indexed = index_->frame_of_number(tenant, number);
        if (!indexed || *indexed) return indexed;
    }
    std::vector<DecodedPtr> frames;
    if (newest >= from) {
        if (const auto read = frames_.frames(from, kFramesMax, frames); !read) return read.error();
    }
    // Without an index an older frame may have had it.
    bool may_be_older = index_ == nullptr && from > 1;
    for (const DecodedPtr& frame : frames) {
        for (const Outcome& outcome : frame->changes.outcomes) {
            if (outcome.number == 0 || outcome.tenant != tenant) continue;
            may_be_older = may_be_older && outcome.number > number;
            if (outcome.number >= number && !may_be_older) return std::optional<Seq>(frame->seq());
        }
    }
    if (may_be_older) return no_index();
    if (newest >= from + kFramesMax) return behind(newest + 1 - from);
    return std::optional<Seq>();
}

Result<Page<Recorded>> Query::rows(const RowSearch& search) const {
    if (index_ == nullptr) return no_index();
    return index_->rows(search);
}

}  // namespace nostro
