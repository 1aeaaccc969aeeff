// What every store that answers History has to decide alike: what bounds a search, what it asks for, cursors of its
// pages, and what frames say of accounts.
//
// Pure. Threads: any.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/ports/history.hpp"

namespace nostro {

// Places of payments that one page looks at; a search that narrows a lot goes on with its cursor.
constexpr std::size_t kLookedAtMax = 20'000;

// `invalid`: nothing bounds it. `newest`: the time of the newest frame there is.
Result<> check_bounded(const Search& search, Instant newest);
// Whether it asks for the payment, whatever has become of it.
bool asks_for(const Search& search, const Payment& payment);

struct SeqRange {
    Seq first = 0, last = 0;  // both inside; empty when first > last
};
// Frames whose time lies in [from, to); ends that are open are the first frame and `newest`.
Result<SeqRange> frames_between(const History& history, std::optional<Instant> from, std::optional<Instant> to,
                                Seq newest);

// Names a list, so that a cursor of one is none of another.
std::uint64_t list_of(const Search& search);
std::uint64_t list_of(const RowSearch& search);
std::uint64_t list_of_reviews(TenantNo tenant);
std::uint64_t list_of_entries(AccountId id, bool newest_first);
std::uint64_t list_of_dead_letters();

// A cursor is where the last page ended, and a hash of the list it belongs to. nullopt: there was no page before;
// `invalid`: it is none of this list.
std::string place_cursor(Place ended, std::uint64_t list);
Result<std::optional<Place>> place_of_cursor(const std::string& cursor, std::uint64_t list);
Error foreign_cursor();
// That of the accounts is the last name that was told, which is stable and sorted, behind a hash of it: a name alone,
// or the cursor of another list, is none. "": there was no page before.
std::string accounts_cursor(TenantNo tenant, std::string_view name);
Result<std::string> name_of_cursor(TenantNo tenant, const std::string& cursor);

// Of a frame that is not kept any more; other errors are as they are.
Error dropped(const Error& error);
bool is_dropped(const Error& error);

// What a command that opened or changed the account left in its record; of other accounts it changes nothing.
void apply_change(AccountRecord& record, AccountId id, const CommandBody& body);
// The account's side of an outcome.
Entry entry_of(AccountId id, const RecordedPart& part, bool is_debit);

}  // namespace nostro
