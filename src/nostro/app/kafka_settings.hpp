// [kafka] as the adapter takes it. Only in a build that has Kafka.
#pragma once
#include "nostro/adapters/kafka/client.hpp"
#include "nostro/app/config.hpp"

namespace nostro {

// `invalid`: the password's file cannot be read.
Result<KafkaSettings> kafka_settings(const Config& config);

}  // namespace nostro
