#include "nostro/adapters/memory/memory_topic.hpp"

#include <utility>

namespace nostro {

std::vector<Message> MemoryTopic::messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
}

void MemoryTopic::trouble(std::optional<Error> error, bool after_taking) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(error);
    after_taking_ = after_taking;
}

Result<> MemoryTopic::publish(std::span<const Message> messages) {
    const std::lock_guard lock(mutex_);
    if (!trouble_ || after_taking_) messages_.insert(messages_.end(), messages.begin(), messages.end());
    if (trouble_) return *trouble_;
    return {};
}

Result<std::vector<Headers>> MemoryTopic::newest() {
    const std::lock_guard lock(mutex_);
    if (trouble_) return *trouble_;
    std::vector<Headers> newest;
    if (!messages_.empty()) newest.push_back(messages_.back().headers);
    return newest;
}

}  // namespace nostro
