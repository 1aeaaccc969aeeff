// The newest accepted frames, in memory, up to a bound of bytes.
//
// Threads: any.
#pragma once
#include <deque>
#include <mutex>
#include <vector>

#include "nostro/wire/frame.hpp"

namespace nostro {

class FrameTail {
public:
    explicit FrameTail(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    void add(FramePtr frame) {
        const std::lock_guard lock(mutex_);
        bytes_ += frame->bytes().size();
        frames_.push_back(std::move(frame));
        while (bytes_ > bytes_max_ && frames_.size() > 1) {
            bytes_ -= frames_.front()->bytes().size();
            frames_.pop_front();
        }
    }

    // All but the newest: who asks for the others has to read them.
    void let_go() {
        std::deque<FramePtr> gone;  // they may be many, and whoever adds one shall not wait for that
        const std::lock_guard lock(mutex_);
        if (frames_.size() < 2) return;
        gone.swap(frames_);
        frames_.push_back(gone.back());
        bytes_ = frames_.front()->bytes().size();
    }

    // The oldest of them; 0: there is none.
    Seq first() const {
        const std::lock_guard lock(mutex_);
        return frames_.empty() ? 0 : frames_.front()->header.seq;
    }

    // Appends frames from `from` up to and with `through`, at most `count_max`. False: it is not that far back.
    bool get(Seq from, Seq through, std::size_t count_max, std::vector<FramePtr>& into) const {
        const std::lock_guard lock(mutex_);
        if (frames_.empty() || from < frames_.front()->header.seq) return false;
        for (auto at = static_cast<std::size_t>(from - frames_.front()->header.seq);
             at < frames_.size() && count_max != 0 && frames_[at]->header.seq <= through; ++at, --count_max) {
            into.push_back(frames_[at]);
        }
        return true;
    }

private:
    const std::size_t bytes_max_;
    mutable std::mutex mutex_;
    std::deque<FramePtr> frames_;  // without gaps
    std::size_t bytes_ = 0;
};

}  // namespace nostro
