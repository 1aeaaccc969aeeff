// A topic in memory as its readers see it: parts to which a test adds messages, and from which it takes old ones away.
//
// Threads: any.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nostro/ports/topic_reader.hpp"

namespace nostro {

class MemoryTopicReader final : public TopicReader {
public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    void put(std::uint32_t part, std::string value, std::optional<std::string> key = std::nullopt,
             const Headers& headers = {});
    void trim(std::uint32_t part, std::uint64_t first);  // what stands before is gone
    void trouble(std::optional<Error> error);            // every read fails until nullopt
    std::uint64_t position(std::uint32_t part) const;    // of the next read
    std::vector<Cursor> committed() const;

    Result<> seek(std::span<const Cursor> cursors) override;
    Result<> read(std::size_t count_max, std::chrono::milliseconds wait, std::vector<TopicMessage>& messages) override;
    std::vector<TopicPart> parts() const override;
    void commit(std::span<const Cursor> cursors) override;

private:
    struct Entry {
        std::optional<std::string> key;
        std::string value;
        Headers headers;
        std::vector<std::pair<std::string_view, std::string_view>> header_views;
    };
    struct Part {
        std::deque<Entry> entries;  // of all time
        std::uint64_t first = 0, next = 0;
    };

    mutable std::mutex mutex_;
    std::map<std::uint32_t, Part> parts_;
    std::vector<Cursor> committed_;
    std::optional<Error> trouble_;
};

}  // namespace nostro
