#include "nostro/app/wiring.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/app/first_policy.hpp"
#include "nostro/app/kafka_journal.hpp"
#include "nostro/app/kept_index.hpp"
#include "nostro/app/mirrored.hpp"
#include "nostro/app/owner_parts.hpp"
#include "nostro/app/ownership.hpp"
#include "nostro/app/postgres_journal.hpp"
#include "nostro/app/projection_worker.hpp"
#include "nostro/app/redis_parts.hpp"
#include "nostro/app/rest.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/app/serving.hpp"
#include "nostro/app/shared_inbox.hpp"
#include "nostro/app/version.hpp"
#include "nostro/base/cpu_time.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/cli/key_file.hpp"
#include "nostro/engine/checkpoints.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/http_metrics.hpp"
#include "nostro/http/router.hpp"
#include "nostro/http/server.hpp"
#include "nostro/journal/checkpoint_files.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/disk_governor.hpp"
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro {
namespace {

constexpr std::size_t kWaitedBytesMax = 16u << 10;  // some fifty payments
constexpr std::string_view kKeyFile = "checkpoint.key";
constexpr std::chrono::milliseconds kCheckpointsLookEvery{250};

SegmentJournalOptions journal_options(const Config& config) {
    SegmentJournalOptions options;
    options.segment_bytes = config.journal.segment_bytes;
    options.in_flight_max = config.journal.in_flight;
    options.waited_bytes_max = kWaitedBytesMax;
    options.tail_bytes = config.journal.tail_bytes;
    options.frame_bytes_max =
        std::min<std::size_t>(options.frame_bytes_max, config.journal.segment_bytes / 4 / kFrameAlign * kFrameAlign);
    return options;
}

}  // namespace

struct Wiring::Parts {
    explicit Parts(const Config& from) : config(from) {}

    Result<> open_journal();
    void expect(Seq seq, const std::string& says_who) const;
    Result<> open_projections();
    ServiceParts service_parts();
    Result<> start_service();
    Result<> begin_as_owner();
    std::vector<OwnerParts::Step> steps_after_take_over();
    void lost(const Error& error);
    double fold_behind() const;
    void start_fold();
    void start_resting();
    Result<> start_checkpoints();
    Result<> listen();
    void stop();

    const Config config;
    SystemClock clock;
    MetricsRegistry metrics;

    std::shared_ptr<DiskGovernor> governor;  // nullptr: none
    std::unique_ptr<PosixDisk> disk;
    std::unique_ptr<SealedRuns> sealed;
    std::unique_ptr<Journal> own_journal;
    Journal* journal = nullptr;          // that one, or mirrored->journal()
    SegmentJournal* segments = nullptr;  // the same, where it has files
    std::unique_ptr<Mirrored> mirrored;  // what is around it, where it is on a server
    std::unique_ptr<Candidacy> candidacy;

    std::unique_ptr<KeptIndex> index;  // nullptr: none

    std::unique_ptr<ServedProfiles> profiles;
    std::unique_ptr<RedisParts> redis;  // nullptr: none
    std::unique_ptr<OwnerParts> owner_parts;
    Feeding feeding;                     // of a worker that does nothing else
    std::unique_ptr<SharedInbox> inbox;  // nullptr: none
    std::unique_ptr<Service> service;
    std::unique_ptr<Ownership> ownership;
    std::unique_ptr<ImageFold> fold;
    std::unique_ptr<StageRunner> fold_runner;
    std::optional<CheckpointFiles> checkpoint_files;
    std::string public_key;  // of whoever signs these
    std::unique_ptr<Checkpoints> checkpoints;
    std::unique_ptr<StageRunner> checkpoint_runner;
    Rest rest;
    std::unique_ptr<StageRunner> rest_runner;

    Api api;
    std::unique_ptr<HttpMetrics> http_metrics;
    std::unique_ptr<Router> router;
    std::unique_ptr<Server> server;
};

Result<> Wiring::Parts::open_journal() {
    // A folder that may not be used is what the machine refuses, and no wrong use of the program.
    const auto refused = [](const Error& error) {
        return Error{error.code == ErrorCode::invalid ? ErrorCode::unavailable : error.code, error.what};
    };
    // Where the journal is elsewhere, nobody waits for this disk.
    if (config.journal.kind == "segment") governor = std::make_shared<DiskGovernor>();
    auto opened = PosixDisk::open(config.data.dir, {.writers = config.journal.in_flight, .governor = governor});
    if (!opened) return refused(opened.error());
    disk = std::move(*opened);
    if (auto locked = disk->lock(); !locked) return refused(locked.error());
    log_info("data_directory", {{"dir", config.data.dir}, {"writes", disk->description()}});
    if (auto fits = check_folder(config, *disk); !fits) return fits;
    if (config.journal.kind == "memory") {
        own_journal = std::make_unique<MemoryJournal>(std::make_shared<MemoryLog>());
        journal = own_journal.get();
        return {};
    }
    if (config.journal.kind == "kafka" || config.journal.kind == "postgres") {
        auto opened_there = config.journal.kind == "kafka"
                                ? open_kafka_journal(config, metrics, [this](const Error& error) { lost(error); })
                                : open_postgres_journal(config);
        if (!opened_there) return opened_there.error();
        if (!config.feeds_alone) candidacy = std::move(opened_there->candidacy);
        auto behind = Mirrored::open(config, *disk, std::move(*opened_there), metrics, clock);
        if (!behind) return behind.error();
        mirrored = std::move(*behind);
        journal = &mirrored->journal();
        return {};
    }
    auto runs = SealedRuns::open(*disk, false);
    if (!runs) return runs.error();
    sealed = std::move(*runs);
    auto files = std::make_unique<SegmentJournal>(*disk, journal_options(config));
    journal = segments = files.get();
    own_journal = std::move(files);
    return {};
}

// Somebody else has seen that frame accepted.
void Wiring::Parts::expect(Seq seq, const std::string& says_who) const {
    if (segments != nullptr) segments->expect(seq, says_who);
    if (mirrored) mirrored->expect(seq, says_who);
}

Result<> Wiring::Parts::open_projections() {
    auto beside = RedisParts::make(config, *profiles, clock, metrics);
    if (!beside) return beside.error();
    redis = std::move(*beside);
    if (!config.index.enabled) return {};
    KeptIndex::From from;
    from.journal = journal;
    from.governor = governor;
    from.readable = [this] { return service ? service->accepted() : Seq{0}; };
    if (segments != nullptr || mirrored) {
        from.read_bytes = [this](Seq seq, std::uint32_t begin, std::span<std::byte> into) {
            return mirrored ? mirrored->journal().bytes(seq, begin, into) : segments->store().bytes(seq, begin, into);
        };
        from.will_read = [this](Seq seq, std::uint32_t begin, std::uint32_t bytes) {
            return mirrored ? mirrored->journal().will_read(seq, begin, bytes)
                            : segments->store().will_read(seq, begin, bytes);
        };
    }
    auto opened = KeptIndex::open(config, std::move(from));
    if (!opened) return opened.error();
    index = std::move(*opened);
    const auto seen = index->seen();
    if (!seen) return seen.error();
    // The index takes accepted frames only: what it has seen must be in the journal.
    if (*seen != 0) expect(*seen, "the query index");
    return {};
}

void Wiring::Parts::lost(const Error& error) {
    if (!ownership) end_process(error);
    ownership->lost(error);
}

// What every process has; what only an owner has stands in ServiceParts besides, or comes with the ownership.
ServiceParts Wiring::Parts::service_parts() {
    ServiceParts parts;
    parts.journal = journal;
    parts.sealed = mirrored ? &mirrored->ids() : sealed.get();
    parts.index = index ? index->history() : nullptr;
    if (index && index->projection() != nullptr) parts.projections.push_back({"index", index->projection()});
    if (auto* counts = profiles->counts([this] { return service->accepted(); }); counts != nullptr) {
        parts.projections.push_back({"profiles", counts});
    }
    parts.disk = disk.get();
    parts.clock = &clock;
    parts.metrics = &metrics;
    parts.fatal = end_process;
    parts.beside = [this](std::vector<PartState>& states) {
        if (index) index->add_state(states);
        if (redis) states.push_back(redis->state());
        owner_parts->states(states);
        if (inbox) states.push_back(inbox->state());
        if (candidacy) states.push_back(ownership->state());
        if (mirrored) states.push_back(mirrored->state());
        if (fold == nullptr) return;
        const std::string trouble = fold->trouble();
        states.push_back({.name = "fold", .ready = trouble.empty(), .needed = false, .reason = trouble});
    };
    inbox = SharedInbox::make(config);
    if (inbox) inbox->add_to(parts);
    return parts;
}

Result<> Wiring::Parts::start_service() {
    auto policy = first_policy(config);
    if (!policy) return policy.error();
    owner_parts = std::make_unique<OwnerParts>(
        OwnerParts::Around{.config = &config,
                           .profiles = profiles.get(),
                           .redis = redis.get(),
                           .journal = journal,
                           .mirrored = mirrored.get(),
                           .disk = config.journal.kind != "memory" ? disk.get() : nullptr,
                           .clock = &clock,
                           .metrics = &metrics,
                           .expect = [this](Seq seq, const std::string& who) { expect(seq, who); }});
    ServiceParts parts = service_parts();
    if (!config.standby.enabled) {
        if (auto added = owner_parts->add_to(parts); !added) return added;
        if (redis) std::ranges::copy(redis->projections(), std::back_inserter(parts.projections));
    } else if (config.feeds_alone || config.journal.sql_is_the_ledger) {
        if (auto opened = owner_parts->open_tables(); !opened) return opened;
    }
    if (config.feeds_alone) {
        const auto accepted = [this] { return service->accepted(); };
        if (auto added = feeding.add_to(parts, owner_parts->tables(), redis.get(), accepted); !added) return added;
    }
    ServiceOptions options;
    options.book = config.book;
    options.inbox_commands_max = config.inbox.commands_max;
    options.inbox_bytes_max = config.inbox.bytes_max;
    options.stream_events_max = config.stream.events_max;
    options.subscribers_max = config.stream.subscribers_max;
    options.fresh_wait = std::chrono::ceil<std::chrono::milliseconds>(config.server.fresh_wait);
    options.default_policy = std::move(*policy);
    service = std::make_unique<Service>(std::move(parts), std::move(options));
    ownership = std::make_unique<Ownership>(Ownership::Parts{.service = service.get(),
                                                             .candidacy = candidacy.get(),
                                                             .begin = steps_after_take_over(),
                                                             .fatal = end_process,
                                                             .end = [] { ::kill(::getpid(), SIGTERM); }});
    owner_parts->use(*service);
    if (redis) redis->use(*service);
    if (!config.standby.enabled) return begin_as_owner();
    if (auto followed = service->follow(); !followed) return followed;
    if (config.feeds_alone && redis) redis->start();
    if (inbox) {
        if (auto follows = inbox->follows(*service); !follows) return follows;
    }
    profiles->begin_reading(*service, clock, redis ? redis->cache() : nullptr);
    return {};
}

Result<> Wiring::Parts::begin_as_owner() {
    if (candidacy) candidacy->claims();
    if (auto started = service->start(); !started) return started;
    if (redis) redis->start();
    if (auto begun = profiles->begin(*service, clock, redis ? redis->cache() : nullptr); !begun) return begun;
    owner_parts->begin();
    return inbox ? inbox->owns(*service) : Result<>();
}

// The same for who was a standby: payments are taken already.
std::vector<OwnerParts::Step> Wiring::Parts::steps_after_take_over() {
    std::vector<OwnerParts::Step> steps{
        [this](const std::stop_token& stop) {
            return profiles->begin(*service, clock, redis ? redis->cache() : nullptr, stop);
        },
        [this](const std::stop_token&) -> Result<> {
            if (redis) {
                for (const auto& projection : redis->projections()) service->add_projection(projection);
                redis->start();
            }
            checkpoint_runner->start();
            return {};
        },
        [this](const std::stop_token&) { return inbox ? inbox->owns(*service) : Result<>(); },
    };
    for (auto& step : owner_parts->steps()) steps.push_back(std::move(step));
    return steps;
}

double Wiring::Parts::fold_behind() const {
    const double behind = fold->behind();
    governor->hurry(DiskGovernor::Lane::other, behind > StageRunner::kBehindLittle);
    return behind;
}

void Wiring::Parts::start_fold() {
    if (mirrored) mirrored->start();
    if (segments == nullptr) return;
    FoldOptions options;
    options.archive = config.journal.archive;
    options.keep_days = std::chrono::days(config.journal.keep_days);
    options.ids_max = config.book.known_max;
    options.pace = [this](std::size_t) { fold_runner->keep_pace(); };
    fold = std::make_unique<ImageFold>(*disk, segments->store(), *sealed, segments->id(), options);
    fold_runner = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "fold",
                             .idle_max = std::chrono::milliseconds(250),
                             .gives_way = true,
                             .behind = [this] { return fold_behind(); }},
        [this]() -> Result<std::size_t> {
            const std::string before = fold->trouble();
            const auto did = fold->step(clock.now());
            if (const std::string now = fold->trouble(); now != before) {
                if (now.empty()) log_info("fold_recovered", {});
                if (!now.empty()) log_warn("fold_waits", {{"what", now}});
            }
            return did && *did ? 1 : 0;
        },
        [](const Error&) {});  // whatever is wrong is tried again
    fold_runner->start();
}

