#include "nostro/journal/image_fold.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "nostro/journal/archive_file.hpp"
#include "nostro/journal/data_directory.hpp"

namespace nostro {
namespace {

constexpr std::size_t kChunkCells = 2048;
constexpr std::size_t kImagesKept = 2;
constexpr std::uint64_t kBytesOfPayment = 200;  // in a frame of many; more in smaller ones
constexpr std::chrono::seconds kRetrySpaceAfter{10};
constexpr std::chrono::seconds kRetryAfter{1};
constexpr std::chrono::seconds kRetryAfterMax{60};
constexpr const char* kUntilMended =
    "; until this is mended and tried again no image is made and no id leaves memory: starts take longer, and in the "
    "end [book] is full";

// The cells of the image before, kind by kind.
class Before {
public:
    static Result<Before> open(Disk& disk, Seq through) {
        Before before;
        if (through == 0) return before;
        auto reader = ImageReader::open(disk, image_name(through));
        if (!reader) return reader.error();
        before.reader_ = std::move(*reader);
        if (auto fetched = before.fetch(); !fetched) return fetched.error();
        return before;
    }
    // The next cell of a kind; nullptr: no more of it.
    template <class Cell>
    Result<const Cell*> peek(std::vector<Cell> Changes::* kind) {
        if (reader_ && at_ != 0 && at_ == (chunk_.*kind).size()) {
            if (auto fetched = fetch(); !fetched) return fetched.error();
        }
        return at_ < (chunk_.*kind).size() ? &(chunk_.*kind)[at_] : nullptr;
    }
    void take() { ++at_; }

private:
    Result<> fetch() {
        auto more = reader_->next(chunk_);
        if (!more) return more.error();
        at_ = 0;
        return {};
    }
    std::unique_ptr<ImageReader> reader_;
    Changes chunk_;
    std::size_t at_ = 0;
};

template <class Cell>
Result<> merge_kind(std::vector<Cell> Changes::* kind, Before& before, const Changes& fresh, ImageWriter& writer,
                    const std::function<void(std::size_t)>& pace) {
    Changes chunk;
    const auto flush = [&]() -> Result<> {
        if ((chunk.*kind).empty()) return {};
        const std::uint64_t from = writer.bytes();
        if (auto added = writer.add(chunk); !added) return added;
        if (pace) pace(static_cast<std::size_t>(writer.bytes() - from));
        chunk.clear();
        return {};
    };
    const auto put = [&](const Cell& cell) -> Result<> {
        if (is_gone(cell)) return {};
        (chunk.*kind).push_back(cell);
        return (chunk.*kind).size() >= kChunkCells ? flush() : Result<>{};
    };
    auto next = (fresh.*kind).begin();
    for (;;) {
        auto old = before.peek(kind);
        if (!old) return old.error();
        if (*old == nullptr && next == (fresh.*kind).end()) return flush();
        const bool take_old = *old != nullptr && (next == (fresh.*kind).end() || cell_key(**old) < cell_key(*next));
        const bool same = *old != nullptr && !take_old && cell_key(**old) == cell_key(*next);
        if (auto written = put(take_old ? **old : *next); !written) return written;
        if (take_old || same) before.take();
        if (!take_old) ++next;
    }
}

}  // namespace

ImageFold::ImageFold(Disk& disk, SegmentStore& store, SealedRuns& ids, JournalId journal, FoldOptions options)
    : disk_(disk), store_(store), ids_(ids), journal_(journal), options_(std::move(options)) {}

// Whatever is wrong may be mended while the program runs, and payments do without the fold for a while: it never gives
// up, and tells why it is behind.
Result<bool> ImageFold::step(Instant now) {
    if (now < retry_at_) return false;
    auto did = piece(now);
    if (did) {
        pause_ = std::chrono::seconds(0);
        set_trouble({});
        return did;
    }
    const bool is_full = did.error().code == ErrorCode::unavailable;
    pause_ = is_full ? kRetrySpaceAfter : std::clamp(pause_ * 2, kRetryAfter, kRetryAfterMax);
    retry_at_ = now + pause_;
    set_trouble(did.error().what + kUntilMended);
    return is_full ? Result<bool>(false) : std::move(did);
}

std::string ImageFold::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

double ImageFold::behind() const {
    if (!looked_ || options_.ids_max == 0) return 0;
    const std::uint64_t ids = store_.closed_bytes_behind(image_) / kBytesOfPayment;
    return static_cast<double>(ids) / static_cast<double>(options_.ids_max);
}

void ImageFold::set_trouble(std::string text) {
    const std::lock_guard lock(mutex_);
    trouble_ = std::move(text);
}

Result<bool> ImageFold::piece(Instant now) {
    if (!looked_) {
        auto newest = newest_image(disk_);
        if (!newest) return newest.error();
        image_ = *newest;
        if (ids_.through() < image_) {
            return Error{ErrorCode::corrupt, "the sealed ids reach to frame " + std::to_string(ids_.through()) +
                                                 ", the image to frame " + std::to_string(image_) +
                                                 ": files of the folder ids are missing; restore them from a backup"};
        }
        looked_ = true;
    }
    const auto segments = store_.segments();
    Seq closed = segments.size() > 1 ? segments[segments.size() - 2].about.last : 0;
    if (!segments.empty() && segments.back().footed) closed = segments.back().about.last;
    if (closed > image_) return fold(closed);
    if (auto merged = ids_.merge_step(); !merged || *merged) return merged;
    if (auto archived = archive_one(segments); !archived || *archived) return archived;
    return drop_one(segments, now);
}

Result<bool> ImageFold::fold(Seq last) {
    NewestCells table;
    std::vector<SealedId> ids;
    const Seq sealed = ids_.through();
    std::optional<ImageHead> head;
    std::optional<Error> failed;
    DecodedFrame decoded;
    auto read = store_.read(image_ + 1, last, [&](const FramePtr& frame) {
        if (auto done = decode_body(frame, Sections::images, decoded); !done) {
            failed = done.error();
            return false;
        }
        table.add(decoded.changes);
        if (decoded.seq() > sealed) {
            for (const auto& known : decoded.changes.known) {
                ids.push_back({known.id, {decoded.seq(), known.index}, known.meaning});
            }
        }
        head = ImageHead{journal_, decoded.seq(), frame->digest, decoded.time()};
        pace(frame->bytes().size());
        return table.bytes() + ids.size() * sizeof(SealedId) < options_.memory_bytes;
    });
    if (!read) return read.error();
    if (failed) return *failed;
    if (!head) return false;
    table.finish();
    if (auto added = ids_.add(journal_, head->through, ids); !added) return added.error();
    if (auto written = write_image(table, *head); !written) return written.error();
    return true;
}

Result<> ImageFold::write_image(const NewestCells& table, const ImageHead& head) {
    auto before = Before::open(disk_, image_);
    if (!before) return before.error();
    auto writer = ImageWriter::start(disk_, head);
    if (!writer) return writer.error();
    Result<> merged;
    for_each_kind([&](auto kind) {
        if (merged) merged = merge_kind(kind, *before, table.cells(), **writer, options_.pace);
    });
    if (!merged) return merged;
    if (auto published = (*writer)->publish(); !published) return published;
    image_ = head.through;
    auto files = disk_.list(kImageFolder);
    if (!files) return files.error();
    std::vector<Seq> images;
    for (const auto& file : *files) {
        if (const auto seq = image_seq(file)) images.push_back(*seq);
    }
    std::sort(images.begin(), images.end());
    for (std::size_t i = 0; i + kImagesKept < images.size(); ++i) {
        if (auto removed = disk_.remove(image_name(images[i])); !removed) return removed;
    }
    return {};
}

Result<bool> ImageFold::archive_one(const std::vector<SegmentInfo>& segments) {
    if (!options_.archive) return false;
    for (std::size_t i = 0; i + 1 + options_.plain_segments < segments.size(); ++i) {
        const auto& segment = segments[i];
        if (segment.archived || !segment.footed || segment.about.last > image_) continue;
        if (auto archived = archive(segment); !archived) return archived.error();
        return true;
    }
    return false;
}

Result<> ImageFold::archive(const SegmentInfo& segment) {
    const auto& about = segment.about;
    const std::string name = archive_name(about.number);
    const std::string temporary = name + kTemporarySuffix;
    Result<> added;
    {
        auto writer = ArchiveWriter::start(disk_, temporary);
        if (!writer) return writer.error();
        auto read = store_.read(about.first, about.last, [&](const FramePtr& frame) {
            added = (*writer)->add(*frame);
            pace(frame->bytes().size());
            return added.has_value();
        });
        if (!read) return read.error();
        if (!added) return added;
        if (auto finished = (*writer)->finish({journal_, about, segment.file_bytes, 0, 0}); !finished) return finished;
    }
    // The segment goes only after every frame of the archive was read back.
    auto reader = ArchiveReader::open(disk_, temporary);
    if (!reader) return reader.error();
    Digest before = about.before;
    for (Seq seq = about.first; seq <= about.last; ++seq) {
        auto frame = (*reader)->frame(seq);
        if (!frame) return frame.error();
        if ((*frame)->header.previous != before) {
            return Error{ErrorCode::corrupt, temporary + ": frame " + std::to_string(seq) + " reads back differently"};
        }
        before = (*frame)->digest;
        pace((*frame)->bytes().size());
    }
    if (before != about.digest) return Error{ErrorCode::corrupt, temporary + ": its last frame reads back differently"};
    reader->reset();
    if (auto renamed = disk_.rename(temporary, name); !renamed) return renamed;
    store_.set_archived(about.number);
    return disk_.remove(segment_name(about.number));
}

Result<bool> ImageFold::drop_one(const std::vector<SegmentInfo>& segments, Instant now) {
    if (options_.keep_segments == 0 && options_.keep_days.count() == 0) return false;
    const auto archived = static_cast<std::size_t>(
        std::count_if(segments.begin(), segments.end(), [](const SegmentInfo& info) { return info.archived; }));
    if (archived == 0 || !segments.front().archived) return false;
    const auto& oldest = segments.front();
    const bool in_number = options_.keep_segments != 0 && archived <= options_.keep_segments;
    const bool in_time = options_.keep_days.count() != 0 && now - oldest.about.last_time < options_.keep_days;
    // The last closed segment always stays: it tells where the chain stands when the open one is empty.
    if (in_number || in_time || oldest.about.last > image_ || segments.size() < 3) return false;
    store_.drop(oldest.about.number);
    if (auto removed = disk_.remove(archive_name(oldest.about.number)); !removed) return removed.error();
    return true;
}

}  // namespace nostro
