// A journal in memory, and the log behind it that outlives its owners: what several processes share in a test.
//
// The log takes whatever arrives, in the order in which it arrives, as a partition of a broker does; the chain rule
// alone tells which of it counts. So two owners at once, zombies and doubled appends behave as on a real log.
// Threads: the log from any; an owner as the port says.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "nostro/ports/journal.hpp"

namespace nostro {

class MemoryLog {
public:
    // Takes a frame in. False: void, it does not continue the chain.
    bool append(FramePtr frame);

    Seq head() const;
    std::uint64_t void_frames() const;
    std::vector<FramePtr> frames() const;  // of the chain
    // Frames up to and with `seq` are only in the image from now on, which is given like this.
    void set_image(Seq seq, std::vector<Changes> chunks);

private:
    friend class MemoryJournal;
    bool continues_chain(const EncodedFrame& frame) const;

    mutable std::mutex mutex_;
    std::vector<FramePtr> chain_;  // frame `first_` + i
    Seq first_ = 1;
    std::vector<Cursor> cursors_;
    Digest digest_{};
    Instant time_{};
    std::uint32_t epoch_ = 0;
    std::uint64_t void_frames_ = 0;
    std::vector<Changes> image_;
};

class MemoryJournal final : public Journal {
public:
    enum class Writes {
        at_once,  // durable inside append
        by_hand,  // wait for complete()
    };
    struct Options {
        Writes writes = Writes::at_once;
        std::size_t in_flight_max = 4;
        std::size_t frame_bytes_max = 8u << 20;
    };
    explicit MemoryJournal(std::shared_ptr<MemoryLog> log);
    MemoryJournal(std::shared_ptr<MemoryLog> log, Options options);

    std::size_t under_way() const;
    void complete(std::size_t count);  // of those under way, oldest first
    // What is under way never reaches the log.
    void lose_under_way();
    // ready() says so until nullopt. `upkeep_too`: also for expiries.
    void refuse(std::optional<Error> error, bool upkeep_too = false);
    // The next append fails.
    void break_write(Error error);

    Result<Head> take_over() override;
    Result<> ready(Need need) override;
    Result<> append(FramePtr frame) override;
    std::size_t in_flight_max() const override { return options_.in_flight_max; }
    std::size_t frame_bytes_max() const override { return options_.frame_bytes_max; }
    Result<Seq> accepted() override;
    void on_progress(std::function<void()> wake) override;
    Result<Seq> image(const std::function<void(const Changes&)>& install) const override;
    Result<Seq> read(Seq from, const std::function<bool(const FramePtr&)>& each) const override;

private:
    void deliver(const FramePtr& frame);

    const std::shared_ptr<MemoryLog> log_;
    const Options options_;
    mutable std::mutex mutex_;
    std::deque<FramePtr> under_way_;
    std::function<void()> wake_;
    std::optional<Error> refusal_, broken_write_;
    bool refuses_upkeep_ = false;
    bool fenced_ = false;
    Seq accepted_ = 0;
};

}  // namespace nostro
