// nostro feed PROFILE FILE --to kafka: the messages of a file into the topic of a profile.
//
// What the profile could not read is told and left out, and the next ones follow: a topic keeps what it was given.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "nostro/cli/command.hpp"
#include "nostro/cli/feed_file.hpp"

namespace nostro::cli {

struct FeedTopicOptions {
    std::string profile, topic, key;
    std::uint64_t count = 0;  // at most so many; 0: all
    std::uint32_t batch = 1;  // on their way at once
    std::chrono::nanoseconds pause{};
};
struct FedTopic {
    std::string topic;
    std::uint64_t delivered = 0, left_out = 0;
    std::vector<std::string> faults;  // the first few of them
};
Result<FedTopic> feed_topic(const Context& context, const FeedTopicOptions& options, FeedFile& file);

}  // namespace nostro::cli
