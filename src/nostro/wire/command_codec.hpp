// Commands as bytes. Written once, on the thread that takes a command in; settlement copies the bytes into
// the frame. Formats are drawn in docs/formats/frame.md; a released one is never changed, only followed by
// a new version.
//
// Threads: any. Errors: `corrupt`, naming what and the byte.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "nostro/base/bytes.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/command.hpp"

namespace nostro {

// Appends one command. Not written are assessments (the outcome holds the one that counted) and `sealed` places
// (a command that has one is not recorded).
void encode_command(const Command& command, ByteBuffer& into);
void encode_command(const Command& command, std::vector<std::byte>& into);

// What spans of decoded commands point to.
struct CommandMemory {
    std::vector<std::vector<SubmitPayment>> groups;
    std::vector<std::vector<OwnBound>> bounds;
    void clear() {
        groups.clear();
        bounds.clear();
    }
};
// Exactly one command; texts are views into `bytes`. The policy of a ChangePolicy is loaded.
Result<> decode_command(std::span<const std::byte> bytes, Command& into, CommandMemory& memory);

// Changes in the same sections a frame has, for image files and standbys: each chunk stands alone. `command` and
// `item` of outcomes are kept as they are, though there are no commands.
void encode_changes(const Changes& changes, std::vector<std::byte>& into);
// `into` is cleared first.
Result<> decode_changes(std::span<const std::byte> bytes, Changes& into);

}  // namespace nostro
