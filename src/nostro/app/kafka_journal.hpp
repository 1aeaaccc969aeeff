// The journal in Kafka, as [journal] and [kafka] ask for it.
#pragma once
#include <functional>

#include "nostro/app/opened_journal.hpp"
#include "nostro/base/metrics.hpp"

namespace nostro {

// Waits for the cluster, kafka.start_timeout at most, and says in the log that it does. `invalid`: a setting is wrong,
// the cluster does not let us in, the topic is not fit, or this build has no Kafka; `unavailable`: nobody answers.
// `lost` is told, on a thread of the journal's, that another owner took over while nothing was written.
Result<OpenedJournal> open_kafka_journal(const Config& config, MetricsRegistry& metrics,
                                         std::function<void(const Error&)> lost);

// For who only reads it: nothing is claimed, and nobody is disturbed. Errors as above; `not_found`: there is no such
// topic.
Result<FollowedJournal> follow_kafka_journal(const Config& config);

}  // namespace nostro
