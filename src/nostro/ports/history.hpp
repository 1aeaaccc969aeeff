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
#include "nostro/wire/frame.hpp"

namespace nostro {

// A payment with all that became of it. Views live as long as `frames` do.
struct Recorded {
    Payment payment;
    std::vector<Outcome> outcomes;  // in order, first is `submitted`; the last one of the payment itself stands
    std::vector<Place> places;      // of each outcome
    std::vector<Instant> times;     // of each outcome's frame
    std::vector<PaymentId> reversals;
    std::int64_t reversed_minor = 0;
    std::string_view reviewed_by, review_note;
    std::vector<std::shared_ptr<const DecodedFrame>> frames;
    std::uint64_t meaning = 0;
    const Outcome& last() const { return outcomes.back(); }
};

struct AsOf {
    Seq seq = 0;
    Instant at{};
};

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

// One posting or reservation of an account, with the balance it left.
struct Entry {
    Place place;
    Instant at{};
    Outcome outcome;
    bool debit = false;
    std::int64_t before_minor = 0, after_minor = 0;
};

// An account as opened and changed: the texts that the Book does not keep.
struct AccountRecord {
    AccountImage image;  // newest that the store has read
    std::string name, holder, metadata;
    std::vector<std::pair<std::string, std::int64_t>> bounds;  // of its own, by limit name as sent
    Place opened;
    std::uint64_t meaning = 0;
};

struct DeadLetter {
    Place place;
    Instant at{};
    std::string source, position, format, why, bytes;
    enum class State : std::uint8_t { open, redriven, discarded } state = State::open;
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
};

}  // namespace nostro
