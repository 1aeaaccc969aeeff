#include "nostro/journal/segment_store.hpp"

#include <algorithm>
#include <utility>

#include "nostro/journal/data_directory.hpp"

namespace nostro {
namespace {

constexpr std::size_t kOpenMax = 64;  // readers of single payments go to and fro
constexpr std::size_t kReadAhead = kMarkStep;
constexpr std::size_t kReadAheadLong = 1 << 20;

template <class Value>
std::shared_ptr<Value> cached(std::list<std::pair<std::uint64_t, std::shared_ptr<Value>>>& list, std::uint64_t number) {
    for (auto at = list.begin(); at != list.end(); ++at) {
        if (at->first != number) continue;
        list.splice(list.begin(), list, at);
        return at->second;
    }
    return nullptr;
}

template <class Value>
void cache(std::list<std::pair<std::uint64_t, std::shared_ptr<Value>>>& list, std::uint64_t number,
           std::shared_ptr<Value> value) {
    list.emplace_front(number, std::move(value));
    if (list.size() > kOpenMax) list.pop_back();
}

}  // namespace

SegmentStore::SegmentStore(Disk& disk, const std::vector<SegmentInfo>& segments) : disk_(disk) {
    for (const auto& info : segments) entries_.push_back({info, !info.archived && !info.about.marks.empty()});
}

SegmentStore::Entry* SegmentStore::entry(std::uint64_t number) const {
    for (auto& candidate : entries_) {
        if (candidate.info.about.number == number) return &candidate;
    }
    return nullptr;
}

void SegmentStore::add(std::uint64_t number, std::uint64_t file_bytes, std::uint64_t offset,
                       const EncodedFrame& frame) {
    const std::lock_guard lock(mutex_);
    if (entries_.empty() || entries_.back().info.about.number != number) {
        Entry fresh;
        fresh.info.about.number = number;
        fresh.info.about.first = frame.header.seq;
        fresh.info.about.before = frame.header.previous;
        fresh.info.about.first_time = frame.header.time;
        fresh.info.about.marks.reserve(file_bytes / kMarkStep + 1);
        fresh.info.file_bytes = file_bytes;
        fresh.has_marks = true;
        entries_.push_back(std::move(fresh));
    }
    auto& about = entries_.back().info.about;
    if (about.marks.empty() || offset / kMarkStep != about.marks.back().offset_block * kDiskBlock / kMarkStep) {
        about.marks.push_back({static_cast<std::uint32_t>(frame.header.seq - about.first),
                               static_cast<std::uint32_t>(offset / kDiskBlock)});
    }
    about.last = frame.header.seq;
    about.last_offset = offset;
    about.last_time = frame.header.time;
    about.epoch = frame.header.epoch;
    about.digest = frame.digest;
    about.end = offset + frame.bytes().size();
}

void SegmentStore::close_last() {
    const std::lock_guard lock(mutex_);
    if (!entries_.empty()) entries_.back().closed = true;
}

std::vector<SegmentFooter> SegmentStore::without_footer() const {
    const std::lock_guard lock(mutex_);
    std::vector<SegmentFooter> found;
    for (const Entry& each : entries_) {
        const bool is_closed = each.closed || &each != &entries_.back();
        if (is_closed && !each.info.footed) found.push_back(each.info.about);
    }
    return found;
}

void SegmentStore::set_footed(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    if (auto* found = entry(number)) found->info.footed = true;
}

void SegmentStore::set_archived(std::uint64_t number) { note_archived(number); }

void SegmentStore::note_archived(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    if (auto* found = entry(number)) {
        found->info.archived = true;
        found->info.about.marks = {};
        found->has_marks = false;
    }
    open_files_.remove_if([&](const auto& open) { return open.first == number; });
}

void SegmentStore::drop(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const Entry& candidate) { return candidate.info.about.number == number; });
    open_files_.remove_if([&](const auto& open) { return open.first == number; });
    open_archives_.remove_if([&](const auto& open) { return open.first == number; });
}

Seq SegmentStore::first() const {
    const std::lock_guard lock(mutex_);
    return entries_.empty() ? 0 : entries_.front().info.about.first;
}

