#include "nostro/journal/index_store.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "nostro/base/log.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/index_file.hpp"
#include "nostro/journal/index_key.hpp"
#include "nostro/journal/index_merge.hpp"
#include "nostro/journal/posix_disk.hpp"

namespace nostro {
namespace {

using Files = std::vector<IndexFilePtr>;  // oldest first, without gaps
using FilesPtr = std::shared_ptr<const Files>;

// An entry is written once a tier: among 1,000 million payments five times, and there are some thirty files.
constexpr std::size_t kWide = 8;
constexpr std::size_t kFilesMax = 64;  // then whoever ingests waits for the merges, but not for ever
constexpr auto kPatience = std::chrono::seconds(10);
constexpr int kLookAgain = 10;
constexpr auto kRetry = std::chrono::seconds(1);
constexpr std::uint64_t kSpare = 256u << 20;  // left to the journal: it may need a segment meanwhile

// What says of a key that it was removed is left out where no older file can have it.
template <class Source>
Result<> write(std::vector<Source>& sources, IndexFileWriter& to, bool has_older, const std::stop_token& stop) {
    constexpr std::size_t kLookForStop = 4096;
    std::size_t entries = 0;
    for (IndexMerge<Source> merge(sources); merge.valid(); merge.next()) {
        const Source& from = merge.source();
        if (from.removed() && !has_older) continue;
        if (auto added = to.add(from.key(), from.value(), from.removed()); !added) return added;
        if (++entries % kLookForStop == 0 && stop.stop_requested()) {
            return Error{ErrorCode::unavailable, "query index: the program ends"};
        }
    }
    return {};
}

// The files that count: of those that hold the same flushes the widest. Names of the others go to `merged_away`.
Result<Files> open_files(const Disk& disk, std::vector<std::string>& merged_away) {
    auto names = disk.list(".");
    if (!names) return names.error();
    std::vector<IndexFileName> found;
    for (const std::string& file : *names) {
        if (const auto name = IndexFileName::parse(file)) {
            found.push_back(*name);
        } else if (is_temporary(file)) {
            merged_away.push_back(file);
        } else if (file == "CURRENT") {
            return Error{ErrorCode::corrupt,
                         "query index: it is of another version of this program; `nostro rebuild "
                         "index` makes a new one"};
        }
    }
    std::ranges::sort(found, [](const IndexFileName& a, const IndexFileName& b) {
        return a.first != b.first ? a.first < b.first : a.last > b.last;
    });
    Files files;
    std::uint64_t last = 0;
    for (const IndexFileName& name : found) {
        if (name.last <= last) {
            merged_away.push_back(name.text());
            continue;
        }
        if (name.first != last + 1) {
            return Error{ErrorCode::corrupt, "query index: a file is missing before " + name.text() +
                                                 "; `nostro rebuild index` makes a new one"};
        }
        auto file = IndexFile::open(disk, name);
        if (!file) return file.error();
        last = name.last;
        files.push_back(std::move(*file));
    }
    return files;
}

// [begin, end) of the files from `from` on that become one; both the same: none do.
std::pair<std::size_t, std::size_t> to_merge(const Files& files, std::size_t from = 0) {
    for (std::size_t begin = from; begin < files.size();) {
        std::size_t end = begin;
        while (end < files.size() && files[end]->name().tier == files[begin]->name().tier) ++end;
        if (end - begin >= kWide) return {begin, begin + kWide};
        begin = end;
    }
    return {0, 0};
}

// The oldest files that become one and have room: the inputs go when all of it is written. Older ones are wider, and
// those that find none must not keep the younger from being merged. `unavailable`: none has.
Result<std::pair<std::size_t, std::size_t>> to_merge_in(const Disk& disk, const Files& files) {
    auto range = to_merge(files);
    if (range.first == range.second) return range;
    const auto free = disk.free_bytes();
    if (!free) return free.error();
    std::uint64_t least = 0;
    while (range.first != range.second) {
        std::uint64_t bytes = kSpare;
        for (std::size_t file = range.first; file != range.second; ++file) bytes += files[file]->bytes();
        if (*free >= bytes) return range;
        least = least == 0 ? bytes : std::min(least, bytes);
        range = to_merge(files, range.second);
    }
    return Error{ErrorCode::unavailable,
                 fmt::format("query index: no space to merge {} files: {} bytes must be free in its file system; all "
                             "of it goes on being read",
                             kWide, least)};
}

}  // namespace

struct IndexStore::State {
    ~State() {
        merger.request_stop();
        if (merger.joinable()) merger.join();
    }
    FilesPtr now() const {
        const std::lock_guard lock(mutex);
        return files;
    }
    void add(IndexFilePtr file);
    // With the lock held. A thread has the weight of the one that starts it.
    void start_merging() {
        if (merging == Merging::by_hand || merger.joinable()) return;
        merger = std::jthread([this](const std::stop_token& stop) { merge_all(stop); });
        pthread_setname_np(merger.native_handle(), "index merge");
    }
    void merge_all(const std::stop_token& stop);
    // With the lock held.
    bool is_merged() const {
        const auto [begin, end] = to_merge(*files);
        return begin == end || gave_up;
    }
    void note(const Result<bool>& merged);
    Result<bool> merge_some(const std::stop_token& stop);

