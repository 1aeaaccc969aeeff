// What readers get: things put together from frames, as stores find them and as JSON shows them.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/domain/outcome.hpp"
#include "nostro/domain/payment.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// How far a store had read when it answered.
struct AsOf {
    Seq seq = 0;
    Instant at{};
};

// A payment with all that became of it. Views live as long as `memory` does.
struct Recorded {
    Payment payment;
    std::vector<Outcome> outcomes;  // in order, first is `submitted`; the last one of the payment itself stands
    std::vector<Place> places;      // of each outcome
    std::vector<Instant> times;     // of each outcome's frame
    std::vector<PaymentId> reversals;
    std::int64_t reversed_minor = 0;
    std::string_view reviewed_by, review_note;
    std::vector<std::shared_ptr<const void>> memory;  // frames, or parts of them
    std::uint64_t meaning = 0;
    const Outcome& last() const { return outcomes.back(); }
};
// One outcome and the command that it answers, of a whole frame or read alone.
struct RecordedPart {
    const Outcome& outcome;
    const Command* command = nullptr;  // nullptr: an expiry
    Place place;
    Instant at{};                        // of the frame
    std::shared_ptr<const void> memory;  // what the command points into
};
// Adds one outcome: of the payment itself, or of a reversal of it. Places come in order, one that was added before
// changes nothing. For stores that find places and put payments together.
void add_outcome(Recorded& to, const RecordedPart& part);
void add_outcome(Recorded& to, const std::shared_ptr<const DecodedFrame>& frame, std::uint32_t index);

// What was asked for, of an outcome whose event is `submitted`; nullptr: of another.
const Payment* payment_of(const Command* command, const Outcome& outcome);
const Payment* payment_of(const DecodedFrame& frame, const Outcome& outcome);
// The same, and of a kept record what Recorded::payment shows of it: its document is all there is.
Payment asked_for(const Command* command, const Outcome& outcome);
// nullptr: the outcome answers none.
const Command* command_of(const DecodedFrame& frame, const Outcome& outcome);

// What became of one command, once it is durable.
struct Receipt {
    Answer answer;
    PaymentId payment;
    Status status = Status::accepted;  // recorded: as decided; replayed: unknown here, read `answer.first`
    Reason reason = Reason::none;
    Instant accepted_at{};
    Place place{};             // of its outcome
    std::uint64_t number = 0;  // as Outcome::number
    std::uint32_t item = 0;    // of a replayed group: how far `answer.first` is behind the group's first place
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
    std::vector<OwnBound> bounds;  // of its own; the policy knows the limits' names
    Place opened;
    std::uint64_t meaning = 0;
};

struct DeadLetter {
    Place place;
    Instant at{};
    std::string source, position, format, why, bytes;
    enum class State : std::uint8_t { open, redriven, discarded } state = State::open;
};

}  // namespace nostro
