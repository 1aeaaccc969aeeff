// What the parts of this folder share: a client of one Kafka cluster (librdkafka), its errors in our codes, its log in
// ours, and the few questions that are put to a cluster at start.
#pragma once
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro {

// Where the cluster is and how it lets us in. The same for every client of the process.
struct KafkaSettings {
    std::string bootstrap_servers;  // host:port[,host:port]
    bool tls = false;
    std::string ca_file;    // PEM of the authority behind the brokers' certificates; empty: the system's
    std::string mechanism;  // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty: no password is asked for
    std::string user, password;
};

// Settings of librdkafka by their own names; docs/operations/kafka.md tells those that we depend on.
using KafkaOptions = std::vector<std::pair<std::string, std::string>>;

// An answer of librdkafka as one of ours: what was being done comes first in the text.
//   invalid      a wrong user, password, authority, permission or setting: trying again mends nothing
//   not_found    no such topic or partition          conflict     it is there already
//   unavailable  no broker answers, or not enough of them: later
//   unknown      the message may be in the log or not: look before it is told or sent again
//   fenced       another producer took over          corrupt      what was asked for is gone or damaged
Error kafka_error(rd_kafka_resp_err_t code, const std::string& what);

template <auto Destroy>
struct KafkaFree {
    template <class T>
    void operator()(T* object) const {
        Destroy(object);
    }
};
// No group is left by it: leaving waits for brokers that may be gone. Members use leave_group() before.
inline void end_client(rd_kafka_t* handle) { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
using KafkaTopicHandle = std::unique_ptr<rd_kafka_topic_t, KafkaFree<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaFree<rd_kafka_queue_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaFree<rd_kafka_event_destroy>>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaFree<rd_kafka_message_destroy>>;
using KafkaPartitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, KafkaFree<rd_kafka_topic_partition_list_destroy>>;

// One client: a producer or a consumer, with librdkafka's threads behind it.
//
// Threads: any, but one at a time calls poll() or whatever else of librdkafka serves callbacks; they run on its thread.
class KafkaClient {
public:
    enum class Kind : std::uint8_t { producer, consumer };
    using Delivered = std::function<void(const rd_kafka_message_t&)>;  // a producer's reports, out of poll()
    // A group's member gets partitions or loses them; it assigns them itself. Out of whatever reads messages.
    using Rebalanced = std::function<void(rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*)>;

    // Makes it; it connects by itself, and again whenever it must. `invalid`: a setting that librdkafka refuses.
    static Result<std::unique_ptr<KafkaClient>> open(Kind kind, const KafkaSettings& settings,
                                                     const KafkaOptions& options, Delivered delivered = {},
                                                     Rebalanced rebalanced = {});
    ~KafkaClient() = default;  // what is on its way is dropped, and not reported
    KafkaClient(const KafkaClient&) = delete;
    KafkaClient& operator=(const KafkaClient&) = delete;

    rd_kafka_t* get() const { return handle_.get(); }

    // Waits until a broker answers. `invalid` at once if the cluster does not let us in (wrong password, another
    // authority), `unavailable` after `patience`, with what went wrong last. Polls.
    Result<> reach(std::chrono::milliseconds patience);

    // Serves callbacks for at most so long; returns as soon as one was served.
    void poll(std::chrono::milliseconds wait) const;

    // Fatal: this client will do nothing any more. Threads: any.
    std::optional<Error> fatal() const;

private:
    KafkaClient() = default;
    static void on_error(rd_kafka_t* handle, int code, const char* reason, void* self);
    static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);
    static void on_delivered(rd_kafka_t* handle, const rd_kafka_message_t* message, void* self);
    static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list,
                             void* self);
    void log(int level, const char* facility, const char* text);

    Delivered delivered_;
    Rebalanced rebalanced_;
    std::string servers_;
    mutable std::mutex mutex_;
    std::optional<Error> refused_;  // mutex_
    std::string last_trouble_;      // mutex_
    struct Said {
        std::chrono::steady_clock::time_point when{};
        std::uint64_t left_out = 0;
    };
    std::map<std::string, Said, std::less<>> said_;  // mutex_; by librdkafka's facility, a closed set
    // Destroyed first: its threads call back into the rest.
    std::unique_ptr<rd_kafka_t, KafkaFree<end_client>> handle_;
};

// A consumer that is a member of a group leaves it, so that the others need not wait until it is missed. A broker that
// is gone holds up nobody for longer than `patience`. After that it can only be destroyed.
void leave_group(const KafkaClient& consumer, std::chrono::milliseconds patience);

// Of one topic, as the cluster has it now. `not_found`: there is no such topic.
using KafkaMetadata = std::unique_ptr<const rd_kafka_metadata_t, KafkaFree<rd_kafka_metadata_destroy>>;
Result<KafkaMetadata> topic_metadata(KafkaClient& client, const std::string& topic, std::chrono::milliseconds patience);

struct KafkaTopicPlan {
    std::string name;
    int partitions = 1;
    int replicas = -1;  // -1: the cluster's default
    KafkaOptions settings;
};
// Makes a topic, and waits until its partitions have leaders. `conflict`: it is there already; it may be another's and
// other than planned.
Result<> create_topic(KafkaClient& client, const KafkaTopicPlan& plan, std::chrono::milliseconds patience);

struct KafkaTopicState {
    int partitions = 0;
    int replicas = 0;                                          // the least of any partition
    std::map<std::string, std::string, std::less<>> settings;  // as they are in force, defaults included
};
// `not_found`: there is no such topic.
Result<KafkaTopicState> topic_state(KafkaClient& client, const std::string& topic, std::chrono::milliseconds patience);

// Which topic it is: one that was made anew under its name has another id.
struct KafkaTopicIdentity {
    std::string id;  // empty: brokers older than 2.8 give none
    std::uint32_t partitions = 0;
};
// `not_found`: there is no such topic. Threads: any.
Result<KafkaTopicIdentity> topic_identity(const KafkaClient& client, const std::string& topic,
                                          std::chrono::milliseconds patience);

// "2.15.1"
std::string_view kafka_client_version();

}  // namespace nostro
