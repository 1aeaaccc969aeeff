// Topics of the Kafka cluster that [kafka] names. Adapters are named here; whoever uses a topic knows the ports alone.
//
// A build without librdkafka says so: `unavailable`. Threads: any.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "nostro/app/config.hpp"
#include "nostro/base/result.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/ports/topic.hpp"
#include "nostro/ports/topic_reader.hpp"

namespace nostro {

// Waits for the cluster, kafka.start_timeout at most; tells in the log that it does. `unavailable`: nobody answers.
// `invalid` at once: the cluster does not let us in.
Result<> reach_kafka(const Config& config);
// Makes the topic if it is not there, unless kafka.create_topics says otherwise: then `not_found`.
Result<> provide_topic(const Config& config, const std::string& topic);

// `disk`: remembers which topic of this name it was; nullptr: nothing does.
Result<std::unique_ptr<TopicReader>> open_topic_reader(const Config& config, const std::string& topic,
                                                       const std::string& group, Disk* disk);
// As a member of the group, with the others of it; where it begins, the group's commits say.
Result<std::unique_ptr<TopicReader>> open_shared_reader(const Config& config, const std::string& topic,
                                                        const std::string& group);
// Partitions are the caller's (adapters/kafka/topic.hpp, by_part); this one means all of them.
constexpr std::uint32_t kInEveryPart = 0xffffffff;
Result<std::unique_ptr<Topic>> open_parted_topic(const Config& config, const std::string& topic);
// `timeout`: of one message, until the cluster has it.
Result<std::unique_ptr<Topic>> open_topic(const Config& config, const std::string& topic,
                                          std::chrono::milliseconds timeout = std::chrono::seconds(30));

}  // namespace nostro
