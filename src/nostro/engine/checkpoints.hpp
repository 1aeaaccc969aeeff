// Signed checkpoints of the journal: every so many frames, and whenever a proof needs one sooner. From them, the proofs
// of payments.
//
// Threads: any. Durability: those of every so many frames are kept before they are told of; the others are signed when
// they are asked for, as often as it takes.
#pragma once
#include <functional>
#include <mutex>
#include <vector>

#include "nostro/base/time.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/proof.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

class Checkpoints {
public:
    static constexpr Seq kEvery = 1'000;  // frames

    using Keep = std::function<Result<>(const Checkpoint&)>;
    // `known`: those that were kept before, in the order of their frames. `keep` makes one more durable. `journal` and
    // `clock` outlive it.
    Checkpoints(const Journal& journal, const Clock& clock, SigningKey key, std::vector<Checkpoint> known, Keep keep);

    // Signs the next one that is due, once `accepted` has reached it. False: none is.
    Result<bool> step(Seq accepted);
    // Of the newest frame. not_found: the journal is empty.
    Result<Checkpoint> newest(Seq accepted);

    // Of every outcome of the payment itself. Reads frames from disk.
    Result<std::vector<ProofPart>> prove(const Recorded& payment, Seq accepted);

private:
    Result<Checkpoint> sign(Seq seq) const;
    Result<> keep_next(Seq seq);                           // with the lock held
    Result<Checkpoint> newest_locked(Seq accepted);        // with the lock held
    Result<Checkpoint> first_from(Seq seq, Seq accepted);  // at or behind that frame

    const Journal& journal_;
    const Clock& clock_;
    const SigningKey key_;
    const Keep keep_;
    std::mutex mutex_;
    std::vector<Checkpoint> known_;  // every so many frames
    Checkpoint asked_for_;           // the newest of the others
};

}  // namespace nostro
