// The broker that the tests of this folder talk to: `./dev servers kafka start` starts it and tells where it is.
#pragma once
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/base/random.hpp"

namespace nostro::test {

inline KafkaSettings broker() {
    const char* servers = std::getenv("KAFKA_BOOTSTRAP_SERVERS");  // NOLINT(concurrency-mt-unsafe)
    if (servers == nullptr || *servers == '\0') {
        throw std::runtime_error(
            "KAFKA_BOOTSTRAP_SERVERS is not set: run ./dev test --only kafka, or start a broker "
            "with ./dev servers kafka start and export the line it prints");
    }
    KafkaSettings settings;
    settings.bootstrap_servers = servers;
    return settings;
}

// Topics are not taken away again, so each test has names of its own.
inline std::string new_topic(const std::string& purpose) { return purpose + "-" + std::to_string(random_u64()); }

// What stands before the record `first` of partition 0 is gone when it returns.
inline void delete_records(const KafkaClient& admin, const std::string& topic, std::int64_t first) {
    const KafkaQueue queue(rd_kafka_queue_new(admin.get()));
    rd_kafka_topic_partition_list_t* const wanted = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(wanted, topic.c_str(), 0)->offset = first;
    rd_kafka_DeleteRecords_t* order = rd_kafka_DeleteRecords_new(wanted);
    rd_kafka_DeleteRecords(admin.get(), &order, 1, nullptr, queue.get());
    const KafkaEvent answer(rd_kafka_queue_poll(queue.get(), 20'000));
    rd_kafka_DeleteRecords_destroy(order);
    rd_kafka_topic_partition_list_destroy(wanted);
    if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw std::runtime_error("the records were not deleted");
    }
}

// Another topic under the same name, which the broker knows when it returns.
inline void make_anew(KafkaClient& admin, const std::string& topic, int partitions = 1) {
    constexpr std::chrono::seconds kPatience{20};
    const std::string before = topic_identity(admin, topic, kPatience).value().id;
    const KafkaQueue queue(rd_kafka_queue_new(admin.get()));
    rd_kafka_DeleteTopic_t* gone = rd_kafka_DeleteTopic_new(topic.c_str());
    rd_kafka_DeleteTopics(admin.get(), &gone, 1, nullptr, queue.get());
    const KafkaEvent answer(rd_kafka_queue_poll(queue.get(), 20'000));
    rd_kafka_DeleteTopic_destroy(gone);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    // The name is taken for as long as the old one is being removed.
    while (!create_topic(admin, {.name = topic, .partitions = partitions, .replicas = 1, .settings = {}}, kPatience)) {
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the topic was not made anew");
    }
    // The controller may have done both before the broker, which is asked, has heard of the first.
    for (;;) {
        const auto now = topic_identity(admin, topic, kPatience);
        if (now && now->id != before) return;
        if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the old topic did not go");
    }
}

}  // namespace nostro::test
