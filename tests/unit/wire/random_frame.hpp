// Frames with any content, from a seed.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <variant>
#include <vector>

#include "nostro/wire/frame.hpp"
#include "tests/unit/wire/random_things.hpp"

namespace nostro::test {

inline FrameHeader a_header() {
    FrameHeader header;
    header.seq = 17;
    header.epoch = 3;
    header.nonce = 0x0123456789abcdef;
    header.time = Instant{std::chrono::nanoseconds{1'790'000'000'123'456'789}};
    header.previous[0] = 1;
    header.accepted = 15;
    return header;
}

inline std::vector<std::byte> encoded(const Command& command) {
    std::vector<std::byte> bytes;
    encode_command(command, bytes);
    return bytes;
}

// A frame with any commands, and outcomes of which some are as their command says.
struct RandomFrame {
    std::vector<Command> commands;
    Changes changes;
    std::vector<Cursor> first, last;
    FrameHeader header;

    explicit RandomFrame(RandomThings& things, std::uint64_t commands_max = 8) : header(a_header()) {
        header.seq = things.u64();
        header.time = things.instant();
        header.nonce = things.u64();
        if (things.coin()) changes.outcomes.push_back(things.outcome());
        for (auto n = things.below(commands_max); n > 0; --n) {
            const auto number = static_cast<std::uint32_t>(commands.size());
            commands.push_back(things.command(things.coin() ? things.below(2) : things.below(RandomThings::kKinds)));
            if (const auto* submit = std::get_if<SubmitPayment>(&commands.back().body)) {
                add_outcome(things, *submit, number, 0);
            } else if (const auto* group = std::get_if<SubmitGroup>(&commands.back().body)) {
                for (std::uint32_t i = 0; i < group->payments.size(); ++i) {
                    add_outcome(things, group->payments[i], number, i);
                }
            } else if (things.coin()) {
                changes.outcomes.push_back(things.outcome());
            }
        }
        things.add_images(changes);
        first = things.cursors();
        last = things.cursors();
    }
    void add_outcome(RandomThings& things, const SubmitPayment& submit, std::uint32_t number, std::uint32_t item) {
        const Place own{header.seq, static_cast<std::uint32_t>(changes.outcomes.size())};
        auto& outcome = changes.outcomes.emplace_back(things.outcome_of(submit, number, item, own, header.time));
        if (things.coin()) outcome.tenant = commands[number].tenant;
        if (things.coin()) changes.known.push_back({submit.payment.id, own.index, submit.meaning});
    }
    FramePtr build(FrameBuilder& builder) const {
        builder.begin();
        for (const auto& command : commands) builder.add_command(encoded(command));
        const std::size_t at_most = builder.bytes_at_most(changes) + (first.size() + last.size()) * 20;
        auto frame = builder.finish(header, first, last, changes);
        EXPECT_LE(frame->bytes().size(), at_most);
        return frame;
    }
};

}  // namespace nostro::test
