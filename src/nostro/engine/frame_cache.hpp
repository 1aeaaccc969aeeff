// Accepted frames, decoded once for all who read them: feeds, the live stream, reads by id. Bounded; the
// least recently used go first. What is not here is read from the journal.
//
// Threads: any.
#pragma once
#include <atomic>
#include <cstddef>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "nostro/ports/journal.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

class FrameCache {
public:
    // `bytes_max` bounds the frames as they stand in memory, decoded: six times what they take in the journal. The
    // newest one is always kept.
    FrameCache(const Journal& journal, std::size_t bytes_max);

    // The newest frame that may be told of. Only settlement moves it.
    Seq accepted() const { return accepted_.load(std::memory_order_acquire); }
    void set_accepted(Seq seq) { accepted_.store(seq, std::memory_order_release); }

    // Whole (all sections). not_found: not accepted yet, or older than kept history.
    Result<DecodedPtr> frame(Seq seq) const;
    // For whoever walks through many and comes back to none: commands and outcomes without images, and nothing is kept.
    Result<DecodedPtr> frame_once(Seq seq) const;
    // Frames from `from` on, at most `count_max`, none after those that take `bytes_max` together, and not beyond
    // accepted(); appended in order. Returns how many.
    Result<std::size_t> frames(Seq from, std::size_t count_max, std::vector<DecodedPtr>& into,
                               std::size_t bytes_max = std::numeric_limits<std::size_t>::max()) const;

    // Keeps the frame that was used last alone, and no memory for others.
    void let_go() const;

private:
    struct Recycled;

    DecodedPtr cached(Seq seq) const;
    Result<DecodedPtr> decode(const FramePtr& frame, Sections sections) const;
    void keep(const DecodedPtr& frame) const;
    void drop_down_to(std::size_t bytes, std::vector<DecodedPtr>& dropped) const;  // under the lock

    const Journal& journal_;
    const std::size_t bytes_max_;
    const std::shared_ptr<Recycled> recycled_;
    std::atomic<Seq> accepted_{0};
    mutable std::mutex mutex_;
    mutable std::size_t bytes_ = 0;
    mutable std::list<DecodedPtr> by_use_;  // newest first
    mutable std::unordered_map<Seq, std::list<DecodedPtr>::iterator> by_seq_;
};

}  // namespace nostro
