// A journal with everything in it: several segments, an image, sealed ids, an archive; and frames that lie.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/verify.hpp"
#include "tests/support/book_writer.hpp"
#include "tests/unit/journal/journal_fixture.hpp"

namespace nostro::test {

class BusyJournal {
public:
    explicit BusyJournal(std::uint64_t turns, bool folds = true) {
        disk = std::make_unique<MemoryDisk>(storage);
        auto options = tiny_segments();
        options.frame_bytes_max = 16 * 1024;
        options.segment_bytes = 12 * 4096;
        journal = std::make_unique<SegmentJournal>(*disk, options);
        writer = std::make_unique<BookWriter>(*journal);
        for (std::uint64_t turn = 1; turn <= turns; ++turn) {
            writer->write(busy_commands(turn));
            writer->pass(3h);
        }
        if (folds) fold();
    }
    void fold(const FoldOptions& how = {}) {
        while (*journal->upkeep(steady_now())) {
        }
        auto ids = SealedRuns::open(*disk, false);
        ASSERT_TRUE(ids) << ids.error().what;
        ImageFold folder(*disk, journal->store(), **ids, journal->id(), how);
        for (;;) {
            auto did = folder.step(writer->now());
            ASSERT_TRUE(did) << did.error().what;
            if (!*did) return;
        }
    }
    // The next frame as the Book would write it, then spoilt: whole, in the chain, and a lie. Nothing can follow it.
    Seq append_spoilt(const std::vector<Command>& commands, const std::function<void(Changes&)>& spoil,
                      std::chrono::nanoseconds later = 1s, std::size_t expiries_max = 1024) {
        const Head head = writer->head();
        Changes changes;
        FrameBuilder builder(1 << 16);
        builder.begin();
        writer->book().begin_frame(head.seq + 1, head.time + later, expiries_max, changes);
        for (const Command& command : commands) {
            EXPECT_EQ(writer->book().apply(command, builder.commands()).kind, Answer::Kind::recorded);
            std::vector<std::byte> encoded;
            encode_command(command, encoded);
            builder.add_command(encoded);
        }
        writer->book().end_frame();
        spoil(changes);
        const FrameHeader header{head.seq + 1, head.epoch, 99, head.time + later, head.digest, head.seq, 0, {}};
        EXPECT_TRUE(journal->append(builder.finish(header, head.cursors, head.cursors, changes)));
        EXPECT_TRUE(journal->accepted());
        return header.seq;
    }
    Digest digest_of(Seq seq) const {
        Digest digest{};
        EXPECT_TRUE(journal->store().read(seq, seq, [&](const FramePtr& frame) {
            digest = frame->digest;
            return true;
        }));
        return digest;
    }

    std::shared_ptr<MemoryStorage> storage = std::make_shared<MemoryStorage>();
    std::unique_ptr<MemoryDisk> disk;
    std::unique_ptr<SegmentJournal> journal;
    std::unique_ptr<BookWriter> writer;
};

inline VerifyReport proved(Disk& disk, const VerifyOptions& options = {}) {
    auto report = verify(disk, options);
    EXPECT_TRUE(report) << report.error().what;
    if (!report) return {};
    for (const auto& finding : report->findings) ADD_FAILURE() << describe(finding);
    return *report;
}

}  // namespace nostro::test
