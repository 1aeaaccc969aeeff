// Outcomes of a frame in parts of a few, each of which can be read alone: where its bytes stand, and what a reader has
// to know of what stands before. So one payment among thousands costs no more than its neighbours.
//
// A part is derived from its frame and changes nothing in it; whoever reads often keeps them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/wire/frame.hpp"
#include "nostro/wire/outcome_codec.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

struct FramePart {
    // Bytes of the frame, from its header's first on.
    struct Range {
        std::uint32_t begin = 0, bytes = 0;
        friend bool operator==(const Range&, const Range&) = default;
    };
    Seq seq = 0;
    Instant time{};
    Range outcomes;                   // kPartOutcomes of them, but for the last part
    Range commands;                   // that these answer, and whatever stands between them
    std::uint32_t first_command = 0;  // the number of the first of them
    std::uint32_t checksum = 0;       // CRC32C of the outcomes, and behind them of the commands unless they have pieces
    // Each command, so that one can be read without its neighbours. None: they are read together, as one of them is a
    // group, or there are too many.
    struct Piece {
        std::uint32_t bytes = 0, checksum = 0;
        friend bool operator==(const Piece&, const Piece&) = default;
    };
    std::vector<Piece> pieces;
    OutcomePoint before;  // before.index: of the part's first outcome
    HitShapes shapes;     // so far
};
using EachPart = std::function<void(const FramePart&)>;

// Gives the parts of a frame, decoded with its commands, in order; an outcome stands in part index / kPartOutcomes.
void frame_parts(const DecodedFrame& frame, const EachPart& each);

// A part as it is kept; seq and part number are not written, they are its key.
std::string_view encode_part(const FramePart& part, std::vector<std::byte>& into);
Result<FramePart> decode_part(std::string_view bytes, Seq seq, std::uint32_t number);

// An outcome and its command, read without the rest of the frame; as decode_body() gives them, but that a ChangePolicy
// has no policy.
struct OutcomeAlone {
    Outcome outcome;
    Command command;
    bool has_command = false;
    Place place;
    Instant at{};
    CommandMemory memory;
    std::shared_ptr<const std::vector<std::byte>> bytes;
};
// Reads bytes of the part's frame.
using ReadRange = std::function<Result<>(std::uint32_t begin, std::span<std::byte> into)>;
// What all reads of a part begin with: the outcomes, and the commands unless they have pieces. `corrupt`: they are not
// those that the part was made of.
Result<std::shared_ptr<const std::vector<std::byte>>> read_part(const FramePart& part, const ReadRange& read);
// `bytes`: as read_part() gave them. `corrupt`: `index`, the frame's how-manieth outcome, is not among them, or its
// command is not the one that the part was made of.
Result<std::shared_ptr<const OutcomeAlone>> read_outcome(const FramePart& part,
                                                         std::shared_ptr<const std::vector<std::byte>> bytes,
                                                         const ReadRange& read, std::uint32_t index);
RecordedPart recorded_part(const std::shared_ptr<const OutcomeAlone>& alone);

}  // namespace nostro
