// A stage without memory: source -> function -> topic. Capture and clearance workers are relays.
//
// At least once: positions move only after the topic is durable, so a crash between the two delivers again. The
// second copy carries the position it came from; in the Book it meets its known id and changes nothing.
//
// Threads: one.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "nostro/ports/source.hpp"
#include "nostro/ports/topic.hpp"

namespace nostro {

class Relay {
public:
    static constexpr std::size_t kArrivalsMax = 1'000;  // taken at once

    // The message of one arrival; its `from` is filled in here.
    using Transform = std::function<Message(const Arrival& arrival)>;

    Relay(Source& source, Transform transform, Topic& topic);

    // Reads on from there.
    Result<> seek(std::span<const Cursor> cursors);
    // What it took is published, or will be by the next step: an error loses nothing. Returns how many.
    Result<std::size_t> step();

private:
    Source& source_;
    Transform transform_;
    Topic& topic_;
    std::vector<Arrival> arrivals_;
    std::vector<Message> messages_;  // not published yet
};

}  // namespace nostro
