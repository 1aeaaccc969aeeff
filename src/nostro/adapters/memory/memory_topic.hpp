// A topic in memory: keeps what was published, copies and all.
//
// Threads: any.
#pragma once
#include <mutex>
#include <optional>
#include <vector>

#include "nostro/ports/topic.hpp"

namespace nostro {

class MemoryTopic final : public Topic {
public:
    std::vector<Message> messages() const;
    // Every publish fails until nullopt. `after_taking`: the messages are kept all the same, as when an answer is lost.
    void trouble(std::optional<Error> error, bool after_taking = false);

    Result<> publish(std::span<const Message> messages) override;
    Result<std::vector<Headers>> newest() override;

private:
    mutable std::mutex mutex_;
    std::vector<Message> messages_;
    std::optional<Error> trouble_;
    bool after_taking_ = false;
};

}  // namespace nostro
