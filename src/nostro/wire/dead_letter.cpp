#include "nostro/wire/dead_letter.hpp"

namespace nostro {

std::optional<DeadLetter> dead_letter_at(const DecodedFrame& frame, std::uint32_t index) {
    const auto& outcomes = frame.changes.outcomes;
    if (index >= outcomes.size() || outcomes[index].command >= frame.commands.size()) return std::nullopt;
    const auto* kept = std::get_if<KeepDeadLetter>(&frame.commands[outcomes[index].command].body);
    if (kept == nullptr) return std::nullopt;
    DeadLetter letter;
    letter.place = {frame.seq(), index};
    letter.at = frame.time();
    letter.source = kept->source;
    letter.position = kept->position;
    letter.format = kept->format;
    letter.why = kept->why;
    letter.bytes = kept->bytes;
    return letter;
}

}  // namespace nostro
