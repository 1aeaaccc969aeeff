// What the simulation takes from its surroundings.
#pragma once
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "nostro/base/text.hpp"

namespace nostro::sim {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : parse_uint64(text).value_or(otherwise);
}

// Called at each beginning: what has not come to the next one in five minutes hangs, and the signal ends the program.
inline void begin_patience() { alarm(300); }

}  // namespace nostro::sim
