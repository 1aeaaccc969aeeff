#include "nostro/app/reconcile_offline.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>

#include "nostro/app/commands.hpp"
#include "nostro/app/postgres_feeds.hpp"
#include "nostro/app/postgres_journal.hpp"
#include "nostro/app/serving.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/journal/journal_reader.hpp"
#include "nostro/journal/posix_disk.hpp"

namespace nostro {
namespace {

constexpr std::size_t kEarlierMax = 256;

// A journal that is read by who does not own it, and what readers of its frames ask for.
class ReadJournal {
public:
    static Result<std::unique_ptr<ReadJournal>> open(const Config& config) {
        std::unique_ptr<ReadJournal> made(new ReadJournal());
        if (config.journal.kind == "segment") {
            std::error_code ignored;
            if (!std::filesystem::is_directory(config.data.dir, ignored)) {
                return Error{ErrorCode::invalid, fmt::format("data.dir: there is no folder {}", config.data.dir)};
            }
            auto disk = PosixDisk::open(config.data.dir, {});
            if (!disk) return disk.error();
            made->disk_ = std::move(*disk);
        } else if (config.journal.kind == "postgres") {
            auto followed = follow_postgres_journal(config);
            if (!followed) return followed.error();
            made->followed_ = std::move(*followed);
        } else {
            return Error{
                ErrorCode::invalid,
                fmt::format("journal.kind: {} is not read here; `nostro pull DIR` brings it into a folder, and "
                            "journal.kind = segment with data.dir = DIR names that",
                            config.journal.kind)};
        }
        if (auto read = made->look_again(); !read) return read.error();
        return made;
    }

    // Frames in order, until `each` fails. not_found: the journal has dropped some, or does not have them.
    Result<> read(Seq from, Seq through, const std::function<Result<>(const DecodedFrame&)>& each) {
        if (through > last_) {  // its owner has gone on
            if (auto looked = look_again(); !looked) return looked;
        }
        Result<> done;
        const auto take = [&](const FramePtr& frame) {
            DecodedFrame decoded;
            done = decode_body(frame, Sections::all, decoded);
            if (done) note_policies(decoded);
            if (done) done = each(decoded);
            return done.has_value() && frame->header.seq < through;
        };
        if (through > last_) return Error{ErrorCode::not_found, "the journal ends before"};
        if (files_) {
            const auto given = files_->read(from, through, take);
            return given ? done : Result<>(given.error());
        }
        const auto given = followed_->journal->read(from, take);
        if (!given) return given.error();
        if (!done || *given > through) return done;
        return Error{ErrorCode::not_found, "the journal ends before"};
    }

    EngineReads reads() {
        EngineReads reads;
        reads.frame = [this](Seq seq) { return frame(seq); };
        reads.policy = [this](TenantNo tenant, PolicyVersion version) {
            return version == 0 ? policies_.current(tenant) : policies_.version(tenant, version);
        };
        reads.tenant = [this](TenantNo tenant) { return policies_.tenant_name(tenant); };
        return reads;
    }

private:
    ReadJournal() : policies_("nostro") {}

    Result<> look_again() {
        if (followed_) {
            const auto newest = followed_->journal->follow(std::chrono::milliseconds(0));
            if (!newest) return newest.error();
            last_ = *newest;
            return {};
        }
        auto reader = JournalReader::open(*disk_);
        if (!reader) return reader.error();
        files_ = std::move(*reader);
        last_ = files_->last();
        return {};
    }

    // In the order of the frames: what decided is known before what it decided.
    void note_policies(const DecodedFrame& frame) {
        for (std::size_t i = 0; i < frame.changes.policies.size(); ++i) {
            const auto tenant = tenant_of_policy(frame.changes, i);
            if (tenant) policies_.publish(*tenant, frame.changes.policies[i]);
        }
    }

    // Of an earlier payment, which is asked for again soon.
    Result<DecodedPtr> frame(Seq seq) {
        if (const auto known = earlier_.find(seq); known != earlier_.end()) return known->second;
        auto decoded = std::make_shared<DecodedFrame>();
        Result<> done = Error{ErrorCode::not_found, fmt::format("there is no frame {}", seq)};
        const auto take = [&](const FramePtr& frame) {
            if (frame->header.seq == seq) done = decode_body(frame, Sections::all, *decoded);
            return false;
        };
        if (files_) {
            if (const auto given = files_->read(seq, seq, take); !given) return given.error();
        } else {
            if (const auto given = followed_->journal->read(seq, take); !given) return given.error();
        }
        if (!done) return done.error();
        if (earlier_.size() == kEarlierMax) earlier_.clear();
        return earlier_.emplace(seq, std::move(decoded)).first->second;
    }

    std::unique_ptr<PosixDisk> disk_;
    std::unique_ptr<JournalReader> files_;
    std::optional<FollowedJournal> followed_;
    Seq last_ = 0;
    Policies policies_;
    std::map<Seq, DecodedPtr> earlier_;
};

}  // namespace

Result<ReconcileRun> reconcile_offline(const cli::OfflineReconcile& options) {
    const auto config = config_of({.config_file = options.config_file,
                                   .data = options.data,
                                   .listen = {},
                                   .sets = options.sets,
                                   .profiles = options.profiles});
    if (!config) return config.error();
    if (auto fine = check(*config); !fine) return fine.error();
    MetricsRegistry metrics;
    const auto profiles = ServedProfiles::load(*config, metrics);
    if (!profiles) return profiles.error();
    auto journal = ReadJournal::open(*config);
    if (!journal) return journal.error();
    const auto feeds = PostgresFeeds::load(*config, **profiles, (*journal)->reads());
    if (!feeds) return feeds.error();
    if ((*feeds)->empty()) {
        return Error{ErrorCode::invalid, "there is nothing to compare: set postgres.url (NOSTRO_POSTGRES_URL)"};
    }
    ReconcileRun run;
    run.state = ReconcileRun::State::done;
    run.wish.mode = options.repair ? ReconcileMode::repair : ReconcileMode::compare;
    const auto read = [&](Seq from, Seq through, const std::function<Result<>(const DecodedFrame&)>& each) {
        return (*journal)->read(from, through, each);
    };
    for (const auto& store : (*feeds)->comparisons(read)) {
        const CompareWatch watch{[] { return false; },
                                 [&](std::uint64_t done, std::uint64_t total) {
                                     if (options.progress) options.progress(store->name(), done, total);
                                 }};
        ReconcileRun::Store result{.name = store->name(), .error = {}, .found = {}, .adopted = {}};
        auto found = store->compare(options.repair, watch);
        if (found) result.found = std::move(*found);
        if (!found) result.error = found.error().what;
        run.stores.push_back(std::move(result));
    }
    return run;
}

}  // namespace nostro
