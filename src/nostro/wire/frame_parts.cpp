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
        const auto bytes = walk_.frame.bytes();
        const std::uint32_t outcomes = crc32c(bytes.subspan(part_.outcomes.begin, part_.outcomes.bytes));
        part_.checksum = crc32c(bytes.subspan(part_.commands.begin, part_.commands.bytes), outcomes);
        each_(part_);
    }

private:
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
    constexpr std::size_t kFixedMax = 8 + 4 + 10 * kVarintMax, kShapeMax = 4 * kVarintMax;
    into.resize(kFixedMax + part.shapes.count() * kShapeMax);
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
    if (in.ok() && !in.at_end()) in.fail("bytes behind its end");
    if (!in.ok()) return in_frame(seq, in.error(fmt::format("part {}", number)));
    return part;
}

Result<std::shared_ptr<const OutcomeAlone>> read_outcome(const FramePart& part,
                                                         std::shared_ptr<const std::vector<std::byte>> bytes,
                                                         std::uint32_t index) {
    const auto damaged = [&](const std::string& why) {
        return Error{ErrorCode::corrupt,
                     fmt::format("frame {}: outcome {}, at byte {}: {}", part.seq, index, part.outcomes.begin, why)};
    };
    const std::span<const std::byte> all(*bytes);
    if (all.size() != std::size_t{part.outcomes.bytes} + part.commands.bytes || crc32c(all) != part.checksum) {
        return damaged("its bytes are not those of which the index was made");
    }
    const auto commands = all.subspan(part.outcomes.bytes);
    CommandIndex indexed;
    indexed.begin_at(part.first_command);
    PayloadReader in_commands(commands);
    if (auto done = index_commands(in_commands, indexed, nullptr); !done) return damaged(done.error().what);

    const FrameFacts facts{part.seq, part.time, &indexed};
    OutcomeReader reader(facts, part.before, part.shapes);
    PayloadReader in(all.first(part.outcomes.bytes));
    auto alone = std::make_shared<OutcomeAlone>();
    for (std::uint32_t i = part.before.index; i <= index; ++i) {
        if (in.at_end()) return damaged("there is no such outcome");
        alone->outcome = {};
        reader.get(in, alone->outcome);
        if (!in.ok()) return damaged(in.error("outcomes").what);
    }
    alone->place = {part.seq, index};
    alone->at = part.time;
    const std::uint32_t wanted = alone->outcome.command - part.first_command;
    if (wanted < indexed.size()) {
        PayloadReader walk(commands);
        for (std::uint32_t i = 0; i < wanted; ++i) next_command(walk);
        PayloadReader in_command(next_command(walk));
        get_command(in_command, alone->command, alone->memory, PolicyLoad::no);
        if (!in_command.ok()) return damaged(in_command.error("command").what);
        alone->has_command = true;
    }
    alone->bytes = std::move(bytes);
    return std::shared_ptr<const OutcomeAlone>(std::move(alone));
}

RecordedPart recorded_part(const std::shared_ptr<const OutcomeAlone>& alone) {
    return {alone->outcome, alone->has_command ? &alone->command : nullptr, alone->place, alone->at, alone};
}

}  // namespace nostro
