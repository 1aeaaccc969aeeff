#include "nostro/app/mirrored.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/log.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{100}, kFoldEvery{250};

MirrorOptions options_of(const Config& config) {
    MirrorOptions options;
    options.segments.segment_bytes = config.journal.segment_bytes;
    options.segments.tail_bytes = config.journal.tail_bytes;
    options.fold.archive = config.journal.archive;
    options.fold.keep_days = std::chrono::days(config.journal.keep_days);
    options.fold.ids_max = config.book.known_max;
    options.ids_max = config.book.known_max / 4;  // a generation of the Book's table
    return options;
}

}  // namespace

Mirrored::Mirrored(const Config& config, const Clock& clock, MetricsRegistry& metrics)
    : config_(config),
      clock_(clock),
      last_(metrics.gauge("nostro_mirror_seq", "Newest frame of the journal on a server that the data folder has.")),
      image_(metrics.gauge("nostro_mirror_image_seq", "Frame at which the newest image in the data folder stands.")) {}

Mirrored::~Mirrored() { stop(); }

Result<std::unique_ptr<Mirrored>> Mirrored::open(const Config& config, Disk& disk, OpenedJournal opened,
                                                 MetricsRegistry& metrics, const Clock& clock) {
    std::unique_ptr<Mirrored> made(new Mirrored(config, clock, metrics));
    auto options = options_of(config);
    options.fold.pace = [mirrored = made.get()](std::size_t) {
        if (mirrored->folding_) mirrored->folding_->keep_pace();
    };
    auto mirror = Mirror::open(disk, std::move(options));
    if (!mirror) return mirror.error();
    made->mirror_ = std::move(*mirror);
    made->opened_ = std::move(opened);
    made->journal_ = std::make_unique<MirroredJournal>(std::move(made->opened_.journal), *made->mirror_,
                                                       [mirrored = made.get()] { return mirrored->begin(); });
    made->expect(made->mirror_->last(), fmt::format("the mirror in {}", config.data.dir));
    return made;
}

// The folder belongs to the journal before anything of it is written there.
Result<> Mirrored::tie() {
    const std::uint64_t origin = opened_.origin();
    const auto tied = read_origin(config_);
    if (!tied) return tied.error();
    if (*tied && **tied != origin) {
        return Error{ErrorCode::corrupt, fmt::format("the data folder {} belongs to another journal than the one that "
                                                     "is named: name that one, or another folder",
                                                     config_.data.dir)};
    }
    return *tied ? Result<>() : keep_origin(config_, origin);
}

Result<> Mirrored::begin() {
    const std::lock_guard lock(begin_mutex_);
    if (mirror_->has_begun() || opened_.origin() == 0) return {};
    if (auto tied = tie(); !tied) return tied;
    return mirror_->begin();
}

Result<> Mirrored::catch_up() {
    if (opened_.begin_behind) {
        if (auto begun = opened_.begin_behind(mirror_->end()); !begun) return begun;
    }
    const auto newest = journal_->follow(milliseconds(0));
    if (!newest) return newest.error();
    if (opened_.origin() == 0 || *newest < mirror_->last()) return {};  // whoever takes it over is told
    const auto begun = steady_now();
    const Seq before = mirror_->last();
    if (auto tied = tie(); !tied) return tied;
    if (auto caught_up = mirror_->catch_up(journal_->journal()); !caught_up) return caught_up;
    last_.set(mirror_->last());
    image_.set(mirror_->image());
    log_info("mirror", {{"from", before},
                        {"through", mirror_->last()},
                        {"image", mirror_->image()},
                        {"seconds", std::chrono::duration<double>(elapsed_since(begun)).count()}});
    return {};
}

std::size_t Mirrored::copy_some() {
    // Nobody may have owned the journal yet when this process began to follow it.
    const auto begun = begin();
    begin_trouble_.set(begun);
    if (!begun) return 0;
    const auto more = mirror_->step(journal_->journal(), steady_now());
    last_.set(mirror_->last());
    return more && *more ? 1 : 0;
}

std::size_t Mirrored::fold_some() {
    const auto did = mirror_->fold(clock_.now());
    image_.set(mirror_->image());
    return did && *did ? 1 : 0;
}

// Whatever is wrong is told by state(), and tried again.
void Mirrored::start() {
    const auto goes_on = [](const Error&) {};
    copying_ = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "mirror", .idle_max = kLookEvery, .gives_way = true},
        [this]() -> Result<std::size_t> { return copy_some(); }, goes_on);
    folding_ = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "fold",
                             .idle_max = kFoldEvery,
                             .gives_way = true,
                             .behind = [this] { return mirror_->fold_behind(); }},
        [this]() -> Result<std::size_t> { return fold_some(); }, goes_on);
    copying_->start();
    folding_->start();
}

void Mirrored::stop() {
    if (opened_.stop) opened_.stop();
    if (folding_) folding_->stop();
    if (!copying_) return;
    copying_->stop();
    copying_.reset();
    if (auto done = mirror_->finish(journal_->journal()); !done) log_warn("mirror_waits", {{"why", done.error().what}});
}

PartState Mirrored::state() const {
    std::string trouble = begin_trouble_.text();
    if (trouble.empty()) trouble = mirror_->trouble();
    return {.name = "mirror", .ready = trouble.empty(), .needed = false, .reason = trouble};
}

}  // namespace nostro
