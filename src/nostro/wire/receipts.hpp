// Receipts of a command, from the Book's answer and the outcomes that it has in the frame.
#pragma once
#include <span>
#include <vector>

#include "nostro/wire/recorded.hpp"

namespace nostro {

// One, or of a group one for each of its payments. Precondition of a recorded answer: its places are among the
// frame's outcomes.
void add_receipts(const Command& command, const Answer& answer, Seq seq, std::span<const Outcome> outcomes,
                  std::vector<Receipt>& receipts);

}  // namespace nostro
