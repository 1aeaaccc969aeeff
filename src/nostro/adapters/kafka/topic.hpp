// A Kafka topic as somewhere to publish to: acks=all, idempotent, each message once and in order per partition as long
// as this object lives.
//
// Threads: one publishes at a time.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/ports/topic.hpp"

namespace nostro {

struct KafkaTopicOptions {
    std::string topic;
    std::chrono::milliseconds timeout{30'000};  // of one message, until the cluster has it
    std::string compression = "lz4";
    // Partitions are the caller's: the one of Message::from.part, counted anew where there are fewer. Else the key's.
    bool by_part = false;
};
// With by_part: a copy in every partition.
constexpr std::uint32_t kEveryPart = 0xffffffff;

class KafkaTopic final : public Topic {
public:
    // Connects later. `invalid`: a setting that librdkafka refuses.
    static Result<std::unique_ptr<KafkaTopic>> open(const KafkaSettings& settings, const KafkaTopicOptions& options);

    // Every message has its delivery report when this returns. Keys go to partitions as with Kafka's own clients
    // (murmur2). `unknown`: at least one may be there or not; `invalid`: at least one is refused for what it is.
    Result<> publish(std::span<const Message> messages) override;
    // Asks the cluster, some seconds at most. Not while another one publishes: what it has not confirmed is not there.
    Result<std::vector<Headers>> newest() override;

    KafkaClient& client() { return *client_; }

private:
    KafkaTopic(KafkaSettings settings, KafkaTopicOptions options)
        : settings_(std::move(settings)), options_(std::move(options)) {}
    static Result<std::vector<Headers>> read_newest(const KafkaClient& reader, int parts, const std::string& what);
    Result<> count_parts();
    Result<> produce(const Message& message, std::size_t& taken);
    Result<> produce_to(const Message& message, std::int32_t part);
    void delivered(const rd_kafka_message_t& message);

    const KafkaSettings settings_;
    const KafkaTopicOptions options_;
    std::size_t reported_ = 0;
    std::optional<Error> failed_;
    std::uint32_t parts_ = 0;  // 0: not counted yet
    std::chrono::steady_clock::time_point counted_{};
    // Destroyed first: its reports come here.
    std::unique_ptr<KafkaClient> client_;
};

}  // namespace nostro
