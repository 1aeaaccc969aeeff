// Keeps a Book equal to the journal by installing what was decided. It never decides: a program with other rules has
// the same books. Recovery is this, up to the end of the chain; a process that does not own the Book never stops.
//
// Threads: one at a time.
#pragma once
#include <cstddef>
#include <functional>
#include <limits>

#include "nostro/domain/book.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/chain.hpp"

namespace nostro {

// All of it outlives the follower.
struct FollowerParts {
    Book* book = nullptr;
    const Journal* journal = nullptr;
    Policies* policies = nullptr;       // told what comes into force
    const SealedIds* sealed = nullptr;  // may be absent
};

class Follower {
public:
    explicit Follower(const FollowerParts& parts) : parts_(parts) {}

    // Installs the journal's image. Once, before install(); a second call does nothing.
    Result<> begin();
    // Installs the frames that the journal gives behind the newest installed one. Returns how many. `corrupt`: what it
    // gives is no chain, or its images do not fit.
    Result<std::size_t> install(std::size_t frames_max = std::numeric_limits<std::size_t>::max());

    Seq installed() const { return point_.seq; }
    Instant time() const { return point_.time; }  // of the newest installed frame
    // Zeros behind an image without a frame.
    const Digest& digest() const { return point_.digest; }

    // Ids that stand in sealed runs leave the Book's memory; true: some did.
    bool forget_sealed();

private:
    Result<> take(const FramePtr& frame);
    void publish(const Changes& changes);

    const FollowerParts parts_;
    ChainPoint point_;
    Seq image_ = 0;
    Seq forgotten_ = 0;
    bool begun_ = false;
    DecodedFrame decoded_;
};

}  // namespace nostro
