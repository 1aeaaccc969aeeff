#include "nostro/journal/sealed_runs.hpp"

#include <algorithm>
#include <utility>

#include "nostro/journal/data_directory.hpp"

namespace nostro {
namespace {

// A question about an id that is nowhere asks every run: few and large is fast, but each id is then written once a
// tier. Four keeps both small: 1,000 million ids in about 12 runs, each written 6 times.
constexpr std::size_t kWide = 4;
constexpr int kLookAgain = 5;

// Reads a run in order, a page at a time.
struct Cursorial {
    std::shared_ptr<const IdRun> run;
    std::uint64_t next_page = 0;
    std::vector<SealedId> ids;
    std::size_t at = 0;

    // False: the end.
    Result<bool> settle() {
        while (at == ids.size()) {
            if (next_page == run->tail().pages) return false;
            if (auto read = run->page(next_page++, ids); !read) return read.error();
            at = 0;
        }
        return true;
    }
};

Result<> merge(const SealedRuns::Runs& from, IdRunWriter& to) {
    std::vector<Cursorial> inputs;
    for (const auto& run : from) inputs.push_back({run, 0, {}, 0});
    for (;;) {
        Cursorial* least = nullptr;
        for (auto& input : inputs) {
            auto more = input.settle();
            if (!more) return more.error();
            if (*more && (least == nullptr || input.ids[input.at].id < least->ids[least->at].id)) least = &input;
        }
        if (least == nullptr) return {};
        const SealedId id = least->ids[least->at];
        if (auto added = to.add(id); !added) return added;
        // An id is spent once. Were it twice in the journal, its first answer would stand.
        for (auto& input : inputs) {
            for (;;) {
                auto more = input.settle();
                if (!more) return more.error();
                if (!*more || input.ids[input.at].id != id.id) break;
                ++input.at;
            }
        }
    }
}

}  // namespace

Result<std::unique_ptr<SealedRuns>> SealedRuns::open(Disk& disk, bool looking_only) {
    for (int tries = 1;; ++tries) {
        auto runs = open_once(disk, looking_only);
        // Merged by the owner while we looked.
        const bool again = !runs && looking_only && tries < kLookAgain;
        if (!again) return runs;
    }
}

Result<std::unique_ptr<SealedRuns>> SealedRuns::open_once(Disk& disk, bool looking_only) {
    auto files = disk.list(kIdsFolder);
    if (!files) return files.error();
    std::vector<std::pair<IdRunName, std::string>> found;
    for (const auto& file : *files) {
        const std::string name = std::string(kIdsFolder) + "/" + file;
        if (const auto parsed = parse_id_run_name(file)) {
            found.emplace_back(*parsed, name);
        } else if (is_temporary(file) && !looking_only) {
            if (auto removed = disk.remove(name); !removed) return removed.error();
        }
    }
    // At each begin the widest counts; what lies inside it was merged into it.
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return a.first.first != b.first.first ? a.first.first < b.first.first : a.first.through > b.first.through;
    });
    Runs runs;
    Seq through = 0;
    for (const auto& [range, name] : found) {
        if (range.through <= through) {
            if (looking_only) continue;
            if (auto removed = disk.remove(name); !removed) return removed.error();
            continue;
        }
        if (range.first != through + 1) {
            return Error{ErrorCode::corrupt, name + ": begins with frame " + std::to_string(range.first) +
                                                 ", but ids of frame " + std::to_string(through + 1) +
                                                 " are due: a file is missing; restore the folder ids from a backup"};
        }
        auto run = IdRun::open(disk, name);
        if (!run) return run.error();
        if ((*run)->tail().first != range.first || (*run)->tail().through != range.through) {
            return Error{ErrorCode::corrupt, name + ": holds the ids of other frames than its name says"};
        }
        through = range.through;
        runs.push_back(std::move(*run));
    }
    return std::unique_ptr<SealedRuns>(new SealedRuns(disk, std::move(runs)));
}

std::shared_ptr<const SealedRuns::Runs> SealedRuns::runs() const {
    const std::lock_guard lock(mutex_);
    return runs_;
}

void SealedRuns::set(Runs runs) {
    auto fresh = std::make_shared<const Runs>(std::move(runs));
    const std::lock_guard lock(mutex_);
    runs_.swap(fresh);
}

Seq SealedRuns::through() const {
    const auto now = runs();
    return now->empty() ? 0 : now->back()->tail().through;
}

void SealedRuns::let_go() const {
    const auto now = runs();
    for (const auto& run : *now) run->let_go();
}

Result<std::optional<SealedIds::Found>> SealedRuns::find(PaymentId id, Seq last) const {
    const auto now = runs();
    for (const auto& run : *now) {
        if (run->tail().first > last) break;
        auto found = run->find(id);
        if (!found) return found.error();
        if (*found) return std::optional(Found{(*found)->place, (*found)->meaning});
    }
    return std::optional<Found>();
}

Result<> SealedRuns::add(JournalId journal, Seq last, std::vector<SealedId>& ids) {
    const Seq first = through() + 1;
    if (last < first) return {};
    std::sort(ids.begin(), ids.end(),
              [](const SealedId& a, const SealedId& b) { return a.id != b.id ? a.id < b.id : a.place < b.place; });
    ids.erase(std::unique(ids.begin(), ids.end(), [](const SealedId& a, const SealedId& b) { return a.id == b.id; }),
              ids.end());
    auto writer = IdRunWriter::start(disk_, journal, first, last, 0);
    if (!writer) return writer.error();
    for (const auto& id : ids) {
        if (auto added = (*writer)->add(id); !added) return added;
    }
    if (auto published = (*writer)->publish(); !published) return published;
    auto run = IdRun::open(disk_, (*writer)->name());
    if (!run) return run.error();
    Runs grown = *runs();
    grown.push_back(std::move(*run));
    set(std::move(grown));
    return {};
}

Result<bool> SealedRuns::merge_step() {
    const auto now = runs();
    for (std::size_t begin = 0; begin < now->size();) {
        std::size_t end = begin;
        const auto tier = (*now)[begin]->tail().tier;
        while (end < now->size() && (*now)[end]->tail().tier == tier) ++end;
        if (end - begin < kWide) {
            begin = end;
            continue;
        }
        end = begin + kWide;
        const Runs inputs(now->begin() + static_cast<std::ptrdiff_t>(begin),
                          now->begin() + static_cast<std::ptrdiff_t>(end));
        auto writer = IdRunWriter::start(disk_, inputs.front()->tail().journal, inputs.front()->tail().first,
                                         inputs.back()->tail().through, static_cast<int>(tier) + 1);
        if (!writer) return writer.error();
        if (auto merged = merge(inputs, **writer); !merged) return merged.error();
        if (auto published = (*writer)->publish(); !published) return published.error();
        auto run = IdRun::open(disk_, (*writer)->name());
        if (!run) return run.error();
        Runs changed(now->begin(), now->begin() + static_cast<std::ptrdiff_t>(begin));
        changed.push_back(std::move(*run));
        changed.insert(changed.end(), now->begin() + static_cast<std::ptrdiff_t>(end), now->end());
        set(std::move(changed));
        for (const auto& input : inputs) {
            if (auto removed = disk_.remove(input->name()); !removed) return removed.error();
        }
        return true;
    }
    return false;
}

}  // namespace nostro
