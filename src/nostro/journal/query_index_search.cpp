// Lists: which key bounds a search, how its pages follow each other, what narrows it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/journal/query_index_reader.hpp"
#include "nostro/ports/history_pages.hpp"
#include "nostro/ports/index_hash.hpp"

namespace nostro {
namespace {

constexpr std::size_t kAheadMax = 64;  // places whose bytes are fetched together

// [lower, upper) of the places behind a prefix, from frame `first` up to `before`.
struct Bounds {
    std::string lower, upper;
};
Bounds bounds(const IndexKey& prefix, Seq first, Place before) {
    IndexKey lower = prefix;
    IndexKey upper = prefix;
    return {std::string(lower.place({first, 0}).view()), std::string(upper.place(before).view())};
}

}  // namespace

// Gives places newest first, by the narrowest key there is. `each` answers whether to go on.
Result<> QueryIndex::walk_places(const Search& search, SeqRange range, Place before,
                                 const std::function<Result<bool>(Place)>& each) const {
    IndexKey prefix(IndexTag::status);
    const bool by_account = search.account && !search.reference;
    if (search.reference) {
        prefix = IndexKey(IndexTag::reference).u16(search.tenant).u64(index_hash(*search.reference));
    } else if (search.account) {
        prefix = IndexKey(IndexTag::account).id(*search.account);
    } else if (search.rail && search.status) {
        prefix.u16(search.tenant).u16(*search.rail).u8(static_cast<std::uint8_t>(*search.status));
    } else {
        return walk_frames(search, range, before, each);
    }
    const auto [lower, upper] = bounds(prefix, range.first, before);
    Result<> failed;
    auto done = scan(lower, upper, true, [&](std::string_view key, std::string_view value) {
        if (by_account && (value.empty() || (value[0] & Touch::kSubmitted) == 0)) return true;
        const auto go_on = each(read_place(key));
        if (!go_on) failed = go_on.error();
        return go_on.value_or(false);
    });
    return done ? failed : done;
}

Result<> QueryIndex::walk_frames(const Search&, SeqRange range, Place before,
                                 const std::function<Result<bool>(Place)>& each) const {
    for (Seq seq = std::min(range.last, before.seq); seq >= range.first && seq > 0; --seq) {
        const auto frame = read_frame_(seq);
        if (!frame && frame.error().code == ErrorCode::not_found) return {};  // kept history ends here
        if (!frame) return frame.error();
        const auto& outcomes = (*frame)->changes.outcomes;
        for (std::size_t i = outcomes.size(); i-- > 0;) {
            const Place place{seq, static_cast<std::uint32_t>(i)};
            if (outcomes[i].event != Event::submitted || place >= before) continue;
            const auto go_on = each(place);
            if (!go_on) return go_on.error();
            if (!*go_on) return {};
        }
    }
    return {};
}

// What stands at the place, if the search asks for it. Most are sorted out before all their outcomes are put together.
Result<bool> QueryIndex::matches(Reader& reader, const Search& search, Place place,
                                 std::optional<Recorded>& found) const {
    const auto first = reader.outcome_at(place);
    if (!first && first.error().code == ErrorCode::not_found) return false;  // dropped history
    if (!first) return first.error();
    const Payment* payment = payment_of(first->command, first->outcome);
    if (payment == nullptr || !asks_for(search, *payment)) return false;
    auto recorded = reader.recorded_of(*first);
    if (!recorded) return recorded.error();
    if (search.status && recorded->last().status != *search.status) return false;
    found = std::move(*recorded);
    return true;
}

Result<Page<Recorded>> QueryIndex::payments(const Search& search) const {
    Page<Recorded> page;
    page.as_of = as_of();
    if (auto bounded = check_bounded(search, page.as_of.at); !bounded) return bounded.error();
    const std::uint64_t hash = list_of(search);
    const auto cursor = place_of_cursor(search.cursor, hash);
    if (!cursor) return cursor.error();
    const auto within = frames_between(*this, search.from, search.to, as_of().seq);
    if (!within) return within.error();
    if (within->first > within->last) return page;
    const Place end{within->last + 1, 0};
    const Place before = std::min(cursor->value_or(end), end);

    Reader reader(*this);
    std::size_t looked_at = 0;
    Place last{};
    bool more = false;
    std::vector<Place> ahead;  // not looked at yet
    const auto look = [&]() -> Result<bool> {
        reader.expect(ahead);
        for (const Place place : std::exchange(ahead, {})) {
            more = page.items.size() == search.count_max || looked_at == kLookedAtMax;
            if (more) return false;
            ++looked_at;
            last = place;
            std::optional<Recorded> found;
            const auto matched = matches(reader, search, place, found);
            if (!matched) return matched.error();
            if (*matched) page.items.push_back(std::move(*found));
        }
        return true;
    };
    auto done = walk_places(search, *within, before, [&](Place place) -> Result<bool> {
        ahead.push_back(place);
        const std::size_t missing = search.count_max - page.items.size();
        return ahead.size() < std::min(missing, kAheadMax) ? Result<bool>(true) : look();
    });
    if (!done) return done.error();
    if (const auto rest = look(); !rest) return rest.error();
    if (more) page.next = place_cursor(last, hash);
    return page;
}

Result<Page<Recorded>> QueryIndex::reviews(TenantNo tenant, std::uint32_t count_max, const std::string& cursor) const {
    Page<Recorded> page;
    page.as_of = as_of();
    const std::uint64_t hash = list_of_reviews(tenant);
    const auto after = place_of_cursor(cursor, hash);
    if (!after) return after.error();
    const IndexKey prefix = IndexKey(IndexTag::review).u16(tenant);
    std::string lower(prefix.view());
    if (*after) {
        IndexKey key = prefix;
        lower = std::string(key.place(**after).view()) + '\0';
    }
    IndexKey upper = prefix;
    upper.place(kLastPlace);
    std::vector<Place> places;
    auto done = scan(lower, upper.view(), false, [&](std::string_view key, std::string_view) {
        places.push_back(read_place(key));
        return places.size() <= count_max;
    });
    if (!done) return done.error();
    if (places.size() > count_max) {
        places.pop_back();
        page.next = place_cursor(places.back(), hash);
    }
    Reader reader(*this);
    reader.expect(places);
    for (const Place place : places) {
        auto recorded = reader.recorded_at(place);
        if (!recorded) return recorded.error();
        page.items.push_back(std::move(*recorded));
    }
    return page;
}

Result<Page<Entry>> QueryIndex::entries(AccountId id, std::optional<Instant> from, std::optional<Instant> to,
                                        bool newest_first, std::uint32_t count_max, const std::string& cursor) const {
    Page<Entry> page;
    page.as_of = as_of();
    const std::uint64_t hash = list_of_entries(id, newest_first);
    const auto ended = place_of_cursor(cursor, hash);
    if (!ended) return ended.error();
    const auto within = frames_between(*this, from, to, as_of().seq);
    if (!within) return within.error();
    if (within->first > within->last) return page;
    const IndexKey prefix = IndexKey(IndexTag::account).id(id);
    auto [lower, upper] = bounds(prefix, within->first, {within->last + 1, 0});
    if (*ended) {
        IndexKey key = prefix;
        key.place(**ended);
        (newest_first ? upper : lower) = std::string(key.view()) + (newest_first ? "" : std::string(1, '\0'));
    }
    struct Found {
        Place place;
        bool debit;
    };
    std::vector<Found> found;
    auto done = scan(lower, upper, newest_first, [&](std::string_view key, std::string_view value) {
        if (value.empty() || (value[0] & Touch::kPosting) == 0) return true;
        found.push_back({read_place(key), (value[0] & Touch::kDebit) != 0});
        return found.size() <= count_max;
    });
    if (!done) return done.error();
    if (found.size() > count_max) {
        found.pop_back();
        page.next = place_cursor(found.back().place, hash);
    }
    Reader reader(*this);
    std::vector<Place> places;
    for (const Found& each : found) places.push_back(each.place);
    reader.expect(places);
    for (const auto& [place, debit] : found) {
        const auto part = reader.outcome_at(place);
        if (!part) return dropped(part.error());
        page.items.push_back(entry_of(id, *part, debit));
    }
    return page;
}

Result<Page<DeadLetter>> QueryIndex::dead_letters(std::uint32_t count_max, const std::string& cursor) const {
    Page<DeadLetter> page;
    page.as_of = as_of();
    const std::uint64_t hash = list_of_dead_letters();
    const auto before = place_of_cursor(cursor, hash);
    if (!before) return before.error();
    const auto [lower, upper] = bounds(IndexKey(IndexTag::letter), 0, before->value_or(kLastPlace));
    std::vector<std::pair<Place, DeadLetter::State>> found;
    auto done = scan(lower, upper, true, [&](std::string_view key, std::string_view value) {
        if (value.size() == 1 && value[0] >= 0 && value[0] <= 2) {
            found.emplace_back(read_place(key), static_cast<DeadLetter::State>(value[0]));
        }
        return found.size() <= count_max;
    });
    if (!done) return done.error();
    if (found.size() > count_max) {
        found.pop_back();
        page.next = place_cursor(found.back().first, hash);
    }
    for (const auto& [place, state] : found) {
        auto letter = letter_at(place, state);
        if (!letter) return letter.error();
        page.items.push_back(std::move(*letter));
    }
    return page;
}

// --- rows of profiles

namespace {

// Where a page of rows ended: the key behind its prefix, and a hash of the search it belongs to.
std::string row_cursor(std::string_view key, std::string_view prefix, std::uint64_t search) {
    return to_hex(std::as_bytes(std::span(key.substr(prefix.size())))) + fmt::format("{:016x}", search);
}

// The key that the page before ended with; "": there was none.
Result<std::string> key_of_cursor(const RowSearch& search, std::string_view prefix, std::uint64_t hash) {
    constexpr std::size_t kHashDigits = 16;
    if (search.cursor.empty()) return std::string();
    std::string key(prefix);
    const std::string_view digits(search.cursor.data(),
                                  search.cursor.size() - std::min(search.cursor.size(), kHashDigits));
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        unsigned byte = 0;
        const auto [end, wrong] = std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
        if (wrong != std::errc() || end != digits.data() + i + 2) break;
        key += static_cast<char>(byte);
    }
    // Whatever is not as it was told, to the letter, is none.
    if (digits.empty() || row_cursor(key, prefix, hash) != search.cursor) {
        return foreign_cursor();
    }
    return key;
}

}  // namespace

