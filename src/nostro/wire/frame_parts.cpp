#include "nostro/wire/frame_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "nostro/base/crc32c.hpp"
#include "nostro/wire/payload_parts.hpp"

namespace nostro {
namespace {

Error in_frame(Seq seq, const Error& error) {
    return {ErrorCode::corrupt, fmt::format("frame {}: {}", seq, error.what)};
}

// The bytes of the command that begins there; it stands behind its length.
std::span<const std::byte> next_command(PayloadReader& in) {
    const auto size = in.varint_at_most(in.remaining(), "a command beyond the end");
    if (in.ok() && size == 0) in.fail("an empty command");
    return in.bytes(static_cast<std::size_t>(size));
}

// Adds all commands to the index.
Result<> index_commands(PayloadReader& in, CommandIndex& index) {
    while (in.ok() && !in.at_end()) {
        const auto bytes = next_command(in);
        Error what{};
        if (in.ok() && !index.add(bytes, what)) return what;
    }
    if (!in.ok()) return in.error("commands");
    return {};
}

constexpr std::uint32_t kPiecesMax = 2 * kPartOutcomes;

class PartMaker {
public:
    explicit PartMaker(const DecodedFrame& frame) : frame_(frame), bytes_(frame.frame->bytes()) {
        part_.seq = frame.seq();
        part_.time = frame.time();
    }

    // Parts are asked for in order.
    const FramePart& part(std::size_t number) {
        const FrameMap& map = frame_.map;
        const FrameMap::Mark& mark = map.outcomes[number];
        const bool is_last = number + 1 == map.outcomes.size();
        const std::uint32_t end = is_last ? map.outcomes_end : map.outcomes[number + 1].at;
        part_.outcomes = {mark.at, end - mark.at};
        part_.before = mark.before;
        while (part_.shapes.count() < mark.shapes) part_.shapes.add(map.shapes[part_.shapes.count()]);
        find_commands(number * kPartOutcomes);
        part_.checksum = crc32c(bytes(part_.outcomes));
        make_pieces();
        if (part_.pieces.empty()) part_.checksum = crc32c(bytes(part_.commands), part_.checksum);
        return part_;
    }

private:
    std::span<const std::byte> bytes(FramePart::Range range) const { return bytes_.subspan(range.begin, range.bytes); }

    // [low_, high_) of the commands that the part's outcomes answer.
    void find_commands(std::size_t first) {
        const auto& begins = frame_.map.commands;
        const auto& outcomes = frame_.changes.outcomes;
        low_ = kNoCommand;
        high_ = 0;
        for (std::size_t i = first; i < std::min(first + kPartOutcomes, outcomes.size()); ++i) {
            const std::uint32_t command = outcomes[i].command;
            if (command >= frame_.commands.size()) continue;
            low_ = std::min(low_, command);
            high_ = std::max(high_, command + 1);
        }
        part_.commands = {};
        part_.first_command = 0;
        if (low_ >= high_) return;
        part_.commands = {begins[low_], begins[high_] - begins[low_]};
        part_.first_command = low_;
    }
    void make_pieces() {
        part_.pieces.clear();
        if (low_ >= high_ || high_ - low_ > kPiecesMax) return;
        for (std::uint32_t i = low_; i < high_; ++i) {
            const auto* group = std::get_if<SubmitGroup>(&frame_.commands[i].body);
            if (group != nullptr && group->payments.size() > 1) return part_.pieces.clear();
            const FramePart::Range range{frame_.map.commands[i], frame_.map.commands[i + 1] - frame_.map.commands[i]};
            part_.pieces.push_back({range.bytes, crc32c(bytes(range))});
        }
    }