void Wiring::Parts::start_resting() {
    rest_runner = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "rest", .idle_max = Rest::kWindow / 4},
        [this]() -> Result<std::size_t> {
            if (!rest.begins(steady_now(), cpu_of_process())) return 0;
            service->let_go();
            if (index) index->let_go();
            if (sealed) sealed->let_go();
            if (segments) segments->let_go();
            give_back_freed();
            return 0;
        },
        [](const Error&) {});
    rest_runner->start();
}

Result<> Wiring::Parts::start_checkpoints() {
    const std::string path = config.proof.key_file.empty()
                                 ? (std::filesystem::path(config.data.dir) / kKeyFile).string()
                                 : config.proof.key_file;
    auto key = read_key_file(path);
    // A key that was named must be there; the one of the data folder comes into being with it.
    if (!key && key.error().code == ErrorCode::not_found && config.proof.key_file.empty()) key = make_key_file(path);
    if (!key) return key.error();
    public_key = to_hex(key->public_key());
    log_info("checkpoint_key", {{"file", path}, {"public_key", public_key}});

    std::vector<Checkpoint> known;
    Checkpoints::Keep keep = [](const Checkpoint&) -> Result<> { return {}; };
    if (config.journal.kind != "memory") {  // those of a journal in memory are gone with it
        auto files = CheckpointFiles::open(*disk);
        if (!files) return files.error();
        checkpoint_files = std::move(*files);
        known = checkpoint_files->known();
        keep = [this](const Checkpoint& checkpoint) { return checkpoint_files->add(checkpoint); };
    }
    checkpoints = std::make_unique<Checkpoints>(*journal, clock, std::move(*key), std::move(known), std::move(keep));
    checkpoint_runner = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "checkpoints", .idle_max = kCheckpointsLookEvery, .gives_way = true},
        [this]() -> Result<std::size_t> {
            const auto more = checkpoints->step(service->accepted());
            if (!more && more.error().code == ErrorCode::unavailable) return 0;  // a full disk: signed when it is not
            if (!more) return more.error();
            return *more ? 1 : 0;
        },
        // No payment waits for it: the next start signs what is due.
        [](const Error& error) { log_error("checkpoints_stopped", {{"what", error.what}}); });
    if (service->role() == Role::owner) checkpoint_runner->start();
    return {};
}

