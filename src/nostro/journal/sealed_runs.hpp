// All sealed runs of a data directory, as one set of known ids.
//
// Threads: find and through from any; add and merge from one.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "nostro/journal/id_run.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/ports/journal.hpp"

namespace nostro {

class SealedRuns final : public SealedIds {
public:
    // Files that a crash left over (half made, or merged into a larger run) are removed, unless it only looks.
    // `corrupt`: a gap between runs, or a damaged one.
    static Result<std::unique_ptr<SealedRuns>> open(Disk& disk, bool looking_only);

    Result<std::optional<Found>> find(PaymentId id, Seq last) const override;
    Seq through() const override;

    // Pages that were read count to this process no longer. Threads: any.
    void let_go() const;

    // Seals the ids of the frames behind through() up to `through`. Sorts them.
    Result<> add(JournalId journal, Seq through, std::vector<SealedId>& ids);
    // Merges one tier that has grown wide. False: none has.
    Result<bool> merge_step();

    using Runs = std::vector<std::shared_ptr<const IdRun>>;
    std::shared_ptr<const Runs> runs() const;  // oldest first, without gaps

private:
    SealedRuns(Disk& disk, Runs runs) : disk_(disk), runs_(std::make_shared<const Runs>(std::move(runs))) {}
    static Result<std::unique_ptr<SealedRuns>> open_once(Disk& disk, bool looking_only);
    void set(Runs runs);

    Disk& disk_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Runs> runs_;
};

}  // namespace nostro
