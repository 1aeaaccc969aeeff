// Where messages go: a Kafka topic, a file, memory.
#pragma once
#include <span>
#include <string>

#include "nostro/base/result.hpp"
#include "nostro/domain/cursor.hpp"

namespace nostro {

struct Message {
    std::string key, value;
    Cursor from;  // the position it came from: a second delivery is known by it
};

class Topic {
public:
    virtual ~Topic() = default;
    virtual Result<> publish(std::span<const Message> messages) = 0;  // returns when durable
};

}  // namespace nostro
