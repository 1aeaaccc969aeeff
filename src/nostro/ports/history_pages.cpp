#include "nostro/ports/history_pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <variant>

#include "nostro/ports/index_hash.hpp"

namespace nostro {
namespace {

constexpr auto kSpanMax = std::chrono::days(31);

}  // namespace

Result<> check_bounded(const Search& search, Instant newest) {
    const bool has_key = search.account || search.reference || (search.rail && search.status);
    const bool has_span = search.from && search.to.value_or(newest) - *search.from <= kSpanMax;
    if (has_key || has_span) return {};
    return Error{
        ErrorCode::invalid,
        "search_not_bounded: name an account, a reference, rail and status, or from and to at most 31 days apart"};
}

bool asks_for(const Search& search, const Payment& payment) {
    if (payment.tenant != search.tenant) return false;
    if (search.account && payment.debtor != *search.account && payment.creditor != *search.account) return false;
    if (search.rail && payment.rail != *search.rail) return false;
    if (search.type && payment.type != *search.type) return false;
    if (search.reference && payment.reference != *search.reference) return false;
    if (search.currency && payment.amount.currency() != *search.currency) return false;
    if (search.min_minor && payment.amount.minor() < *search.min_minor) return false;
    return !search.max_minor || payment.amount.minor() <= *search.max_minor;
}

Result<SeqRange> frames_between(const History& history, std::optional<Instant> from, std::optional<Instant> to,
                                Seq newest) {
    SeqRange range{1, newest};
    if (from) {
        const auto before = history.seq_at(*from - std::chrono::nanoseconds(1));
        if (!before) return before.error();
        range.first = *before + 1;
    }
    if (to) {
        const auto last = history.seq_at(*to - std::chrono::nanoseconds(1));
        if (!last) return last.error();
        range.last = std::min(range.last, *last);
    }
    return range;
}

std::uint64_t list_of(const Search& search) {
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

std::uint64_t list_of(const RowSearch& search) {
    return index_hash(fmt::format("rows {} {} {} {} {} {} {}", search.tenant, search.group.size(), search.group,
                                  search.from.size(), search.from, search.to.size(), search.to));
}

std::uint64_t list_of_reviews(TenantNo tenant) { return index_hash(fmt::format("reviews {}", tenant)); }

std::uint64_t list_of_entries(AccountId id, bool newest_first) {
    return index_hash(fmt::format("entries {:x} {:x} {}", id.high, id.low, newest_first));
}

std::uint64_t list_of_dead_letters() { return index_hash("dead letters"); }

Error foreign_cursor() {
    return {ErrorCode::invalid, "is not one of this search; send the next_cursor of its last page"};
}

std::string place_cursor(Place ended, std::uint64_t list) {
    return fmt::format("{:016x}{:08x}{:016x}", ended.seq, ended.index, list);
}

Result<std::optional<Place>> place_of_cursor(const std::string& cursor, std::uint64_t list) {
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
    if (cursor.size() != 40) return foreign_cursor();
    const auto seq = hex(0, 16), index = hex(16, 8), hash = hex(24, 16);
    if (!seq || !index || !hash || *hash != list) return foreign_cursor();
    return std::optional<Place>(Place{*seq, static_cast<std::uint32_t>(*index)});
}

std::string accounts_cursor(TenantNo tenant, std::string_view name) {
    return fmt::format("{:016x}{}", index_hash(fmt::format("accounts {} {}", tenant, name)), name);
}

Result<std::string> name_of_cursor(TenantNo tenant, const std::string& cursor) {
    constexpr std::size_t kHashDigits = 16;
    if (cursor.empty()) return std::string();
    std::string last = cursor.substr(std::min(cursor.size(), kHashDigits));
    if (last.empty() || accounts_cursor(tenant, last) != cursor) {
        return Error{ErrorCode::invalid, "is not one of the list of accounts; send the next_cursor of its last page"};
    }
    return last;
}

Error dropped(const Error& error) {
    if (error.code != ErrorCode::not_found) return error;
    return {ErrorCode::invalid, "history_dropped: " + error.what};
}

bool is_dropped(const Error& error) { return error.what.starts_with("history_dropped"); }

void apply_change(AccountRecord& record, AccountId id, const CommandBody& body) {
    if (const auto* open = std::get_if<OpenAccount>(&body); open && open->id == id) {
        record.holder = open->holder;
        record.metadata = open->metadata;
        record.bounds.assign(open->bounds.begin(), open->bounds.end());
        record.meaning = open->meaning;
    }
    if (const auto* change = std::get_if<ChangeAccount>(&body); change && change->id == id) {
        if (change->holder) record.holder = *change->holder;
        if (change->metadata) record.metadata = *change->metadata;
        for (const OwnBound& bound : change->bounds) {
            std::erase_if(record.bounds, [&](const OwnBound& own) { return own.name_key == bound.name_key; });
            if (!bound.removed) record.bounds.push_back(bound);
        }
    }
}

Entry entry_of(AccountId id, const RecordedPart& part, bool is_debit) {
    const Outcome& outcome = part.outcome;
    // Of account events `debtor` is the account, whichever way the money went.
    const bool is_debtor = outcome.debtor == id;
    return {part.place,
            part.at,
            outcome,
            is_debit,
            is_debtor ? outcome.debtor_before : outcome.creditor_before,
            is_debtor ? outcome.debtor_after : outcome.creditor_after};
}

}  // namespace nostro
