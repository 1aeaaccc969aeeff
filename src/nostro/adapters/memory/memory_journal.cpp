#include "nostro/adapters/memory/memory_journal.hpp"

#include <algorithm>
#include <utility>

namespace nostro {

std::size_t MemoryLog::void_frames() const {
    const std::lock_guard lock(mutex_);
    return void_frames_;
}

Seq MemoryLog::last() const {
    const std::lock_guard lock(mutex_);
    return end_.seq;
}

void MemoryLog::set_image(Seq seq, std::vector<Changes> chunks, bool drop_frames) {
    const std::lock_guard lock(mutex_);
    image_ = seq;
    image_chunks_ = std::move(chunks);
    while (drop_frames && !frames_.empty() && frames_.front()->header.seq <= seq) {
        dropped_ = frames_.front()->header.seq;
        frames_.pop_front();
    }
}

MemoryJournal::MemoryJournal(std::shared_ptr<MemoryLog> log, Writes writes) : log_(std::move(log)), writes_(writes) {}

void MemoryJournal::arrive(const FramePtr& frame) {
    // An older owner's frame may still fit behind the newest one: the take-over itself ended its right to write.
    if (frame->header.epoch == log_->epoch_ && advance(log_->end_, *frame)) {
        log_->frames_.push_back(frame);
        accepted_ = frame->header.seq;
        log_->arrived_.notify_all();
    } else {
        ++log_->void_frames_;
        fenced_ = true;
    }
}

void MemoryJournal::complete(std::size_t count) {
    std::function<void()> wake;
    {
        const std::lock_guard lock(log_->mutex_);
        for (; count != 0 && !in_flight_.empty(); --count) {
            arrive(in_flight_.front());
            in_flight_.pop_front();
        }
        wake = wake_;
    }
    if (wake) wake();
}

std::size_t MemoryJournal::under_way() const {
    const std::lock_guard lock(log_->mutex_);
    return in_flight_.size();
}

void MemoryJournal::set_full(bool full, bool upkeep_too) {
    const std::lock_guard lock(log_->mutex_);
    full_ = full;
    full_for_upkeep_ = full && upkeep_too;
}

void MemoryJournal::fail() {
    const std::lock_guard lock(log_->mutex_);
    failed_ = true;
}

void MemoryJournal::set_bounds(std::size_t in_flight_max, std::size_t frame_bytes_max) {
    in_flight_max_ = in_flight_max;
    frame_bytes_max_ = frame_bytes_max;
}

Result<Head> MemoryJournal::take_over() {
    const std::lock_guard lock(log_->mutex_);
    if (taken_over_) return Error{ErrorCode::invalid, "journal: take_over twice"};
    taken_over_ = true;
    epoch_ = log_->epoch_ = std::max(log_->epoch_, log_->end_.epoch) + 1;
    written_ = log_->end_;
    accepted_ = written_.seq;
    return Head{written_.seq, written_.digest, epoch_, written_.time, written_.cursors};
}

Result<Seq> MemoryJournal::follow(std::chrono::milliseconds patience) {
    std::unique_lock lock(log_->mutex_);
    if (taken_over_) return Error{ErrorCode::invalid, "journal: follow after take_over"};
    log_->arrived_.wait_for(lock, patience, [this] { return log_->end_.seq > followed_; });
    followed_ = log_->end_.seq;
    return followed_;
}

Result<> MemoryJournal::ready(Need need) {
    const std::lock_guard lock(log_->mutex_);
    if (need == Need::intake ? full_ : full_for_upkeep_) {
        return Error{ErrorCode::unavailable, "no space for the journal: it was set full"};
    }
    return {};
}

Result<> MemoryJournal::append(FramePtr frame) {
    {
        const std::lock_guard lock(log_->mutex_);
        if (!taken_over_) return Error{ErrorCode::invalid, "journal: append before take_over"};
        if (in_flight_.size() >= in_flight_max_) return Error{ErrorCode::invalid, "journal: too many frames in flight"};
        if (frame->bytes().size() > frame_bytes_max_) return Error{ErrorCode::invalid, "journal: the frame is too big"};
        if (frame->header.epoch != epoch_) return Error{ErrorCode::invalid, "journal: the frame is of another epoch"};
        if (frame->header.accepted > accepted_) {
            return Error{ErrorCode::invalid, "journal: the frame says more is durable than is"};
        }
        if (auto continues = advance(written_, *frame); !continues) return continues;
        in_flight_.push_back(std::move(frame));
    }
    if (writes_ == Writes::at_once) complete(1);
    return {};
}

Result<Seq> MemoryJournal::accepted() {
    const std::lock_guard lock(log_->mutex_);
    if (failed_) return Error{ErrorCode::unknown, "journal: it was made to fail"};
    if (fenced_) return Error{ErrorCode::fenced, "journal: another owner took over"};
    return accepted_;
}

void MemoryJournal::on_progress(std::function<void()> wake) {
    const std::lock_guard lock(log_->mutex_);
    wake_ = std::move(wake);
}

Result<Seq> MemoryJournal::image(const std::function<void(const Changes&)>& install) const {
    std::vector<Changes> chunks;
    Seq seq = 0;
    {
        const std::lock_guard lock(log_->mutex_);
        chunks = log_->image_chunks_;
        seq = log_->image_;
    }
    for (const auto& chunk : chunks) install(chunk);
    return seq;
}

Result<Seq> MemoryJournal::read(Seq from, const std::function<bool(const FramePtr&)>& each) const {
    if (from == 0) from = 1;
    for (;;) {
        FramePtr frame;
        {
            const std::lock_guard lock(log_->mutex_);
            if (from > log_->end_.seq) return from;
            if (from <= log_->dropped_) {
                return Error{ErrorCode::not_found,
                             "frame " + std::to_string(from) +
                                 " is older than the history that is kept, which begins with frame " +
                                 std::to_string(log_->dropped_ + 1)};
            }
            frame = log_->frames_[static_cast<std::size_t>(from - log_->dropped_ - 1)];
        }
        ++from;
        if (!each(frame)) return from;
    }
}

}  // namespace nostro
