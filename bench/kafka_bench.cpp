// Payments out of a filled topic into a journal, beside programs that only read the same bytes, or only move them from
// topic to topic. Brokers, reader and nostro share the machine. Needs KAFKA_BOOTSTRAP_SERVERS, a cluster for trying
// out: topics are made there and stay.
#ifdef NOSTRO_KAFKA
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/need.hpp"
#include "nostro/app/kafka.hpp"
#include "nostro/app/wiring.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/client.hpp"
#include "nostro/domain/tenant_names.hpp"
#include "nostro/generate/upi.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {
namespace {

constexpr std::size_t kMessages = 500'000, kPublishedAtOnce = 10'000;
constexpr std::size_t kCommandBytes = 180;  // of an encoded payment

// nullptr: no cluster is named.
const char* servers() { return std::getenv("KAFKA_BOOTSTRAP_SERVERS"); }  // NOLINT(concurrency-mt-unsafe)

std::string fresh_topic() {
    std::string topic = fmt::format("nostro-bench-{}", random_u64());
    Config config;
    config.kafka.bootstrap_servers = servers();
    need(provide_topic(config, topic));
    return topic;
}

// One topic for all of a run: filled once, with payments among a thousand users.
const std::string& filled_topic() {
    static const std::string name = [] {
        std::string topic = fresh_topic();
        Config config;
        config.kafka.bootstrap_servers = servers();
        const auto to = need(open_topic(config, topic));
        generate::UpiGenerator generator({.realistic = true});
        std::vector<Message> messages;
        for (std::size_t made = 0; made < kMessages; made += messages.size()) {
            messages.assign(std::min(kPublishedAtOnce, kMessages - made), {});
            for (Message& message : messages) static_cast<void>(generator.append(message.value, system_now()));
            need(to->publish(messages));
        }
        return topic;
    }();
    return name;
}

rd_kafka_t* bare_client(rd_kafka_type_t type, std::initializer_list<std::pair<const char*, const char*>> settings,
                        void* opaque = nullptr,
                        void (*reported)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 256> why{};
    rd_kafka_conf_set(conf, "bootstrap.servers", servers(), why.data(), why.size());
    for (const auto& [key, value] : settings) {
        if (rd_kafka_conf_set(conf, key, value, why.data(), why.size()) != RD_KAFKA_CONF_OK) give_up(why.data());
    }
    rd_kafka_conf_set_opaque(conf, opaque);
    if (reported != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, reported);
    rd_kafka_t* client = rd_kafka_new(type, conf, why.data(), why.size());
    if (client == nullptr) give_up(why.data());
    return client;
}

// As little as a reader can do: librdkafka's batches, each message handed on.
template <class Each>
void read_all(const std::string& topic, Each each) {
    rd_kafka_t* client = bare_client(RD_KAFKA_CONSUMER, {{"group.id", "nostro-bench"},
                                                         {"enable.auto.commit", "false"},
                                                         {"queued.min.messages", "100000"},
                                                         {"fetch.message.max.bytes", "4194304"},
                                                         {"check.crcs", "true"}});
    rd_kafka_topic_partition_list_t* parts = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(parts, topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client, parts);
    rd_kafka_topic_partition_list_destroy(parts);
    rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client);
    std::array<rd_kafka_message_t*, 2'048> batch{};
    std::size_t read = 0;
    while (read < kMessages) {
        const auto count = rd_kafka_consume_batch_queue(queue, 10, batch.data(), batch.size());
        for (ssize_t i = 0; i < count; ++i) {
            rd_kafka_message_t* message = batch[static_cast<std::size_t>(i)];
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                ++read;
                each(*message);
            }
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
}

void consumed(benchmark::State& state) {
    if (servers() == nullptr) return state.SkipWithError("KAFKA_BOOTSTRAP_SERVERS is not set");
    const std::string& topic = filled_topic();
    for (auto _ : state) {
        std::size_t bytes = 0;
        read_all(topic, [&](const rd_kafka_message_t& message) { bytes += message.len; });
        benchmark::DoNotOptimize(bytes);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMessages));
}

// As little as a relay can do: each message read is produced again, as safely as a journal asks for, and it ends when
// the brokers have confirmed them all.
void moved(benchmark::State& state) {
    if (servers() == nullptr) return state.SkipWithError("KAFKA_BOOTSTRAP_SERVERS is not set");
    const std::string& from = filled_topic();
    for (auto _ : state) {
        const std::string to = fresh_topic();
        std::size_t confirmed = 0;
        rd_kafka_t* producer =
            bare_client(RD_KAFKA_PRODUCER,
                        {{"enable.idempotence", "true"}, {"acks", "all"}, {"queue.buffering.max.messages", "1000000"}},
                        &confirmed, [](rd_kafka_t*, const rd_kafka_message_t* message, void* count) {
                            if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) give_up(rd_kafka_err2str(message->err));
                            ++*static_cast<std::size_t*>(count);
                        });
        read_all(from, [&](const rd_kafka_message_t& message) {
            rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(to.c_str()), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_VALUE(message.payload, message.len),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK), RD_KAFKA_V_END);
            rd_kafka_poll(producer, 0);
        });
        while (confirmed < kMessages) rd_kafka_poll(producer, 100);
        rd_kafka_destroy(producer);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMessages));
}

