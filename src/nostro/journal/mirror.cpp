#include "nostro/journal/mirror.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "nostro/base/log.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_file.hpp"

namespace nostro {
namespace {

constexpr std::size_t kPieceBytes = 4u << 20;
constexpr std::uint64_t kBytesOfPaymentLeast = 128;  // in a frame; some 200 to 400 are usual
constexpr std::uint64_t kTellEvery = std::uint64_t{1} << 30;

}  // namespace

Result<std::uint64_t> copy_accepted(const Journal& from, SegmentJournal& to, const CopyBounds& bounds) {
    std::vector<FramePtr> piece;
    std::uint64_t bytes = 0, total = 0;
    Result<> copied;
    const auto flush = [&] {
        copied = to.copy(piece);
        piece.clear();
        bytes = 0;
        if (copied && bounds.progress) bounds.progress(to.end().seq);
        return copied.has_value();
    };
    const auto read = from.read(to.end().seq + 1, [&](const FramePtr& frame) {
        if (bounds.through != 0 && frame->header.seq > bounds.through) return false;
        piece.push_back(frame);
        bytes += frame->bytes().size();
        total += frame->bytes().size();
        if (bytes >= kPieceBytes && !flush()) return false;
        return bounds.bytes_max == 0 || total < bounds.bytes_max;
    });
    if (copied && !piece.empty()) flush();
    if (!copied) return copied.error();
    // That one who wrote it refuses is no word about the frames: `invalid` is of what is copied alone.
    if (!read && read.error().code == ErrorCode::invalid) return Error{ErrorCode::unavailable, read.error().what};
    if (!read) return read.error();
    return total;
}

Mirror::Mirror(Disk& disk, MirrorOptions options) : disk_(disk), options_(std::move(options)) {}

Result<std::unique_ptr<Mirror>> Mirror::open(Disk& disk, MirrorOptions options) {
    options.segments.copies = true;
    options.segments.own_thread = false;
    options.segments.spares = 1;
    std::unique_ptr<Mirror> mirror(new Mirror(disk, std::move(options)));
    auto loaded = mirror->load();
    if (!loaded && loaded.error().code != ErrorCode::corrupt) return loaded.error();
    if (!loaded) mirror->damage_ = loaded.error().what;
    return mirror;
}

Result<> Mirror::load() {
    if (OpenFile::open(disk_, kMirrorDamagedName)) return Error{ErrorCode::corrupt, "it was found when it was read"};
    for (const char* folder : {kSegmentsFolder, kArchiveFolder, kImageFolder, kIdsFolder}) {
        auto files = disk_.list(folder);
        if (!files) return files.error();
        if (!files->empty()) return open_files();
    }
    // A superblock alone is made before the first segment.
    return OpenFile::open(disk_, kSuperblockName) ? open_files() : Result<>();
}

Result<> Mirror::open_files() {
    auto segments = std::make_unique<SegmentJournal>(disk_, options_.segments);
    const auto head = segments->take_over();
    if (!head) return head.error();
    auto ids = SealedRuns::open(disk_, false);
    if (!ids) return ids.error();
    const auto image = newest_image(disk_);
    if (!image) return image.error();
    if ((*ids)->through() < *image || (*ids)->through() > head->seq) {
        return Error{ErrorCode::corrupt, "its ids reach to frame " + std::to_string((*ids)->through()) +
                                             ", its image to frame " + std::to_string(*image) + ", its frames to " +
                                             std::to_string(head->seq)};
    }
    if (auto sound = check_image(*image); !sound) return sound;
    image_ = *image;
    segments_ = std::move(segments);
    ids_ = std::move(*ids);
    fold_ = std::make_unique<ImageFold>(disk_, segments_->store(), *ids_, segments_->id(), options_.fold);
    published_.store(segments_.get(), std::memory_order_release);
    return {};
}

// A start must not find out in the middle of installing it.
Result<> Mirror::check_image(Seq image) const {
    if (image == 0) return {};
    auto reader = ImageReader::open(disk_, image_name(image));
    if (!reader) return reader.error();
    return (*reader)->read([](const Changes&) {});
}

Result<> Mirror::begin() {
    const std::lock_guard lock(begin_mutex_);
    if (has_begun()) return {};
    if (!damage_.empty()) {
        log_warn("mirror_made_again", {{"why", damage_}});
        if (auto removed = remove_files(); !removed) return removed;
        damage_.clear();
    }
    return open_files();
}

// What ends in the middle is damaged still.
Result<> Mirror::remove_files() {
    const std::string why = damage_ + "\n";
    if (auto noted = disk_.replace(kMirrorDamagedName, std::as_bytes(std::span(why))); !noted) return noted;
    for (const char* folder : {kSegmentsFolder, kArchiveFolder, kImageFolder, kIdsFolder}) {
        const auto files = disk_.list(folder);
        if (!files) return files.error();
        for (const std::string& file : *files) {
            if (auto removed = disk_.remove(std::string(folder) + "/" + file); !removed) return removed;
        }
    }
    if (auto removed = disk_.remove(kSuperblockName); !removed && removed.error().code != ErrorCode::not_found) {
        return removed;
    }
    return disk_.remove(kMirrorDamagedName);
}

Error Mirror::not_continued(const Error& error) const {
    const std::string reaches = "the mirror in the data folder reaches to frame " + std::to_string(last());
    if (error.code == ErrorCode::invalid) {
        return {ErrorCode::corrupt, reaches + ", and the journal does not continue it (" + error.what +
                                        "): it is another one, or was restored to an earlier state and acknowledged "
                                        "frames are missing. Name the right one, or an empty folder to go on with it "
                                        "as it is"};
    }
    if (error.code == ErrorCode::not_found) {
        return {ErrorCode::corrupt, reaches + ", and what comes then is gone from the journal: " + error.what +
                                        ". Start on a folder, or a restored backup of one, that reaches further"};
    }
    return error;
}

Result<> Mirror::catch_up(const Journal& from) {
    if (!damage_.empty()) {
        // Only what can be made again is removed.
        const auto first = from.read(1, [](const FramePtr&) { return false; });
        if (!first) {
            return Error{ErrorCode::corrupt, "the mirror in the data folder is damaged (" + damage_ +
                                                 ") and cannot be made again (" + first.error().what +
                                                 "): restore the folder from a backup"};
        }
    }
    if (auto begun = begin(); !begun) return begun;
    std::uint64_t told = 0;
    for (;;) {
        CopyBounds bounds;
        bounds.bytes_max = kTellEvery;
        const auto copied = copy_accepted(from, *segments_, bounds);
        if (!copied) return not_continued(copied.error());
        if (auto tidied = tidy(steady_now()); !tidied) return tidied;
        if (*copied < kTellEvery) break;
        told += *copied;
        log_info("mirror_catches_up", {{"frame", last()}, {"bytes", told}});
    }
    return seal_enough();
}

std::uint64_t Mirror::unsealed_bytes() const {
    std::uint64_t bytes = 0;
    for (const SegmentInfo& info : segments_->store().segments()) {
        if (info.about.last > ids_->through()) bytes += info.about.end;
    }
    return bytes;
}

Result<> Mirror::seal_enough() {
    if (unsealed_bytes() / kBytesOfPaymentLeast <= options_.ids_max) return {};
    segments_->close();
    if (auto tidied = tidy(steady_now()); !tidied) return tidied;
    log_info("mirror_seals", {{"through", last()}});
    FoldOptions options = options_.fold;
    options.archive = false;  // later, while payments are taken
    options.keep_days = std::chrono::days(0);
    options.keep_segments = 0;
    ImageFold fold(disk_, segments_->store(), *ids_, segments_->id(), options);
    for (;;) {
        const auto did = fold.step(Instant{});
        if (!did) return did.error();
        if (!*did) break;
    }
    image_ = fold.image();
    return {};
}

Result<> Mirror::tidy(SteadyTime now) {
    for (;;) {
        const auto did = segments_->upkeep(now);
        if (!did) return did.error();
        if (!*did) return {};
    }
}

// Also by itself: a Book that follows has no more room for ids than the owner's, and asks late.
void Mirror::close_if_wanted() {
    const Seq wanted = close_wanted_;
    const Seq first = segments_->open_first();
    if (first == 0) return;
    const bool is_asked = first <= wanted && wanted <= last();
    if (is_asked || segments_->open_bytes() / kBytesOfPaymentLeast >= options_.ids_max) segments_->close();
}

Result<bool> Mirror::step(const Journal& from, SteadyTime now) {
    if (!has_begun()) return false;
    if (!more_ && now - stepped_at_ < options_.write_every) return false;
    stepped_at_ = now;
    more_ = false;
    CopyBounds bounds;
    bounds.bytes_max = options_.step_bytes;
    const auto copied = copy_accepted(from, *segments_, bounds);
    auto done = copied ? Result<>() : Result<>(not_continued(copied.error()));
    close_if_wanted();
    if (auto tidied = tidy(now); done) done = tidied;
    trouble_.set(done);
    if (!done) return done.error();
    more_ = *copied >= options_.step_bytes;
    return more_;
}

Result<> Mirror::finish(const Journal& from) {
    if (!has_begun()) return {};
    if (const auto copied = copy_accepted(from, *segments_, {}); !copied) return not_continued(copied.error());
    return tidy(steady_now());
}

Result<bool> Mirror::fold(Instant now) {
    if (!has_begun()) return false;
    auto did = fold_->step(now);
    image_ = std::max<Seq>(image_, fold_->image());
    if (!did && did.error().code == ErrorCode::corrupt) note_damage(did.error().what);
    fold_trouble_.set(fold_->trouble());
    return did;
}

double Mirror::fold_behind() const { return has_begun() ? fold_->behind() : 0; }

void Mirror::note_damage(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (damage_noted_) return;
    log_error("mirror_damaged", {{"what", what}, {"mend", "it is made again at the next start"}});
    const std::string text = what + "\n";
    damage_noted_ = disk_.replace(kMirrorDamagedName, std::as_bytes(std::span(text))).has_value();
}

Seq Mirror::last() const {
    const auto* written = frames();
    return written == nullptr ? 0 : written->published();
}

ChainPoint Mirror::end() const { return has_begun() ? segments_->end() : ChainPoint{}; }

Result<std::optional<SealedIds::Found>> Mirror::Sealed::find(PaymentId id, Seq last) const {
    if (!mirror_.has_begun()) return std::optional<Found>();
    auto found = mirror_.ids_->find(id, last);
    if (!found && found.error().code == ErrorCode::corrupt) mirror_.note_damage(found.error().what);
    return found;
}

Seq Mirror::Sealed::through() const { return mirror_.has_begun() ? mirror_.ids_->through() : 0; }

std::string Mirror::damage() const { return damage_; }

std::string Mirror::trouble() const {
    std::string text = trouble_.text();
    return text.empty() ? fold_trouble_.text() : text;
}

void Mirror::close_through(Seq through) {
    Seq before = close_wanted_;
    while (before < through && !close_wanted_.compare_exchange_weak(before, through)) {
    }
}

}  // namespace nostro
