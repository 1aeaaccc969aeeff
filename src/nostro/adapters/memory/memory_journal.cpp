#include "nostro/adapters/memory/memory_journal.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace nostro {

bool MemoryLog::continues_chain(const EncodedFrame& frame) const {
    if (frame.header.seq != first_ + chain_.size() || frame.header.previous != digest_) return false;
    std::vector<Cursor> first, last;
    return decode_cursors(frame, first, last) && first == cursors_;
}

bool MemoryLog::append(FramePtr frame) {
    const std::lock_guard lock(mutex_);
    if (!continues_chain(*frame)) {
        ++void_frames_;
        return false;
    }
    std::vector<Cursor> first;
    static_cast<void>(decode_cursors(*frame, first, cursors_));  // read once already
    digest_ = frame->digest;
    time_ = frame->header.time;
    epoch_ = std::max(epoch_, frame->header.epoch);
    chain_.push_back(std::move(frame));
    return true;
}

Seq MemoryLog::head() const {
    const std::lock_guard lock(mutex_);
    return first_ + chain_.size() - 1;
}

std::uint64_t MemoryLog::void_frames() const {
    const std::lock_guard lock(mutex_);
    return void_frames_;
}

std::vector<FramePtr> MemoryLog::frames() const {
    const std::lock_guard lock(mutex_);
    return chain_;
}

void MemoryLog::set_image(Seq seq, std::vector<Changes> chunks) {
    const std::lock_guard lock(mutex_);
    const auto dropped = std::min<std::size_t>(seq + 1 - first_, chain_.size());
    chain_.erase(chain_.begin(), chain_.begin() + static_cast<std::ptrdiff_t>(dropped));
    first_ += dropped;
    image_ = std::move(chunks);
}

MemoryJournal::MemoryJournal(std::shared_ptr<MemoryLog> log) : MemoryJournal(std::move(log), Options{}) {}

MemoryJournal::MemoryJournal(std::shared_ptr<MemoryLog> log, Options options)
    : log_(std::move(log)), options_(options) {}

std::size_t MemoryJournal::under_way() const {
    const std::lock_guard lock(mutex_);
    return under_way_.size();
}

void MemoryJournal::deliver(const FramePtr& frame) {
    const bool counts = log_->append(frame);
    const std::lock_guard lock(mutex_);
    if (!counts) {
        fenced_ = true;
    } else if (!fenced_) {
        accepted_ = frame->header.seq;
    }
}

void MemoryJournal::complete(std::size_t count) {
    for (; count > 0; --count) {
        FramePtr frame;
        {
            const std::lock_guard lock(mutex_);
            if (under_way_.empty()) break;
            frame = std::move(under_way_.front());
            under_way_.pop_front();
        }
        deliver(frame);
    }
    std::function<void()> wake;
    {
        const std::lock_guard lock(mutex_);
        wake = wake_;
    }
    if (wake) wake();
}

void MemoryJournal::lose_under_way() {
    const std::lock_guard lock(mutex_);
    under_way_.clear();
}

void MemoryJournal::refuse(std::optional<Error> error, bool upkeep_too) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(error);
    refuses_upkeep_ = upkeep_too;
}

void MemoryJournal::break_write(Error error) {
    const std::lock_guard lock(mutex_);
    broken_write_ = std::move(error);
}

Result<Head> MemoryJournal::take_over() {
    const std::lock_guard lock(log_->mutex_);
    Head head;
    head.seq = log_->first_ + log_->chain_.size() - 1;
    head.digest = log_->digest_;
    head.epoch = log_->epoch_ + 1;
    head.time = log_->time_;
    head.cursors = log_->cursors_;
    accepted_ = head.seq;
    return head;
}

Result<> MemoryJournal::ready(Need need) {
    const std::lock_guard lock(mutex_);
    if (refusal_ && (need == Need::intake || refuses_upkeep_)) return *refusal_;
    return {};
}

Result<> MemoryJournal::append(FramePtr frame) {
    {
        const std::lock_guard lock(mutex_);
        if (broken_write_) return *broken_write_;
        if (under_way_.size() >= options_.in_flight_max) {
            return Error{ErrorCode::invalid, "memory journal: " + std::to_string(under_way_.size()) +
                                                 " frames are under way, more are not allowed"};
        }
        if (frame->bytes().size() > options_.frame_bytes_max) {
            return Error{ErrorCode::invalid,
                         "memory journal: a frame of " + std::to_string(frame->bytes().size()) + " bytes is too big"};
        }
        under_way_.push_back(std::move(frame));
    }
    if (options_.writes == Writes::at_once) complete(1);
    return {};
}

Result<Seq> MemoryJournal::accepted() {
    const std::lock_guard lock(mutex_);
    if (fenced_) return Error{ErrorCode::fenced, "memory journal: another owner has taken over"};
    return accepted_;
}

void MemoryJournal::on_progress(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
}

Result<Seq> MemoryJournal::image(const std::function<void(const Changes&)>& install) const {
    std::vector<Changes> chunks;
    Seq at = 0;
    {
        const std::lock_guard lock(log_->mutex_);
        chunks = log_->image_;
        at = log_->first_ - 1;
    }
    for (const Changes& chunk : chunks) install(chunk);
    return at;
}

Result<Seq> MemoryJournal::read(Seq from, const std::function<bool(const FramePtr&)>& each) const {
    for (Seq next = from;; ++next) {
        FramePtr frame;
        {
            const std::lock_guard lock(log_->mutex_);
            if (next < log_->first_) {
                return Error{ErrorCode::not_found,
                             "memory journal: frame " + std::to_string(next) + " is older than kept history"};
            }
            if (next - log_->first_ >= log_->chain_.size()) return next;
            frame = log_->chain_[next - log_->first_];
        }
        if (!each(frame)) return next + 1;
    }
}

}  // namespace nostro
