// Questions to a cluster about its topics, and the making of them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <thread>

#include "nostro/adapters/kafka/client.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;

using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaFree<rd_kafka_AdminOptions_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, KafkaFree<rd_kafka_NewTopic_destroy>>;
using TopicCollection = std::unique_ptr<rd_kafka_TopicCollection_t, KafkaFree<rd_kafka_TopicCollection_destroy>>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, KafkaFree<rd_kafka_ConfigResource_destroy>>;

constexpr milliseconds kAskEvery{20};

int as_int(milliseconds time) { return static_cast<int>(time.count()); }

Result<AdminOptions> options_for(const KafkaClient& client, rd_kafka_admin_op_t operation, milliseconds patience) {
    AdminOptions options(rd_kafka_AdminOptions_new(client.get(), operation));
    std::array<char, 256> why{};
    const auto code =
        rd_kafka_AdminOptions_set_request_timeout(options.get(), as_int(patience), why.data(), why.size());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, fmt::format("kafka: {}", why.data()));
    return options;
}

// The answer to what was asked on `queue`.
Result<KafkaEvent> answer(rd_kafka_queue_t* queue, milliseconds patience, const std::string& asked) {
    // The request has its own bound, which is the one that speaks.
    KafkaEvent event(rd_kafka_queue_poll(queue, as_int(patience + milliseconds(1000))));
    if (!event) return kafka_error(RD_KAFKA_RESP_ERR__TIMED_OUT, asked);
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(code, fmt::format("{}: {}", asked, rd_kafka_event_error_string(event.get())));
    }
    return event;
}

Result<> read_partitions(KafkaClient& client, const std::string& topic, milliseconds patience, KafkaTopicState& state) {
    const auto metadata = topic_metadata(client, topic, patience);
    if (!metadata) return metadata.error();
    const rd_kafka_metadata_topic_t& found = (*metadata)->topics[0];
    for (int i = 0; i < found.partition_cnt; ++i) {
        if (found.partitions[i].leader < 0) {
            return kafka_error(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, fmt::format("kafka: topic {}", topic));
        }
    }
    state.partitions = found.partition_cnt;
    state.replicas = std::numeric_limits<int>::max();
    for (int i = 0; i < found.partition_cnt; ++i) {
        state.replicas = std::min(state.replicas, found.partitions[i].replica_cnt);
    }
    return {};
}

Result<> read_settings(KafkaClient& client, const std::string& topic, milliseconds patience, KafkaTopicState& state) {
    const std::string asked = fmt::format("kafka: settings of topic {}", topic);
    const auto options = options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, patience);
    if (!options) return options.error();
    const KafkaQueue queue(rd_kafka_queue_new(client.get()));
    const ConfigResource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    rd_kafka_ConfigResource_t* resources[] = {resource.get()};
    rd_kafka_DescribeConfigs(client.get(), resources, 1, options->get(), queue.get());
    const auto event = answer(queue.get(), patience, asked);
    if (!event) return event.error();
    const auto* result = rd_kafka_event_DescribeConfigs_result(event->get());
    if (result == nullptr) return Error{ErrorCode::unavailable, asked + ": the answer is to something else"};
    std::size_t count = 0;
    const auto* const* described = rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto code = rd_kafka_ConfigResource_error(described[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, asked);
        std::size_t entries = 0;
        const auto* const* entry = rd_kafka_ConfigResource_configs(described[i], &entries);
        for (std::size_t j = 0; j < entries; ++j) {
            const char* value = rd_kafka_ConfigEntry_value(entry[j]);
            state.settings[rd_kafka_ConfigEntry_name(entry[j])] = value != nullptr ? value : "";
        }
    }
    return {};
}

// The controller's word comes before the brokers know of the topic.
Result<> wait_for_topic(KafkaClient& client, const std::string& topic, milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        KafkaTopicState state;
        auto there = read_partitions(client, topic, patience, state);
        if (there || std::chrono::steady_clock::now() > deadline) return there;
        std::this_thread::sleep_for(kAskEvery);
    }
}

}  // namespace