std::uint64_t SegmentStore::closed_bytes_behind(Seq seq) const {
    const std::lock_guard lock(mutex_);
    std::uint64_t bytes = 0;
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && entry->info.about.last > seq; ++entry) {
        const bool is_closed = entry != entries_.rbegin() || entry->info.footed;
        if (is_closed) bytes += entry->info.about.end;
    }
    return bytes;
}

std::vector<SegmentInfo> SegmentStore::segments() const {
    const std::lock_guard lock(mutex_);
    std::vector<SegmentInfo> all;
    for (const auto& candidate : entries_) {
        const auto& from = candidate.info;
        SegmentInfo info;
        info.file_bytes = from.file_bytes;
        info.archived = from.archived;
        info.footed = from.footed;
        info.about = {from.about.number,
                      from.about.first,
                      from.about.last,
                      from.about.end,
                      from.about.last_offset,
                      from.about.before,
                      from.about.digest,
                      from.about.first_time,
                      from.about.last_time,
                      from.about.epoch,
                      {}};
        all.push_back(std::move(info));
    }
    return all;
}

Result<> SegmentStore::load_marks(std::uint64_t number) const {
    auto opened = file(number);
    if (!opened) return opened.error();
    const std::uint64_t bytes = (*opened)->bytes();
    std::vector<std::byte> block(static_cast<std::size_t>(footer_bytes(bytes)));
    if (auto read = (*opened)->read(bytes - block.size(), block); !read) return read;
    auto footer = decode_segment_footer(block);
    const std::lock_guard lock(mutex_);
    if (auto* found = entry(number)) {
        // A footer that was damaged since: the frames are found without it, by walking from the begin.
        if (footer && footer->first == found->info.about.first) found->info.about.marks = std::move(footer->marks);
        found->has_marks = true;
    }
    return {};
}

Result<SegmentStore::Start> SegmentStore::find(Seq seq) const {
    for (;;) {
        std::uint64_t wants_marks = 0;
        {
            const std::lock_guard lock(mutex_);
            const auto after = std::upper_bound(
                entries_.begin(), entries_.end(), seq,
                [](Seq wanted, const Entry& candidate) { return wanted < candidate.info.about.first; });
            if (after == entries_.begin()) {
                return Error{ErrorCode::not_found,
                             "frame " + std::to_string(seq) + " is older than the history that is kept" +
                                 (entries_.empty() ? ""
                                                   : ", which begins with frame " +
                                                         std::to_string(entries_.front().info.about.first))};
            }
            const Entry& found = *std::prev(after);
            const auto& about = found.info.about;
            Start start{about.number, found.info.archived, about.first, about.last, kSegmentFramesBegin, about.end};
            if (found.info.archived) return start;
            if (found.has_marks) {
                const auto mark = std::upper_bound(
                    about.marks.begin(), about.marks.end(), seq - about.first,
                    [](Seq wanted, const SegmentMark& candidate) { return wanted < candidate.seq_after; });
                if (mark != about.marks.begin()) {
                    start.seq = about.first + std::prev(mark)->seq_after;
                    start.offset = std::uint64_t{std::prev(mark)->offset_block} * kDiskBlock;
                }
                return start;
            }
            wants_marks = about.number;
        }
        if (auto loaded = load_marks(wants_marks); !loaded) {
            if (loaded.error().code != ErrorCode::not_found) return loaded.error();  // not_found: archived just now
        }
    }
}

Result<std::shared_ptr<OpenFile>> SegmentStore::file(std::uint64_t number) const {
    {
        const std::lock_guard lock(mutex_);
        if (auto found = cached(open_files_, number)) return found;
    }
    auto opened = OpenFile::open(disk_, segment_name(number));
    if (!opened) return opened.error();
    const std::lock_guard lock(mutex_);
    cache(open_files_, number, *opened);
    return *opened;
}

