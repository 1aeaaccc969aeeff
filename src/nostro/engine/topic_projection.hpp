// Tells a topic what was decided: each outcome as the messages that a function makes of it.
//
// At least once: how far it came stands in a small file of the data directory, written after the topic has the
// messages. A process that ends in between publishes those of the last frames again. Every message says in a header of
// which outcome it is, so that whoever reads them knows one that comes twice. Where others may have owned the journal,
// each says of which journal as well, and a new owner goes on behind the newest that it finds in the topic.
//
// Threads: one.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/ports/disk.hpp"
#include "nostro/ports/projection.hpp"
#include "nostro/ports/topic.hpp"

namespace nostro {

// "12.3": frame and outcome, the same at every delivery.
constexpr std::string_view kMessageIdHeader = "nostro-id";
constexpr std::string_view kMessageJournalHeader = "nostro-journal";

class TopicProjection final : public Projection {
public:
    // Appends the messages of one outcome. `unavailable`: what they need cannot be read yet; all is asked again.
    using Render =
        std::function<Result<>(const DecodedPtr& frame, std::uint32_t outcome, std::vector<Message>& messages)>;

    // All outlive it. `disk` absent: nothing is remembered, it begins with the first frame. `journal`: names the
    // journal and what is told of it, once it is fed; empty: nobody else can have published that.
    TopicProjection(std::string file, Disk* disk, Topic& topic, Render render,
                    std::function<std::string()> journal = {});

    Result<Seq> next() override;
    Result<> project(std::span<const DecodedPtr> frames) override;

private:
    Result<Seq> behind_others();
    Result<> publish();
    Result<> save();

    const std::string file_;
    Disk* disk_;
    Topic& topic_;
    const Render render_;
    const std::function<std::string()> journal_name_;
    std::string journal_;  // that name; empty: not asked for yet, or there is none
    Seq next_ = 0, saved_ = 0;
    std::vector<Message> messages_;
};

}  // namespace nostro
