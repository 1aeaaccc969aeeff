// Lists: which key bounds a search, how its pages follow each other, what narrows it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/journal/index_hash.hpp"
#include "nostro/journal/query_index_reader.hpp"

namespace nostro {
namespace {

constexpr std::size_t kLookedAtMax = 20'000;  // places a page; a search that narrows a lot goes on with the cursor
constexpr auto kSpanMax = std::chrono::days(31);

// A cursor is where the last page ended, and a hash of the search it belongs to.
std::string cursor_of(Place place, std::uint64_t search) {
    return fmt::format("{:016x}{:08x}{:016x}", place.seq, place.index, search);
}

Result<std::optional<Place>> place_of(const std::string& cursor, std::uint64_t search) {
    if (cursor.empty()) return std::optional<Place>();
    const auto hex = [&](std::size_t at, std::size_t count) -> std::optional<std::uint64_t> {
        std::uint64_t value = 0;
        for (std::size_t i = at; i < at + count; ++i) {
            const char c = cursor[i];
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
            value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        return value;
    };
    Error wrong{ErrorCode::invalid, "is not one of this search; send the next_cursor of its last page"};
    if (cursor.size() != 40) return wrong;
    const auto seq = hex(0, 16), index = hex(16, 8), hash = hex(24, 16);
    if (!seq || !index || !hash || *hash != search) return wrong;
    return std::optional<Place>(Place{*seq, static_cast<std::uint32_t>(*index)});
}

std::uint64_t hash_of(const Search& search) {
    std::string text = fmt::format("payments {} ", search.tenant);
    const auto add = [&](char name, const auto& value) {
        if (value) fmt::format_to(std::back_inserter(text), "{}{};", name, *value);
    };
    const auto ticks = [](const std::optional<Instant>& at) {
        return at ? std::optional(at->time_since_epoch().count()) : std::nullopt;
    };
    if (search.account)
        fmt::format_to(std::back_inserter(text), "a{:x}{:x};", search.account->high, search.account->low);
    if (search.status) fmt::format_to(std::back_inserter(text), "s{};", static_cast<int>(*search.status));
    if (search.currency) fmt::format_to(std::back_inserter(text), "c{};", search.currency->code());
    add('r', search.rail);
    add('t', search.type);
    add('e', search.reference);
    add('f', ticks(search.from));
    add('u', ticks(search.to));
    add('m', search.min_minor);
    add('x', search.max_minor);
    return index_hash(text);
}

// [lower, upper) of the places behind a prefix, from frame `first` up to `before`.
struct Bounds {
    std::string lower, upper;
};
Bounds bounds(const IndexKey& prefix, Seq first, Place before) {
    IndexKey lower = prefix;
    IndexKey upper = prefix;
    return {std::string(lower.u64(first).view()), std::string(upper.place(before).view())};
}

bool fits(const Search& search, const Payment& payment) {
    if (payment.tenant != search.tenant) return false;
    if (search.account && payment.debtor != *search.account && payment.creditor != *search.account) return false;
    if (search.rail && payment.rail != *search.rail) return false;
    if (search.type && payment.type != *search.type) return false;
    if (search.reference && payment.reference != *search.reference) return false;
    if (search.currency && payment.amount.currency() != *search.currency) return false;
    if (search.min_minor && payment.amount.minor() < *search.min_minor) return false;
    return !search.max_minor || payment.amount.minor() <= *search.max_minor;
}

}  // namespace

// Frames whose time lies in [from, to); ends that are open are the journal's.
Result<QueryIndex::SeqRange> QueryIndex::range(std::optional<Instant> from, std::optional<Instant> to) const {
    SeqRange range{1, as_of().seq};
    if (from) {
        const auto before = seq_at(*from - std::chrono::nanoseconds(1));
        if (!before) return before.error();
        range.first = *before + 1;
    }
    if (to) {
        const auto last = seq_at(*to - std::chrono::nanoseconds(1));
        if (!last) return last.error();
        range.last = std::min(range.last, *last);
    }
    return range;
}

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
    if (payment == nullptr || !fits(search, *payment)) return false;
    auto recorded = reader.recorded_of(*first);
    if (!recorded) return recorded.error();
    if (search.status && recorded->last().status != *search.status) return false;
    found = std::move(*recorded);
    return true;
}

Result<Page<Recorded>> QueryIndex::payments(const Search& search) const {
    Page<Recorded> page;
    page.as_of = as_of();
    const bool has_key = search.account || search.reference || (search.rail && search.status);
    const bool has_span = search.from && search.to.value_or(page.as_of.at) - *search.from <= kSpanMax;
    if (!has_key && !has_span) {
        return Error{
            ErrorCode::invalid,
            "search_not_bounded: name an account, a reference, rail and status, or from and to at most 31 days apart"};
    }
    const std::uint64_t hash = hash_of(search);
    const auto cursor = place_of(search.cursor, hash);
    if (!cursor) return cursor.error();
    const auto within = range(search.from, search.to);
    if (!within) return within.error();
    if (within->first > within->last) return page;
    const Place end{within->last + 1, 0};
    const Place before = std::min(cursor->value_or(end), end);

    Reader reader(*this);
    std::size_t looked_at = 0;
    Place last{};
    bool more = false;
    auto done = walk_places(search, *within, before, [&](Place place) -> Result<bool> {
        if (page.items.size() == search.count_max || looked_at == kLookedAtMax) {
            more = true;
            return false;
        }
        ++looked_at;
        last = place;
        std::optional<Recorded> found;
        const auto matched = matches(reader, search, place, found);
        if (!matched) return matched.error();
        if (*matched) page.items.push_back(std::move(*found));
        return true;
    });
    if (!done) return done.error();
    if (more) page.next = cursor_of(last, hash);
    return page;
}

Result<Page<Recorded>> QueryIndex::reviews(TenantNo tenant, std::uint32_t count_max, const std::string& cursor) const {
    Page<Recorded> page;
    page.as_of = as_of();
    const std::uint64_t hash = index_hash(fmt::format("reviews {}", tenant));
    const auto after = place_of(cursor, hash);
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
        page.next = cursor_of(places.back(), hash);
    }
    Reader reader(*this);
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
    const std::uint64_t hash = index_hash(fmt::format("entries {:x} {:x} {}", id.high, id.low, newest_first));
    const auto ended = place_of(cursor, hash);
    if (!ended) return ended.error();
    const auto within = range(from, to);
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
        page.next = cursor_of(found.back().place, hash);
    }
    Reader reader(*this);
    for (const auto& [place, debit] : found) {
        const auto part = reader.outcome_at(place);
        if (!part) return Reader::dropped(part.error());
        const Outcome& outcome = part->outcome;
        // Of account events `debtor` is the account, whichever way the money went.
        const bool is_debtor = outcome.debtor == id;
        page.items.push_back({place, part->at, outcome, debit,
                              is_debtor ? outcome.debtor_before : outcome.creditor_before,
                              is_debtor ? outcome.debtor_after : outcome.creditor_after});
    }
    return page;
}

Result<Page<DeadLetter>> QueryIndex::dead_letters(std::uint32_t count_max, const std::string& cursor) const {
    Page<DeadLetter> page;
    page.as_of = as_of();
    const std::uint64_t hash = index_hash("dead letters");
    const auto before = place_of(cursor, hash);
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
        page.next = cursor_of(found.back().first, hash);
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

std::uint64_t hash_of(const RowSearch& search) {
    return index_hash(fmt::format("rows {} {} {} {} {} {} {}", search.tenant, search.group.size(), search.group,
                                  search.from.size(), search.from, search.to.size(), search.to));
}

// What recorded_at() says of a place in history that is not kept.
bool is_dropped(const Error& error) { return error.what.starts_with("history_dropped"); }

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
        return Error{ErrorCode::invalid, "is not one of this search; send the next_cursor of its last page"};
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
    const std::uint64_t hash = hash_of(search);
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
    for (const std::string& key : keys) {
        auto recorded = recorded_row(reader, read_place(key), search);
        if (!recorded) return recorded.error();
        if (*recorded) page.items.push_back(std::move(**recorded));
    }
    return page;
}

}  // namespace nostro