// nullopt: of dropped history, or of another group whose hash is the same.
Result<std::optional<Recorded>> QueryIndex::recorded_row(Reader& reader, Place place, const RowSearch& search) const {
    auto recorded = reader.recorded_at(place);
    if (!recorded && is_dropped(recorded.error())) return std::optional<Recorded>();
    if (!recorded) return recorded.error();
    std::vector<IndexRow> rows;
    options_.rows.of(search.tenant, recorded->payment, rows);
    if (std::ranges::find(rows, search.group, &IndexRow::group) == rows.end()) return std::optional<Recorded>();
    return std::optional<Recorded>(std::move(*recorded));
}

Result<Page<Recorded>> QueryIndex::rows(const RowSearch& search) const {
    if (!options_.rows.of) return Error{ErrorCode::unavailable, "no_index: this program keeps no rows"};
    Page<Recorded> page;
    page.as_of = as_of();
    const std::string prefix = row_prefix(search.tenant, search.group);
    const std::uint64_t hash = list_of(search);
    const auto last = key_of_cursor(search, prefix, hash);
    if (!last) return last.error();
    const std::string lower = last->empty() ? row_bound(prefix, search.from) : *last + '\0';
    const std::string upper = search.to.empty() ? end_of(prefix) : row_bound(prefix, search.to);
    std::vector<std::string> keys;
    auto done = scan(lower, upper, false, [&](std::string_view key, std::string_view) {
        keys.emplace_back(key);
        return keys.size() <= search.count_max;
    });
    if (!done) return done.error();
    if (keys.size() > search.count_max) {
        keys.pop_back();
        if (!keys.empty()) page.next = row_cursor(keys.back(), prefix, hash);
    }
    Reader reader(*this);
    std::vector<Place> places;
    for (const std::string& key : keys) places.push_back(read_place(key));
    reader.expect(places);
    for (const std::string& key : keys) {
        auto recorded = recorded_row(reader, read_place(key), search);
        if (!recorded) return recorded.error();
        if (*recorded) page.items.push_back(std::move(**recorded));
    }
    return page;
}

}  // namespace nostro
