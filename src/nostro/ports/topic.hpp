// Where messages go: a Kafka topic, a file, memory.
#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/cursor.hpp"

namespace nostro {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Message {
    std::string key, value;  // messages of one key keep their order; empty: it has none
    Cursor from;             // the position it came from: a second delivery is known by it
    Headers headers{};
};

class Topic {
public:
    virtual ~Topic() = default;
    // Returns when all are durable. An error: some may be; sent again they stand there twice.
    virtual Result<> publish(std::span<const Message> messages) = 0;
    // Those of the newest message of each part that has one, whoever published it.
    virtual Result<std::vector<Headers>> newest() = 0;
};

}  // namespace nostro
