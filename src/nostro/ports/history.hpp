// Reads of what happened. Several stores can answer; all give the same pages.
//
// Threads: any. Answers say how far the store had read (`as_of`).
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/domain/outcome.hpp"
#include "nostro/domain/payment.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

template <class Item>
struct Page {
    std::vector<Item> items;
    std::string next;  // opaque cursor; empty at the end
    AsOf as_of;
};

// At least one of account, rail + status, reference or a span of at most 31 days must bound it: else `invalid`.
struct Search {
    TenantNo tenant = 0;
    std::optional<AccountId> account;  // either side
    std::optional<RailNo> rail;
    std::optional<Status> status;
    std::optional<std::string> type, reference;
    std::optional<Currency> currency;
    std::optional<Instant> from, to;  // [from, to) of accepted_at
    std::optional<std::int64_t> min_minor, max_minor;
    std::uint32_t count_max = 50;
    std::string cursor;
};

// Entries of an index that a profile keeps of its payments: within a group they are sorted by their text, whatever the
// order in which the payments came.
struct IndexRow {
    std::string group;
    std::string row;  // at most kIndexRowMax bytes count
};
constexpr std::size_t kIndexRowMax = 56;

// Rows of a group in [from, to), in their order; an empty `to` is behind all. Rows that are equal stand in the order of
// their payments. The same payment is given once a row.
struct RowSearch {
    TenantNo tenant = 0;
    std::string group, from, to;
    std::uint32_t count_max = 50;
    std::string cursor;
};

class History {
public:
    virtual ~History() = default;
    virtual AsOf as_of() const = 0;
    virtual Result<std::optional<Recorded>> payment(PaymentId id) const = 0;
    virtual Result<Page<Recorded>> payments(const Search& search) const = 0;  // newest first
    virtual Result<Page<Recorded>> reviews(TenantNo tenant, std::uint32_t count_max,
                                           const std::string& cursor) const = 0;  // open, oldest first
    virtual Result<std::optional<AccountRecord>> account(AccountId id) const = 0;
    // The same as the last frame at or before `at` left it; nullopt: it was not open then.
    virtual Result<std::optional<AccountRecord>> account_as_of(AccountId id, Seq at) const = 0;
    virtual Result<Page<AccountRecord>> accounts(TenantNo tenant, std::uint32_t count_max,
                                                 const std::string& cursor) const = 0;
    // Balance after the last frame at or before `at`. not_found: not open yet; `invalid` with code history_dropped in
    // its text: older than kept history.
    virtual Result<AccountImage> account_at(AccountId id, Seq at) const = 0;
    virtual Result<Seq> seq_at(Instant at) const = 0;  // last frame at or before
    virtual Result<Page<Entry>> entries(AccountId id, std::optional<Instant> from, std::optional<Instant> to,
                                        bool newest_first, std::uint32_t count_max,
                                        const std::string& cursor) const = 0;
    virtual Result<Page<DeadLetter>> dead_letters(std::uint32_t count_max, const std::string& cursor) const = 0;
    virtual Result<std::optional<DeadLetter>> dead_letter(Place place) const = 0;
    virtual Result<std::vector<Book::KindTotal>> totals_at(Seq at) const = 0;  // trial balance
    // The first frame with a payment or record of the tenant whose number is `number` or more; nullopt: none yet. Its
    // outcomes tell which; from frame to frame this walks through all that a tenant has, in order.
    virtual Result<std::optional<Seq>> frame_of_number(TenantNo tenant, std::uint64_t number) const = 0;
    virtual Result<Page<Recorded>> rows(const RowSearch& search) const = 0;
};

}  // namespace nostro
