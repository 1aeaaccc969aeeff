#include <fmt/format.h>

#include <utility>

#include "nostro/wire/changes_codec.hpp"
#include "nostro/wire/frame.hpp"
#include "nostro/wire/image_codec.hpp"

namespace nostro {
namespace {

Error in_frame(const EncodedFrame& frame, const Error& error) {
    return {ErrorCode::corrupt, fmt::format("frame {}: {}", frame.header.seq, error.what)};
}

// One command after the other, each behind its length.
class CommandWalk {
public:
    explicit CommandWalk(const Section& section) : in_(section.payload), left_(section.count) {}
    // Empty at the end and when something is wrong.
    std::span<const std::byte> next() {
        if (left_ == 0) {
            if (in_.ok() && !in_.at_end()) in_.fail("bytes behind the last command");
            return {};
        }
        --left_;
        ++number_;
        const auto size = in_.varint_at_most(in_.remaining(), "a command beyond the end");
        if (in_.ok() && size == 0) in_.fail("an empty command");
        return in_.bytes(static_cast<std::size_t>(size));
    }
    Result<> result() const {
        if (in_.ok()) return {};
        return in_.error(name(SectionKind::commands));
    }
    std::uint32_t number() const { return number_; }  // of the one that next() gave, from 1
    std::size_t at() const { return in_.at(); }       // behind it

private:
    PayloadReader in_;
    std::uint32_t left_, number_ = 0;
};

// `begins`: where each stands, and where they end.
Result<> index_commands(const Section& section, std::size_t at, CommandIndex& index,
                        std::vector<std::uint32_t>& begins) {
    CommandWalk walk(section);
    begins.push_back(static_cast<std::uint32_t>(at));
    for (auto bytes = walk.next(); !bytes.empty(); bytes = walk.next()) {
        begins.push_back(static_cast<std::uint32_t>(at + walk.at()));
        Error what{};
        if (!index.add(bytes, what)) {
            return Error{ErrorCode::corrupt, fmt::format("commands: number {}: {}", walk.number() - 1, what.what)};
        }
    }
    return walk.result();
}

Result<> read_commands(const Section& section, PolicyLoad load, DecodedFrame& into) {
    into.commands.reserve(section.count);
    CommandWalk walk(section);
    for (auto bytes = walk.next(); !bytes.empty(); bytes = walk.next()) {
        PayloadReader in(bytes);
        get_command(in, into.commands.emplace_back(), into.memory, load);
        if (!in.ok()) return in.error(fmt::format("commands: number {}", walk.number() - 1));
    }
    return walk.result();
}

Result<> read_cursors(const Section& section, std::vector<Cursor>& into) {
    PayloadReader in(section.payload);
    get_cursors(in, section.count, into);
    if (in.ok() && !in.at_end()) in.fail("bytes behind the last cursor");
    if (!in.ok()) return in.error(name(section.kind));
    return {};
}

Result<> read_outcomes(const Section& section, std::size_t at, const FrameFacts& facts, DecodedFrame& into) {
    PayloadReader in(section.payload);
    OutcomeReader reader(facts);
    into.changes.outcomes.reserve(section.count);
    const auto here = [&] { return static_cast<std::uint32_t>(at + in.at()); };
    for (std::uint32_t i = 0; i < section.count && in.ok(); ++i) {
        if (i % kPartOutcomes == 0) into.map.outcomes.push_back({here(), reader.point(), reader.shapes().count()});
        reader.get(in, into.changes.outcomes.emplace_back());
    }
    into.map.outcomes_end = here();
    into.map.shapes = reader.shapes();
    if (in.ok() && !in.at_end()) in.fail("bytes behind the last entry");
    if (!in.ok()) return in.error(name(section.kind));
    return {};
}

Result<> read_section(const Section& section, Sections which, CommandIndex& index, const FrameFacts& facts,
                      DecodedFrame& into) {
    const auto at = static_cast<std::size_t>(section.payload.data() - into.frame->bytes().data());
    switch (section.kind) {
        case SectionKind::commands: {
            if (auto indexed = index_commands(section, at, index, into.map.commands); !indexed) return indexed;
            if (which == Sections::images) return {};
            return read_commands(section, which == Sections::all ? PolicyLoad::yes : PolicyLoad::no, into);
        }
        case SectionKind::cursors_first: return read_cursors(section, into.first);
        case SectionKind::cursors_last: return read_cursors(section, into.last);
        case SectionKind::outcomes: return read_outcomes(section, at, facts, into);
        default:
            if (which == Sections::outcomes) return {};
    }
    return get_changes(section, facts, PolicyLoad::yes, into.changes);
}

}  // namespace

Result<> decode_body(FramePtr frame, Sections which, DecodedFrame& into) {
    into.first.clear();
    into.last.clear();
    into.commands.clear();
    into.memory.clear();
    into.changes.clear();
    into.map.clear();
    into.frame = std::move(frame);

    CommandIndex index;
    const FrameFacts facts{into.frame->header.seq, into.frame->header.time, &index};
    SectionWalk walk(into.frame->body(), false);  // decode_frame() and finish() are the only makers: checked already
    while (!walk.at_end()) {
        const auto section = walk.next();
        if (!section) return in_frame(*into.frame, section.error());
        if (auto read = read_section(*section, which, index, facts, into); !read) {
            return in_frame(*into.frame, read.error());
        }
    }
    return {};
}

Result<> decode_cursors(const EncodedFrame& frame, std::vector<Cursor>& first, std::vector<Cursor>& last) {
    first.clear();
    last.clear();
    SectionWalk walk(frame.body(), false);
    while (!walk.at_end()) {
        const auto section = walk.next();
        if (!section) return in_frame(frame, section.error());
        if (section->kind != SectionKind::cursors_first && section->kind != SectionKind::cursors_last) continue;
        auto& into = section->kind == SectionKind::cursors_first ? first : last;
        if (auto read = read_cursors(*section, into); !read) return in_frame(frame, read.error());
    }
    return {};
}

}  // namespace nostro
