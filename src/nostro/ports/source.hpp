// Where commands come from: a Kafka topic, rows of a PostgreSQL table, a CSV file, a generator.
// HTTP is none: it calls Intake.
//
// A source is read again from the cursor that the journal holds, never from one of its own, so a command
// counts once however often it is delivered.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/domain/cursor.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

struct Arrival {
    Command command;
    Cursor after;                          // what the cursor becomes once this is in a frame
    std::shared_ptr<const void> memory;    // what the command's views, and all below, point into
    std::span<const std::byte> encoded{};  // encode_command() of it; empty: whoever takes it does that
    const KeepDeadLetter* letter =
        nullptr;  // what is kept, with its own `why`, if the Book refuses it; nullptr: itself
};

// What became of one arrival: a receipt as Submission::reply has it, of a group one for each of its payments.
struct Answered {
    Cursor after;
    Seq frame = 0;  // that holds the cursor, and what was recorded
    std::vector<Receipt> receipts;
};

class Source {
public:
    virtual ~Source() = default;
    // Somebody waits for what becomes of its commands, so that a refusal is an answer: it leaves no dead letter, and
    // a full Book holds nothing up.
    virtual bool is_answered() const { return false; }
    // Each arrival once, in order, when all that is told is durable. Called in settlement's turn: must not block. What
    // was taken when the process ended is not told by the next one.
    virtual void answered(std::vector<Answered> /*answers*/) {}
    // `wake` is called, on any thread, when poll() has something again; cheap. Set before seek(). A source that never
    // calls it is looked at now and then.
    virtual void on_arrival(std::function<void()> /*wake*/) {}
    virtual Result<> seek(std::span<const Cursor> cursors) = 0;
    // Appends what has arrived, at most `count_max`, without waiting. A command it cannot read becomes a kept
    // record or a dead letter, never a gap. `unavailable`: later, perhaps; any other error ends the process.
    virtual Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) = 0;
};

}  // namespace nostro