Result<std::shared_ptr<const ArchiveReader>> SegmentStore::archive(std::uint64_t number) const {
    {
        const std::lock_guard lock(mutex_);
        if (auto found = cached(open_archives_, number)) return found;
    }
    auto opened = ArchiveReader::open(disk_, archive_name(number));
    if (!opened) return opened.error();
    const std::lock_guard lock(mutex_);
    cache(open_archives_, number, *opened);
    return *opened;
}

// Both return the first frame not given.
Result<Seq> SegmentStore::read_segment(const Start& start, Seq from, Seq through,
                                       const std::function<bool(const FramePtr&)>& each, bool& goes_on) const {
    auto opened = file(start.number);
    if (!opened) return opened.error();
    FileWindow window(*opened, through - from > 4 ? kReadAheadLong : kReadAhead);
    const auto damaged = [&](std::uint64_t at, Seq seq, const std::string& why) {
        return Error{ErrorCode::corrupt, (*opened)->name() + ", byte " + std::to_string(at) + ": frame " +
                                             std::to_string(seq) + " is damaged: " + why +
                                             "; restore this segment from a backup"};
    };
    Seq seq = start.seq;
    for (std::uint64_t at = start.offset; at < start.end && seq <= std::min(through, start.last); ++seq) {
        if (seq < from) {
            auto block = window.view(at, kDiskBlock);
            if (!block) return block.error();
            auto header = decode_frame_header(block->first(kFrameHeaderBytes));
            if (!header) return damaged(at, seq, header.error().what);
            at += frame_size(*header);
            continue;
        }
        auto probe = probe_frame(window, at, start.end);
        if (!probe) return probe.error();
        if (probe->kind != Probe::Kind::frame) return damaged(at, seq, probe->why.empty() ? "it is empty" : probe->why);
        if (probe->frame->header.seq != seq) return damaged(at, seq, "another frame stands there");
        goes_on = each(probe->frame);
        if (!goes_on) return seq + 1;
        at += probe->bytes;
    }
    if (seq <= std::min(through, start.last)) return damaged(start.end, seq, "the segment ends before it");
    return seq;
}

Result<Seq> SegmentStore::read_archive(const Start& start, Seq from, Seq through,
                                       const std::function<bool(const FramePtr&)>& each, bool& goes_on) const {
    auto opened = archive(start.number);
    if (!opened) return opened.error();
    Seq seq = from;
    for (; seq <= std::min(through, start.last); ++seq) {
        auto frame = (*opened)->frame(seq);
        if (!frame) return frame.error();
        goes_on = each(*frame);
        if (!goes_on) return seq + 1;
    }
    return seq;
}

Result<Seq> SegmentStore::headers_of_segment(const Start& start, Seq from, Seq through,
                                             std::vector<std::byte>& into) const {
    auto opened = file(start.number);
    if (!opened) return opened.error();
    std::vector<std::byte> bytes(kFrameHeaderBytes);
    Seq seq = start.seq;
    for (std::uint64_t at = start.offset; seq <= std::min(through, start.last); ++seq) {
        if (auto read = (*opened)->read(at, bytes); !read) return read.error();
        const auto header = decode_frame_header(bytes);
        if (!header || header->seq != seq) {
            return Error{ErrorCode::corrupt, (*opened)->name() + ", byte " + std::to_string(at) +
                                                 ": the header of frame " + std::to_string(seq) +
                                                 " is damaged; restore this segment from a backup"};
        }
        if (seq >= from) into.insert(into.end(), bytes.begin(), bytes.end());
        at += frame_size(*header);
    }
    return seq;
}

Result<Seq> SegmentStore::headers_of_archive(const Start& start, Seq from, Seq through,
                                             std::vector<std::byte>& into) const {
    auto opened = archive(start.number);
    if (!opened) return opened.error();
    Seq seq = from;
    for (; seq <= std::min(through, start.last); ++seq) {
        auto header = (*opened)->header(seq);
        if (!header) return header.error();
        into.insert(into.end(), header->begin(), header->end());
    }
    return seq;
}

