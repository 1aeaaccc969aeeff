// Accounts, holds, limit counters and known ids of one ledger, in memory, and the one place where money
// moves.
//
// Pure: no I/O, clock, thread, randomness, exception or float. The same commands at the same instants give
//         the same changes, bit for bit.
// Threads: one owner.
// Memory:  fixed and faulted in at construction; nothing is ever rehashed or moved, so no call takes long.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro {

struct BookState;  // book_state.hpp

// Cells, each table open addressed at most 80 % full. Every member is a key of the [book] section.
struct BookSize {
    std::uint32_t accounts_max = 1'000'000;
    std::uint32_t counters_max = 2'000'000;
    std::uint32_t holds_max = 100'000;
    std::uint32_t reversed_max = 100'000;
    std::uint32_t bounds_max = 10'000;
    std::uint64_t known_max = 16'000'000;  // in four generations; older ids stand in sealed runs
};

// What became of one command.
struct Answer {
    enum class Kind : std::uint8_t {
        recorded,  // changed something; `index` is its (first) outcome in the frame's Changes
        replayed,  // its id is known with the same meaning: `first` is where the first answer stands
        reused,    // its id is known with another meaning; nothing was done
        refused,   // nothing was done, the id is not spent; `reason` says why
    };
    Kind kind = Kind::refused;
    Reason reason = Reason::none;
    std::uint32_t index = 0;
    std::uint32_t count = 0;  // recorded: of its outcomes, side by side from `index` on; more than 1 for a group alone
    std::uint32_t item = 0;   // of a group that was rejected or refused: the item that it failed at
    // replayed: seq 0 when no place is known (an account opened again). A review decided again the same way: of the
    // payment's first outcome.
    Place first{};
    // Of not_open, already_decided, a review decided again: the state it is in. `accepted`: it ended so long ago that
    // only the history knows how.
    Status state = Status::accepted;
};

class Book {
public:
    explicit Book(const BookSize& size);
    ~Book();
    Book(const Book&) = delete;
    Book& operator=(const Book&) = delete;

    // Opens frame `seq` at `now`, which never goes back, and expires what is due, at most `expiries_max`. A frame
    // whose Changes are empty() need not be written; its number may then be used again.
    // `changes` (cleared by the caller) receives everything until the next call.
    void begin_frame(Seq seq, Instant now, std::size_t expiries_max, Changes& changes);

    // Decides one command of the open frame. `command_no`: its place among those recorded in this frame.
    Answer apply(const Command& command, std::uint32_t command_no);

    // Merges the frame's images: one a cell, in the order first touched. Call once, before encoding.
    void end_frame();

    // Decides and takes everything back. `changes` then holds the outcomes only. Not inside a frame.
    Answer simulate(const Command& command, Instant now, Changes& changes);

    // Brings what apply() will look at into the cache. Call it 12 to 16 commands ahead.
    void prefetch(const Command& command) const;

    // Takes over images instead of deciding: recovery, standby, image file. seq 0: of an image file; known ids are
    // then left out, so call forget_known() with the frame up to which they are sealed. Outcomes are needed too: they
    // tell what state a known payment is in. `invalid`: names the key of BookSize that is too small; the Book is then
    // of no further use.
    Result<> install(Seq seq, Instant frame_time, const Changes& changes);

    // Which key should be raised ("book.accounts_max"): a whole frame might no longer fit. Empty: none. Commands that
    // need no room (a capture frees some) are decided all the same; one that finds none is refused with `book_full`, so
    // nothing is ever half taken.
    std::string_view full() const;

    // How full each table is, for gauges. Of known ids: the generation that is being filled.
    struct TableUse {
        std::string_view key;  // as full() names it
        std::uint64_t used = 0, most = 0;
    };
    std::array<TableUse, 6> usage() const;

    Instant next_due() const;  // earliest expiry; Instant::max(): nothing is open
    const AccountImage* account(AccountId id) const;
    const HoldImage* hold(PaymentId id) const;
    struct Known {
        Place place;
        std::uint64_t meaning = 0;
        Status state = Status::accepted;  // of a payment: as it is now
    };
    std::optional<Known> known(PaymentId id) const;
    std::int64_t reversed_minor(PaymentId original) const;
    PolicyPtr policy(TenantNo tenant) const;                      // in force; nullptr: none yet
    std::optional<TenantNo> tenant(std::string_view name) const;  // whose policies are of that name
    std::int64_t limit_used(AccountId account, const Limit& limit, Instant now) const;
    std::optional<std::int64_t> own_bound(AccountId account, std::uint32_t name_key) const;

    // Sealed runs hold every known id up to and with frame `through`: those generations may be reused. They stay
    // until their memory is needed.
    void forget_known(Seq through);
    Seq forgotten_through() const;  // ids of frames up to here must be asked of the sealed runs
    // Known ids of frames up to here must be sealed before their table has room for another generation; 0: it has.
    Seq waits_for_seal() const;

    bool is_balanced() const;  // per currency, all accounts sum to zero; O(1), kept running
    struct KindTotal {
        TenantNo tenant;
        Currency currency;
        AccountKind kind;
        std::int64_t accounts;
        __extension__ typedef __int128 Sum;
        Sum posted, held;
    };
    std::vector<KindTotal> totals() const;  // trial balance

    // SHA-256 over all cells but known ids, in id order: equal books, equal digests. Slow.
    Digest digest() const;
    // Every cell but known ids, in chunks, each given as Changes: for an image file, for comparing.
    void export_cells(std::size_t chunk, const std::function<void(const Changes&)>& each) const;

private:
    std::unique_ptr<BookState> state_;
};

}  // namespace nostro
