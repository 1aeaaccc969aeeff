#include "nostro/journal/segment_journal.hpp"

#include <algorithm>
#include <utility>

#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_file.hpp"

namespace nostro {
namespace {

constexpr std::size_t kReadBatch = 64;

}  // namespace

SegmentJournal::SegmentJournal(Disk& disk, SegmentJournalOptions options)
    : disk_(disk), options_(std::move(options)), tail_(options_.tail_bytes) {}

SegmentJournal::~SegmentJournal() {
    thread_ = {};
    disk_.on_completion({});
    if (!taken_over_ || fatal_) return;
    // Best effort: recovery does without.
    if (superblock_.watermark != accepted_)
        static_cast<void>(write_superblock(accepted_, accepted_digest_).has_value());
}

Result<> SegmentJournal::fail(Error error) {
    if (options_.copies) return error;
    const std::lock_guard lock(mutex_);
    if (!fatal_) fatal_ = error;
    return error;
}

bool SegmentJournal::fits(std::uint64_t bytes) const { return at_ + bytes <= limit_; }

Result<> SegmentJournal::ready(Need need) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (fatal_) return *fatal_;
        const bool room = fits(options_.frame_bytes_max);
        if (!no_space_) {
            if (room || !spares_.empty()) return {};
        } else {
            // Without space to be had, intake leaves the last segment that is ready, and the rest of it once it is in
            // use, to upkeep.
            const std::size_t kept = need == Need::intake ? 1 : 0;
            if (spares_.size() > kept || (room && spares_.size() >= kept)) return {};
            return *no_space_;
        }
        // A segment is being zeroed: that is waiting for the disk, not for space.
        if (options_.own_thread) {
            changed_.notify_all();
            changed_.wait(lock, [this] { return !spares_.empty() || no_space_ || fatal_; });
        } else {
            lock.unlock();
            bool did = false;
            const auto made = make_spare_if_due(steady_now(), did);
            lock.lock();
            if (!made) return made;
        }
    }
}

bool SegmentJournal::is_making_room() const {
    const std::lock_guard lock(mutex_);
    return spares_.empty() && !fits(options_.frame_bytes_max) && !no_space_ && !fatal_;
}

Result<> SegmentJournal::roll() {
    std::unique_lock lock(mutex_);
    if (spares_.empty()) {
        return no_space_ ? *no_space_ : Error{ErrorCode::unavailable, "no segment is ready: ready() was not asked"};
    }
    current_ = std::move(spares_.front());
    spares_.erase(spares_.begin());
    disk_.hurry(spares_.empty());
    lock.unlock();
    changed_.notify_all();
    at_ = kSegmentFramesBegin;
    limit_ = frames_end_max(current_.bytes);
    first_ = 0;
    closes_early_ = false;
    return {};
}

// Where no space is to be had, what is left of the open segment is worth more than sealed ids.
bool SegmentJournal::close_through(Seq through) {
    if (first_ == 0 || first_ > through) return false;
    const std::lock_guard lock(mutex_);
    closes_early_ = !no_space_ && !spares_.empty();
    return closes_early_;
}

Result<> SegmentJournal::append(FramePtr frame) {
    if (auto put = put_in_flight(std::move(frame)); !put) return put;
    return write();
}

Result<> SegmentJournal::append_and_wait(FramePtr frame) {
    const bool waits = in_flight_.empty() && quick_ && frame->bytes().size() <= options_.waited_bytes_max;
    if (auto put = put_in_flight(std::move(frame)); !put) return put;
    return waits ? write_and_wait() : write();
}

Result<> SegmentJournal::put_in_flight(FramePtr frame) {
    if (!taken_over_) return Error{ErrorCode::invalid, "journal: append before take_over"};
    if (in_flight_.size() >= options_.in_flight_max) {
        return Error{ErrorCode::invalid,
                     "journal: " + std::to_string(in_flight_.size()) + " frames are in flight already"};
    }
    const auto bytes = frame->bytes();
    if (bytes.size() > options_.frame_bytes_max) {
        return Error{ErrorCode::invalid, "journal: a frame of " + std::to_string(bytes.size()) + " bytes is above " +
                                             std::to_string(options_.frame_bytes_max)};
    }
    if (frame->header.epoch != epoch_ && !options_.copies)
        return Error{ErrorCode::invalid, "journal: the frame is of another epoch"};
    if (frame->header.accepted > accepted_) {
        return Error{ErrorCode::invalid, "journal: the frame says more is durable than is"};
    }
    if (!fits(bytes.size()) || closes_early_) {
        if (auto rolled = roll(); !rolled) return rolled;
    }
    if (auto continues = advance(written_, *frame); !continues) return continues;
    if (first_ == 0) first_ = frame->header.seq;
    const std::uint64_t offset = std::exchange(at_, at_ + bytes.size());
    in_flight_.push_back({std::move(frame), current_.number, current_.bytes, offset, steady_now(), false});
    in_flight_count_ = in_flight_.size();
    return {};
}

