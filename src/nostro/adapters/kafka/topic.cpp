#include "nostro/adapters/kafka/topic.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace nostro {
namespace {

using std::chrono::milliseconds;

using Failure = std::unique_ptr<rd_kafka_error_t, KafkaFree<rd_kafka_error_destroy>>;

constexpr milliseconds kPollFor{100}, kCountPatience{2'000}, kCountEvery{5'000}, kNewestPatience{5'000};

Headers headers_of(const rd_kafka_message_t& message) {
    Headers all;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return all;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t bytes = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &bytes) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        all.emplace_back(name, value == nullptr ? std::string() : std::string(static_cast<const char*>(value), bytes));
    }
    return all;
}

}  // namespace

Result<std::unique_ptr<KafkaTopic>> KafkaTopic::open(const KafkaSettings& settings, const KafkaTopicOptions& options) {
    std::unique_ptr<KafkaTopic> topic(new KafkaTopic(settings, options));
    auto client =
        KafkaClient::open(KafkaClient::Kind::producer, settings,
                          {{"enable.idempotence", "true"},
                           {"acks", "all"},
                           {"linger.ms", "5"},
                           {"compression.type", options.compression},
                           {"partitioner", "murmur2_random"},
                           {"queue.buffering.max.messages", "500000"},
                           {"queue.buffering.max.kbytes", "262144"},
                           // The topic's own bound decides.
                           {"message.max.bytes", "67108864"},
                           {"message.timeout.ms", std::to_string(options.timeout.count())}},
                          [self = topic.get()](const rd_kafka_message_t& message) { self->delivered(message); });
    if (!client) return client.error();
    topic->client_ = std::move(*client);
    return topic;
}

void KafkaTopic::delivered(const rd_kafka_message_t& message) {
    ++reported_;
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (!failed_) failed_ = kafka_error(message.err, fmt::format("kafka: publishing to topic {}", options_.topic));
}

// Messages that librdkafka took are waited for in any case: it reads them where they are.
Result<> KafkaTopic::publish(std::span<const Message> messages) {
    reported_ = 0;
    failed_.reset();
    std::size_t taken = 0;
    Result<> produced;
    if (options_.by_part) produced = count_parts();
    for (const Message& message : messages) {
        if (!produced) break;
        produced = produce(message, taken);
    }
    while (reported_ < taken) client_->poll(kPollFor);
    if (!produced) return produced;
    if (failed_) return *failed_;
    return {};
}

// Partitions may be added at any time.
Result<> KafkaTopic::count_parts() {
    const auto now = std::chrono::steady_clock::now();
    if (parts_ != 0 && now - counted_ < kCountEvery) return {};
    const auto metadata = topic_metadata(*client_, options_.topic, kCountPatience);
    if (metadata) parts_ = static_cast<std::uint32_t>((*metadata)->topics[0].partition_cnt);
    if (metadata) counted_ = now;
    return parts_ != 0 ? Result<>() : metadata.error();
}

// `taken`: how many reports will come.
Result<> KafkaTopic::produce(const Message& message, std::size_t& taken) {
    const auto to = [&](std::int32_t part) {
        auto produced = produce_to(message, part);
        taken += produced ? 1 : 0;
        return produced;
    };
    if (!options_.by_part) return to(RD_KAFKA_PARTITION_UA);
    if (message.from.part != kEveryPart) return to(static_cast<std::int32_t>(message.from.part % parts_));
    Result<> produced;
    for (std::uint32_t part = 0; produced && part < parts_; ++part) produced = to(static_cast<std::int32_t>(part));
    return produced;
}

Result<> KafkaTopic::produce_to(const Message& message, std::int32_t part) {
    // The flags say neither copy nor free: the value stays the caller's.
    std::array<rd_kafka_vu_t, 5> fields{};
    std::size_t count = 0;
    const auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
        fields[count].vtype = type;
        return fields[count++];
    };
    add(RD_KAFKA_VTYPE_TOPIC).u.cstr = options_.topic.c_str();
    add(RD_KAFKA_VTYPE_PARTITION).u.i32 = part;
    auto& value = add(RD_KAFKA_VTYPE_VALUE).u.mem;
    value.ptr = const_cast<char*>(message.value.data());
    value.size = message.value.size();
    if (!message.key.empty()) {
        auto& key = add(RD_KAFKA_VTYPE_KEY).u.mem;
        key.ptr = const_cast<char*>(message.key.data());
        key.size = message.key.size();
    }
    rd_kafka_headers_t* headers = nullptr;
    if (!message.headers.empty()) {
        headers = rd_kafka_headers_new(message.headers.size());
        for (const auto& [name, text] : message.headers) {
            rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), text.data(),
                                static_cast<ssize_t>(text.size()));
        }
        add(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
    }
    for (;;) {
        const Failure failure(rd_kafka_produceva(client_->get(), fields.data(), count));
        if (!failure) return {};  // it has the headers now
        const auto code = rd_kafka_error_code(failure.get());
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            client_->poll(kPollFor);
            continue;
        }
        if (headers != nullptr) rd_kafka_headers_destroy(headers);
        return kafka_error(code, fmt::format("kafka: publishing to topic {}", options_.topic));
    }
}

Result<std::vector<Headers>> KafkaTopic::newest() {
    // In no group: nothing is committed, and nobody else's share changes.
    const auto reader = KafkaClient::open(KafkaClient::Kind::consumer, settings_,
                                          {{"group.id", "nostro"},
                                           {"enable.auto.commit", "false"},
                                           {"enable.partition.eof", "true"},
                                           {"auto.offset.reset", "latest"},
                                           {"fetch.wait.max.ms", "5"}});
    if (!reader) return reader.error();
    const auto metadata = topic_metadata(**reader, options_.topic, kNewestPatience);
    if (!metadata) return metadata.error();
    const KafkaPartitions parts(rd_kafka_topic_partition_list_new(1));
    for (std::int32_t part = 0; part < (*metadata)->topics[0].partition_cnt; ++part) {
        rd_kafka_topic_partition_list_add(parts.get(), options_.topic.c_str(), part)->offset = RD_KAFKA_OFFSET_TAIL(1);
    }
    const std::string what = fmt::format("kafka: the newest messages of topic {}", options_.topic);
    if (const auto code = rd_kafka_assign((*reader)->get(), parts.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(code, what);
    }
    return read_newest(**reader, parts->cnt, what);
}

// Each partition gives its last message, if it has one, and its end.
Result<std::vector<Headers>> KafkaTopic::read_newest(const KafkaClient& reader, int parts, const std::string& what) {
    std::vector<Headers> newest;
    const auto until = std::chrono::steady_clock::now() + kNewestPatience;
    for (int ended = 0; ended < parts;) {
        const KafkaMessage message(rd_kafka_consumer_poll(reader.get(), static_cast<int>(kPollFor.count())));
        if (message == nullptr || message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
            if (std::chrono::steady_clock::now() < until) continue;
            return Error{ErrorCode::unavailable, what + ": no answer"};
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ++ended;
        } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return kafka_error(message->err, what);
        } else {
            newest.push_back(headers_of(*message));
        }
    }
    return newest;
}

}  // namespace nostro