    std::shared_ptr<Disk> disk;
    Merging merging = Merging::on_own_thread;
    mutable std::mutex mutex;
    mutable std::condition_variable_any changed;
    FilesPtr files = std::make_shared<const Files>();
    std::string trouble;
    bool gave_up = false;
    std::jthread merger;
};

void IndexStore::State::add(IndexFilePtr file) {
    const std::lock_guard lock(mutex);
    auto grown = std::make_shared<Files>(*files);  // a merge may have ended since anybody looked
    grown->push_back(std::move(file));
    files = std::move(grown);
    changed.notify_all();
}

// With the lock held. Said once, however often it is met.
void IndexStore::State::note(const Result<bool>& merged) {
    const std::string now = merged ? std::string() : merged.error().what;
    if (now == trouble) return;
    trouble = now;
    if (!now.empty()) log_warn("index_merge_failed", {{"code", nostro::name(merged.error().code)}, {"error", now}});
}

void IndexStore::State::merge_all(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto merged = merge_some(stop);
        if (stop.stop_requested()) return;
        std::unique_lock lock(mutex);
        if (!merged || !*merged) note(merged);  // one that had room says nothing of those that had none
        if (!merged && merged.error().code == ErrorCode::corrupt) {
            gave_up = true;
            changed.notify_all();
            return;
        }
        if (!merged) {
            changed.wait_for(lock, stop, kRetry, [] { return false; });
        } else if (!*merged) {
            changed.wait(lock, stop, [this] { return !is_merged(); });
        }
    }
}

// False: there was nothing to merge.
Result<bool> IndexStore::State::merge_some(const std::stop_token& stop) {
    const FilesPtr before = now();
    const auto range = to_merge_in(*disk, *before);
    if (!range) return range.error();
    const auto [begin, end] = *range;
    if (begin == end) return false;
    const Files inputs(before->begin() + static_cast<std::ptrdiff_t>(begin),
                       before->begin() + static_cast<std::ptrdiff_t>(end));
    const IndexFileName name{inputs.front()->name().first, inputs.back()->name().last, inputs.front()->name().tier + 1};
    std::uint64_t filtered = 0;
    std::vector<IndexFileReader> sources;
    for (const IndexFilePtr& file : inputs) {
        filtered += file->tail().filtered;
        auto reader = IndexFileReader::open(*disk, file);
        if (!reader) return reader.error();
        sources.push_back(std::move(*reader));
    }
    auto writer = IndexFileWriter::start(*disk, name, filtered);
    if (!writer) return writer.error();
    if (auto done = write(sources, **writer, begin != 0, stop); !done) return done.error();
    for (const IndexFileReader& source : sources) {
        if (!source.status()) return source.status().error();
    }
    if (auto published = (*writer)->publish(); !published) return published.error();
    auto merged = IndexFile::open(*disk, name);
    if (!merged) return merged.error();
    {
        const std::lock_guard lock(mutex);
        auto fewer = std::make_shared<Files>(*files);  // some may have come behind
        fewer->erase(fewer->begin() + static_cast<std::ptrdiff_t>(begin),
                     fewer->begin() + static_cast<std::ptrdiff_t>(end));
        fewer->insert(fewer->begin() + static_cast<std::ptrdiff_t>(begin), std::move(*merged));
        files = std::move(fewer);
        changed.notify_all();
    }
    sources.clear();
    for (const IndexFilePtr& file : inputs) {
        if (auto removed = disk->remove(file->name().text()); !removed) return removed.error();
    }
    return true;
}

IndexStore::IndexStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
IndexStore::~IndexStore() = default;

Result<std::unique_ptr<IndexStore>> IndexStore::open(const std::string& folder,
                                                     std::shared_ptr<DiskGovernor> governor) {
    auto disk = PosixDisk::open(folder, {.writers = 0, .direct = false, .governor = std::move(governor)});
    if (!disk) return disk.error();
    return open(std::move(*disk), Merging::on_own_thread);
}

