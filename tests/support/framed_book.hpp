// A Book that a test drives, and its frames as readers get them: a command a frame.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/frame.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro::test {

// Accounts open with their first payment; what is large is looked at.
constexpr std::string_view kFramedBookRules = R"(
unknown_accounts = "open"
[thresholds]
review = 50
[[rule]]
name = "large"
kind = "amount_band"
at_least = { EUR = "500.00" }
points = 60
)";

class FramedBook {
public:
    FramedBook() : book_(kFramedBookRules) { keep(a_command(ChangePolicy{book_->policy(0), "test"})); }

    Answer run(const Command& command) {
        const Answer answer = book_.run(command);
        keep(command);
        return answer;
    }
    void wait(std::chrono::nanoseconds time) {
        book_.wait(time);
        keep(std::nullopt);
    }
    void pass(std::chrono::nanoseconds time) { book_.pass(time); }
    void drop_history_before(Seq seq) { kept_from_ = seq; }

    DrivenBook& book() { return book_; }
    const std::vector<DecodedPtr>& frames() const { return frames_; }
    Result<DecodedPtr> frame(Seq seq) const {
        if (seq < kept_from_ || seq > frames_.size()) return Error{ErrorCode::not_found, "frame is not kept"};
        return frames_[seq - 1];
    }

private:
    void keep(const std::optional<Command>& command) {
        builder_.begin();
        std::vector<std::byte> bytes;
        if (command) {
            encode_command(*command, bytes);
            builder_.add_command(bytes);
        }
        FrameHeader header;
        header.seq = book_.seq();
        header.time = book_.now();
        if (!frames_.empty()) header.previous = frames_.back()->frame->digest;
        auto decoded = std::make_shared<DecodedFrame>();
        const auto done = decode_body(builder_.finish(header, {}, {}, book_.changes()), Sections::all, *decoded);
        ASSERT_TRUE(done) << done.error().what;
        frames_.push_back(std::move(decoded));
    }

    DrivenBook book_;
    FrameBuilder builder_{1 << 20};
    std::vector<DecodedPtr> frames_;
    Seq kept_from_ = 1;
};

}  // namespace nostro::test
