// Tells one projection what was decided. Each feed has a thread and a pace of its own, so that a slow store holds up
// nobody; frames are decoded once for all of them. Reads accepted frames only.
//
// A projection that cannot take frames is asked again, after pauses that grow to a second; the log hears when that
// begins and when it is over. One that is ahead of the journal, or says `corrupt`, is not fed any more: it must be
// rebuilt, and money does not depend on it.
//
// Threads: step() belongs to one; the rest may be called from any.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "nostro/base/time.hpp"
#include "nostro/base/trouble.hpp"
#include "nostro/engine/engine_metrics.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/ports/projection.hpp"

namespace nostro {

class Feed {
public:
    // Given at once; of full frames two or three, so that what a step takes stays small and is used again.
    static constexpr std::size_t kFramesMax = 64, kBytesMax = 16u << 20;

    Feed(std::string name, const FrameCache& frames, Projection& projection, FeedMetrics& metrics);

    // Projects the next frames; returns how many. Never fails: trouble() tells.
    Result<std::size_t> step(SteadyTime now);

    const std::string& name() const { return name_; }
    Seq next() const { return next_.load(std::memory_order_acquire); }  // first frame not projected; 0: not known yet
    std::uint64_t lag() const;                                          // accepted frames that it has not projected
    std::string trouble() const { return trouble_.text(); }             // empty: none
    // Called on the feed's thread after next() has moved. Set before the first step.
    void on_progress(std::function<void(Seq next)> told) { told_ = std::move(told); }

private:
    Result<> begin();
    std::size_t fail(const Error& error, SteadyTime now);
    void recovered();

    const std::string name_;
    const FrameCache& frames_;
    Projection& projection_;
    FeedMetrics& metrics_;
    std::function<void(Seq)> told_;
    std::atomic<Seq> next_{0};
    std::vector<DecodedPtr> batch_;
    bool stopped_ = false;
    std::chrono::milliseconds pause_{0};
    SteadyTime retry_at_{};
    Trouble trouble_;
};

}  // namespace nostro
