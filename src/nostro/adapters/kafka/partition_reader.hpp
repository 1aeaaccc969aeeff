// Reads one partition by offsets: no group, no coordinator, nothing that the cluster keeps about us.
//
// Threads: one at a time.
#pragma once
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

class PartitionReader {
public:
    struct Ends {
        std::int64_t first = 0, next = 0;  // the oldest record that is kept; behind the newest that may be read
    };
    // False: enough.
    using Each = std::function<bool(std::int64_t offset, std::span<const std::byte> record)>;

    enum class Manner : std::uint8_t {
        to_the_end,  // read() what is there, and then nothing
        on_and_on,   // follow() what comes
    };
    static Result<std::unique_ptr<PartitionReader>> open(const KafkaSettings& settings, std::string topic,
                                                         std::int32_t partition, Manner manner = Manner::to_the_end);
    ~PartitionReader() = default;
    PartitionReader(const PartitionReader&) = delete;
    PartitionReader& operator=(const PartitionReader&) = delete;

    // Asked of the partition's leader. `unavailable`: no answer within `patience`.
    Result<Ends> ends(std::chrono::milliseconds patience) const;

    // Gives the records from `from` up to the end as it is when this is called, in order. `corrupt`: records that were
    // there are gone; `unavailable`: nothing came for `patience`, though there is more.
    Result<> read(std::int64_t from, std::chrono::milliseconds patience, const Each& each);

    // Gives the records from `from` on that have come since, at most `count_max`; waits up to `patience` for the first.
    // Goes on fetching between the calls. Returns the end of the log as the last fetch told it. `unavailable`: nothing
    // came for a while, and the leader does not answer either.
    Result<std::int64_t> follow(std::int64_t from, std::chrono::milliseconds patience, std::size_t count_max,
                                const Each& each);

private:
    PartitionReader() = default;
    Result<> begin_at(std::int64_t from);
    Result<> take(std::int64_t at, std::int64_t end, std::chrono::milliseconds patience, const Each& each);

    std::string topic_;
    std::int32_t partition_ = 0;
    std::int64_t following_ = -1;  // the record that follow() gives next; -1: it has not begun
    std::chrono::steady_clock::time_point heard_{};
    std::unique_ptr<KafkaClient> client_;
    KafkaTopicHandle handle_;  // destroyed before the client
};

}  // namespace nostro
