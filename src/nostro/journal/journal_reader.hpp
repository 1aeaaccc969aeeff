// Reads the journal of a data directory without owning it, also while its owner writes: for verify, backup, log.
//
// Sees a moment: the chain as it stood when it was opened. Threads: one.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "nostro/journal/recovery.hpp"
#include "nostro/journal/segment_store.hpp"

namespace nostro {

class JournalReader {
public:
    // not_found: no journal here; `corrupt`: as recovery would refuse it, names file and byte.
    static Result<std::unique_ptr<JournalReader>> open(Disk& disk);

    Seq first() const { return chain_.first(); }
    Seq last() const { return chain_.end.seq; }
    // The newest frame that something on disk says is durable: at most a few milliseconds behind what the owner told.
    Seq known_durable() const { return chain_.known_durable; }
    // What was read here is a mirror of a journal on a server, which may be ahead of it.
    bool is_mirror() const { return is_mirror_; }
    const RecoveredChain& chain() const { return chain_; }
    const SegmentStore& store() const { return *store_; }
    SegmentStore& store() { return *store_; }

    // Frames from..through; true: all were given. not_found and `corrupt` as SegmentStore::read.
    Result<bool> read(Seq from, Seq through, const std::function<bool(const FramePtr&)>& each) const {
        return store_->read(from, through, each);
    }

private:
    JournalReader(Disk& disk, RecoveredChain chain)
        : chain_(std::move(chain)), store_(std::make_unique<SegmentStore>(disk, chain_.segments)) {}

    RecoveredChain chain_;
    std::unique_ptr<SegmentStore> store_;
    bool is_mirror_ = false;
};

}  // namespace nostro
