// nostro.inbox: commands that instances which do not own the Book have taken in, on their way to the one that does.
//
// A row holds the commands of one request. Whoever inserts moves nostro.inbox_head in the same statement, so rows
// become visible in the order of their positions, and positions are those of the commands, without gaps. The owner
// keeps the position in his frames and tells the instance, by its own channel, what became of each command; that is a
// hint: what it tells stands in the journal.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/domain/book.hpp"

namespace nostro {

// Number of its cursors, for life: journals hold it.
constexpr std::uint32_t kInboxSource = 0x696e6278;
// Rows were inserted: whoever owns the Book listens.
constexpr const char* kInboxChannel = "nostro_inbox";

// For the schema nostro.
std::string inbox_sql();

// Bytes of the commands of a row: each with its length in front, four bytes, the lowest first.
std::string inbox_bytes(std::span<const std::byte> encoded, std::span<const std::uint32_t> ends);
// `corrupt`: not `count` commands.
Result<std::vector<std::span<const std::byte>>> split_inbox_bytes(std::span<const std::byte> bytes,
                                                                  std::uint32_t count);

// What became of one command of a request.
struct InboxAnswer {
    std::uint64_t request = 0;  // as the instance has numbered it
    std::uint32_t command = 0;  // of the request's
    Seq seq = 0;                // the frame in which it was decided
    Answer answer;
};
std::string inbox_answers_channel(std::uint64_t sender);
// As few notices as hold them all; a notice has less than 8,000 bytes.
std::vector<std::string> inbox_notices(std::span<const InboxAnswer> answers);
// `invalid`: nobody who owns a Book has written that.
Result<std::vector<InboxAnswer>> read_inbox_notice(std::string_view notice);

}  // namespace nostro
