// The journal in files of one data directory: the default.
//
// Durability: an accepted frame survives loss of power. Frames are written into segments that were allocated and zeroed
//             ahead, several at once, each by one direct durable write; so they can be torn by a power cut in any
//             order, and recovery.hpp tells which of them count.
// Threads:    as Journal says; upkeep() from one further thread, or from a thread of its own (Options::own_thread).
// Space:      is taken ahead. While none can be had, ready() refuses intake and the last free segment is kept for
// upkeep.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "nostro/base/time.hpp"
#include "nostro/journal/recovery.hpp"
#include "nostro/journal/segment_store.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/frame_tail.hpp"

namespace nostro {

struct SegmentJournalOptions {
    std::uint64_t segment_bytes = 256u << 20;  // a multiple of 4 KiB; at least 16 frames of frame_bytes_max is sensible
    std::size_t spares = 2;                    // segments ready ahead, at least 1
    std::size_t frame_bytes_max = 8u << 20;
    std::size_t in_flight_max = 3;
    // A frame of at most so many bytes is written by append_and_wait() itself when no write is under way and the last
    // one was quick: it is durable before another thread would be awake. 0: never.
    std::size_t waited_bytes_max = 0;
    std::chrono::nanoseconds quick_write = std::chrono::microseconds(500);  // several times what a good disk takes
    std::size_t tail_bytes = 32u << 20;  // newest accepted frames kept in memory for readers
    // Takes another journal's frames, by copy(). That journal has them too: what is torn here is cut off, and a failed
    // write is no end but may be tried again.
    bool copies = false;
    bool own_thread = true;                    // false: whoever owns it calls upkeep()
    std::chrono::milliseconds idle_after{20};  // the superblock follows when nothing was accepted for so long...
    std::chrono::milliseconds superblock_every{1000};  // ...and at least so often
    std::chrono::milliseconds retry_space_every{1000};
};

class SegmentJournal final : public Journal {
public:
    // `disk` outlives it.
    SegmentJournal(Disk& disk, SegmentJournalOptions options);
    ~SegmentJournal() override;  // leaves the newest watermark in the superblock

    // `conflict`: another process owns the directory; `corrupt`: acknowledged frames are missing, names segment and
    // byte; `unavailable`: no space for a first segment; `invalid`: options that cannot be.
    Result<Head> take_over() override;
    Result<> ready(Need need) override;
    bool is_making_room() const override;
    Result<> append(FramePtr frame) override;
    Result<> append_and_wait(FramePtr frame) override;
    // The newest frames, which are kept for readers, are read from the disk again from now on. Threads: any.
    void let_go() { tail_.let_go(); }
    bool close_through(Seq through) override;
    std::size_t in_flight_max() const override { return options_.in_flight_max; }
    std::size_t frame_bytes_max() const override { return options_.frame_bytes_max; }
    Result<Seq> accepted() override;
    void on_progress(std::function<void()> wake) override { wake_ = std::move(wake); }
    Result<Seq> image(const std::function<void(const Changes&)>& install) const override;
    Result<Seq> read(Seq from, const std::function<bool(const FramePtr&)>& each) const override;
    Result<> headers(Seq from, Seq through, std::vector<std::byte>& into) const override;

    // Of one that copies: frames that the other journal has accepted, in order, behind end(); few durable writes for
    // many frames. They are accepted when it returns. `invalid`: they do not continue the chain, the ones before are
    // written; `unavailable`: no space.
    Result<> copy(std::span<const FramePtr> frames);
    // Closes the open segment though no frame follows yet, so that its ids can be sealed once upkeep() has written its
    // footer. False: there is nothing in it, or no space to begin another.
    bool close();
    // All of the owner's thread: behind the newest frame appended; the first frame of the open segment, 0: it is empty;
    // bytes of the frames in it.
    const ChainPoint& end() const { return written_; }
    Seq open_first() const { return first_; }
    std::uint64_t open_bytes() const { return first_ == 0 ? 0 : at_ - kSegmentFramesBegin; }

