#include "nostro/app/wiring.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/app/version.hpp"
#include "nostro/base/embedded.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/text.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/http_metrics.hpp"
#include "nostro/http/router.hpp"
#include "nostro/http/server.hpp"
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/query_index.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/segment_journal.hpp"

namespace nostro {
namespace {

constexpr std::size_t kIndexFrameCacheBytes = 32u << 20;
constexpr std::string_view kIndexFolder = "index";

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

    std::unique_ptr<Service> service;
    std::unique_ptr<ImageFold> fold;
    std::unique_ptr<StageRunner> fold_runner;

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
    auto opened =
        open_index({folder, config.index.batch_payments}, [this](Seq seq) { return index_frames->frame(seq); });
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
    parts.disk = disk.get();
    parts.clock = &clock;
    parts.metrics = &metrics;
    parts.fatal = end_process;
    ServiceOptions options;
    options.book = config.book;
    options.inbox_commands_max = config.inbox.commands_max;
    options.inbox_bytes_max = config.inbox.bytes_max;
    options.stream_events_max = config.stream.events_max;
    options.subscribers_max = config.stream.subscribers_max;
    options.default_policy = std::move(*policy);
    service = std::make_unique<Service>(std::move(parts), std::move(options));
    return service->start();
}

void Wiring::Parts::start_fold() {
    if (segments == nullptr) return;
    FoldOptions options;
    options.archive = config.journal.archive;
    options.keep_days = std::chrono::days(config.journal.keep_days);
    fold = std::make_unique<ImageFold>(*disk, segments->store(), *sealed, segments->id(), options);
    fold_runner = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "fold", .idle_max = std::chrono::milliseconds(250)},
        [this]() -> Result<std::size_t> {
            const bool waited = !fold->no_space().empty();
            const auto more = fold->step(clock.now());
            if (!more) return more.error();
            if (!waited && !fold->no_space().empty()) log_warn("fold_waits", {{"what", fold->no_space()}});
            return *more ? 1 : 0;
        },
        // Nothing that was decided depends on the fold: without it the next start takes longer.
        [](const Error& error) { log_error("fold_stopped", {{"what", error.what}}); });
    fold_runner->start();
}

Result<> Wiring::Parts::listen() {
    const auto address = parse_listen(config.server.listen);
    if (!address) return address.error();
    api = {service.get(), &metrics, &clock, std::string(kVersion)};
    std::vector<Route> routes = native_routes(api);
    add_pages(routes, api);
    router = std::make_unique<Router>(std::move(routes));
    http_metrics = std::make_unique<HttpMetrics>(metrics, *router);
    ServerOptions options;
    options.address = address->host;
    options.port = address->port;
    options.insecure_listen = config.server.insecure_listen;
    options.io_threads = config.server.io_threads;
    options.connections_max = config.server.connections_max;
    const auto ms = [](std::chrono::nanoseconds ns) { return std::chrono::ceil<std::chrono::milliseconds>(ns); };
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
    server.reset();
}

Wiring::Wiring(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Wiring::~Wiring() { stop(); }

Result<std::unique_ptr<Wiring>> Wiring::start(const Config& config) {
    if (auto fine = check(config); !fine) return fine.error();
    if (auto fine = check_listen(config); !fine) return fine.error();
    auto parts = std::make_unique<Parts>(config);
    if (auto done = parts->open_journal(); !done) return done.error();
    if (auto done = parts->open_projections(); !done) return done.error();
    if (auto done = parts->start_service(); !done) return done.error();
    parts->start_fold();
    if (auto done = parts->listen(); !done) {
        parts->stop();
        return done.error();
    }
    return std::unique_ptr<Wiring>(new Wiring(std::move(parts)));
}

std::string Wiring::url() const { return parts_->server->url(); }

void Wiring::stop() { parts_->stop(); }

}  // namespace nostro
