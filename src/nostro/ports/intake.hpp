// The way in for callers that wait: one request, one or many commands, answered together once none of them
// can be lost.
//
// Threads: submit may be called from any. Bounded: when the inbox is full, the reply is `unavailable` at once
//          and nothing is kept.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "nostro/base/bytes.hpp"
#include "nostro/domain/book.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

struct Submission {
    std::vector<Command> commands;
    ByteBuffer encoded;                  // encode_command() of each, one after the other
    std::vector<std::uint32_t> ends;     // where each ends in `encoded`
    std::shared_ptr<const void> memory;  // what the commands' views point into
    Seq ids_asked_through = 0;           // up to this frame intake has asked the sealed ids
    struct Sealed {                      // a command whose id intake found there: answered without the Book
        std::uint32_t command = 0;
        Place first;
        std::uint64_t meaning = 0;
    };
    std::vector<Sealed> sealed;  // in the order of the commands
    // Called once, on any thread; must not block. Receipts in the order of the commands; a group has one for each of
    // its payments, all of one answer kind. Fewer than that: the rest was not taken. `unavailable`: nothing was
    // taken. `unknown`: it may have happened.
    std::function<void(Result<std::vector<Receipt>>)> reply;
};

class Intake {  // two of them: into the Book beside it, or into a topic
public:
    virtual ~Intake() = default;
    virtual void submit(std::unique_ptr<Submission> submission) = 0;
};

}  // namespace nostro