Result<> Wiring::Parts::listen() {
    api = {.service = service.get(),
           .metrics = &metrics,
           .clock = &clock,
           .version = std::string(kVersion),
           .checkpoints = checkpoints.get(),
           .profiles = profiles->list(),
           .reconciler = &owner_parts->reconciler(),
           .take_over = [this] { return ownership->take_over(); },
           .hand_over = [this] { return ownership->hand_over(); },
           .last_verified = [this] { return read_verified(*disk).value_or(std::string()); }};
    std::vector<Route> routes = native_routes(api);
    for (Route& route : profiles->routes()) routes.push_back(std::move(route));
    const auto documents = profiles->documents();
    add_pages(routes, api, documents);
    router = std::make_unique<Router>(std::move(routes));
    http_metrics = std::make_unique<HttpMetrics>(metrics, *router, profiles->count_requests());
    auto options = server_options(config, profiles->listen(config));
    if (!options) return options.error();
    options->round_begins = [this] { service->round_begins(); };
    // A server's milliseconds are no time in which the only reader should ask it.
    options->round_ends = [this, is_here = mirrored == nullptr](const std::shared_ptr<Waker>& thread) {
        service->round_ends(is_here ? thread : nullptr);
    };
    auto started = Server::start(*options, *router, *http_metrics);
    if (!started) return started.error();
    server = std::move(*started);
    return {};
}

