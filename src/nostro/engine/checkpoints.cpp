#include "nostro/engine/checkpoints.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/sha256.hpp"

namespace nostro {

Checkpoints::Checkpoints(const Journal& journal, const Clock& clock, SigningKey key, std::vector<Checkpoint> known,
                         Keep keep)
    : journal_(journal), clock_(clock), key_(std::move(key)), keep_(std::move(keep)), known_(std::move(known)) {}

Result<Checkpoint> Checkpoints::sign(Seq seq) const {
    std::vector<std::byte> header;
    if (auto read = journal_.headers(seq, seq, header); !read) return read.error();
    return sign_checkpoint(seq, sha256(std::span<const std::byte>(header)), clock_.now(), key_);
}

Result<> Checkpoints::keep_next(Seq seq) {
    const auto checkpoint = sign(seq);
    if (!checkpoint) return checkpoint.error();
    if (auto kept = keep_(*checkpoint); !kept) return kept;
    known_.push_back(*checkpoint);
    return {};
}

Result<bool> Checkpoints::step(Seq accepted) {
    const std::lock_guard lock(mutex_);
    const Seq due = known_.empty() ? kEvery : (known_.back().seq / kEvery + 1) * kEvery;
    if (due > accepted) return false;
    auto done = keep_next(due);
    // Older than the history that is kept: the newest one stands for all of them.
    if (!done && done.error().code == ErrorCode::not_found) done = keep_next(accepted / kEvery * kEvery);
    if (!done) return done.error();
    return true;
}

Result<Checkpoint> Checkpoints::newest_locked(Seq accepted) {
    if (accepted == 0) return Error{ErrorCode::not_found, "the journal is empty"};
    if (!known_.empty() && known_.back().seq == accepted) return known_.back();
    if (asked_for_.seq != accepted) {
        auto signed_now = sign(accepted);
        if (!signed_now) return signed_now;
        asked_for_ = *signed_now;
    }
    return asked_for_;
}

Result<Checkpoint> Checkpoints::newest(Seq accepted) {
    const std::lock_guard lock(mutex_);
    return newest_locked(accepted);
}

Result<Checkpoint> Checkpoints::first_from(Seq seq, Seq accepted) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::lower_bound(known_, seq, {}, &Checkpoint::seq);
    return found != known_.end() ? Result<Checkpoint>(*found) : newest_locked(accepted);
}

Result<std::vector<ProofPart>> Checkpoints::prove(const Recorded& payment, Seq accepted) {
    std::vector<ProofPart> parts;
    for (std::size_t i = 0; i < payment.outcomes.size(); ++i) {
        if (payment.outcomes[i].payment != payment.payment.id) continue;  // of a reversal: that one has its own proof
        const Place place = payment.places[i];
        auto checkpoint = first_from(place.seq, accepted);
        if (!checkpoint) return checkpoint.error();
        ProofPart part{place.index, nullptr, {}, *checkpoint};
        const auto read = journal_.read(place.seq, [&](const FramePtr& frame) {
            part.frame = frame;
            return false;
        });
        if (!read) return read.error();
        if (auto path = journal_.headers(place.seq + 1, checkpoint->seq, part.headers); !path) return path.error();
        parts.push_back(std::move(part));
    }
    return parts;
}

}  // namespace nostro
