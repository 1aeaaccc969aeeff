#include "nostro/adapters/kafka/owner_group.hpp"

#include <fmt/format.h>

#include <utility>

#include "nostro/base/log.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPoll{100}, kAskPatience{1'000}, kLeavePatience{3'000};

std::string client_id(std::uint64_t nonce) { return fmt::format("nostro-{:016x}", nonce); }

}  // namespace

void KafkaOwnerGroup::begin(Told told) {
    told_ = std::move(told);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void KafkaOwnerGroup::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

void KafkaOwnerGroup::run(const std::stop_token& stop) {
    bool newer = true;
    while (!stop.stop_requested()) {
        if (!client_) {
            if (auto joined = join(newer); !joined) {
                trouble_.set(joined);
                std::this_thread::sleep_for(kPoll);
                continue;
            }
        }
        KafkaMessage message(rd_kafka_consumer_poll(client_->get(), static_cast<int>(kPoll.count())));
        if (const auto fatal = client_->fatal()) {
            // A broker that knows the older protocol alone says so by this.
            log_info("owner_group_protocol", {{"protocol", "classic"}, {"why", fatal->what}});
            newer = false;
            message.reset();  // the client waits for it
            client_.reset();
            continue;
        }
        // Also that the group does not let us in: then nothing is ever given.
        if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            trouble_.set("kafka: group " + options_.group + ": " + rd_kafka_message_errstr(message.get()));
        }
        if (owns_ || !is_given()) {
            look_whether_well();
            continue;
        }
        const auto alive = owner_is_member();
        trouble_.set(alive);
        if (alive && !*alive && !stop.stop_requested()) told_.vacant();
    }
    if (client_) leave_group(*client_, kLeavePatience);
    client_.reset();
}

Result<> KafkaOwnerGroup::join(bool newer) {
    KafkaOptions options = {{"group.id", options_.group},
                            {"client.id", client_id(options_.nonce)},
                            {"enable.auto.commit", "false"},
                            {"enable.auto.offset.store", "false"},
                            {"auto.offset.reset", "latest"},
                            // Nothing is to be read.
                            {"queued.max.messages.kbytes", "64"},
                            {"fetch.message.max.bytes", "1024"}};
    if (newer) {
        options.emplace_back("group.protocol", "consumer");
    } else {
        const auto session = options_.session_timeout;
        options.emplace_back("partition.assignment.strategy", "cooperative-sticky");
        options.emplace_back("session.timeout.ms", std::to_string(session.count()));
        options.emplace_back("heartbeat.interval.ms", std::to_string(session.count() / 10));
    }
    auto client = KafkaClient::open(KafkaClient::Kind::consumer, options_.cluster, options);
    if (!client) return client.error();
    const KafkaPartitions topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto code = rd_kafka_subscribe((*client)->get(), topics.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(code, "kafka: joining group " + options_.group);
    }
    rd_kafka_poll_set_consumer((*client)->get());
    client_ = std::move(*client);
    paused_ = false;
    return {};
}

bool KafkaOwnerGroup::is_given() {
    rd_kafka_topic_partition_list_t* list = nullptr;
    if (rd_kafka_assignment(client_->get(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    const KafkaPartitions assigned(list);
    const bool given = rd_kafka_topic_partition_list_find(list, options_.topic.c_str(), options_.partition) != nullptr;
    if (given && !paused_) rd_kafka_pause_partitions(client_->get(), list);
    paused_ = given;
    return given;
}

// Whoever is given nothing is well if the group knows it.
void KafkaOwnerGroup::look_whether_well() {
    if (trouble_.text().empty() || std::chrono::steady_clock::now() < look_at_) return;
    if (const auto known = is_member(options_.nonce); known && *known) trouble_.set(std::string());
    look_at_ = std::chrono::steady_clock::now() + kAskPatience;
}

Result<bool> KafkaOwnerGroup::owner_is_member() const {
    const std::uint64_t owner = options_.owner();
    return owner == 0 ? Result<bool>(false) : is_member(owner);
}

Result<bool> KafkaOwnerGroup::is_member(std::uint64_t nonce) const {
    const KafkaQueue queue(rd_kafka_queue_new(client_->get()));
    const char* group = options_.group.c_str();
    using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaFree<rd_kafka_AdminOptions_destroy>>;
    const AdminOptions options(rd_kafka_AdminOptions_new(client_->get(), RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS));
    rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(kAskPatience.count()), nullptr, 0);
    rd_kafka_DescribeConsumerGroups(client_->get(), &group, 1, options.get(), queue.get());
    const KafkaEvent event(rd_kafka_queue_poll(queue.get(), static_cast<int>(2 * kAskPatience.count())));
    const std::string asking = "kafka: the members of group " + options_.group;
    if (!event) return Error{ErrorCode::unavailable, asking + ": no answer"};
    const auto code = rd_kafka_event_error(event.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, asking);
    const auto* result = rd_kafka_event_DescribeConsumerGroups_result(event.get());
    std::size_t count = 0;
    const auto* const* groups = rd_kafka_DescribeConsumerGroups_result_groups(result, &count);
    if (count != 1) return Error{ErrorCode::unavailable, asking + ": no answer"};
    if (const auto* error = rd_kafka_ConsumerGroupDescription_error(groups[0]); error != nullptr) {
        return kafka_error(rd_kafka_error_code(error), asking);
    }
    const std::string id = client_id(nonce);
    const std::size_t members = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    for (std::size_t i = 0; i < members; ++i) {
        const auto* member = rd_kafka_ConsumerGroupDescription_member(groups[0], i);
        if (id == rd_kafka_MemberDescription_client_id(member)) return true;
    }
    return false;
}

}  // namespace nostro
