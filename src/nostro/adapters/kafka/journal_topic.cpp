// What a topic must be to hold a journal.
#include <fmt/format.h>

#include <limits>

#include "nostro/adapters/kafka/kafka_journal.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kAdminPatience{10'000};
constexpr int kReplicas = 3, kInSync = 2;
// A batch of one record is so much longer than the record, at most.
constexpr std::size_t kBatchOverhead = 1024;
// The smallest frame that settlement can work with: one command of the greatest size and its outcome.
constexpr std::size_t kFrameLeast = 1u << 20;

std::string setting(const KafkaTopicState& topic, std::string_view key) {
    const auto found = topic.settings.find(key);
    return found == topic.settings.end() ? std::string() : found->second;
}

std::uint64_t number(const KafkaTopicState& topic, std::string_view key) {
    return parse_uint64(setting(topic, key)).value_or(0);
}

}  // namespace

std::vector<std::string> journal_topic_faults(const KafkaTopicState& topic, const KafkaJournalOptions& options) {
    std::vector<std::string> faults;
    const auto must_be = [&](std::string_view key, std::string_view value, std::string_view why) {
        if (const auto found = setting(topic, key); found != value) {
            faults.push_back(fmt::format("{} is {}, must be {}: {}", key, found, value, why));
        }
    };
    if (options.partition < 0 || options.partition >= topic.partitions) {
        faults.push_back(
            fmt::format("it has {} partitions, so there is none of number {}", topic.partitions, options.partition));
    }
    if (!options.single_broker) {
        constexpr std::string_view kOverride = "or journal.kafka_single_broker = true for trying out";
        if (topic.replicas < kReplicas) {
            faults.push_back(fmt::format("its replication factor is {}, must be at least {}: a broker may be lost ({})",
                                         topic.replicas, kReplicas, kOverride));
        }
        if (number(topic, "min.insync.replicas") < kInSync) {
            faults.push_back(
                fmt::format("min.insync.replicas is {}, must be at least {}: an answer may rest on one "
                            "broker alone ({})",
                            setting(topic, "min.insync.replicas"), kInSync, kOverride));
        }
    }
    must_be("unclean.leader.election.enable", "false", "a replica that is behind would drop what was acknowledged");
    must_be("cleanup.policy", "delete", "compaction takes frames out of the chain");
    must_be("retention.ms", "-1", "the chain is kept from its beginning");
    must_be("retention.bytes", "-1", "the chain is kept from its beginning");
    if (number(topic, "max.message.bytes") < kFrameLeast + kBatchOverhead) {
        faults.push_back(fmt::format("max.message.bytes is {}, must be at least {}: a frame is one message",
                                     setting(topic, "max.message.bytes"), kFrameLeast + kBatchOverhead));
    }
    return faults;
}

Result<> KafkaJournal::check_topic() {
    auto topic = topic_state(*producer_, options_.topic, kAdminPatience);
    if (!topic && topic.error().code == ErrorCode::not_found && options_.make_topic) {
        KafkaTopicPlan plan{
            .name = options_.topic,
            .partitions = options_.partition + 1,
            .replicas = options_.single_broker ? 1 : kReplicas,
            .settings = {{"min.insync.replicas", std::to_string(options_.single_broker ? 1 : kInSync)},
                         {"unclean.leader.election.enable", "false"},
                         {"cleanup.policy", "delete"},
                         {"retention.ms", "-1"},
                         {"retention.bytes", "-1"},
                         {"max.message.bytes", std::to_string(options_.frame_bytes_max + kBatchOverhead)}}};
        const auto made = create_topic(*producer_, plan, kAdminPatience);
        if (!made && made.error().code != ErrorCode::conflict) {
            if (made.error().code != ErrorCode::invalid || options_.single_broker) return made.error();
            return Error{ErrorCode::invalid,
                         fmt::format("{}; a journal is kept on {} brokers, or on one for trying out with "
                                     "journal.kafka_single_broker = true",
                                     made.error().what, kReplicas)};
        }
        if (made) log_info("journal_topic_made", {{"topic", options_.topic}, {"replicas", plan.replicas}});
        topic = topic_state(*producer_, options_.topic, kAdminPatience);
        // Another broker may not know it yet: the next try of the start asks again.
        if (!topic && topic.error().code == ErrorCode::not_found) topic.error().code = ErrorCode::unavailable;
    }
    if (!topic) return topic.error();
    if (const auto faults = journal_topic_faults(*topic, options_); !faults.empty()) {
        return Error{ErrorCode::invalid,
                     fmt::format("topic {} is not fit for a journal: {}", options_.topic, fmt::join(faults, "; "))};
    }
    const std::size_t fits = number(*topic, "max.message.bytes") - kBatchOverhead;
    options_.frame_bytes_max = std::min(options_.frame_bytes_max, fits / kFrameAlign * kFrameAlign);
    return {};
}

}  // namespace nostro
