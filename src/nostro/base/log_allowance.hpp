// For the few events of which each line is promised to somebody: a bound of their own in the place of
// LogOptions::per_second.
#pragma once
#include "nostro/base/log.hpp"

namespace nostro {

void log_event_up_to(unsigned per_second, LogLevel level, std::string_view event, LogFields fields);

}  // namespace nostro
