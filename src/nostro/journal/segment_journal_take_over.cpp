// Taking over a data directory: recovery, and what it leaves to repair.
#include <algorithm>
#include <cstring>
#include <utility>

#include "nostro/base/random.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/segment_journal.hpp"

namespace nostro {
namespace {

constexpr std::size_t kCopyPiece = 1 << 20;
constexpr std::uint64_t kCellsOfBlock = kDiskBlock;

}  // namespace

Result<> SegmentJournal::check_options() const {
    const auto& o = options_;
    const auto wrong = [](const std::string& why) { return Error{ErrorCode::invalid, "journal: " + why}; };
    if (o.segment_bytes % kCellsOfBlock != 0) return wrong("segment_bytes must be a multiple of 4096");
    if (o.frame_bytes_max % kFrameAlign != 0 || o.frame_bytes_max == 0) {
        return wrong("frame_bytes_max must be a multiple of 4096");
    }
    const std::uint64_t least = kSegmentFramesBegin + o.frame_bytes_max + footer_bytes(o.segment_bytes);
    if (o.segment_bytes < least) {
        return wrong("segment_bytes must be at least " + std::to_string(least) + " for frames of " +
                     std::to_string(o.frame_bytes_max) + " bytes");
    }
    if (o.segment_bytes > (std::uint64_t{1} << 40)) return wrong("segment_bytes must be at most 1 TiB");
    if (o.spares < 1 || o.in_flight_max < 1) return wrong("spares and in_flight_max must be at least 1");
    return {};
}

Result<Head> SegmentJournal::take_over() {
    if (taken_over_) return Error{ErrorCode::invalid, "journal: take_over twice"};
    if (auto checked = check_options(); !checked) return checked.error();
    if (auto locked = disk_.lock(); !locked) return locked.error();
    recovery_.copies = options_.copies;
    auto chain = recover_chain(disk_, recovery_);
    if (!chain) return chain.error();
    void_frames_ = chain->void_frames;
    number_max_ = chain->number_max;
    if (auto begun = begin_superblock(*chain); !begun) return begun.error();
    if (auto repaired = repair(*chain); !repaired) return repaired.error();
    store_ = std::make_unique<SegmentStore>(disk_, chain->segments);
    written_ = chain->end;
    accepted_ = chain->end.seq;
    accepted_digest_ = chain->end.digest;
    if (auto opened = open_current(*chain); !opened) return opened.error();
    // From here on no frame of an earlier epoch continues the chain.
    epoch_ = std::max(superblock_.epoch, chain->end.epoch) + 1;
    superblock_.epoch = epoch_;
    if (auto wrote = write_superblock(chain->end.seq, chain->end.digest); !wrote) return wrote.error();
    closes_segment_ = true;
    disk_.on_completion([this] {
        if (wake_) wake_();
    });
    taken_over_ = true;
    if (options_.own_thread) {
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    return Head{written_.seq, written_.digest, epoch_, written_.time, written_.cursors};
}

// An empty directory becomes a journal with its superblock: it appears whole, before the first segment.
Result<> SegmentJournal::begin_superblock(const RecoveredChain& chain) {
    if (chain.superblock) {
        superblock_ = *chain.superblock;
    } else {
        superblock_.journal = {random_u64(), random_u64()};
        const auto block = encode(superblock_);  // generation 0: the first copy
        if (auto created = disk_.create(kSuperblockName, kSuperblockBytes, block); !created) return created;
    }
    id_ = superblock_.journal;
    auto file = OpenFile::open(disk_, kSuperblockName);
    if (!file) return file.error();
    superblock_file_ = std::move(*file);
    return {};
}

Result<SegmentJournal::Segment> SegmentJournal::open_segment(std::uint64_t number) {
    auto file = OpenFile::open(disk_, segment_name(number));
    if (!file) return file.error();
    return Segment{number, (*file)->bytes(), std::move(*file)};
}

Result<SegmentJournal::Segment> SegmentJournal::make_segment() {
    const std::uint64_t number = number_max_ + 1;
    if (created_ != number) {
        const auto header = encode(SegmentHeader{id_, number, number, options_.segment_bytes});
        if (auto done = disk_.create(segment_name(number), options_.segment_bytes, header); !done) return done.error();
        created_ = number;
    }
    auto opened = open_segment(number);
    if (opened) number_max_ = number;  // else it is tried again: the chain goes over no number without frames
    return opened;
}

Result<> SegmentJournal::copy_frames(const SegmentInfo& from, OpenFile& to) {
    auto source = OpenFile::open(disk_, segment_name(from.about.number));
    if (!source) return source.error();
    const AlignedBytes piece = allocate_aligned(kCopyPiece);
    for (std::uint64_t at = kSegmentFramesBegin; at < from.about.end;) {
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kCopyPiece, from.about.end - at));
        const std::span<std::byte> block(piece.get(), bytes);
        if (auto read = (*source)->read(at, block); !read) return read;
        if (auto wrote = disk_.write_now(to.number(), at, block); !wrote) return wrote;
        at += bytes;
    }
    return {};
}

