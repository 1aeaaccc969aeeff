#include "nostro/engine/frame_cache.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace nostro {
namespace {

// What a decoded frame takes, but for what its commands point to outside it.
std::size_t bytes_of(const DecodedFrame& frame) {
    const Changes& changes = frame.changes;
    return sizeof frame + frame.frame->bytes().size() + frame.commands.size() * sizeof(Command) +
           changes.outcomes.size() * sizeof(Outcome) + changes.accounts.size() * sizeof(AccountImage) +
           changes.counters.size() * sizeof(CounterImage);
}

}  // namespace

// Decoded frames that nobody holds any more. A big one has megabytes of vectors; used again, they cost no page faults.
struct FrameCache::Recycled {
    static constexpr std::size_t kKept = 4;
    std::mutex mutex;
    std::vector<std::unique_ptr<DecodedFrame>> spare;

    std::unique_ptr<DecodedFrame> get() {
        const std::lock_guard lock(mutex);
        if (spare.empty()) return std::make_unique<DecodedFrame>();
        auto frame = std::move(spare.back());
        spare.pop_back();
        return frame;
    }
    void put(std::unique_ptr<DecodedFrame> frame) {
        frame->frame.reset();
        frame->changes.policies.clear();
        const std::lock_guard lock(mutex);
        if (spare.size() < kKept) spare.push_back(std::move(frame));
    }
};

FrameCache::FrameCache(const Journal& journal, std::size_t bytes_max)
    : journal_(journal), bytes_max_(bytes_max), recycled_(std::make_shared<Recycled>()) {}

DecodedPtr FrameCache::cached(Seq seq) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_seq_.find(seq);
    if (found == by_seq_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return *found->second;
}

Result<DecodedPtr> FrameCache::decode(const FramePtr& frame, Sections sections) const {
    auto decoded = recycled_->get();
    if (auto done = decode_body(frame, sections, *decoded); !done) return done.error();
    // The deleter keeps the pool alive: a reader may hold a frame longer than the engine lives.
    return DecodedPtr(decoded.release(), [pool = recycled_](const DecodedFrame* old) {
        pool->put(std::unique_ptr<DecodedFrame>(const_cast<DecodedFrame*>(old)));
    });
}

void FrameCache::keep(const DecodedPtr& frame) const {
    std::vector<DecodedPtr> dropped;  // freed outside the lock
    const std::lock_guard lock(mutex_);
    if (!by_seq_.try_emplace(frame->seq()).second) return;  // another thread was faster
    by_use_.push_front(frame);
    by_seq_[frame->seq()] = by_use_.begin();
    bytes_ += bytes_of(*frame);
    while (bytes_ > bytes_max_ && by_use_.size() > 1) {
        bytes_ -= bytes_of(*by_use_.back());
        by_seq_.erase(by_use_.back()->seq());
        dropped.push_back(std::move(by_use_.back()));
        by_use_.pop_back();
    }
}

Result<DecodedPtr> FrameCache::frame(Seq seq) const {
    std::vector<DecodedPtr> one;
    auto found = frames(seq, 1, one);
    if (!found) return found.error();
    if (one.empty()) return Error{ErrorCode::not_found, "frame " + std::to_string(seq) + " is not there yet"};
    return one.front();
}

Result<DecodedPtr> FrameCache::frame_once(Seq seq) const {
    if (auto hit = cached(seq)) return hit;
    Result<DecodedPtr> decoded = Error{ErrorCode::not_found, "frame " + std::to_string(seq) + " is not there yet"};
    if (seq > accepted()) return decoded;
    const auto read = journal_.read(seq, [&](const FramePtr& frame) {
        decoded = decode(frame, Sections::outcomes);
        return false;
    });
    if (!read) return read.error();
    return decoded;
}

Result<std::size_t> FrameCache::frames(Seq from, std::size_t count_max, std::vector<DecodedPtr>& into,
                                       std::size_t bytes_max) const {
    const Seq newest = accepted();
    const std::size_t before = into.size();
    std::size_t bytes = 0;
    Seq next = from;
    const auto wanted = [&] { return into.size() - before < count_max && bytes < bytes_max && next <= newest; };
    while (wanted()) {
        auto hit = cached(next);
        if (!hit) break;
        bytes += bytes_of(*hit);
        into.push_back(std::move(hit));
        ++next;
    }
    if (!wanted()) return into.size() - before;

    Result<> failed;
    const auto read = journal_.read(next, [&](const FramePtr& frame) {
        auto decoded = decode(frame, Sections::all);
        if (!decoded) {
            failed = decoded.error();
            return false;
        }
        keep(*decoded);
        bytes += bytes_of(**decoded);
        into.push_back(std::move(*decoded));
        ++next;
        return wanted();
    });
    if (!read) return read.error();
    if (!failed) return failed.error();
    return into.size() - before;
}

}  // namespace nostro
