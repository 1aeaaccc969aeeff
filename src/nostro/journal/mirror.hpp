// The accepted frames of a journal on a server, as ordinary segments in the data folder: so the fold makes image and
// sealed ids of them, and verify, log, backup and the query index read them there.
//
// Derived: the journal on the server is the truth. What is behind is copied, what a power cut tore is cut off, and what
//          is damaged is made again. Nothing waits for it: a full disk or a slow one is told by trouble(), and costs
//          longer starts and, in the end, room for known ids.
// Owners:  it asks a Journal for what is accepted and does not care who writes that.
// Threads: step() and the members before it on one thread, fold() on one; the others may be called from any.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "nostro/base/trouble.hpp"
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/segment_journal.hpp"

namespace nostro {

// Frames that `from` has accepted behind the end of `to`, in order, as few durable writes: all that are there, or up to
// `through`, or about `bytes_max` of them. Returns how many bytes. Errors of both: what came before one is written;
// `invalid`: they do not continue it.
struct CopyBounds {
    Seq through = 0;  // 0: to the end
    std::uint64_t bytes_max = 0;
    std::function<void(Seq)> progress;  // may be absent
};
Result<std::uint64_t> copy_accepted(const Journal& from, SegmentJournal& to, const CopyBounds& bounds);

struct MirrorOptions {
    SegmentJournalOptions segments;                  // of what is written; copies and own_thread are set here
    FoldOptions fold;                                // of what becomes of it
    std::uint64_t ids_max = 4'000'000;               // hardly more than that are in no sealed run
    std::chrono::milliseconds write_every{200};      // what comes within it is written at once
    std::size_t step_bytes = std::size_t{32} << 20;  // of one step
};

class Mirror {
public:
    // What stands in the folder, which the caller owns (Disk::lock). Damaged: it counts for nothing, and begin() makes
    // another. Nothing there: begin() makes one.
    static Result<std::unique_ptr<Mirror>> open(Disk& disk, MirrorOptions options);

    // Its files are made, and may be written. A second call does nothing. Threads: any.
    Result<> begin();
    // Copies all that `from` has accepted, and seals ids until at most ids_max are left. For a start. `corrupt`: the
    // journal does not continue what stands here, or has no longer what is missing here; says what mends it.
    Result<> catch_up(const Journal& from);
    // Copies what came since. True: there is more. An error is none to end for: it is tried again.
    Result<bool> step(const Journal& from, SteadyTime now);
    // The same, of all there is and at once: before the process ends.
    Result<> finish(const Journal& from);

    // One piece of image_fold.hpp. Damage that it meets has the mirror made again at the next start.
    Result<bool> fold(Instant now);
    double fold_behind() const;  // as ImageFold::behind(); on fold()'s thread

    bool has_begun() const { return frames() != nullptr; }
    Seq last() const;                     // the newest frame that stands here; 0: none
    ChainPoint end() const;               // the same, whole; on step()'s thread
    Seq image() const { return image_; }  // where the newest image stands; 0: there is none
    std::string damage() const;           // what open() found; empty: nothing
    std::string trouble() const;
    // Ids of frames up to there wait to be sealed: the next step closes the segment that holds the newest of them.
    void close_through(Seq through);
    // What has been written; nullptr before it has begun.
    const SegmentJournal* frames() const { return published_.load(std::memory_order_acquire); }
    // What is sealed; before it has begun nothing is. Lives as long as the mirror.
    const SealedIds& ids() const { return sealed_; }
    Disk& disk() const { return disk_; }
    void note_damage(const std::string& what);

private:
    class Sealed final : public SealedIds {
    public:
        explicit Sealed(Mirror& mirror) : mirror_(mirror) {}
        Result<std::optional<Found>> find(PaymentId id, Seq last) const override;
        Seq through() const override;

    private:
        Mirror& mirror_;
    };
    Mirror(Disk& disk, MirrorOptions options);
    Result<> load();
    Result<> check_image(Seq image) const;
    Result<> open_files();
    Result<> remove_files();
    void close_if_wanted();
    Result<> tidy(SteadyTime now);
    Result<> seal_enough();
    std::uint64_t unsealed_bytes() const;
    Error not_continued(const Error& error) const;

    Disk& disk_;
    const MirrorOptions options_;
    // All three are there once published_ is.
    std::unique_ptr<SegmentJournal> segments_;
    std::unique_ptr<SealedRuns> ids_;
    std::unique_ptr<ImageFold> fold_;  // of fold()'s thread
    std::atomic<SegmentJournal*> published_{nullptr};
    const Sealed sealed_{*this};
    std::mutex begin_mutex_;
    std::atomic<Seq> image_{0};
    std::string damage_;
    std::atomic<Seq> close_wanted_{0};
    bool more_ = false;
    SteadyTime stepped_at_{};
    std::mutex mutex_;
    Trouble trouble_{"mirror_waits", "mirror_recovered"}, fold_trouble_{"fold_waits", "fold_recovered"};
    bool damage_noted_ = false;
};

}  // namespace nostro