Result<> SegmentStore::walk(Seq from, Seq through, const std::function<Result<Seq>(const Start&, Seq)>& step) const {
    int gone = 0;
    while (from <= through) {
        auto start = find(from);
        if (!start) return start.error();
        if (from > start->last) return {};
        auto next = step(*start, from);
        if (!next) {
            // Archived or dropped between finding and opening, by this process or by the owner: look again.
            if (next.error().code != ErrorCode::not_found || ++gone == 3) return next.error();
            if (!start->archived && archive(start->number)) note_archived(start->number);
            continue;
        }
        from = *next;
    }
    return {};
}

Result<bool> SegmentStore::read(Seq from, Seq through, const std::function<bool(const FramePtr&)>& each) const {
    bool goes_on = true;
    const auto walked = walk(from, through, [&](const Start& start, Seq at) -> Result<Seq> {
        auto next = start.archived ? read_archive(start, at, through, each, goes_on)
                                   : read_segment(start, at, through, each, goes_on);
        if (next && !goes_on) return through + 1;
        return next;
    });
    if (!walked) return walked.error();
    return goes_on;
}

Result<> SegmentStore::headers(Seq from, Seq through, std::vector<std::byte>& into) const {
    const std::size_t before = into.size();
    auto walked = walk(from, through, [&](const Start& start, Seq at) {
        return start.archived ? headers_of_archive(start, at, through, into)
                              : headers_of_segment(start, at, through, into);
    });
    if (walked && from <= through && into.size() - before != (through - from + 1) * kFrameHeaderBytes) {
        return Error{ErrorCode::not_found, "frame " + std::to_string(through) + " does not exist"};
    }
    return walked;
}

Result<FramePlace> SegmentStore::place(Seq seq) const {
    auto start = find(seq);
    if (!start) return start.error();
    if (seq > start->last) return Error{ErrorCode::not_found, "frame " + std::to_string(seq) + " does not exist"};
    if (start->archived) {
        auto opened = archive(start->number);
        if (!opened) return opened.error();
        return FramePlace{archive_name(start->number), (*opened)->offset(seq)};
    }
    auto opened = file(start->number);
    if (!opened) return opened.error();
    const auto at = offset_in_segment(*start, *opened, seq);
    if (!at) return at.error();
    return FramePlace{(*opened)->name(), *at};
}

Result<std::uint64_t> SegmentStore::offset_in_segment(const Start& start, const std::shared_ptr<OpenFile>& file,
                                                      Seq seq) const {
    FileWindow window(file, kReadAhead);
    std::uint64_t at = start.offset;
    for (Seq walked = start.seq; walked < seq; ++walked) {
        auto block = window.view(at, kDiskBlock);
        if (!block) return block.error();
        auto header = decode_frame_header(block->first(kFrameHeaderBytes));
        if (!header) return header.error();
        at += frame_size(*header);
    }
    return at;
}

Result<> SegmentStore::bytes(Seq seq, std::uint32_t begin, std::span<std::byte> into) const {
    bool found = false;
    auto walked = walk(seq, seq, [&](const Start& start, Seq at) -> Result<Seq> {
        if (start.archived) {
            auto opened = archive(start.number);
            if (!opened) return opened.error();
            if (auto read = (*opened)->bytes(at, begin, into); !read) return read.error();
        } else {
            auto opened = file(start.number);
            if (!opened) return opened.error();
            const auto offset = offset_in_segment(start, *opened, at);
            if (!offset) return offset.error();
            if (auto read = (*opened)->read(*offset + begin, into); !read) return read.error();
        }
        found = true;
        return at + 1;
    });
    if (walked && !found) return Error{ErrorCode::not_found, "frame " + std::to_string(seq) + " does not exist"};
    return walked;
}

void SegmentStore::will_read(Seq seq, std::uint32_t begin, std::uint32_t bytes) const {
    const auto start = find(seq);
    if (!start || seq > start->last) return;
    if (start->archived) {
        if (const auto opened = archive(start->number)) (*opened)->will_read(seq, begin, bytes);
        return;
    }
    const auto opened = file(start->number);
    if (!opened) return;
    // Where other small frames stand before it, their headers are read, too.
    if (start->seq == seq) {
        (*opened)->will_read(start->offset + begin, bytes);
    } else {
        (*opened)->will_read(start->offset, kReadAhead);
    }
}

}  // namespace nostro
