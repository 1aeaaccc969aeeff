// Single things: a payment, an account, a balance of then, sums of then, dead letters.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "nostro/base/text.hpp"
#include "nostro/journal/query_index_reader.hpp"
#include "nostro/ports/history_pages.hpp"
#include "nostro/wire/dead_letter.hpp"
#include "nostro/wire/outcome_facts.hpp"

namespace nostro {
namespace {

Error damaged(const std::string& what) {
    return {ErrorCode::corrupt, "query index: " + what + "; `nostro rebuild index` makes a new one"};
}

}  // namespace

Result<std::optional<Recorded>> QueryIndex::payment(PaymentId id) const {
    std::vector<Place> places;
    auto done =
        scan_prefix(IndexKey(IndexTag::payment).id(id).view(), false, [&](std::string_view key, std::string_view) {
            places.push_back(read_place(key));
            return true;
        });
    if (!done) return done.error();
    std::optional<Recorded> found;
    Reader reader(*this);
    for (const Place place : places) {
        const auto part = reader.outcome_at(place);
        if (!part) return dropped(part.error());
        if (!found) found.emplace();
        add_outcome(*found, *part);
    }
    return found;
}

Result<AccountImage> QueryIndex::account_at(AccountId id, Seq at) const {
    const IndexKey lower = IndexKey(IndexTag::account).id(id);
    const std::string upper = std::string(IndexKey(IndexTag::account).id(id).place({at, kPlaceIndexMax}).view()) + '\0';
    // An outcome that names an account need not have changed it (a rejected payment): go back to one that has.
    Result<AccountImage> found = Error{ErrorCode::not_found, "the account was not open then"};
    Seq looked = 0;
    auto done = scan(lower.view(), upper, true, [&](std::string_view key, std::string_view) {
        const Place place = read_place(key);
        if (place.seq == looked) return true;
        looked = place.seq;
        const auto frame = read_frame_(place.seq);
        if (!frame) {
            found = dropped(frame.error());
            return false;
        }
        const auto& images = (*frame)->changes.accounts;
        const auto image = std::ranges::find(images, id, &AccountImage::id);
        if (image == images.end()) return true;
        found = *image;
        return false;
    });
    if (!done) return done.error();
    return found;
}

Result<AccountRecord> QueryIndex::account_record(AccountId id, Seq at) const {
    AccountRecord record;
    std::vector<Place> places;
    auto done =
        scan_prefix(IndexKey(IndexTag::change).id(id).view(), false, [&](std::string_view key, std::string_view) {
            const Place place = read_place(key);
            if (place.seq <= at) places.push_back(place);
            return place.seq <= at;
        });
    if (!done) return done.error();
    if (places.empty()) return Error{ErrorCode::not_found, "no such account"};
    record.opened = places.front();
    for (const Place place : places) {
        const auto frame = read_frame_(place.seq);
        if (!frame) return dropped(frame.error());
        if (place.index >= (*frame)->changes.outcomes.size()) return damaged("a place without an outcome");
        const Outcome& outcome = (*frame)->changes.outcomes[place.index];
        if (outcome.command >= (*frame)->commands.size()) continue;
        apply_change(record, id, (*frame)->commands[outcome.command].body);
    }
    auto image = account_at(id, std::min(at, as_of().seq));
    if (!image) return image.error();
    record.image = *image;
    return record;
}

Result<std::optional<AccountRecord>> QueryIndex::account_as_of(AccountId id, Seq at) const {
    auto record = account_record(id, at);
    if (!record && record.error().code == ErrorCode::not_found) return std::optional<AccountRecord>();
    if (!record) return record.error();
    // The directory alone knows the name of an account that a payment opened.
    const auto frame = read_frame_(record->opened.seq);
    if (!frame) return dropped(frame.error());
    auto name = opened_name(**frame, (*frame)->changes.outcomes[record->opened.index]);
    record->name = std::move(name);
    return std::optional<AccountRecord>(std::move(*record));
}

Result<Page<AccountRecord>> QueryIndex::accounts(TenantNo tenant, std::uint32_t count_max,
                                                 const std::string& cursor) const {
    const auto last = name_of_cursor(tenant, cursor);
    if (!last) return last.error();
    Page<AccountRecord> page;
    page.as_of = as_of();
    const IndexKey prefix = IndexKey(IndexTag::name).u16(tenant);
    IndexKey upper(IndexTag::name);
    upper.u16(static_cast<std::uint16_t>(tenant + 1));
    const std::string lower = std::string(prefix.view()) + *last + (last->empty() ? "" : std::string(1, '\0'));
    std::vector<std::pair<std::string, AccountId>> found;
    auto done = scan(lower, upper.view(), false, [&](std::string_view key, std::string_view value) {
        if (value.size() != 16) return false;
        found.emplace_back(key.substr(prefix.view().size()),
                           AccountId{read_big_endian(value, 0, 8), read_big_endian(value, 8, 8)});
        return found.size() <= count_max;
    });
    if (!done) return done.error();
    if (found.size() > count_max) {
        found.pop_back();
        page.next = accounts_cursor(tenant, found.back().first);
    }
    for (auto& [name, id] : found) {
        auto record = account_record(id, kNewest);
        if (!record) return record.error();
        record->name = std::move(name);
        page.items.push_back(std::move(*record));
    }
    return page;
}

Result<Seq> QueryIndex::seq_at(Instant at) const {
    Seq seq = 0;
    const IndexKey lower(IndexTag::time);
    const std::string upper = std::string(IndexKey(IndexTag::time).time(at).u64(~std::uint64_t{0}).view()) + '\0';
    auto done = scan(lower.view(), upper, true, [&](std::string_view key, std::string_view) {
        seq = read_big_endian(key, 9, 8);
        return false;
    });
    if (!done) return done.error();
    return seq;
}

Result<std::optional<Seq>> QueryIndex::frame_of_number(TenantNo tenant, std::uint64_t number) const {
    std::optional<Seq> found;
    const IndexKey of_tenant = IndexKey(IndexTag::number).u16(tenant);
    IndexKey lower = of_tenant;
    lower.u64(number);
    auto done = scan(lower.view(), end_of(of_tenant.view()), false, [&](std::string_view key, std::string_view) {
        found = read_big_endian(key, key.size() - 8, 8);
        return false;
    });
    if (!done) return done.error();
    return found;
}

Result<std::vector<Book::KindTotal>> QueryIndex::totals_at(Seq at) const {
    std::vector<IndexTotals::Row> rows;
    {
        const std::lock_guard lock(mutex_);
        rows.reserve(totals_.rows().size());
        for (const auto& [row, total] : totals_.rows()) rows.push_back(row);
    }
    std::vector<Book::KindTotal> totals;
    for (const auto& [tenant, currency, kind] : rows) {
        IndexKey prefix(IndexTag::total);
        prefix.u16(tenant).text(currency.code()).u8(static_cast<std::uint8_t>(kind));
        IndexKey last = prefix;
        last.u64(at);
        bool whole = true;
        auto done =
            scan(prefix.view(), std::string(last.view()) + '\0', true, [&](std::string_view, std::string_view value) {
                whole = value.size() == 40;
                if (!whole) return false;
                const auto sum = [&](std::size_t begin) {
                    const auto high = static_cast<std::int64_t>(read_big_endian(value, begin, 8));
                    return Book::KindTotal::Sum{high} << 64 | read_big_endian(value, begin + 8, 8);
                };
                totals.push_back(
                    {tenant, currency, kind, static_cast<std::int64_t>(read_big_endian(value, 0, 8)), sum(8), sum(24)});
                return false;
            });
        if (!done) return done.error();
        if (!whole) return damaged("a total is too short");
    }
    return totals;
}

Result<DeadLetter> QueryIndex::letter_at(Place place, DeadLetter::State state) const {
    const auto frame = read_frame_(place.seq);
    if (!frame) return dropped(frame.error());
    auto letter = dead_letter_at(**frame, place.index);
    if (!letter) return damaged("a dead letter that its frame does not have");
    letter->state = state;
    return std::move(*letter);
}

Result<std::optional<DeadLetter>> QueryIndex::dead_letter(Place place) const {
    std::optional<DeadLetter::State> state;
    auto done = scan_prefix(IndexKey(IndexTag::letter).place(place).view(), false,
                            [&](std::string_view, std::string_view value) {
                                if (value.size() == 1 && value[0] >= 0 && value[0] <= 2)
                                    state = static_cast<DeadLetter::State>(value[0]);
                                return false;
                            });
    if (!done) return done.error();
    if (!state) return std::optional<DeadLetter>();
    auto letter = letter_at(place, *state);
    if (!letter) return letter.error();
    return std::optional<DeadLetter>(std::move(*letter));
}

}  // namespace nostro
