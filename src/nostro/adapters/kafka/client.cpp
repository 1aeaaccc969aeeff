#include "nostro/adapters/kafka/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/base/log.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskEvery{200}, kCloseLook{50};
// A cluster that is away would fill the log: each kind of line once in that time, with the number left out.
constexpr std::chrono::seconds kSayEvery{10};

using Conf = std::unique_ptr<rd_kafka_conf_t, KafkaFree<rd_kafka_conf_destroy>>;

ErrorCode code_of(rd_kafka_resp_err_t code) {
    switch (code) {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        case RD_KAFKA_RESP_ERR__SSL:
        case RD_KAFKA_RESP_ERR__INVALID_ARG:
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
        case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
        case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
        case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        case RD_KAFKA_RESP_ERR_INVALID_RECORD: return ErrorCode::invalid;
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return ErrorCode::not_found;
        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return ErrorCode::conflict;
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
        case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        case RD_KAFKA_RESP_ERR__FATAL:
        case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER: return ErrorCode::unknown;
        case RD_KAFKA_RESP_ERR__FENCED:
        case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
        case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH: return ErrorCode::fenced;
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        case RD_KAFKA_RESP_ERR__BAD_MSG:
        case RD_KAFKA_RESP_ERR_INVALID_MSG: return ErrorCode::corrupt;
        default: return ErrorCode::unavailable;
    }
}

bool lets_nobody_in(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
}

Result<> set(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
    std::array<char, 256> why{};
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why.data(), why.size()) == RD_KAFKA_CONF_OK) return {};
    return Error{ErrorCode::invalid, fmt::format("kafka: {}: {}", key, why.data())};
}

KafkaOptions options_of(const KafkaSettings& settings) {
    const bool password = !settings.mechanism.empty();
    KafkaOptions options{
        {"client.id", "nostro"},
        {"bootstrap.servers", settings.bootstrap_servers},
        {"security.protocol", fmt::format("{}{}", password ? "SASL_" : "", settings.tls ? "SSL" : "PLAINTEXT")},
        {"topic.metadata.refresh.fast.interval.ms", "50"},
        {"reconnect.backoff.ms", "20"},
        {"reconnect.backoff.max.ms", "500"},
        // Where connections are made on demand, whoever asks for one does not wait for the pause: a consumer tried a
        // broker that was away 250 times a second, a third of a core.
        {"enable.sparse.connections", "false"},
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
    };
    if (settings.tls && !settings.ca_file.empty()) options.emplace_back("ssl.ca.location", settings.ca_file);
    if (password) {
        options.emplace_back("sasl.mechanism", settings.mechanism);
        options.emplace_back("sasl.username", settings.user);
        options.emplace_back("sasl.password", settings.password);
    }
    return options;
}

int as_int(milliseconds time) { return static_cast<int>(time.count()); }

}  // namespace

Error kafka_error(rd_kafka_resp_err_t code, const std::string& what) {
    return {code_of(code), fmt::format("{}: {} ({})", what, rd_kafka_err2str(code), rd_kafka_err2name(code))};
}

std::string_view kafka_client_version() { return rd_kafka_version_str(); }

Result<std::unique_ptr<KafkaClient>> KafkaClient::open(Kind kind, const KafkaSettings& settings,
                                                       const KafkaOptions& options, Delivered delivered,
                                                       Rebalanced rebalanced) {
    if (settings.bootstrap_servers.empty()) {
        return Error{ErrorCode::invalid, "kafka: no bootstrap servers are named (host:port[,host:port])"};
    }
    std::unique_ptr<KafkaClient> client(new KafkaClient);
    client->delivered_ = std::move(delivered);
    client->rebalanced_ = std::move(rebalanced);
    client->servers_ = settings.bootstrap_servers;
    Conf conf(rd_kafka_conf_new());
    for (const auto& list : {options_of(settings), options}) {
        for (const auto& [key, value] : list) {
            if (auto done = set(conf.get(), key, value); !done) return done.error();
        }
    }
    rd_kafka_conf_set_opaque(conf.get(), client.get());
    rd_kafka_conf_set_error_cb(conf.get(), on_error);
    rd_kafka_conf_set_log_cb(conf.get(), on_log);
    if (kind == Kind::producer) rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivered);
    if (client->rebalanced_) rd_kafka_conf_set_rebalance_cb(conf.get(), on_rebalance);
    std::array<char, 512> why{};
    rd_kafka_t* handle = rd_kafka_new(kind == Kind::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf.get(),
                                      why.data(), why.size());
    if (handle == nullptr) return Error{ErrorCode::invalid, fmt::format("kafka: {}", why.data())};
    static_cast<void>(conf.release());  // rd_kafka_new took it
    client->handle_.reset(handle);
    return client;
}