Result<> SegmentJournal::write() {
    const InFlight& write = in_flight_.back();
    auto started = disk_.write_durable(current_.file->number(), write.offset, write.frame->bytes(),
                                       write.frame->header.seq, write.frame);
    if (!started) return fail(started.error());
    return {};
}

Result<> SegmentJournal::write_and_wait() {
    InFlight& write = in_flight_.back();
    if (auto wrote = disk_.write_now(current_.file->number(), write.offset, write.frame->bytes()); !wrote) {
        return fail(write_failed(write, wrote.error().what));
    }
    completed(write);
    if (wake_) wake_();
    return {};
}

Error SegmentJournal::write_failed(const InFlight& write, const std::string& what) {
    return {ErrorCode::unknown, "journal: writing frame " + std::to_string(write.frame->header.seq) + " into " +
                                    segment_name(write.segment) + " at byte " + std::to_string(write.offset) +
                                    " failed: " + what +
                                    "; the process must end, the next one finds what became of it"};
}

void SegmentJournal::completed(InFlight& write) {
    write.done = true;
    quick_ = elapsed_since(write.began) < options_.quick_write;
}

void SegmentJournal::accept_front() {
    auto& front = in_flight_.front();
    store_->add(front.segment, front.segment_bytes, front.offset, *front.frame);
    tail_.add(front.frame);
    const Seq seq = front.frame->header.seq;
    {
        const std::lock_guard lock(mutex_);
        accepted_digest_ = front.frame->digest;
        accepted_ = seq;
    }
    if (front.offset == kSegmentFramesBegin) closes_segment_ = true;  // the one before it is closed now
    in_flight_.pop_front();
    in_flight_count_ = in_flight_.size();
    if (parked_.exchange(false)) changed_.notify_all();
}

Result<Seq> SegmentJournal::accepted() {
    {
        const std::lock_guard lock(mutex_);
        if (fatal_) return *fatal_;
    }
    completions_.clear();
    disk_.completed(completions_);
    for (const auto& completion : completions_) {
        const auto found = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& write) {
            return write.frame->header.seq == completion.tag;
        });
        if (found == in_flight_.end()) continue;
        if (!completion.ok) return fail(write_failed(*found, completion.what)).error();
        completed(*found);
    }
    while (!in_flight_.empty() && in_flight_.front().done) accept_front();
    return accepted_.load();
}

Result<Seq> SegmentJournal::image(const std::function<void(const Changes&)>& install) const {
    return read_newest_image(disk_, install);
}

Result<Seq> SegmentJournal::read(Seq from, const std::function<bool(const FramePtr&)>& each) const {
    const Seq through = accepted_;
    if (from == 0) from = 1;
    std::vector<FramePtr> batch;
    while (from <= through) {
        batch.clear();
        if (tail_.get(from, through, kReadBatch, batch)) {
            for (const auto& frame : batch) {
                ++from;
                if (!each(frame)) return from;
            }
            if (batch.empty()) return from;
            continue;
        }
        const Seq before = from;
        auto read = store_->read(from, std::min(through, from + kReadBatch - 1), [&](const FramePtr& frame) {
            ++from;
            return each(frame);
        });
        if (!read) return read.error();
        if (!*read) return from;
        if (from == before)
            return Error{ErrorCode::corrupt, "journal: frame " + std::to_string(from) + " is in no segment"};
    }
    return from;
}

Result<> SegmentJournal::headers(Seq from, Seq through, std::vector<std::byte>& into) const {
    if (through > accepted_) {
        return Error{ErrorCode::not_found, "frame " + std::to_string(through) + " is not accepted yet"};
    }
    return store_->headers(from, through, into);
}

}  // namespace nostro