// The valid frames of the last segment go into a fresh one, which takes its place at one stroke: void frames are never
// met again. A spare of the right size serves when there is no space for another.
Result<SegmentInfo> SegmentJournal::copy_out(RecoveredChain& chain) {
    SegmentInfo copied = chain.segments.back();
    const std::uint64_t number = chain.number_max + 1;
    const std::string temporary = segment_name(number) + kTemporarySuffix;
    const auto header = encode(SegmentHeader{id_, number, copied.about.number, copied.file_bytes});
    auto created = disk_.create(temporary, copied.file_bytes, header);
    if (!created && created.error().code == ErrorCode::unavailable) {
        const auto spare = std::find_if(chain.spares.rbegin(), chain.spares.rend(), [&](std::uint64_t candidate) {
            auto file = open_segment(candidate);
            return file && file->bytes == copied.file_bytes;
        });
        if (spare == chain.spares.rend()) return created.error();
        if (auto renamed = disk_.rename(segment_name(*spare), temporary); !renamed) return renamed.error();
        chain.spares.erase(std::next(spare).base());
    } else if (!created) {
        return created.error();
    }
    auto file = OpenFile::open(disk_, temporary);
    if (!file) return file.error();
    if (auto wrote = disk_.write_now((*file)->number(), 0, header); !wrote) return wrote.error();
    if (auto moved = copy_frames(copied, **file); !moved) return moved.error();
    file->reset();
    if (auto renamed = disk_.rename(temporary, segment_name(number)); !renamed) return renamed.error();
    // Spares below its number are void with what it replaces.
    for (const auto spare : chain.spares) chain.leftovers.push_back(segment_name(spare));
    chain.spares.clear();
    chain.leftovers.push_back(segment_name(copied.about.number));
    copied.about.number = number;
    number_max_ = number;
    return copied;
}

Result<> SegmentJournal::repair(RecoveredChain& chain) {
    // Temporary files first: a copy under way before may have left one in the place of the next.
    for (const auto& name : chain.leftovers) {
        if (!is_temporary(name)) continue;
        if (auto removed = disk_.remove(name); !removed) return removed;
    }
    std::erase_if(chain.leftovers, [](const std::string& name) { return is_temporary(name); });
    if (chain.dirty) {
        auto copied = copy_out(chain);
        if (!copied) return copied.error();
        chain.segments.back() = std::move(*copied);
    }
    for (const auto& name : chain.leftovers) {
        if (auto removed = disk_.remove(name); !removed) return removed;
    }
    return {};
}

Result<> SegmentJournal::open_current(const RecoveredChain& chain) {
    for (const auto number : chain.spares) {
        auto spare = open_segment(number);
        if (!spare) return spare.error();
        spares_.push_back(std::move(*spare));
    }
    if (!chain.segments.empty() && !chain.segments.back().footed) {
        auto opened = open_segment(chain.segments.back().about.number);
        if (!opened) return opened.error();
        current_ = std::move(*opened);
        at_ = chain.segments.back().about.end;
        first_ = chain.segments.back().about.first;
        limit_ = frames_end_max(current_.bytes);
        return {};
    }
    if (spares_.empty()) {
        auto made = make_segment();
        if (!made) return made.error();
        spares_.push_back(std::move(*made));
    }
    return roll();
}

}  // namespace nostro
