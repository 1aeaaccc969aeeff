#include "nostro/adapters/memory/memory_topic_reader.hpp"

#include <algorithm>

namespace nostro {

void MemoryTopicReader::put(std::uint32_t part, std::string value, std::optional<std::string> key,
                            const Headers& headers) {
    const std::lock_guard lock(mutex_);
    Entry& entry = parts_[part].entries.emplace_back(Entry{std::move(key), std::move(value), headers, {}});
    for (const auto& [name, text] : entry.headers) entry.header_views.emplace_back(name, text);
}

void MemoryTopicReader::trim(std::uint32_t part, std::uint64_t first) {
    const std::lock_guard lock(mutex_);
    parts_[part].first = first;
}

void MemoryTopicReader::trouble(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(error);
}

std::uint64_t MemoryTopicReader::position(std::uint32_t part) const {
    const std::lock_guard lock(mutex_);
    const auto found = parts_.find(part);
    return found == parts_.end() ? 0 : found->second.next;
}

std::vector<Cursor> MemoryTopicReader::committed() const {
    const std::lock_guard lock(mutex_);
    return committed_;
}

Result<> MemoryTopicReader::seek(std::span<const Cursor> cursors) {
    const std::lock_guard lock(mutex_);
    for (auto& [number, part] : parts_) part.next = part.first;
    for (const Cursor& cursor : cursors) parts_[cursor.part].next = cursor.next;
    return {};
}

Result<> MemoryTopicReader::read(std::size_t count_max, std::chrono::milliseconds,
                                 std::vector<TopicMessage>& messages) {
    const std::lock_guard lock(mutex_);
    if (trouble_) return *trouble_;
    for (auto& [number, part] : parts_) {
        if (part.next < part.first) {
            return Error{ErrorCode::corrupt, "part " + std::to_string(number) + ": message " +
                                                 std::to_string(part.next) + " is gone, the first is " +
                                                 std::to_string(part.first)};
        }
        for (; count_max > 0 && part.next < part.entries.size(); --count_max) {
            const Entry& entry = part.entries[part.next];
            messages.push_back({number, part.next++, entry.key, entry.value, entry.header_views});
        }
    }
    return {};
}

std::vector<TopicPart> MemoryTopicReader::parts() const {
    const std::lock_guard lock(mutex_);
    std::vector<TopicPart> parts;
    for (const auto& [number, part] : parts_) parts.push_back({number, part.entries.size()});
    return parts;
}

void MemoryTopicReader::commit(std::span<const Cursor> cursors) {
    const std::lock_guard lock(mutex_);
    committed_.assign(cursors.begin(), cursors.end());
}

}  // namespace nostro