Result<std::unique_ptr<IndexStore>> IndexStore::open(std::shared_ptr<Disk> disk, Merging merging) {
    auto state = std::make_unique<State>();
    state->disk = std::move(disk);
    state->merging = merging;
    std::vector<std::string> left_over;
    auto files = open_files(*state->disk, left_over);
    if (!files) return files.error();
    for (const std::string& name : left_over) {
        if (auto removed = state->disk->remove(name); !removed) return removed.error();
    }
    state->files = std::make_shared<const Files>(std::move(*files));
    return std::unique_ptr<IndexStore>(new IndexStore(std::move(state)));
}

Result<std::unique_ptr<IndexStore>> IndexStore::open_to_look(const std::string& folder) {
    const Error none{ErrorCode::not_found, folder + ": there is no query index"};
    auto state = std::make_unique<State>();
    auto disk = PosixDisk::open(folder, {.writers = 0, .direct = false, .read_only = true});
    if (!disk && disk.error().code == ErrorCode::not_found) return none;
    if (!disk) return disk.error();
    state->disk = std::move(*disk);
    for (int tries = 1;; ++tries) {
        std::vector<std::string> ignored;
        auto files = open_files(*state->disk, ignored);
        if (files && files->empty()) return none;
        if (files) {
            state->files = std::make_shared<const Files>(std::move(*files));
            return std::unique_ptr<IndexStore>(new IndexStore(std::move(state)));
        }
        // A file that was merged away between the list and its opening: the next list is another.
        if (tries == kLookAgain) return files.error();
    }
}

Result<> IndexStore::ingest(std::span<const IndexRunPtr> runs) {
    std::vector<IndexRunSource> sources;
    std::uint64_t filtered = 0;
    for (const IndexRunPtr& run : runs) {
        if (run->size() == 0) continue;
        sources.push_back({run.get(), 0});
        for (const char tag : {static_cast<char>(IndexTag::payment), static_cast<char>(IndexTag::part)}) {
            const char behind = static_cast<char>(tag + 1);
            filtered += run->lower_bound({&behind, 1}) - run->lower_bound({&tag, 1});
        }
    }
    if (sources.empty()) return {};
    {
        std::unique_lock lock(state_->mutex);
        state_->start_merging();
        if (state_->merging == Merging::on_own_thread) {
            state_->changed.wait_for(lock, kPatience,
                                     [this] { return state_->files->size() < kFilesMax || state_->gave_up; });
        }
    }
    const FilesPtr files = state_->now();
    const std::uint64_t number = files->empty() ? 1 : files->back()->name().last + 1;
    const IndexFileName name{number, number, 0};
    auto writer = IndexFileWriter::start(*state_->disk, name, filtered);
    if (!writer) return writer.error();
    if (auto done = write(sources, **writer, number != 1, {}); !done) return done;
    if (auto published = (*writer)->publish(); !published) return published;
    auto file = IndexFile::open(*state_->disk, name);
    if (!file) return file.error();
    state_->add(std::move(*file));
    return {};
}

void IndexStore::wait_for_merges() const {
    std::unique_lock lock(state_->mutex);
    state_->start_merging();
    state_->changed.wait(lock, [this] { return state_->is_merged(); });
}

std::string IndexStore::trouble() const {
    const std::lock_guard lock(state_->mutex);
    return state_->trouble;
}

Result<bool> IndexStore::merge() { return state_->merge_some({}); }

void IndexStore::let_go() const {
    const FilesPtr files = state_->now();
    for (const IndexFilePtr& file : *files) file->let_go();
}

std::uint64_t IndexStore::bytes() const {
    std::uint64_t bytes = 0;
    for (const IndexFilePtr& file : *state_->now()) bytes += file->bytes();
    return bytes;
}

// --- walks

struct IndexStore::Walk::State {
    std::string lower, upper;
    std::vector<IndexFileCursor> cursors;  // newest first: of equal keys the first one counts
    IndexFileCursor* at = nullptr;         // nullptr: the end
    bool backwards = false, unbounded = false;
    std::string passed;

