#include "nostro/app/kafka_journal.hpp"

#ifndef NOSTRO_KAFKA

namespace nostro {

namespace {

Error missing() {
    return {
        ErrorCode::invalid,
        "journal.kind: this nostro was built without Kafka; run tools/fetch/librdkafka.sh, which fetches and builds "
        "librdkafka, and build nostro again"};
}

}  // namespace

Result<OpenedJournal> open_kafka_journal(const Config&, MetricsRegistry&, std::function<void(const Error&)>) {
    return missing();
}
Result<FollowedJournal> follow_kafka_journal(const Config&) { return missing(); }

}  // namespace nostro

#else

#include <fmt/format.h>

#include <algorithm>

#include "nostro/adapters/kafka/kafka_journal.hpp"
#include "nostro/adapters/kafka/owner_group.hpp"
#include "nostro/app/kafka_settings.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTry{5'000};

Result<std::unique_ptr<KafkaJournal>> open(const Config& config, const KafkaJournalOptions& options) {
    const SteadyTime until = steady_now() + config.kafka.start_timeout;
    for (int tries = 1;; ++tries) {
        auto journal = KafkaJournal::open(options);
        if (journal || journal.error().code != ErrorCode::unavailable) return journal;
        if (steady_now() >= until) {
            return Error{ErrorCode::unavailable, fmt::format("{} (tried {} times in {})", journal.error().what, tries,
                                                             format_duration(config.kafka.start_timeout))};
        }
        log_warn("kafka_waits", {{"servers", config.kafka.bootstrap_servers}, {"why", journal.error().what}});
    }
}

Result<KafkaJournalOptions> options_of(const Config& config) {
    auto settings = kafka_settings(config);
    if (!settings) return settings.error();
    KafkaJournalOptions options;
    options.cluster = std::move(*settings);
    options.topic = config.journal.kafka_topic;
    options.single_broker = config.journal.kafka_single_broker;
    options.in_flight_max = config.journal.in_flight;
    options.tail_bytes = config.journal.tail_bytes;
    options.reach_patience = std::min(kTry, std::chrono::ceil<milliseconds>(config.kafka.start_timeout));
    return options;
}

}  // namespace

Result<OpenedJournal> open_kafka_journal(const Config& config, MetricsRegistry& metrics,
                                         std::function<void(const Error&)> lost) {
    auto made = options_of(config);
    if (!made) return made.error();
    KafkaJournalOptions& options = *made;
    options.on_lost = std::move(lost);
    options.void_records = &metrics.gauge("nostro_kafka_journal_void_records",
                                          "Records of the journal's partition that are no frame of the chain.");
    options.looked_up = &metrics.gauge("nostro_kafka_journal_looked_up_frames",
                                       "Frames found by reading, as their report did not tell where they are.");
    auto opened = open(config, options);
    if (!opened) return opened.error();
    log_info("kafka_journal", {{"servers", config.kafka.bootstrap_servers},
                               {"topic", options.topic},
                               {"single_broker", options.single_broker}});
    const KafkaJournal* const journal = opened->get();
    auto tied = tied_to_folder(config, std::move(*opened));
    if (!tied) return tied;
    tied->candidacy = std::make_unique<KafkaOwnerGroup>(
        KafkaOwnerGroupOptions{.cluster = options.cluster,
                               .topic = options.topic,
                               .partition = options.partition,
                               .group = options.topic + "-owner",
                               .session_timeout = std::chrono::ceil<milliseconds>(config.standby.session_timeout),
                               .nonce = journal->nonce(),
                               .owner = [journal] { return journal->owner(); }});
    return tied;
}

Result<FollowedJournal> follow_kafka_journal(const Config& config) {
    auto options = options_of(config);
    if (!options) return options.error();
    options->make_topic = false;
    auto journal = open(config, *options);
    if (!journal) return journal.error();
    auto begin_behind = [from = journal->get()](const ChainPoint& point) { return from->begin_behind(point); };
    return FollowedJournal{.journal = std::move(*journal), .begin_behind = std::move(begin_behind)};
}

}  // namespace nostro

#endif
