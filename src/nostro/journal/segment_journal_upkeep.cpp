// What happens beside the stream of frames: space ahead, the superblock, footers.
#include <algorithm>
#include <utility>

#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/segment_journal.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kLookEvery{1000};  // bounds what a lost wake can cost

}  // namespace

Result<> SegmentJournal::write_footers(bool& did) {
    if (!closes_segment_.exchange(false)) return {};
    for (const auto& footer : store_->without_footer()) {
        if (auto wrote = write_footer(footer); !wrote) {
            closes_segment_ = true;  // still
            return wrote;
        }
        store_->set_footed(footer.number);
        did = true;
    }
    return {};
}

Result<> SegmentJournal::write_footer(const SegmentFooter& footer) {
    auto segment = open_segment(footer.number);
    if (!segment) return segment.error();
    const auto encoded = encode(footer, segment->bytes);
    const AlignedBytes block = allocate_aligned(encoded.size());
    std::copy(encoded.begin(), encoded.end(), block.get());
    return disk_.write_now(segment->file->number(), segment->bytes - encoded.size(), {block.get(), encoded.size()});
}

Result<> SegmentJournal::write_superblock(Seq watermark, const Digest& digest) {
    superblock_.watermark = watermark;
    superblock_.watermark_digest = digest;
    ++superblock_.generation;
    const auto encoded = encode(superblock_);
    const AlignedBytes block = allocate_aligned(encoded.size());
    std::copy(encoded.begin(), encoded.end(), block.get());
    // The copies take turns: a torn write leaves the other one.
    return disk_.write_now(superblock_file_->number(), superblock_.generation % 2 * kDiskBlock,
                           {block.get(), encoded.size()});
}

Result<> SegmentJournal::write_superblock_if_due(SteadyTime now, bool& did) {
    Seq accepted = 0;
    Digest digest;
    {
        const std::lock_guard lock(mutex_);
        accepted = accepted_;
        digest = accepted_digest_;
    }
    if (accepted != seen_accepted_) {
        seen_accepted_ = accepted;
        seen_since_ = now;
    }
    if (accepted == superblock_.watermark) return {};
    const bool idle = now - seen_since_ >= options_.idle_after;
    if (!idle && now - superblock_at_ < options_.superblock_every) return {};
    superblock_at_ = now;
    did = true;
    return write_superblock(accepted, digest);
}

// Of what keeps it from making one, only space comes back by itself.
Result<> SegmentJournal::make_spare_if_due(SteadyTime now, bool& did) {
    {
        const std::lock_guard lock(mutex_);
        if (spares_.size() >= options_.spares) return {};
        if (no_space_ && now - space_tried_at_ < options_.retry_space_every) return {};
    }
    space_tried_at_ = now;
    auto made = make_segment();
    if (!made && made.error().code != ErrorCode::unavailable) {
        auto failed = fail(made.error());
        changed_.notify_all();
        return failed;
    }
    {
        const std::lock_guard lock(mutex_);
        if (made) {
            spares_.push_back(std::move(*made));
            disk_.hurry(false);
            no_space_.reset();
        } else {
            no_space_ = Error{ErrorCode::unavailable, "no space for the journal: " + made.error().what};
        }
    }
    changed_.notify_all();
    did = did || made.has_value();
    return {};
}

Result<bool> SegmentJournal::upkeep(SteadyTime now) {
    bool did = false;
    if (auto wrote = write_footers(did); !wrote) return fail(wrote.error()).error();
    if (auto wrote = write_superblock_if_due(now, did); !wrote) return fail(wrote.error()).error();
    if (auto made = make_spare_if_due(now, did); !made) return made.error();
    return did;
}

void SegmentJournal::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        auto did = upkeep(steady_now());
        if (!did) {
            changed_.notify_all();
            if (wake_) wake_();  // the owner learns of it from accepted()
            return;
        }
        if (*did) continue;
        std::unique_lock lock(mutex_);
        const bool behind = accepted_ != superblock_.watermark;
        const auto wait = no_space_ ? options_.retry_space_every : behind ? options_.idle_after : kLookEvery;
        parked_ = !behind;
        changed_.wait_for(lock, stop, std::min<std::chrono::milliseconds>(wait, kLookEvery), [this, behind] {
            return closes_segment_ || (spares_.size() < options_.spares && !no_space_) ||
                   (!behind && accepted_ != superblock_.watermark);
        });
    }
}

}  // namespace nostro
