// A small segment journal in memory, stepped by hand.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro::test {

// Room for seven blocks of frames: a roll every few frames.
inline SegmentJournalOptions tiny_segments() {
    SegmentJournalOptions options;
    options.frame_bytes_max = 8 * 1024;
    options.segment_bytes = 9 * 4096;
    options.spares = 2;
    options.tail_bytes = 8 * 1024;
    options.own_thread = false;
    return options;
}

struct Written {
    std::vector<FramePtr> frames;  // by seq - 1
    Seq accepted = 0;              // told by accepted()
};

// Writes one frame and sees it accepted; the disk completes at once.
inline void write_accepted(Journal& journal, FrameChain& chain, Written& written, std::size_t payload = 100) {
    auto ready = journal.ready();
    ASSERT_TRUE(ready) << ready.error().what;
    auto frame = chain.next(chain.head().seq, payload);
    auto appended = journal.append(frame);
    ASSERT_TRUE(appended) << appended.error().what;
    auto accepted = journal.accepted();
    ASSERT_TRUE(accepted) << accepted.error().what;
    ASSERT_EQ(*accepted, frame->header.seq);
    written.frames.resize(frame->header.seq);
    written.frames.back() = frame;
    written.accepted = *accepted;
}

inline Result<std::vector<FramePtr>> read_frames(const Journal& journal, Seq from = 1) {
    std::vector<FramePtr> frames;
    auto next = journal.read(from, [&](const FramePtr& frame) {
        frames.push_back(frame);
        return true;
    });
    if (!next) return next.error();
    return frames;
}

}  // namespace nostro::test
