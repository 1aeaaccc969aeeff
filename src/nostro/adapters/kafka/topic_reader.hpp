// A Kafka topic, read from positions that the caller keeps.
//
// It takes all partitions for itself (rd_kafka_assign), those that are added later as well, and belongs to no group's
// balance: two readers of one topic both read all of it. Its group is there for commits alone, which the topic's own
// tools show as lag; they are never read back.
//
// A shared one is a member of its group: the partitions are spread over all members, and each begins where the group's
// commits say, a partition without one at its first message. What another member was reading when it lost a partition
// is read again.
//
// Positions that the topic does not have any more, because of retention or a truncation, end the reading: nothing is
// passed over in silence. So does a topic that was made anew under its name, even one that is longer by now than the
// old one was: the cluster gives each an id of its own. A compacted topic is refused for the same reason.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/ports/topic_reader.hpp"

namespace nostro {

struct KafkaReaderOptions {
    std::string topic, group;
    bool shared = false;     // seek() takes no cursors then, and commit() counts
    bool skip_gaps = false;  // where positions are gone, go on with what is there
    // Where the topic's id stands from one program to the next, in topics/NAME.id; nullptr: it is known for as long as
    // the reader lives.
    Disk* disk = nullptr;
    std::chrono::milliseconds look_every{2'000};    // for new partitions, and whether it is the same topic
    std::chrono::milliseconds commit_every{1'000};  // at most
    std::chrono::milliseconds patience{10'000};     // for an answer of the cluster, at seek
};

class KafkaTopicReader final : public TopicReader {
public:
    // Connects later. `invalid`: a setting that librdkafka refuses.
    static Result<std::unique_ptr<KafkaTopicReader>> open(const KafkaSettings& settings,
                                                          const KafkaReaderOptions& options);
    ~KafkaTopicReader() override;

    // Asks the cluster. `not_found`: no such topic; `unavailable`: no answer; `invalid`: the topic is compacted, or we
    // may not read it.
    Result<> seek(std::span<const Cursor> cursors) override;
    Result<> read(std::size_t count_max, std::chrono::milliseconds wait, std::vector<TopicMessage>& messages) override;
    std::vector<TopicPart> parts() const override;
    void commit(std::span<const Cursor> cursors) override;

private:
    using HeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;

    explicit KafkaTopicReader(KafkaReaderOptions options);
    Result<> join();
    Result<> assign();
    void rebalanced(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t& parts);
    void place(rd_kafka_topic_partition_list_t& parts);
    void commit_shared(const std::vector<Cursor>& cursors, std::chrono::milliseconds wait);
    Result<> look();
    Result<> identify(const std::string& id, std::span<const Cursor> cursors);
    Error made_anew(std::uint32_t part, std::optional<std::uint64_t> asked);
    std::string what_it_holds(std::uint32_t part, std::int64_t* first = nullptr);
    void commit_now(std::chrono::milliseconds wait);
    Result<> take(rd_kafka_message_t& message, std::vector<TopicMessage>& messages);
    Result<> gap(std::uint32_t part, std::int64_t asked);

    const KafkaReaderOptions options_;
    std::map<std::uint32_t, std::optional<std::uint64_t>> next_;  // by partition; nullopt: its first message
    std::vector<rd_kafka_message_t*> batch_;
    std::vector<std::unique_ptr<HeaderViews>> headers_;
    std::optional<Error> trouble_;  // nobody answered last time
    std::string id_;                // of the topic that is read
    std::optional<Error> gone_;     // the one that was to be read on: what read() says, as of all that is gone
    std::chrono::steady_clock::time_point looked_{}, committed_at_{};
    std::mutex mutex_;
    std::vector<Cursor> to_commit_;  // mutex_; one a partition
    // Destroyed first: what it reports comes here.
    std::unique_ptr<KafkaClient> client_;
    KafkaQueue queue_;
    std::vector<KafkaMessage> held_;  // what the views of the last read() point into
};

}  // namespace nostro