Result<> KafkaClient::reach(milliseconds patience) {
    const auto deadline = steady_clock::now() + patience;
    for (;;) {
        poll(milliseconds(0));
        {
            const std::lock_guard lock(mutex_);
            if (refused_) return *refused_;
        }
        const rd_kafka_metadata_t* metadata = nullptr;
        const auto code = rd_kafka_metadata(get(), 0, nullptr, &metadata, as_int(kAskEvery));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_metadata_destroy(metadata);
            return {};
        }
        if (steady_clock::now() < deadline) continue;
        const std::lock_guard lock(mutex_);
        return Error{ErrorCode::unavailable,
                     fmt::format("kafka: no broker of {} answers: {}", servers_,
                                 last_trouble_.empty() ? rd_kafka_err2str(code) : last_trouble_.c_str())};
    }
}

void KafkaClient::poll(milliseconds wait) const { rd_kafka_poll(get(), as_int(wait)); }

std::optional<Error> KafkaClient::fatal() const {
    // Asked, because a consumer is not told by the callback but by a message.
    std::array<char, 512> why{};
    const auto cause = rd_kafka_fatal_error(get(), why.data(), why.size());
    if (cause == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    return kafka_error(cause, fmt::format("kafka: the client ended for good: {}", why.data()));
}

void leave_group(const KafkaClient& consumer, milliseconds patience) {
    const KafkaQueue closing(rd_kafka_queue_new(consumer.get()));
    if (rd_kafka_error_t* failed = rd_kafka_consumer_close_queue(consumer.get(), closing.get()); failed != nullptr) {
        rd_kafka_error_destroy(failed);
        return;
    }
    const auto until = steady_clock::now() + patience;
    while (rd_kafka_consumer_closed(consumer.get()) == 0 && steady_clock::now() < until) {
        // What the member has to be told, and messages that were fetched meanwhile: those are the next member's.
        const KafkaMessage unread(rd_kafka_consume_queue(closing.get(), as_int(kCloseLook)));
    }
}

void KafkaClient::on_error(rd_kafka_t*, int code, const char* reason, void* self) {
    auto& client = *static_cast<KafkaClient*>(self);
    const auto error = static_cast<rd_kafka_resp_err_t>(code);
    const std::lock_guard lock(client.mutex_);
    if (lets_nobody_in(error)) {
        client.refused_ = kafka_error(error, fmt::format("kafka: {} does not let us in: {}", client.servers_, reason));
    }
    // "All brokers are down" says nothing of why; the line before it does.
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || client.last_trouble_.empty()) client.last_trouble_ = reason;
}

void KafkaClient::on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
    auto* self = static_cast<KafkaClient*>(rd_kafka_opaque(handle));
    if (self != nullptr) self->log(level, facility, text);
}

void KafkaClient::log(int level, const char* facility, const char* text) {
    std::uint64_t left_out = 0;
    {
        const std::lock_guard lock(mutex_);
        const auto now = steady_clock::now();
        Said& said = said_[facility];
        if (said.when != steady_clock::time_point{} && now - said.when < kSayEvery) {
            ++said.left_out;
            return;
        }
        left_out = std::exchange(said.left_out, 0);
        said.when = now;
    }
    constexpr int kSyslogError = 3, kSyslogNotice = 5;
    // Lost connections are told by whoever needs them; here they are what an operator looks up.
    const LogLevel ours = level <= kSyslogError    ? LogLevel::warn
                          : level <= kSyslogNotice ? LogLevel::info
                                                   : LogLevel::debug;
    log_event(ours, "kafka_client", {{"facility", facility}, {"text", text}, {"left_out", left_out}});
}

void KafkaClient::on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list,
                               void* self) {
    static_cast<KafkaClient*>(self)->rebalanced_(code, list);
}

void KafkaClient::on_delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    const auto& client = *static_cast<KafkaClient*>(self);
    if (client.delivered_) client.delivered_(*message);
}

}  // namespace nostro
