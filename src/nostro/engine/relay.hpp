// A stage without a Book: topic -> function -> topic. Capture and clearance are relays.
//
// At least once: positions move only after the other topic has the messages, so a crash between the two publishes the
// last of them again. Every message says in a header where it came into the pipeline; the same message from the same
// place is dropped where it is met again, and what slips through at a restart meets its known id in the Book.
//
// Threads: step() belongs to one; the rest may be called from any.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/trouble.hpp"
#include "nostro/ports/topic.hpp"
#include "nostro/ports/topic_reader.hpp"

namespace nostro {

// "rows:financial_db:0:17": source, part and position, the same at every delivery.
constexpr std::string_view kOriginHeader = "nostro-origin";

class Relay {
public:
    struct Options {
        std::string source;                  // of what it reads, where a message brings no origin: "rows:financial_db"
        std::size_t messages_max = 1'000;    // at once
        std::chrono::milliseconds wait{50};  // for the first of them
        std::size_t remembered = 50'000;     // messages among which a second delivery is known
    };
    // One message for each, in order; origins are added here. `unavailable`: all of them are asked for again.
    using Transform = std::function<Result<>(const std::vector<TopicMessage>& messages, std::vector<Message>& into)>;

    // The reader has been told where to begin, or knows. All outlive it.
    Relay(Options options, TopicReader& reader, Transform transform, Topic& topic);

    // What it took is published, or will be by a later step: an error loses nothing. Returns how many; 1 where it has
    // waited for them itself. What is down for a while is trouble(), no error.
    Result<std::size_t> step();

    std::string trouble() const { return trouble_.text(); }  // empty: none
    std::uint64_t relayed() const { return relayed_.load(std::memory_order_relaxed); }
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }  // delivered before
    std::vector<TopicPart> lags() const;  // messages that are not relayed yet, as far as known

private:
    Result<> take();
    bool is_new(const TopicMessage& message);
    std::string origin_of(const TopicMessage& message) const;
    Result<std::size_t> waits(const Error& error);

    const Options options_;
    TopicReader& reader_;
    const Transform transform_;
    Topic& topic_;
    std::vector<TopicMessage> read_, fresh_;
    std::vector<Message> messages_;                 // not published yet
    std::map<std::uint32_t, std::uint64_t> next_;   // by part: behind what was read last; not committed yet
    std::map<std::uint32_t, std::uint64_t> known_;  // the same of all that was ever read
    std::set<Digest> met_;
    std::deque<Digest> met_in_order_;
    std::atomic<std::uint64_t> relayed_{0}, dropped_{0};
    mutable std::mutex mutex_;
    Trouble trouble_;
    std::vector<TopicPart> lags_;
};

}  // namespace nostro