std::uint64_t settled(cli::Client& client) {
    const auto answer = need(client.get("/metrics"));
    constexpr std::string_view kName = "\ntransactions_total ";
    const auto at = answer.body.find(kName);
    if (at == std::string::npos) give_up("/metrics has no transactions_total");
    const std::string_view rest = std::string_view(answer.body).substr(at + kName.size());
    return need(parse_uint64(rest.substr(0, rest.find('\n'))));
}

// The whole of `nostro serve --profile upi`: parsed, decided, durable in the journal, in the query index behind.
void served(benchmark::State& state, const std::string& journal) {
    if (servers() == nullptr) return state.SkipWithError("KAFKA_BOOTSTRAP_SERVERS is not set");
    for (const ProfileEntry& profile : profiles()) know_tenant(profile.tenant, profile.name);
    configure_log({.level = LogLevel::warn});
    setenv("KAFKA_TOPIC", filled_topic().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    std::int64_t counted = 0;
    for (auto _ : state) {
        const auto folder = std::filesystem::temp_directory_path() / fmt::format("nostro-kafka-bench-{}", ::getpid());
        std::filesystem::remove_all(folder);
        Config config;
        config.data.dir = folder.string();
        config.server.listen = "127.0.0.1:0";
        config.profiles.serve = "upi";
        config.kafka.bootstrap_servers = servers();
        config.journal.kind = journal;
        config.journal.kafka_topic = fmt::format("nostro-bench-journal-{}", random_u64());
        config.journal.kafka_single_broker = std::string_view(servers()).find(',') == std::string_view::npos;
        auto wiring = need(Wiring::start(config));
        cli::Client client(need(cli::parse_url(wiring->url())));
        // Its start is not what is measured; what it settled by then does not count.
        const std::uint64_t before = settled(client);
        const SteadyTime begin = steady_now();
        while (settled(client) < kMessages) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        state.SetIterationTime(std::chrono::duration<double>(steady_now() - begin).count());
        counted += static_cast<std::int64_t>(kMessages - before);
        wiring->stop();
        wiring.reset();
        std::filesystem::remove_all(folder);
    }
    state.SetItemsProcessed(counted);
}

// What `nostro worker intake` is measured against: as many messages under way as it has connections, each followed by
// the next when its report comes, acks=all.
class Closed {
public:
    Closed(const std::string& topic, std::size_t count) : topic_(topic), count_(count) {
        producer_ = bare_client(
            RD_KAFKA_PRODUCER,
            {{"enable.idempotence", "true"}, {"acks", "all"}, {"linger.ms", "0"}, {"compression.type", "lz4"}}, this,
            [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                static_cast<Closed*>(self)->reported(*message);
            });
    }
    ~Closed() { rd_kafka_destroy(producer_); }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

    void run(std::size_t under_way) {
        for (std::size_t i = 0; i < under_way; ++i) send();
        while (reported_ < count_) rd_kafka_poll(producer_, 100);
    }

private:
    void send() {
        if (sent_ == count_) return;
        const std::string key = fmt::format("{:032x}", sent_++);
        rd_kafka_producev(producer_, RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_KEY(key.data(), key.size()),
                          RD_KAFKA_V_VALUE(value_.data(), value_.size()), RD_KAFKA_V_END);
    }
    void reported(const rd_kafka_message_t& message) {
        if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            need(Result<>(Error{ErrorCode::unavailable, rd_kafka_err2str(message.err)}));
        }
        ++reported_;
        send();
    }

    const std::string topic_;
    const std::size_t count_;
    std::string value_ = std::string(kCommandBytes, 'x');
    rd_kafka_t* producer_ = nullptr;
    std::size_t sent_ = 0, reported_ = 0;
};

void produced(benchmark::State& state) {
    if (servers() == nullptr) return state.SkipWithError("KAFKA_BOOTSTRAP_SERVERS names no cluster");
    constexpr std::size_t kCount = 50'000, kConnections = 64;
    Closed producer(fresh_topic(), kCount);
    for (auto _ : state) producer.run(kConnections);
    state.SetItemsProcessed(static_cast<std::int64_t>(kCount));
}

BENCHMARK(consumed)->Name("kafka/consumed_bare")->UseRealTime()->Iterations(2)->Unit(benchmark::kMillisecond);
BENCHMARK(produced)->Name("kafka/produced_bare_64")->UseRealTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(moved)->Name("kafka/moved_bare")->UseRealTime()->Iterations(2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(served, files, "segment")
    ->Name("kafka/settled_into_files")
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(served, kafka, "kafka")
    ->Name("kafka/settled_into_kafka")
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nostro
#endif