    bool inside(const IndexFileCursor& cursor) const {
        if (!cursor.valid()) return false;
        if (unbounded) return true;
        return backwards ? cursor.key() >= lower : cursor.key() < upper;
    }
    // The cursor that is next in the direction, `wanted` of those whose keys are inside.
    void choose(bool last) {
        at = nullptr;
        for (IndexFileCursor& cursor : cursors) {
            if (!inside(cursor)) continue;
            if (at == nullptr) {
                at = &cursor;
                continue;
            }
            const bool differ = cursor.head() != at->head();
            const bool is_less = differ ? cursor.head() < at->head() : cursor.key() < at->key();
            const bool is_more = differ ? cursor.head() > at->head() : cursor.key() > at->key();
            if (last ? is_more : is_less) at = &cursor;
        }
        for (const IndexFileCursor& cursor : cursors) {
            if (!cursor.status()) at = nullptr;
        }
    }
    void pass() {
        passed.assign(at->key());
        const std::uint64_t head = at->head();
        for (IndexFileCursor& cursor : cursors) {
            if (!cursor.valid() || cursor.head() != head || cursor.key() != passed) continue;
            if (backwards) {
                cursor.previous();
            } else {
                cursor.next();
            }
        }
        choose(backwards);
    }
    void skip_removed() {
        while (at != nullptr && at->removed()) pass();
    }
};

IndexStore::Walk::Walk(std::unique_ptr<State> state) : state_(std::move(state)) {}
IndexStore::Walk::Walk(Walk&&) noexcept = default;
IndexStore::Walk::~Walk() = default;

IndexStore::Walk IndexStore::walk(std::string_view lower, std::string_view upper, bool backwards) const {
    auto state = std::make_unique<Walk::State>();
    state->lower = lower;
    state->upper = upper;
    state->backwards = backwards;
    // A walk over the keys of one payment or part passes over files that do not have them.
    const bool filtered = !lower.empty() && index_filtered(lower) == lower && upper == end_of(lower);
    const FilesPtr files = state_->now();
    for (auto file = files->rbegin(); file != files->rend(); ++file) {
        if (filtered && !(*file)->may_hold(lower)) continue;
        state->cursors.emplace_back(*file);
        (*file)->will_look(backwards ? upper : lower);
    }
    for (IndexFileCursor& cursor : state->cursors) {
        if (backwards) {
            cursor.seek_before(upper);
        } else {
            cursor.seek(lower);
        }
    }
    state->choose(backwards);
    state->skip_removed();
    return Walk(std::move(state));
}

Result<std::optional<std::string>> IndexStore::get(std::string_view key) const {
    const FilesPtr files = state_->now();
    const std::string_view filtered = index_filtered(key);
    for (auto file = files->rbegin(); file != files->rend(); ++file) {
        if (!filtered.empty() && !(*file)->may_hold(filtered)) continue;
        IndexFileCursor cursor(*file);
        cursor.seek(key);
        if (!cursor.status()) return cursor.status().error();
        if (!cursor.valid() || cursor.key() != key) continue;
        if (cursor.removed()) return std::optional<std::string>();
        return std::optional<std::string>(cursor.value());
    }
    return std::optional<std::string>();
}

void IndexStore::will_get(std::span<const std::string_view> keys) const {
    const FilesPtr files = state_->now();
    for (const std::string_view key : keys) {
        const std::string_view filtered = index_filtered(key);
        for (const IndexFilePtr& file : *files) {
            if (filtered.empty() || file->may_hold(filtered)) file->will_look(key);
        }
    }
}

IndexStore::Walk IndexStore::walk_all() const {
    auto state = std::make_unique<Walk::State>();
    state->unbounded = true;
    const FilesPtr files = state_->now();
    for (auto file = files->rbegin(); file != files->rend(); ++file) state->cursors.emplace_back(*file).first();
    state->choose(false);
    state->skip_removed();
    return Walk(std::move(state));
}

bool IndexStore::Walk::valid() const { return state_->at != nullptr; }
std::string_view IndexStore::Walk::key() const { return state_->at->key(); }
std::string_view IndexStore::Walk::value() const { return state_->at->value(); }

void IndexStore::Walk::next() {
    state_->pass();
    state_->skip_removed();
}

void IndexStore::Walk::seek(std::string_view key) {
    for (IndexFileCursor& cursor : state_->cursors) cursor.seek(std::max<std::string_view>(key, state_->lower));
    state_->choose(false);
    state_->skip_removed();
}

void IndexStore::Walk::previous() {
    std::string behind = valid() ? std::string(key()) : state_->upper;
    for (;;) {
        for (IndexFileCursor& cursor : state_->cursors) cursor.seek_before(behind);
        state_->choose(true);
        // Not less than what it was to be before: only where keys are out of order.
        if (valid() && (key() < state_->lower || key() >= behind)) state_->at = nullptr;
        if (!valid() || !state_->at->removed()) return;
        behind = std::string(key());
    }
}

Result<> IndexStore::Walk::status() const {
    for (const IndexFileCursor& cursor : state_->cursors) {
        if (!cursor.status()) return cursor.status();
    }
    return {};
}

}  // namespace nostro
