// The frames of a Book that has seen a bit of everything.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "tests/support/book_writer.hpp"

namespace nostro {

class FramesOfABook {
public:
    explicit FramesOfABook(std::uint64_t turns = 12, std::chrono::nanoseconds apart = std::chrono::seconds(1))
        : journal_(std::make_shared<MemoryLog>()), writer_(journal_) {
        for (std::uint64_t turn = 1; turn <= turns; ++turn) {
            writer_.pass(apart);
            writer_.write(test::busy_commands(turn));
        }
        take();
    }
    void write(const std::vector<Command>& commands) {
        writer_.write(commands);
        take();
    }
    const std::vector<DecodedPtr>& all() const { return frames_; }
    std::span<const DecodedPtr> from(Seq seq) const { return std::span(frames_).subspan(seq - 1); }
    Result<DecodedPtr> frame(Seq seq) const {
        if (seq == 0 || seq > frames_.size()) return Error{ErrorCode::not_found, "there is no such frame"};
        return frames_[seq - 1];
    }
    test::BookWriter& writer() { return writer_; }

private:
    void take() {
        const auto read = journal_.read(frames_.size() + 1, [this](const FramePtr& frame) {
            auto decoded = std::make_shared<DecodedFrame>();
            EXPECT_TRUE(decode_body(frame, Sections::all, *decoded));
            frames_.push_back(std::move(decoded));
            return true;
        });
        EXPECT_TRUE(read);
    }

    MemoryJournal journal_;
    test::BookWriter writer_;
    std::vector<DecodedPtr> frames_;
};

}  // namespace nostro
