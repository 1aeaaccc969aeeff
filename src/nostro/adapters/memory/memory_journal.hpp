// A journal in memory: for tests, the simulator, and whoever wants no disk. Its log outlives the owners, and may have
// several of them at once, as a Kafka partition may.
#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "nostro/ports/journal.hpp"
#include "nostro/wire/chain.hpp"

namespace nostro {

// Frames in the order in which they arrived. Threads: any.
class MemoryLog {
public:
    std::size_t void_frames() const;  // arrived, but did not continue the chain
    Seq last() const;
    // An image that MemoryJournal::image gives; frames up to `seq` may be dropped with it.
    void set_image(Seq seq, std::vector<Changes> chunks, bool drop_frames);

private:
    friend class MemoryJournal;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::uint32_t epoch_ = 0;
    std::deque<FramePtr> frames_;
    Seq dropped_ = 0;
    ChainPoint end_;
    std::size_t void_frames_ = 0;
    Seq image_ = 0;
    std::vector<Changes> image_chunks_;
};

class MemoryJournal final : public Journal {
public:
    enum class Writes {
        at_once,  // an appended frame is in the log before append returns
        by_hand,  // it is in flight until complete()
    };
    explicit MemoryJournal(std::shared_ptr<MemoryLog> log, Writes writes = Writes::at_once);

    // For tests.
    void complete(std::size_t count);  // the oldest frames in flight arrive in the log
    std::size_t under_way() const;
    void set_full(bool full, bool upkeep_too = false);  // ready() refuses intake, or upkeep as well
    void fail();                                        // the next accepted() and everything after fails
    void set_bounds(std::size_t in_flight_max, std::size_t frame_bytes_max);

    Result<Head> take_over() override;
    Result<Seq> follow(std::chrono::milliseconds patience) override;
    Result<> ready(Need need) override;
    Result<> append(FramePtr frame) override;
    std::size_t in_flight_max() const override { return in_flight_max_; }
    std::size_t frame_bytes_max() const override { return frame_bytes_max_; }
    Result<Seq> accepted() override;
    void on_progress(std::function<void()> wake) override;
    Result<Seq> image(const std::function<void(const Changes&)>& install) const override;
    Result<Seq> read(Seq from, const std::function<bool(const FramePtr&)>& each) const override;

private:
    void arrive(const FramePtr& frame);  // with the log's lock held

    const std::shared_ptr<MemoryLog> log_;
    const Writes writes_;
    std::size_t in_flight_max_ = 3, frame_bytes_max_ = 8u << 20;
    bool taken_over_ = false, full_ = false, full_for_upkeep_ = false, fenced_ = false, failed_ = false;
    std::uint32_t epoch_ = 0;
    ChainPoint written_;
    Seq accepted_ = 0, followed_ = 0;
    std::deque<FramePtr> in_flight_;
    std::function<void()> wake_;
};

}  // namespace nostro
