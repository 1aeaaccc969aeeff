// A dead letter as the frame that kept it has it.
#pragma once
#include <optional>

#include "nostro/wire/recorded.hpp"

namespace nostro {

// nullopt: no dead letter stands at that outcome. Its state is `open`, as it was then.
std::optional<DeadLetter> dead_letter_at(const DecodedFrame& frame, std::uint32_t index);

}  // namespace nostro