Result<KafkaMetadata> topic_metadata(KafkaClient& client, const std::string& topic, milliseconds patience) {
    const std::string asked = fmt::format("kafka: topic {}", topic);
    const KafkaTopicHandle handle(rd_kafka_topic_new(client.get(), topic.c_str(), nullptr));
    if (!handle) return kafka_error(rd_kafka_last_error(), asked);
    const rd_kafka_metadata_t* read = nullptr;
    const auto code = rd_kafka_metadata(client.get(), 0, handle.get(), &read, as_int(patience));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, asked);
    KafkaMetadata metadata(read);
    if (metadata->topic_cnt != 1) return kafka_error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, asked);
    if (const auto wrong = metadata->topics[0].err; wrong != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(wrong, asked);
    }
    return metadata;
}

Result<> create_topic(KafkaClient& client, const KafkaTopicPlan& plan, milliseconds patience) {
    const std::string asked = fmt::format("kafka: making topic {}", plan.name);
    std::array<char, 256> why{};
    const NewTopic topic(
        rd_kafka_NewTopic_new(plan.name.c_str(), plan.partitions, plan.replicas, why.data(), why.size()));
    if (!topic) return Error{ErrorCode::invalid, fmt::format("{}: {}", asked, why.data())};
    for (const auto& [key, value] : plan.settings) {
        const auto code = rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, asked);
    }
    const auto options = options_for(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, patience);
    if (!options) return options.error();
    const KafkaQueue queue(rd_kafka_queue_new(client.get()));
    rd_kafka_NewTopic_t* topics[] = {topic.get()};
    rd_kafka_CreateTopics(client.get(), topics, 1, options->get(), queue.get());
    const auto event = answer(queue.get(), patience, asked);
    if (!event) return event.error();
    const auto* result = rd_kafka_event_CreateTopics_result(event->get());
    if (result == nullptr) return Error{ErrorCode::unavailable, asked + ": the answer is to something else"};
    std::size_t count = 0;
    const auto* const* made = rd_kafka_CreateTopics_result_topics(result, &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto code = rd_kafka_topic_result_error(made[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        const char* text = rd_kafka_topic_result_error_string(made[i]);
        return kafka_error(code, text != nullptr ? fmt::format("{}: {}", asked, text) : asked);
    }
    return wait_for_topic(client, plan.name, patience);
}

Result<KafkaTopicIdentity> topic_identity(const KafkaClient& client, const std::string& topic, milliseconds patience) {
    const std::string asked = fmt::format("kafka: topic {}", topic);
    const auto options = options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, patience);
    if (!options) return options.error();
    const KafkaQueue queue(rd_kafka_queue_new(client.get()));
    const char* names[] = {topic.c_str()};
    const TopicCollection topics(rd_kafka_TopicCollection_of_topic_names(names, 1));
    rd_kafka_DescribeTopics(client.get(), topics.get(), options->get(), queue.get());
    const auto event = answer(queue.get(), patience, asked);
    if (!event) return event.error();
    const auto* result = rd_kafka_event_DescribeTopics_result(event->get());
    if (result == nullptr) return Error{ErrorCode::unavailable, asked + ": the answer is to something else"};
    std::size_t count = 0;
    const auto* const* described = rd_kafka_DescribeTopics_result_topics(result, &count);
    if (count != 1) return kafka_error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, asked);
    if (const auto code = rd_kafka_error_code(rd_kafka_TopicDescription_error(described[0]));
        code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(code, asked);
    }
    KafkaTopicIdentity identity;
    std::size_t partitions = 0;
    rd_kafka_TopicDescription_partitions(described[0], &partitions);
    identity.partitions = static_cast<std::uint32_t>(partitions);
    const rd_kafka_Uuid_t* id = rd_kafka_TopicDescription_topic_id(described[0]);
    const bool has_one = id != nullptr && (rd_kafka_Uuid_most_significant_bits(id) != 0 ||
                                           rd_kafka_Uuid_least_significant_bits(id) != 0);
    if (has_one) identity.id = rd_kafka_Uuid_base64str(id);
    return identity;
}

Result<KafkaTopicState> topic_state(KafkaClient& client, const std::string& topic, milliseconds patience) {
    KafkaTopicState state;
    if (auto done = read_partitions(client, topic, patience, state); !done) return done.error();
    if (auto done = read_settings(client, topic, patience, state); !done) return done.error();
    return state;
}

}  // namespace nostro