    const DecodedFrame& frame_;
    const std::span<const std::byte> bytes_;
    FramePart part_;
    std::uint32_t low_ = kNoCommand, high_ = 0;
};

}  // namespace

void frame_parts(const DecodedFrame& frame, const EachPart& each) {
    PartMaker maker(frame);
    for (std::size_t number = 0; number < frame.map.outcomes.size(); ++number) each(maker.part(number));
}

std::string_view encode_part(const FramePart& part, std::vector<std::byte>& into) {
    constexpr std::size_t kFixedMax = 8 + 4 + 11 * kVarintMax, kShapeMax = 4 * kVarintMax, kPieceMax = kVarintMax + 4;
    into.resize(kFixedMax + part.shapes.count() * kShapeMax + part.pieces.size() * kPieceMax);
    RawWriter raw(into.data());
    put_instant(raw, part.time);
    raw.u32(part.checksum);
    for (const FramePart::Range& range : {part.outcomes, part.commands}) {
        raw.varint(range.begin);
        raw.varint(range.bytes);
    }
    raw.varint(part.first_command);
    raw.varint(part.before.next_command);
    raw.varint(part.before.next_item);
    raw.varint(part.before.last_number);
    raw.varint(part.shapes.count());
    for (std::uint32_t i = 0; i < part.shapes.count(); ++i) {
        const HitShape& shape = part.shapes[i];
        raw.varint(shape.rule);
        raw.zigzag(shape.points);
        raw.zigzag(shape.at_most);
        raw.varint(shape.bucket);
    }
    raw.varint(part.pieces.size());
    for (const FramePart::Piece& piece : part.pieces) {
        raw.varint(piece.bytes);
        raw.u32(piece.checksum);
    }
    return {reinterpret_cast<const char*>(into.data()), static_cast<std::size_t>(raw.at() - into.data())};
}

Result<FramePart> decode_part(std::string_view bytes, Seq seq, std::uint32_t number) {
    PayloadReader in(std::as_bytes(std::span(bytes)));
    FramePart part;
    part.seq = seq;
    part.time = in.instant();
    part.checksum = in.u32();
    for (FramePart::Range* range : {&part.outcomes, &part.commands}) {
        range->begin = in.varint32();
        range->bytes = static_cast<std::uint32_t>(in.varint_at_most(kFrameBodyMax, "a part longer than a frame"));
    }
    part.first_command = in.varint32();
    part.before.index = number * kPartOutcomes;
    part.before.next_command = in.varint32();
    part.before.next_item = in.varint32();
    part.before.last_number = in.varint();
    const auto shapes = in.varint_at_most(kRecurringMax, "more rules than are counted");
    for (std::uint64_t i = 0; i < shapes && in.ok(); ++i) {
        HitShape shape;
        shape.rule = in.varint16();
        shape.points = static_cast<std::int32_t>(in.zigzag());
        shape.at_most = in.zigzag();
        shape.bucket = in.varint();
        part.shapes.add(shape);
    }
    const auto pieces = in.varint_at_most(kPiecesMax, "more commands than are read alone");
    std::uint64_t together = 0;
    for (std::uint64_t i = 0; i < pieces && in.ok(); ++i) {
        FramePart::Piece& piece = part.pieces.emplace_back();
        piece.bytes = in.varint32();
        piece.checksum = in.u32();
        together += piece.bytes;
    }
    if (in.ok() && pieces != 0 && together != part.commands.bytes) in.fail("commands that are not the whole");
    if (in.ok() && !in.at_end()) in.fail("bytes behind its end");
    if (!in.ok()) return in_frame(seq, in.error(fmt::format("part {}", number)));
    return part;
}

namespace {

constexpr std::string_view kOthers = "its bytes are not those of which the index was made";
Error damaged(const FramePart& part, std::string_view why) {
    return {ErrorCode::corrupt, fmt::format("frame {}: outcomes at byte {}: {}", part.seq, part.outcomes.begin, why)};
}

// Commands of a part, from number `first` on.
struct PartCommands {
    std::span<const std::byte> bytes;
    std::uint32_t first = 0;
    CommandIndex index;
};

// The outcome, as far as these commands tell of it.
Result<Outcome> outcome_at(const FramePart& part, std::span<const std::byte> outcomes, const CommandIndex& commands,
                           std::uint32_t index) {
    const FrameFacts facts{part.seq, part.time, &commands};
    OutcomeReader reader(facts, part.before, part.shapes);
    PayloadReader in(outcomes);
    Outcome outcome;
    for (std::uint32_t i = part.before.index; i <= index; ++i) {
        if (in.at_end()) return damaged(part, "there is no such outcome");
        outcome = {};
        reader.get(in, outcome);
        if (!in.ok()) return damaged(part, in.error("outcomes").what);
    }
    return outcome;
}

// Of a part whose commands have pieces: the one of that number; empty: it has none.
Result<std::vector<std::byte>> read_piece(const FramePart& part, std::uint32_t command, const ReadRange& read) {
    std::vector<std::byte> bytes;
    const std::uint32_t at = command - part.first_command;
    if (at >= part.pieces.size()) return bytes;
    std::uint32_t begin = part.commands.begin;
    for (std::uint32_t i = 0; i < at; ++i) begin += part.pieces[i].bytes;
    bytes.resize(part.pieces[at].bytes);
    if (auto done = read(begin, bytes); !done) return done.error();
    if (crc32c(bytes) != part.pieces[at].checksum) return damaged(part, kOthers);
    return bytes;
}

Result<> add_command(const FramePart& part, const PartCommands& commands, OutcomeAlone& alone) {
    const std::uint32_t wanted = alone.outcome.command - commands.first;
    if (wanted >= commands.index.size()) return {};
    PayloadReader walk(commands.bytes);
    for (std::uint32_t i = 0; i < wanted; ++i) next_command(walk);
    PayloadReader in(next_command(walk));
    get_command(in, alone.command, alone.memory, PolicyLoad::no);
    if (!in.ok()) return damaged(part, in.error("command").what);
    alone.has_command = true;
    return {};
}

}  // namespace

Result<std::shared_ptr<const std::vector<std::byte>>> read_part(const FramePart& part, const ReadRange& read) {
    const std::size_t together = part.pieces.empty() ? part.commands.bytes : 0;
    auto bytes = std::make_shared<std::vector<std::byte>>(part.outcomes.bytes + together);
    const auto all = std::span(*bytes);
    if (auto done = read(part.outcomes.begin, all.first(part.outcomes.bytes)); !done) return done.error();
    if (together != 0) {
        if (auto done = read(part.commands.begin, all.last(together)); !done) return done.error();
    }
    if (crc32c(all) != part.checksum) return damaged(part, kOthers);
    return std::shared_ptr<const std::vector<std::byte>>(std::move(bytes));
}

Result<std::shared_ptr<const OutcomeAlone>> read_outcome(const FramePart& part,
                                                         std::shared_ptr<const std::vector<std::byte>> bytes,
                                                         const ReadRange& read, std::uint32_t index) {
    const auto outcomes = std::span(*bytes).first(part.outcomes.bytes);
    auto alone = std::make_shared<OutcomeAlone>();
    alone->bytes = bytes;
    PartCommands commands{std::span(*bytes).subspan(part.outcomes.bytes), part.first_command, {}};
    if (!part.pieces.empty()) {
        // Which command it answers is known without them: none is a group, so one outcome follows the other.
        const auto told = outcome_at(part, outcomes, commands.index, index);
        if (!told) return told.error();
        auto piece = read_piece(part, told->command, read);
        if (!piece) return piece.error();
        alone->bytes = std::make_shared<const std::vector<std::byte>>(std::move(*piece));
        commands.bytes = *alone->bytes;
        commands.first = told->command;
    }
    commands.index.begin_at(commands.first);
    PayloadReader in(commands.bytes);
    if (auto done = index_commands(in, commands.index); !done) return damaged(part, done.error().what);
    auto outcome = outcome_at(part, outcomes, commands.index, index);
    if (!outcome) return outcome.error();
    alone->outcome = *outcome;
    alone->place = {part.seq, index};
    alone->at = part.time;
    if (auto added = add_command(part, commands, *alone); !added) return added.error();
    return std::shared_ptr<const OutcomeAlone>(std::move(alone));
}

RecordedPart recorded_part(const std::shared_ptr<const OutcomeAlone>& alone) {
    return {alone->outcome, alone->has_command ? &alone->command : nullptr, alone->place, alone->at, alone};
}

}  // namespace nostro
