#include "nostro/app/wiring.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/app/version.hpp"
#include "nostro/base/embedded.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/index_rows.hpp"
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
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/query_index.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro {
namespace {

constexpr std::size_t kIndexFrameCacheBytes = 32u << 20;
constexpr std::size_t kWaitedBytesMax = 16u << 10;  // some fifty payments
constexpr std::string_view kKeyFile = "checkpoint.key";
constexpr std::chrono::milliseconds kCheckpointsLookEvery{250};

// Nothing may go on: what is in memory may be ahead of what is durable. No destructor runs, so nothing more is told.
[[noreturn]] void end_process(const Error& error) {
    log_error("fatal", {{"code", name(error.code)}, {"what", error.what}});
    flush_log();
    std::_Exit(3);
}

// A damaged index costs time, never money: it is made again from the journal.
Result<std::unique_ptr<QueryIndex>> open_index(const QueryIndexOptions& options, const QueryIndex::ReadFrame& read) {
    auto index = QueryIndex::open(options, read);
    if (index || index.error().code != ErrorCode::corrupt) return index;
    log_warn("index_rebuilt", {{"why", index.error().what}});
    std::error_code ignored;
    std::filesystem::remove_all(options.folder, ignored);
    return QueryIndex::open(options, read);
}

Result<std::string> first_policy(const Config& config) {
    if (config.policy.file.empty()) {
        const auto built_in = embedded_file("profiles/nostro.toml");
        if (!built_in)
            return Error{ErrorCode::invalid, "policy.file: this build has no policy of its own; name a file"};
        return std::string(*built_in);
    }
    std::ifstream file(config.policy.file, std::ios::binary);
    if (!file) return Error{ErrorCode::invalid, fmt::format("policy.file: {} cannot be read", config.policy.file)};
    return std::string(std::istreambuf_iterator<char>(file), {});
}

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

Result<ListenAddress> parse_listen(std::string_view text) {
    Error wrong{ErrorCode::invalid, fmt::format("server.listen: {} is not HOST:PORT", quoted(text))};
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong;
    const auto port = parse_uint32(text.substr(colon + 1));
    if (!port || *port > 65535) return wrong;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return ListenAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

Result<> check_listen(const Config& config) {
    const auto address = parse_listen(config.server.listen);
    if (!address) return address.error();
    ServerOptions options;
    options.address = address->host;
    options.insecure_listen = config.server.insecure_listen;
    return Server::check_address(options);
}

struct Wiring::Parts {
    explicit Parts(const Config& from) : config(from) {}

    Result<> open_journal();
    Result<> open_projections();
    Result<> start_service();
    void start_fold();
    Result<> start_checkpoints();
    Result<> listen();
    void stop();

    const Config config;
    SystemClock clock;
    MetricsRegistry metrics;

    std::unique_ptr<PosixDisk> disk;
    std::unique_ptr<SealedRuns> sealed;
    std::unique_ptr<Journal> journal;
    SegmentJournal* segments = nullptr;  // the same journal, where it has files

    std::unique_ptr<FrameCache> index_frames;
    std::unique_ptr<QueryIndex> index;

    std::unique_ptr<ServedProfiles> profiles;
    std::unique_ptr<Service> service;
    std::unique_ptr<ImageFold> fold;
    std::unique_ptr<StageRunner> fold_runner;
    std::optional<CheckpointFiles> checkpoint_files;
    std::unique_ptr<Checkpoints> checkpoints;
    std::unique_ptr<StageRunner> checkpoint_runner;

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
    auto opened = PosixDisk::open(config.data.dir, {.writers = config.journal.in_flight});
    if (!opened) return refused(opened.error());
    disk = std::move(*opened);
    if (auto locked = disk->lock(); !locked) return refused(locked.error());
    log_info("data_directory", {{"dir", config.data.dir}, {"writes", disk->description()}});
    if (config.journal.kind == "memory") {
        journal = std::make_unique<MemoryJournal>(std::make_shared<MemoryLog>());
        return {};
    }
    auto runs = SealedRuns::open(*disk, false);
    if (!runs) return runs.error();
    sealed = std::move(*runs);
    auto files = std::make_unique<SegmentJournal>(*disk, journal_options(config));
    segments = files.get();
    journal = std::move(files);
    return {};
}

Result<> Wiring::Parts::open_projections() {
    if (!config.index.enabled) return {};
    const auto folder = (std::filesystem::path(config.data.dir) / kIndexFolder).string();
    // A journal in memory begins anew, and so does what is made from it.
    std::error_code ignored;
    if (segments == nullptr) std::filesystem::remove_all(folder, ignored);
    index_frames = std::make_unique<FrameCache>(*journal, kIndexFrameCacheBytes);
    index_frames->set_accepted(std::numeric_limits<Seq>::max());  // the index knows accepted frames only
    QueryIndexOptions options{folder, config.index.batch_payments, cli::index_rows()};
    if (segments != nullptr) {
        options.read_bytes = [this](Seq seq, std::uint32_t begin, std::span<std::byte> into) {
            return segments->store().bytes(seq, begin, into);
        };
    }
    auto opened = open_index(options, [this](Seq seq) { return index_frames->frame(seq); });
    if (!opened) return opened.error();
    index = std::move(*opened);
    const auto next = index->next();
    if (!next) return next.error();
    // The index takes accepted frames only: what it has seen must be in the journal.
    if (segments != nullptr) segments->expect(*next - 1, "the query index");
    return {};
}

Result<> Wiring::Parts::start_service() {
    auto policy = first_policy(config);
    if (!policy) return policy.error();
    ServiceParts parts;
    parts.journal = journal.get();
    parts.sealed = sealed.get();
    parts.index = index.get();
    if (index) parts.projections.push_back({"index", index.get()});
    if (auto* counts = profiles->counts([this] { return service->accepted(); }); counts != nullptr) {
        parts.projections.push_back({"profiles", counts});
    }
    parts.disk = disk.get();
    parts.clock = &clock;
    parts.metrics = &metrics;
    parts.fatal = end_process;
    parts.beside = [this](std::vector<PartState>& states) {
        if (fold == nullptr) return;
        const std::string trouble = fold->trouble();
        states.push_back({.name = "fold", .ready = trouble.empty(), .needed = false, .reason = trouble});
    };
    ServiceOptions options;
    options.book = config.book;
    options.inbox_commands_max = config.inbox.commands_max;
    options.inbox_bytes_max = config.inbox.bytes_max;
    options.stream_events_max = config.stream.events_max;
    options.subscribers_max = config.stream.subscribers_max;
    options.default_policy = std::move(*policy);
    service = std::make_unique<Service>(std::move(parts), std::move(options));
    if (auto started = service->start(); !started) return started;
    return profiles->begin(*service, clock);
}

void Wiring::Parts::start_fold() {
    if (segments == nullptr) return;
    FoldOptions options;
    options.archive = config.journal.archive;
    options.keep_days = std::chrono::days(config.journal.keep_days);
    fold = std::make_unique<ImageFold>(*disk, segments->store(), *sealed, segments->id(), options);
    fold_runner = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "fold", .idle_max = std::chrono::milliseconds(250), .gives_way = true},
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

Result<> Wiring::Parts::start_checkpoints() {
    const std::string path = config.proof.key_file.empty()
                                 ? (std::filesystem::path(config.data.dir) / kKeyFile).string()
                                 : config.proof.key_file;
    auto key = read_key_file(path);
    // A key that was named must be there; the one of the data folder comes into being with it.
    if (!key && key.error().code == ErrorCode::not_found && config.proof.key_file.empty()) key = make_key_file(path);
    if (!key) return key.error();
    log_info("checkpoint_key", {{"file", path}, {"public_key", to_hex(key->public_key())}});

    std::vector<Checkpoint> known;
    Checkpoints::Keep keep = [](const Checkpoint&) -> Result<> { return {}; };
    if (segments != nullptr) {  // those of a journal in memory are gone with it
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
    checkpoint_runner->start();
    return {};
}

Result<> Wiring::Parts::listen() {
    const auto address = parse_listen(config.server.listen);
    if (!address) return address.error();
    api = {.service = service.get(),
           .metrics = &metrics,
           .clock = &clock,
           .version = std::string(kVersion),
           .checkpoints = checkpoints.get(),
           .profiles = profiles->list(),
           .last_verified = [this] { return read_verified(*disk).value_or(std::string()); }};
    std::vector<Route> routes = native_routes(api);
    for (Route& route : profiles->routes()) routes.push_back(std::move(route));
    const auto documents = profiles->documents();
    add_pages(routes, api, documents);
    router = std::make_unique<Router>(std::move(routes));
    http_metrics = std::make_unique<HttpMetrics>(metrics, *router, profiles->count_requests());
    ServerOptions options;
    options.address = address->host;
    options.port = address->port;
    options.insecure_listen = config.server.insecure_listen;
    options.io_threads = config.server.io_threads;
    options.connections_max = config.server.connections_max;
    const auto ms = [](std::chrono::nanoseconds ns) { return std::chrono::ceil<std::chrono::milliseconds>(ns); };
    options.round_begins = [this] { service->round_begins(); };
    options.round_ends = [this] { service->round_ends(); };
    options.session.cors_origin = config.server.cors_origin;
    options.session.idle_timeout = ms(config.server.idle_timeout);
    options.session.head_timeout = ms(config.server.head_timeout);
    options.session.body_timeout = ms(config.server.body_timeout);
    auto started = Server::start(options, *router, *http_metrics);
    if (!started) return started.error();
    server = std::move(*started);
    return {};
}

// Against the flow: first nobody may come in, then what came in is settled, then what reads the journal ends.
void Wiring::Parts::stop() {
    if (server) server->stop();
    if (service) service->stop();
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
    if (auto done = parts->start_service(); !done) return done.error();
    parts->start_fold();
    auto done = parts->start_checkpoints();
    if (done) done = parts->listen();
    if (!done) {
        parts->stop();
        return done.error();
    }
    return std::unique_ptr<Wiring>(new Wiring(std::move(parts)));
}

std::string Wiring::url() const { return parts_->server->url(); }

void Wiring::stop() { parts_->stop(); }

}  // namespace nostro
