// Frames of a journal, decoded on a thread of its own a little ahead of whoever takes them: for walks over all of it.
//
// Threads: one takes. It has the weight of the one that makes it.
// Memory:  three batches, each of some 30 MiB decoded, or one frame.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "nostro/ports/journal.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

class FramesAhead {
public:
    static constexpr std::size_t kFramesMax = 64, kBytesMax = 4u << 20;  // of a batch, as they stand in the journal

    // Begins at once. The journal must outlive it.
    FramesAhead(const Journal& journal, Seq from);
    ~FramesAhead();  // what was not taken is left

    // The next ones, all sections, in order; empty: the journal ends. They are as they are until the next call.
    // Fails as reading does, and `corrupt` of a frame that cannot be decoded; what stands before was given.
    Result<std::span<const DecodedPtr>> next();

private:
    struct Batch {
        std::vector<std::shared_ptr<DecodedFrame>> memory;  // of all its frames, used again
        std::vector<DecodedPtr> frames;
        std::size_t bytes = 0;
    };
    void read_all(const std::stop_token& stop);
    Result<> decode(const FramePtr& frame, Batch& into);
    Batch* free_batch(const std::stop_token& stop);  // empty; nullptr: it ends
    void hand_over();

    const Journal& journal_;
    const Seq from_;
    std::vector<Batch> batches_{3};  // a ring
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::size_t filled_ = 0, taken_ = 0;  // batches so far; the last one that was taken is still in use
    bool ended_ = false;
    Result<> failed_;
    std::jthread reader_;  // last: it uses the others
};

}  // namespace nostro
