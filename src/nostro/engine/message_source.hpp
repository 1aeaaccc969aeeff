// A topic as a source of commands. Messages are read ahead of settlement's turn, on a thread of their own: parsed,
// given their ids, assessed and encoded, so that settlement only decides.
//
// A message that nobody can read becomes a dead letter under its position, and the next one follows. One that is
// delivered again is known: by the id that it brings, else by where it stands. The cursor of a message moves with the
// last of its commands, in the frame that holds it.
//
// Threads: step() belongs to one; seek() and poll() to settlement; the rest may be called from any.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/engine/policies.hpp"
#include "nostro/engine/submission_builder.hpp"
#include "nostro/ports/ledger.hpp"
#include "nostro/ports/source.hpp"
#include "nostro/ports/topic_reader.hpp"
#include "nostro/wire/arena.hpp"

namespace nostro {

class MessageSource final : public Source {
public:
    struct Options {
        std::uint32_t number = 0;  // of its cursors, for life
        TenantNo tenant = 0;
        std::string name;    // "kafka:upi_transactions"; with the part behind it, the `source` of its messages
        std::string format;  // of its messages, for dead letters: "upi message"
        std::size_t messages_max = 2'048;          // read at once
        std::size_t ahead_max = 16'384;            // commands that wait for settlement, before it stops to read
        std::size_t message_bytes_max = 1u << 20;  // more: a dead letter, of which so much is kept
        std::chrono::milliseconds wait{50};        // for the first message of a step
    };
    // Appends what the message asks for; texts go to the arena. Error: nobody can read it, and why.
    using Read = std::function<Result<>(std::string_view message, std::string_view source, std::uint64_t position,
                                        Arena& arena, std::vector<Wish>& wishes)>;

    // The same for messages that are more than wishes: adds its commands to the builder.
    using Add = std::function<Result<>(const TopicMessage& message, SubmissionBuilder& builder, Arena& arena)>;

    // The reader outlives it.
    MessageSource(Options options, TopicReader& reader, Read read);
    MessageSource(Options options, TopicReader& reader, Add add);

    // From here on messages are taken. Before, the tenant's policy may not be there. `policies` outlives it.
    void begin(const Policies& policies);
    // Reads and prepares the next messages; returns how many. 0: there are none, or enough wait; 1 where it has waited
    // for them itself, because whoever then waits once more lets the next one stand. Fails for what ends the process;
    // poll() tells the same.
    Result<std::size_t> step();
    // `room` is called when step() may go on after it had enough.
    void on_room(std::function<void()> room);
    // Nothing more comes out.
    void close();

    void on_arrival(std::function<void()> wake) override;
    Result<> seek(std::span<const Cursor> cursors) override;
    Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) override;

    const std::string& name() const { return options_.name; }
    std::string trouble() const;  // empty: none
    struct Part {
        std::uint32_t part = 0;
        std::uint64_t begin = 0;  // where reading began
        std::uint64_t taken = 0;  // first position that settlement has not got
        std::uint64_t end = 0;    // behind the last message
    };
    std::vector<Part> parts() const;

private:
    struct Batch;
    struct Prepared {
        std::vector<Arrival> arrivals;
        std::size_t next = 0;
    };

    bool may_read() const;
    Result<Prepared> prepare(const std::vector<TopicMessage>& messages) const;
    void note(const std::vector<TopicPart>& parts);

    const Options options_;
    TopicReader& reader_;
    const Add add_;
    std::vector<TopicMessage> messages_;

    mutable std::mutex mutex_;
    const Policies* policies_ = nullptr;
    bool sought_ = false, closed_ = false;
    std::deque<Prepared> ahead_;
    std::size_t ahead_count_ = 0;
    std::vector<Part> parts_;  // in their order
    std::string trouble_;
    Result<> failure_;
    std::function<void()> wake_, room_;
};

}  // namespace nostro
