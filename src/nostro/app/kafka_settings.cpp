#ifdef NOSTRO_KAFKA

#include "nostro/app/kafka_settings.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "nostro/base/text.hpp"

namespace nostro {

Result<KafkaSettings> kafka_settings(const Config& config) {
    const Config::Kafka& from = config.kafka;
    KafkaSettings settings{.bootstrap_servers = from.bootstrap_servers,
                           .tls = from.tls,
                           .ca_file = from.ca_file,
                           .mechanism = from.mechanism == "none" ? "" : from.mechanism,
                           .user = from.user,
                           .password = {}};
    if (settings.mechanism.empty()) return settings;
    std::ifstream file(from.password_file, std::ios::binary);
    if (!file) {
        return Error{ErrorCode::invalid,
                     fmt::format("kafka.password_file: {} cannot be read; kafka.mechanism {} needs a password",
                                 quoted(from.password_file), from.mechanism)};
    }
    const std::string text(std::istreambuf_iterator<char>(file), {});
    settings.password = trim(text);
    return settings;
}

}  // namespace nostro

#endif
