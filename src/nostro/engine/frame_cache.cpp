#include "nostro/engine/frame_cache.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace nostro {
namespace {

template <class Item>
std::size_t memory_of(const std::vector<Item>& items) {
    return items.capacity() * sizeof(Item);
}

// What a decoded frame takes, but for what its commands point to outside it. Used memory comes again larger than it has
// to be.
std::size_t bytes_of(const DecodedFrame& frame) {
    const Changes& changes = frame.changes;
    return sizeof frame + frame.frame->bytes().size() + memory_of(frame.commands) + memory_of(changes.outcomes) +
           memory_of(changes.accounts) + memory_of(changes.counters) + memory_of(changes.known);
}

}  // namespace

// Decoded frames that nobody holds any more. A big one has megabytes of vectors; used again, they cost no page faults.
// A small frame never takes them: it would be kept with all that memory.
struct FrameCache::Recycled {
    static constexpr std::size_t kKept = 4;
    using Spare = std::pair<int, std::unique_ptr<DecodedFrame>>;  // by the width of its frame's size
    std::mutex mutex;
    std::vector<Spare> spare;

    static int width(const FramePtr& frame) { return static_cast<int>(std::bit_width(frame->bytes().size())); }

    std::unique_ptr<DecodedFrame> get(const FramePtr& frame) {
        const std::lock_guard lock(mutex);
        const auto found = std::ranges::find(spare, width(frame), &Spare::first);
        if (found == spare.end()) return std::make_unique<DecodedFrame>();
        auto taken = std::move(found->second);
        spare.erase(found);
        return taken;
    }
    void put(std::unique_ptr<DecodedFrame> frame) {
        const int wide = width(frame->frame);
        frame->frame.reset();
        frame->changes.policies.clear();
        Spare freed;  // outside the lock
        const std::lock_guard lock(mutex);
        if (spare.size() == kKept) {
            freed = std::move(spare.front());
            spare.erase(spare.begin());
        }
        spare.emplace_back(wide, std::move(frame));
    }
    void clear() {
        std::vector<Spare> freed;
        const std::lock_guard lock(mutex);
        freed.swap(spare);
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
    auto decoded = recycled_->get(frame);
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
    drop_down_to(bytes_max_, dropped);
}

void FrameCache::drop_down_to(std::size_t bytes, std::vector<DecodedPtr>& dropped) const {
    while (bytes_ > bytes && by_use_.size() > 1) {
        bytes_ -= bytes_of(*by_use_.back());
        by_seq_.erase(by_use_.back()->seq());
        dropped.push_back(std::move(by_use_.back()));
        by_use_.pop_back();
    }
}

void FrameCache::let_go() const {
    std::vector<DecodedPtr> dropped;
    {
        const std::lock_guard lock(mutex_);
        drop_down_to(0, dropped);
    }
    dropped.clear();
    recycled_->clear();
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
