// The way in as a program of its own: HTTP in, commands out to the topic kafka.commands_topic, from which whoever has
// the Book takes them. It keeps nothing; any number may run.
#pragma once
#include <memory>

#include "nostro/app/serving.hpp"

namespace nostro {

// `unavailable`: no broker answers; `invalid`: configuration.
Result<std::unique_ptr<Serving>> start_intake(const Config& config);

}  // namespace nostro
