// Lists: which rows bound a search, and how its pages follow each other.
#include <fmt/format.h>

#include <span>
#include <unordered_map>

#include "nostro/adapters/postgres/history_reader.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/ports/history_pages.hpp"
#include "nostro/ports/index_hash.hpp"

namespace nostro {
namespace {

constexpr std::size_t kPlacesAtOnce = 1'024;
constexpr Place kBehindAll{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int32_t>::max()};

std::string hash_text(std::uint64_t hash) { return std::to_string(static_cast<std::int64_t>(hash)); }

// Cuts what was asked for to see whether there is more; `next` is the cursor then.
template <class Item>
bool cut(std::vector<Item>& found, std::size_t count_max) {
    if (found.size() <= count_max) return false;
    found.resize(count_max);
    return !found.empty();
}

}  // namespace

// --- payments

// Places before that one, newest first, by the narrowest index there is.
Result<std::vector<Place>> PostgresHistory::candidates(const Search& search, Seq first, Place before,
                                                       std::size_t count) const {
    PostgresClient::Statement statement;
    auto& given = statement.parameters;
    given = {seq_text(first), seq_text(before.seq), index_text(before.index), std::to_string(count)};
    std::string from = "nostro.index_payments WHERE true";
    if (search.reference) {
        from = "nostro.index_payments WHERE tenant = $5::integer AND reference = $6::bigint";
        given.push_back(std::to_string(search.tenant));
        given.push_back(hash_text(index_hash(*search.reference)));
    } else if (search.account) {
        from = "nostro.index_touches WHERE account_id = $5::uuid AND is_submitted";
        given.push_back(to_hex(*search.account));
    } else if (search.rail && search.status) {
        from =
            "nostro.index_payments WHERE tenant = $5::integer AND rail = $6::integer AND status = "
            "$7::smallint";
        given.push_back(std::to_string(search.tenant));
        given.push_back(std::to_string(*search.rail));
        given.push_back(std::to_string(static_cast<int>(*search.status)));
    }
    statement.sql = fmt::format(
        "SELECT seq, index FROM {} AND seq >= $1::bigint AND (seq, index) < ($2::bigint, $3::integer) ORDER BY seq "
        "DESC, index DESC LIMIT $4::bigint",
        from);
    return places(statement);
}

// Payments whose first outcomes stand there, with all that became of them; nullopt: the search, where there is one,
// does not ask for it, or its frame is not kept.
Result<std::vector<std::optional<Recorded>>> PostgresHistory::recorded(const std::vector<Place>& places,
                                                                       const Search* search) const {
    std::vector<std::optional<Recorded>> all(places.size());
    std::vector<PaymentId> ids;
    Reader reader(*this);
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto part = reader.outcome_at(places[i]);
        if (!part && part.error().code == ErrorCode::not_found && search != nullptr) continue;
        if (!part) return dropped(part.error());
        const Payment* payment = payment_of(part->command, part->outcome);
        if (search != nullptr && (payment == nullptr || !asks_for(*search, *payment))) continue;
        add_outcome(all[i].emplace(), *part);
        ids.push_back(part->outcome.payment);
    }
    if (ids.empty()) return all;
    const auto answer =
        ask({"SELECT encode(uuid_send(payment_id), 'hex'), seq, index FROM nostro.index_outcomes WHERE "
             "payment_id = ANY ($1::uuid[]) AND seq <= $2::bigint ORDER BY seq, index",
             {ids_text(ids), readable()}});
    if (!answer) return answer.error();
    std::unordered_map<PaymentId, std::vector<Place>> later;
    for (int row = 0; row < answer->rows(); ++row) {
        later[payment_id_from_hex(answer->text(row, 0)).value_or(PaymentId())].push_back(place_at(*answer, row, 1));
    }
    for (std::optional<Recorded>& each : all) {
        if (!each) continue;
        for (const Place place : later[each->payment.id]) {
            if (place <= each->places.front()) continue;
            const auto part = reader.outcome_at(place);
            if (!part) return dropped(part.error());
            add_outcome(*each, *part);
        }
        if (search != nullptr && search->status && each->last().status != *search->status) each.reset();
    }
    return all;
}

Result<Page<Recorded>> PostgresHistory::payments(const Search& search) const {
    Page<Recorded> page;
    page.as_of = as_of();
    if (auto bounded = check_bounded(search, page.as_of.at); !bounded) return bounded.error();
    const std::uint64_t list = list_of(search);
    const auto cursor = place_of_cursor(search.cursor, list);
    if (!cursor) return cursor.error();
    const auto within = frames_between(*this, search.from, search.to, page.as_of.seq);
    if (!within) return within.error();
    const Place end{within->last + 1, 0};
    Place before = std::min(cursor->value_or(end), end);
    std::size_t looked_at = 0;
    for (std::size_t count = search.count_max + std::size_t{1};; count = std::min(2 * count, kPlacesAtOnce)) {
        const auto places = candidates(search, within->first, before, count);
        if (!places) return places.error();
        auto found = recorded(*places, &search);
        if (!found) return found.error();
        for (std::size_t i = 0; i < places->size(); ++i) {
            if (page.items.size() == search.count_max || looked_at == kLookedAtMax) {
                page.next = place_cursor(before, list);
                return page;
            }
            ++looked_at;
            before = (*places)[i];
            if ((*found)[i]) page.items.push_back(std::move(*(*found)[i]));
        }
        if (places->size() < count) return page;
    }
}