    // Somebody else has seen that frame accepted: a journal that ends before it lacks acknowledged frames, and is
    // refused. Before take_over.
    void expect(Seq seq, std::string says_who) {
        if (seq <= recovery_.floor) return;
        recovery_.floor = seq;
        recovery_.floor_says = std::move(says_who);
    }

    // Does what is due of: footers of closed segments, the superblock, the next segments. True: there may be more.
    Result<bool> upkeep(SteadyTime now);

    // What recovery found; after take_over.
    std::uint64_t void_frames() const { return void_frames_; }
    SegmentStore& store() { return *store_; }
    const SegmentStore& store() const { return *store_; }
    JournalId id() const { return id_; }
    Seq published() const { return accepted_; }       // what accepted() told last; any thread
    std::pair<Seq, Digest> published_frame() const {  // with its digest
        const std::lock_guard lock(mutex_);
        return {accepted_, accepted_digest_};
    }
    std::size_t in_flight() const { return in_flight_count_; }

private:
    struct Segment {
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
        std::shared_ptr<OpenFile> file;
    };
    struct InFlight {
        FramePtr frame;
        std::uint64_t segment = 0, segment_bytes = 0, offset = 0;
        SteadyTime began{};
        bool done = false;
    };
    Result<> check_options() const;
    Result<> repair(RecoveredChain& chain);
    Result<SegmentInfo> copy_out(RecoveredChain& chain);
    Result<> copy_frames(const SegmentInfo& from, OpenFile& to);
    Result<> begin_superblock(const RecoveredChain& chain);
    Result<> open_current(const RecoveredChain& chain);
    Result<Segment> open_segment(std::uint64_t number);
    Result<Segment> make_segment();
    bool fits(std::uint64_t bytes) const;
    Result<> roll();
    Result<> put_in_flight(FramePtr frame);
    Result<> write();           // the frame that was put in flight last...
    Result<> write_and_wait();  // ...by this thread
    void completed(InFlight& write);
    static Error write_failed(const InFlight& write, const std::string& what);
    void accept_front();
    Result<std::size_t> copy_piece(std::span<const FramePtr> frames);
    Result<> write_footers(bool& did);
    Result<> write_footer(const SegmentFooter& footer);
    Result<> write_superblock_if_due(SteadyTime now, bool& did);
    Result<> write_superblock(Seq watermark, const Digest& digest);
    Result<> make_spare_if_due(SteadyTime now, bool& did);
    Result<> fail(Error error);
    void run(const std::stop_token& stop);

    Disk& disk_;
    const SegmentJournalOptions options_;
    RecoveryOptions recovery_;
    std::function<void()> wake_;
    JournalId id_;
    std::uint64_t void_frames_ = 0;

    // Of the owner's thread.
    bool taken_over_ = false;
    std::uint32_t epoch_ = 0;
    ChainPoint written_;  // behind the newest frame that was appended
    Segment current_;
    std::uint64_t at_ = 0, limit_ = 0;
    Seq first_ = 0;              // the first frame of the current segment; 0: none yet
    bool closes_early_ = false;  // the next frame begins another, though it would fit
    std::deque<InFlight> in_flight_;
    bool quick_ = true;  // the last write was: waiting for it costs less than waking two threads
    std::vector<Disk::Completion> completions_;
    AlignedBytes copied_;  // of copy()

    std::atomic<Seq> accepted_{0};
    std::atomic<std::size_t> in_flight_count_{0};
    std::atomic<bool> closes_segment_{false};  // a segment was closed: its footer is due
    std::atomic<bool> parked_{false};          // upkeep sleeps with nothing to do: the next accepted frame wakes it
    std::unique_ptr<SegmentStore> store_;
    FrameTail tail_;

    // Shared with upkeep.
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<Segment> spares_;
    std::optional<Error> no_space_;
    std::optional<Error> fatal_;
    Digest accepted_digest_{};

    // Of upkeep alone, once taken over.
    std::uint64_t number_max_ = 0, created_ = 0;
    std::shared_ptr<OpenFile> superblock_file_;
    Superblock superblock_;
    Seq seen_accepted_ = 0;
    SteadyTime seen_since_{}, superblock_at_{}, space_tried_at_{};

    std::jthread thread_;
};

}  // namespace nostro
