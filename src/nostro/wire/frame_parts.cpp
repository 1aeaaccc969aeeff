#include "nostro/wire/frame_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

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

// Adds all commands to the index, and where each begins; `begins` may be nullptr.
Result<> index_commands(PayloadReader& in, CommandIndex& index, std::vector<std::uint32_t>* begins) {
    while (in.ok() && !in.at_end()) {
        if (begins != nullptr) begins->push_back(static_cast<std::uint32_t>(in.at()));
        const auto bytes = next_command(in);
        Error what{};
        if (in.ok() && !index.add(bytes, what)) return what;
    }
    if (!in.ok()) return in.error("commands");
    return {};
}

// What is known of a frame while its outcomes are walked.
struct Walk {
    const EncodedFrame& frame;
    CommandIndex index;
    std::vector<std::uint32_t> begins;  // of each command, and of what is behind the last; in the frame
};

constexpr std::uint32_t kPiecesMax = 2 * kPartOutcomes;

class PartMaker {
public:
    PartMaker(const Walk& walk, const EachPart& each) : walk_(walk), each_(each) {}

    void begin(const OutcomeReader& reader, std::uint32_t at) {
        part_.seq = walk_.frame.header.seq;
        part_.time = walk_.frame.header.time;
        part_.outcomes = {at, 0};
        part_.before = reader.point();
        part_.shapes = reader.shapes();
        low_ = kNoCommand;
        high_ = 0;
    }
    void add(const Outcome& outcome) {
        if (outcome.command >= walk_.index.size()) return;
        low_ = std::min(low_, outcome.command);
        high_ = std::max(high_, outcome.command + 1);
    }
    void end(std::uint32_t at) {
        part_.outcomes.bytes = at - part_.outcomes.begin;
        part_.commands = {};
        part_.first_command = 0;
        if (low_ < high_) {
            part_.commands = {walk_.begins[low_], walk_.begins[high_] - walk_.begins[low_]};
            part_.first_command = low_;
        }
        part_.checksum = crc32c(bytes(part_.outcomes));
        make_pieces();
        if (part_.pieces.empty()) part_.checksum = crc32c(bytes(part_.commands), part_.checksum);
        each_(part_);
    }

private:
    std::span<const std::byte> bytes(FramePart::Range range) const {
        return walk_.frame.bytes().subspan(range.begin, range.bytes);
    }
    void make_pieces() {
        part_.pieces.clear();
        if (low_ >= high_ || high_ - low_ > kPiecesMax) return;
        for (std::uint32_t i = low_; i < high_; ++i) {
            if (walk_.index.items(i) > 1) return part_.pieces.clear();
            const FramePart::Range range{walk_.begins[i], walk_.begins[i + 1] - walk_.begins[i]};
            part_.pieces.push_back({range.bytes, crc32c(bytes(range))});
        }
    }

    const Walk& walk_;
    const EachPart& each_;
    FramePart part_;
    std::uint32_t low_ = kNoCommand, high_ = 0;
};

Result<> walk_outcomes(const Walk& walk, const Section& section, std::uint32_t section_at, const EachPart& each) {
    const FrameFacts facts{walk.frame.header.seq, walk.frame.header.time, &walk.index};
    OutcomeReader reader(facts);
    PayloadReader in(section.payload);
    PartMaker maker(walk, each);
    const auto at = [&] { return section_at + static_cast<std::uint32_t>(in.at()); };
    for (std::uint32_t i = 0; i < section.count; ++i) {
        if (i % kPartOutcomes == 0) {
            if (i != 0) maker.end(at());
            maker.begin(reader, at());
        }
        Outcome outcome;
        reader.get(in, outcome);
        if (!in.ok()) return in.error(name(section.kind));
        maker.add(outcome);
    }
    if (section.count != 0) maker.end(at());
    return {};
}

}  // namespace

Result<> frame_parts(const EncodedFrame& frame, const EachPart& each) {
    Walk walk{frame, {}, {}};
    SectionWalk sections(frame.body(), false);
    while (!sections.at_end()) {
        const auto section = sections.next();
        if (!section) return in_frame(frame.header.seq, section.error());
        const auto at = static_cast<std::uint32_t>(section->payload.data() - frame.bytes().data());
        if (section->kind == SectionKind::commands) {
            PayloadReader in(section->payload);
            auto indexed = index_commands(in, walk.index, &walk.begins);
            if (!indexed) return in_frame(frame.header.seq, indexed.error());
            walk.begins.push_back(static_cast<std::uint32_t>(section->payload.size()));
            for (auto& begin : walk.begins) begin += at;
        }
        if (section->kind != SectionKind::outcomes) continue;
        if (auto walked = walk_outcomes(walk, *section, at, each); !walked) {
            return in_frame(frame.header.seq, walked.error());
        }
        return {};
    }
    return {};
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
    if (auto done = index_commands(in, commands.index, nullptr); !done) return damaged(part, done.error().what);
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