Result<Page<Recorded>> PostgresHistory::reviews(TenantNo tenant, std::uint32_t count_max,
                                                const std::string& cursor) const {
    Page<Recorded> page;
    page.as_of = as_of();
    const std::uint64_t list = list_of_reviews(tenant);
    const auto after = place_of_cursor(cursor, list);
    if (!after) return after.error();
    const Place from = after->value_or(Place{});
    auto found =
        places({"SELECT seq, index FROM nostro.index_payments WHERE tenant = $1::integer AND status = 1 AND "
                "(seq, index) > ($2::bigint, $3::integer) AND seq <= $4::bigint ORDER BY seq, index LIMIT "
                "$5::bigint",
                {std::to_string(tenant), seq_text(from.seq), index_text(from.index), seq_text(page.as_of.seq),
                 std::to_string(std::uint64_t{count_max} + 1)}});
    if (!found) return found.error();
    if (cut(*found, count_max)) page.next = place_cursor(found->back(), list);
    auto all = recorded(*found, nullptr);
    if (!all) return all.error();
    for (auto& each : *all) page.items.push_back(std::move(*each));
    return page;
}

// --- accounts, entries, dead letters

Result<Page<AccountRecord>> PostgresHistory::accounts(TenantNo tenant, std::uint32_t count_max,
                                                      const std::string& cursor) const {
    const auto last = name_of_cursor(tenant, cursor);
    if (!last) return last.error();
    Page<AccountRecord> page;
    page.as_of = as_of();
    const auto answer =
        ask({"SELECT encode(uuid_send(account_id), 'hex') FROM nostro.index_accounts WHERE tenant = $1::integer AND "
             "name > decode($2, 'hex') AND opened_seq <= $3::bigint ORDER BY name LIMIT $4::bigint",
             {std::to_string(tenant), to_hex(std::as_bytes(std::span(last->data(), last->size()))),
              seq_text(page.as_of.seq), std::to_string(std::uint64_t{count_max} + 1)}});
    if (!answer) return answer.error();
    std::vector<AccountId> ids;
    for (int row = 0; row < answer->rows(); ++row) {
        ids.push_back(account_id_from_hex(answer->text(row, 0)).value_or(AccountId()));
    }
    const bool more = cut(ids, count_max);
    auto found = records(ids, options_.readable());
    if (!found) return found.error();
    page.items = std::move(*found);
    if (more && !page.items.empty()) page.next = accounts_cursor(tenant, page.items.back().name);
    return page;
}

Result<Page<Entry>> PostgresHistory::entries(AccountId id, std::optional<Instant> from, std::optional<Instant> to,
                                             bool newest_first, std::uint32_t count_max,
                                             const std::string& cursor) const {
    Page<Entry> page;
    page.as_of = as_of();
    const std::uint64_t list = list_of_entries(id, newest_first);
    const auto ended = place_of_cursor(cursor, list);
    if (!ended) return ended.error();
    const auto within = frames_between(*this, from, to, page.as_of.seq);
    if (!within) return within.error();
    const Place behind = ended->value_or(newest_first ? kBehindAll : Place{});
    const auto answer =
        ask({fmt::format("SELECT seq, index, is_debit FROM nostro.index_touches WHERE account_id = $1::uuid AND "
                         "is_posting AND seq >= $2::bigint AND seq <= $3::bigint AND (seq, index) {0} ($4::bigint, "
                         "$5::integer) ORDER BY seq {1}, index {1} LIMIT $6::bigint",
                         newest_first ? "<" : ">", newest_first ? "DESC" : "ASC"),
             {to_hex(id), seq_text(within->first), seq_text(within->last), seq_text(behind.seq),
              index_text(behind.index), std::to_string(std::uint64_t{count_max} + 1)}});
    if (!answer) return answer.error();
    const int shown = static_cast<int>(std::min<std::int64_t>(answer->rows(), count_max));
    if (shown < answer->rows() && shown > 0) page.next = place_cursor(place_at(*answer, shown - 1, 0), list);
    Reader reader(*this);
    for (int row = 0; row < shown; ++row) {
        const Place place = place_at(*answer, row, 0);
        const auto part = reader.outcome_at(place);
        if (!part) return dropped(part.error());
        page.items.push_back(entry_of(id, *part, answer->text(row, 2) == "t"));
    }
    return page;
}