// Against the flow: first nobody may come in, then what came in is settled, then what reads the journal ends.
void Wiring::Parts::stop() {
    if (server) server->stop();
    if (ownership) ownership->stop();
    if (owner_parts) owner_parts->stop_comparing();
    if (inbox) inbox->stop();
    if (redis) redis->stop();
    if (owner_parts) owner_parts->stop_taking();
    if (service) service->stop();
    if (candidacy) candidacy->stop();
    if (mirrored) mirrored->stop();
    if (rest_runner) rest_runner->stop();
    if (fold_runner) fold_runner->stop();
    if (checkpoint_runner) checkpoint_runner->stop();
    server.reset();
}

Wiring::Wiring(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Wiring::~Wiring() { stop(); }

Result<std::unique_ptr<Wiring>> Wiring::start(const Config& config) {
    if (auto fine = check(config); !fine) return fine.error();
    if (auto fine = check_listen(config); !fine) return fine.error();
    auto parts = std::make_unique<Parts>(config);
    auto profiles = ServedProfiles::load(config, parts->metrics);
    if (!profiles) return profiles.error();
    parts->profiles = std::move(*profiles);
    if (auto done = parts->open_journal(); !done) return done.error();
    if (auto done = parts->open_projections(); !done) return done.error();
    if (auto done = parts->mirrored ? parts->mirrored->catch_up() : Result<>(); !done) return done.error();
    auto done = parts->start_service();
    if (done) parts->start_fold();
    if (done) parts->start_resting();
    if (done) done = parts->start_checkpoints();
    if (done) done = parts->listen();
    if (!done) {
        parts->stop();
        return done.error();
    }
    parts->ownership->start();
    return std::unique_ptr<Wiring>(new Wiring(std::move(parts)));
}

std::string Wiring::url() const { return parts_->server->url(); }
std::string Wiring::public_key() const { return parts_->public_key; }

void Wiring::stop() { parts_->stop(); }

}  // namespace nostro
