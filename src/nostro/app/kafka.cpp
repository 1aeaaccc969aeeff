#include "nostro/app/kafka.hpp"

#ifdef NOSTRO_KAFKA
#include <fmt/format.h>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/adapters/kafka/topic.hpp"
#include "nostro/adapters/kafka/topic_reader.hpp"
#include "nostro/app/kafka_settings.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTry{5'000}, kPatience{10'000};
// A relay asks again for ever; shorter, so that it can end while no broker is there.
constexpr milliseconds kRelayFor{5'000};

Result<std::unique_ptr<KafkaClient>> open_client(const Config& config) {
    const auto settings = kafka_settings(config);
    if (!settings) return settings.error();
    return KafkaClient::open(KafkaClient::Kind::producer, *settings, {});
}

}  // namespace

Result<> reach_kafka(const Config& config) {
    const auto client = open_client(config);
    if (!client) return client.error();
    const SteadyTime until = steady_now() + config.kafka.start_timeout;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(until - steady_now());
        auto reached = (*client)->reach(std::clamp(left, milliseconds(1), kTry));
        if (reached || reached.error().code != ErrorCode::unavailable) return reached;
        if (steady_now() >= until) return reached;
        log_warn("kafka_waits", {{"servers", config.kafka.bootstrap_servers}, {"why", reached.error().what}});
    }
}

Result<> provide_topic(const Config& config, const std::string& topic) {
    const auto client = open_client(config);
    if (!client) return client.error();
    if (auto reached = (*client)->reach(kPatience); !reached) return reached;
    if (!config.kafka.create_topics) {
        const auto state = topic_state(**client, topic, kPatience);
        if (state || state.error().code != ErrorCode::not_found) return {};  // who may not look may perhaps read
        return Error{ErrorCode::not_found,
                     fmt::format("kafka: there is no topic {}; make it, or let kafka.create_topics be true", topic)};
    }
    const auto made =
        create_topic(**client, {.name = topic, .partitions = 1, .replicas = -1, .settings = {}}, kPatience);
    if (made) {
        log_info("kafka_topic_made", {{"topic", topic}});
        return {};
    }
    return made.error().code == ErrorCode::conflict ? Result<>() : made.error();
}

namespace {

Result<std::unique_ptr<TopicReader>> open_reader(const Config& config, const KafkaReaderOptions& options) {
    const auto settings = kafka_settings(config);
    if (!settings) return settings.error();
    auto reader = KafkaTopicReader::open(*settings, options);
    if (!reader) return reader.error();
    return std::unique_ptr<TopicReader>(std::move(*reader));
}

Result<std::unique_ptr<Topic>> open_topic(const Config& config, const KafkaTopicOptions& options) {
    const auto settings = kafka_settings(config);
    if (!settings) return settings.error();
    auto opened = KafkaTopic::open(*settings, options);
    if (!opened) return opened.error();
    return std::unique_ptr<Topic>(std::move(*opened));
}

static_assert(kInEveryPart == kEveryPart);

}  // namespace

Result<std::unique_ptr<TopicReader>> open_topic_reader(const Config& config, const std::string& topic,
                                                       const std::string& group, Disk* disk) {
    KafkaReaderOptions options;
    options.disk = disk;
    options.topic = topic;
    options.group = group;
    options.skip_gaps = config.kafka.skip_gaps;
    return open_reader(config, options);
}

Result<std::unique_ptr<TopicReader>> open_shared_reader(const Config& config, const std::string& topic,
                                                        const std::string& group) {
    KafkaReaderOptions options;
    options.topic = topic;
    options.group = group;
    options.shared = true;
    return open_reader(config, options);
}

Result<std::unique_ptr<Topic>> open_topic(const Config& config, const std::string& topic, milliseconds timeout) {
    return open_topic(config, {.topic = topic, .timeout = timeout, .compression = config.kafka.compression});
}

Result<std::unique_ptr<Topic>> open_parted_topic(const Config& config, const std::string& topic) {
    return open_topic(config,
                      {.topic = topic, .timeout = kRelayFor, .compression = config.kafka.compression, .by_part = true});
}

}  // namespace nostro

#else

namespace nostro {
namespace {

Error missing() {
    return {ErrorCode::unavailable,
            "kafka: this nostro was built without librdkafka; tools/fetch/librdkafka.sh fetches it, then build again"};
}

}  // namespace

Result<> reach_kafka(const Config&) { return missing(); }
Result<> provide_topic(const Config&, const std::string&) { return missing(); }
Result<std::unique_ptr<TopicReader>> open_topic_reader(const Config&, const std::string&, const std::string&, Disk*) {
    return missing();
}
Result<std::unique_ptr<TopicReader>> open_shared_reader(const Config&, const std::string&, const std::string&) {
    return missing();
}
Result<std::unique_ptr<Topic>> open_topic(const Config&, const std::string&, std::chrono::milliseconds) {
    return missing();
}
Result<std::unique_ptr<Topic>> open_parted_topic(const Config&, const std::string&) { return missing(); }

}  // namespace nostro

#endif
