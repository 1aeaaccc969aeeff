// Taking the frames of another journal, which has them for good: many in one write, and a write that fails is tried
// again in the same place.
#include <algorithm>
#include <cstring>
#include <utility>

#include "nostro/journal/segment_journal.hpp"

namespace nostro {
namespace {

constexpr std::size_t kCopyBytes = 4u << 20;  // of one write, unless a frame is larger

}  // namespace

Result<> SegmentJournal::copy(std::span<const FramePtr> frames) {
    if (!taken_over_ || !options_.copies) return Error{ErrorCode::invalid, "journal: it was not opened for copies"};
    while (!frames.empty()) {
        if (auto room = ready(Need::upkeep); !room) return room;
        const auto copied = copy_piece(frames);
        if (!copied) return copied.error();
        frames = frames.subspan(*copied);
    }
    return {};
}

// As many as fit behind each other into the open segment and one write; the first one begins another segment if it
// must.
Result<std::size_t> SegmentJournal::copy_piece(std::span<const FramePtr> frames) {
    const std::size_t room = std::max(kCopyBytes, options_.frame_bytes_max);
    if (!copied_) copied_ = allocate_aligned(room);
    if (frames.front()->bytes().size() > options_.frame_bytes_max) {
        return Error{ErrorCode::invalid, "journal: frame " + std::to_string(frames.front()->header.seq) + " is above " +
                                             std::to_string(options_.frame_bytes_max) + " bytes"};
    }
    if (!fits(frames.front()->bytes().size())) {
        if (auto rolled = roll(); !rolled) return rolled.error();
    }
    ChainPoint point = written_;
    std::size_t count = 0, bytes = 0;
    for (; count < frames.size(); ++count) {
        const auto more = frames[count]->bytes();
        if (bytes + more.size() > room || !fits(bytes + more.size())) break;
        const auto continues = advance(point, *frames[count]);
        if (!continues && count == 0) return continues.error();
        if (!continues) break;
        std::memcpy(copied_.get() + bytes, more.data(), more.size());
        bytes += more.size();
    }
    if (auto wrote = disk_.write_now(current_.file->number(), at_, {copied_.get(), bytes}); !wrote) {
        return wrote.error();
    }
    if (first_ == 0) first_ = frames.front()->header.seq;
    if (at_ == kSegmentFramesBegin) closes_segment_ = true;  // the one before it is closed now
    written_ = std::move(point);
    for (std::size_t i = 0; i < count; ++i) {
        store_->add(current_.number, current_.bytes, at_, *frames[i]);
        tail_.add(frames[i]);
        at_ += frames[i]->bytes().size();
    }
    const std::lock_guard lock(mutex_);
    accepted_digest_ = written_.digest;
    accepted_ = written_.seq;
    return count;
}

bool SegmentJournal::close() {
    if (first_ == 0) return false;
    bool did = false;
    static_cast<void>(make_spare_if_due(steady_now(), did));  // where there is none; no_space_ tells
    {
        const std::lock_guard lock(mutex_);
        if (spares_.empty()) return false;
    }
    store_->close_last();
    closes_segment_ = true;
    return roll().has_value();
}

}  // namespace nostro