Result<Page<DeadLetter>> PostgresHistory::dead_letters(std::uint32_t count_max, const std::string& cursor) const {
    Page<DeadLetter> page;
    page.as_of = as_of();
    const std::uint64_t list = list_of_dead_letters();
    const auto ended = place_of_cursor(cursor, list);
    if (!ended) return ended.error();
    const Place before = ended->value_or(kBehindAll);
    const auto answer =
        ask({"SELECT seq, index, state FROM nostro.index_letters WHERE (seq, index) < ($1::bigint, "
             "$2::integer) AND seq <= $3::bigint ORDER BY seq DESC, index DESC LIMIT $4::bigint",
             {seq_text(before.seq), index_text(before.index), seq_text(page.as_of.seq),
              std::to_string(std::uint64_t{count_max} + 1)}});
    if (!answer) return answer.error();
    const int shown = static_cast<int>(std::min<std::int64_t>(answer->rows(), count_max));
    if (shown < answer->rows() && shown > 0) page.next = place_cursor(place_at(*answer, shown - 1, 0), list);
    Reader reader(*this);
    for (int row = 0; row < shown; ++row) {
        auto letter = letter_at(reader, place_at(*answer, row, 0), number_at(*answer, row, 2));
        if (!letter) return letter.error();
        page.items.push_back(std::move(*letter));
    }
    return page;
}

// --- rows of profiles

namespace {

struct RowKey {
    std::string row_hex;
    Place place;
};

// Where a page of rows ended: the row, its payment's place, and a hash of the search it belongs to.
std::string row_cursor(const RowKey& key, std::uint64_t list) { return key.row_hex + place_cursor(key.place, list); }

// The row that the page before ended with; nullopt: there was none.
Result<std::optional<RowKey>> row_of_cursor(const std::string& cursor, std::uint64_t list) {
    if (cursor.empty()) return std::optional<RowKey>();
    const std::size_t digits = cursor.size() - std::min(cursor.size(), place_cursor({}, list).size());
    const auto place = place_of_cursor(cursor.substr(digits), list);
    if (!place) return place.error();
    std::string row = cursor.substr(0, digits);
    const bool is_hex = row.find_first_not_of("0123456789abcdef") == row.npos && row.size() % 2 == 0;
    if (!*place || !is_hex || row.size() > 2 * kIndexRowMax) return foreign_cursor();
    return std::optional<RowKey>(RowKey{std::move(row), **place});
}

std::string hex_of_row(std::string_view row) {
    row = row.substr(0, kIndexRowMax);
    return to_hex(std::as_bytes(std::span(row.data(), row.size())));
}

}  // namespace

Result<Page<Recorded>> PostgresHistory::rows(const RowSearch& search) const {
    if (!options_.rows) return Error{ErrorCode::unavailable, "no_index: this program keeps no rows"};
    Page<Recorded> page;
    page.as_of = as_of();
    const std::uint64_t list = list_of(search);
    const auto ended = row_of_cursor(search.cursor, list);
    if (!ended) return ended.error();
    const RowKey from = ended->value_or(RowKey{hex_of_row(search.from), Place{}});
    PostgresClient::Statement statement{
        "SELECT encode(\"row\", 'hex'), seq, index FROM nostro.index_rows WHERE tenant = $1::integer AND list = "
        "$2::bigint AND (\"row\", seq, index) > (decode($3, 'hex'), $4::bigint, $5::integer) AND seq <= $6::bigint",
        {std::to_string(search.tenant), hash_text(index_hash(search.group)), from.row_hex, seq_text(from.place.seq),
         index_text(from.place.index), seq_text(page.as_of.seq), std::to_string(std::uint64_t{search.count_max} + 1)}};
    if (!search.to.empty()) {
        statement.sql += " AND \"row\" < decode($8, 'hex')";
        statement.parameters.push_back(hex_of_row(search.to));
    }
    statement.sql += " ORDER BY \"row\", seq, index LIMIT $7::bigint";
    const auto answer = ask(statement);
    if (!answer) return answer.error();
    std::vector<RowKey> keys;
    for (int row = 0; row < answer->rows(); ++row) {
        keys.push_back({std::string(answer->text(row, 0)), place_at(*answer, row, 1)});
    }
    if (cut(keys, search.count_max)) page.next = row_cursor(keys.back(), list);
    for (const RowKey& key : keys) {
        auto found = recorded({key.place}, nullptr);
        if (!found && is_dropped(found.error())) continue;
        if (!found) return found.error();
        // Another group may have the same hash.
        std::vector<IndexRow> its;
        options_.rows(search.tenant, found->front()->payment, its);
        if (std::ranges::find(its, search.group, &IndexRow::group) == its.end()) continue;
        page.items.push_back(std::move(*found->front()));
    }
    return page;
}

}  // namespace nostro
