// Where commands come from: a Kafka topic, rows of a PostgreSQL table, a CSV file, a generator.
// HTTP is none: it calls Intake.
//
// A source is read again from the cursor that the journal holds, never from one of its own, so a command
// counts once however often it is delivered.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/domain/cursor.hpp"

namespace nostro {

struct Arrival {
    Command command;
    Cursor after;                        // what the cursor becomes once this is in a frame
    std::shared_ptr<const void> memory;  // what the command's views point into
};

class Source {
public:
    virtual ~Source() = default;
    virtual Result<> seek(std::span<const Cursor> cursors) = 0;
    // Appends what has arrived, at most `count_max`, without waiting. A command it cannot read becomes a kept
    // record or a dead letter, never a gap.
    virtual Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) = 0;
};

}  // namespace nostro
