// What stands in a topic, read from where the caller says: a Kafka topic, memory.
//
// A topic has parts; positions of a part rise by one from message to message. Where reading begins is the caller's to
// know: nothing here remembers it.
// Threads: seek, read and parts belong to one; commit may be called from any.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/cursor.hpp"

namespace nostro {

// Views live until the next read().
struct TopicMessage {
    std::uint32_t part = 0;
    std::uint64_t position = 0;
    std::optional<std::string_view> key;
    std::string_view value;  // empty, too, where the message has none
    std::span<const std::pair<std::string_view, std::string_view>> headers;
};

struct TopicPart {
    std::uint32_t part = 0;
    std::uint64_t end = 0;  // position behind its last message, as far as known
};

class TopicReader {
public:
    virtual ~TopicReader() = default;
    // Reads on from `next` of each cursor's part; a part that has none, or appears later, from its first message on.
    virtual Result<> seek(std::span<const Cursor> cursors) = 0;
    // Appends at most `count_max` messages, those of a part in order; waits so long for the first. `unavailable`: ask
    // again. `corrupt`: the next message of a part is not there any more; says of which, and what was found.
    virtual Result<> read(std::size_t count_max, std::chrono::milliseconds wait,
                          std::vector<TopicMessage>& messages) = 0;
    virtual std::vector<TopicPart> parts() const = 0;  // in their order
    // How far somebody has come, for those who look at the topic with its own tools; never read back here.
    virtual void commit(std::span<const Cursor> cursors) = 0;
};

}  // namespace nostro
