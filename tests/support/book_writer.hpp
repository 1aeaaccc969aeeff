// A Book that writes into a journal: settlement without queues, for tests of what stands in journals.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/frame.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro::test {

class BookWriter {
public:
    // Takes over, installs image and frames; the ids up to the image are the sealed runs' to know.
    explicit BookWriter(Journal& journal, const BookSize& size = kSmallBook)
        : journal_(journal), book_(size), builder_(1 << 20) {
        auto head = journal.take_over();
        if (!head) {
            ADD_FAILURE() << head.error().what;
            return;
        }
        head_ = *head;
        auto image = journal.image([&](const Changes& cells) { EXPECT_TRUE(book_.install(0, Instant{}, cells)); });
        EXPECT_TRUE(image) << image.error().what;
        if (!image) return;
        if (*image != 0) book_.forget_known(*image);
        DecodedFrame decoded;
        auto read = journal.read(*image + 1, [&](const FramePtr& frame) {
            EXPECT_TRUE(decode_body(frame, Sections::images, decoded));
            EXPECT_TRUE(book_.install(decoded.seq(), decoded.time(), decoded.changes));
            return true;
        });
        EXPECT_TRUE(read) << read.error().what;
        now_ = std::max(kStart, head_.time);
        if (head_.seq == 0) write({{0, {}, 0, ChangePolicy{a_policy("unknown_accounts = \"open\"\n"), "test"}}});
    }

    // One frame of these commands, accepted.
    void write(const std::vector<Command>& commands) {
        changes_.clear();
        builder_.begin();
        book_.begin_frame(head_.seq + 1, now_, 1024, changes_);
        answers_.clear();
        std::uint32_t recorded = 0;
        for (const auto& command : commands) {
            answers_.push_back(book_.apply(command, recorded));
            if (answers_.back().kind != Answer::Kind::recorded) continue;
            std::vector<std::byte> encoded;
            encode_command(command, encoded);
            builder_.add_command(encoded);
            ++recorded;
        }
        book_.end_frame();
        FrameHeader header;
        header.seq = head_.seq + 1;
        header.epoch = head_.epoch;
        header.nonce = 99;
        header.time = now_;
        header.previous = head_.digest;
        header.accepted = head_.seq;
        auto frame = builder_.finish(header, head_.cursors, head_.cursors, changes_);
        head_ = {header.seq, frame->digest, head_.epoch, now_, head_.cursors};
        auto ready = journal_.ready();
        ASSERT_TRUE(ready) << ready.error().what;
        auto appended = journal_.append(frame);
        ASSERT_TRUE(appended) << appended.error().what;
        for (;;) {
            auto accepted = journal_.accepted();
            ASSERT_TRUE(accepted) << accepted.error().what;
            if (*accepted == header.seq) return;
        }
    }
    void pass(std::chrono::nanoseconds time) { now_ += time; }
    Instant now() const { return now_; }
    Book& book() { return book_; }
    const Head& head() const { return head_; }
    const std::vector<Answer>& answers() const { return answers_; }
    const Changes& changes() const { return changes_; }

private:
    Journal& journal_;
    Book book_;
    FrameBuilder builder_;
    Head head_;
    Instant now_{};
    Changes changes_;
    std::vector<Answer> answers_;
};

// A frame of many kinds of things: openings, payments that settle, wait, are refused, end what waited.
inline std::vector<Command> busy_commands(std::uint64_t turn) {
    static const char* names[] = {"ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal"};
    const auto who = [&](std::uint64_t n) { return names[n % 8]; };
    const auto id = [&](std::uint64_t n) { return payment_id_of(turn * 100 + n); };
    std::vector<Command> commands;
    commands.push_back(a_payment()
                           .id(id(1))
                           .of("EUR", 100 + static_cast<std::int64_t>(turn))
                           .from(who(turn))
                           .to(who(turn + 1))
                           .opening(100'000, 0)
                           .command());
    commands.push_back(a_payment()
                           .id(id(2))
                           .of("EUR", 700)
                           .from(who(turn + 2))
                           .to(who(turn + 3))
                           .opening(50'000, 10)
                           .manual()
                           .command());
    commands.push_back(a_payment().id(id(3)).of("EUR", 900'000'000).from(who(turn)).to(who(turn + 1)).command());
    if (turn % 3 == 1 && turn > 1)
        commands.push_back(a_command(CapturePayment{payment_id_of((turn - 1) * 100 + 2), 300}));
    if (turn % 3 == 2) commands.push_back(a_command(VoidPayment{payment_id_of((turn - 1) * 100 + 2)}));
    return commands;
}

}  // namespace nostro::test
