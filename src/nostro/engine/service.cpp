#include "nostro/engine/service.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/base/random.hpp"
#include "nostro/engine/engine_metrics.hpp"
#include "nostro/engine/feed.hpp"
#include "nostro/engine/freshness.hpp"
#include "nostro/engine/inbox.hpp"
#include "nostro/engine/settlement.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/engine/suspects.hpp"

namespace nostro {
namespace {

constexpr std::size_t kFrameCacheBytes = 32u << 20;
// Feeds are woken at most that often: a wake costs settlement microseconds, and more frames at once cost a
// projection less. A reader that waits for the index wakes it at once.
constexpr std::chrono::milliseconds kFeedWakeEvery{2};
constexpr std::chrono::seconds kTakeOverPatience{60};
// More than that is decided by settlement's own thread, while others go on reading.
constexpr std::size_t kTurnCommandsMax = 4;
thread_local bool in_round = false;  // this thread comes to settlement by itself
// What a frame needs beside the bytes of one command and its outcomes.
constexpr std::size_t kFrameOverhead = 16u << 10;
constexpr std::size_t kPaymentOverhead = 2048;

struct FeedStage {
    FeedStage(const ServiceParts::NamedProjection& projection, const FrameCache& frames, MetricsRegistry& registry)
        : metrics(registry, projection.name),
          lag(registry.gauge("nostro_feed_lag_frames", "Durable frames that a projection has not taken yet.",
                             {{"projection", projection.name}})),
          feed(projection.name, frames, *projection.projection, metrics),
          runner(
              {.name = "feed " + projection.name, .gives_way = true}, [this] { return feed.step(steady_now()); },
              [](const Error&) {}) {}

    FeedMetrics metrics;
    Gauge& lag;
    Feed feed;
    StageRunner runner;
};

// Wakes settlement from the journal's threads, for which nobody waits at the end: writes may complete when the service
// is gone.
class JournalWake {
public:
    explicit JournalWake(Signal& signal) : signal_(&signal) {}
    void notify() {
        const std::lock_guard lock(mutex_);
        if (signal_ != nullptr) signal_->notify();
    }
    void end() {
        const std::lock_guard lock(mutex_);
        signal_ = nullptr;
    }

private:
    std::mutex mutex_;
    Signal* signal_;
};

bool is_quarantined(const Outcome& outcome) {
    return outcome.event == Event::record_kept && outcome.status == Status::quarantined;
}

}  // namespace

std::string_view refusal_word(const Error& error) {
    constexpr std::array<std::string_view, 5> kWords = {"overloaded", "no_space", "stopping", "no_index",
                                                        "index_behind"};
    for (const std::string_view word : kWords) {
        if (error.what.size() > word.size() && error.what.starts_with(word) && error.what[word.size()] == ':') {
            return word;
        }
    }
    return "unavailable";
}

struct Service::Running {
    Running(ServiceParts service_parts, ServiceOptions service_options)
        : parts(std::move(service_parts)),
          options(std::move(service_options)),
          policies(options.tenant),
          frames(*parts.journal, kFrameCacheBytes),
          inbox(options.inbox_commands_max, options.inbox_bytes_max),
          suspects(parts.disk),
          settlement_metrics(*parts.metrics),
          gauges(*parts.metrics),
          book(options.book),
          query(parts.index, frames),
          live(frames, options.stream_events_max, options.subscribers_max),
          settlement(settlement_parts(), {.payments_per_frame_max = options.payments_per_frame_max,
                                          .frame_bytes_max = options.frame_bytes_max,
                                          .expiries_per_frame_max = options.expiries_per_frame_max}),
          settlement_runner(
              {.name = "settlement", .spin = spin()}, [this] { return settle(); },
              [this](const Error& error) { fail(error); }),
          live_runner(
              {.name = "live", .idle_max = std::chrono::milliseconds(25)}, [this] { return live_step(); },
              [](const Error&) {}) {
        for (const auto& projection : parts.projections) {
            feeds.push_back(std::make_unique<FeedStage>(projection, frames, *parts.metrics));
            if (projection.name == "index") index_feed = feeds.back().get();
        }
        if (index_feed != nullptr) {
            index_feed->feed.on_progress([this](Seq next) { freshness.reached(next - 1); });
        }
        journal_wake = std::make_shared<JournalWake>(settlement_runner.signal());
        inbox.on_arrival([this] {
            if (!in_round || inbox.commands() > kTurnCommandsMax) settlement_runner.signal().notify();
        });
        live.on_room([this] { live_runner.signal().notify(); });
    }

    SettlementParts settlement_parts() {
        SettlementParts to;
        to.book = &book;
        to.journal = parts.journal;
        to.inbox = &inbox;
        to.frames = &frames;
        to.policies = &policies;
        to.metrics = &settlement_metrics;
        to.sealed = parts.sealed;
        to.suspects = parts.disk != nullptr ? &suspects : nullptr;
        to.sources = parts.sources;
        to.nonce = random_u64();
        to.on_accepted = [this](Seq) { wake_feeds(); };
        to.on_replies = [this] {
            if (replies_done) replies_done();
        };
        return to;
    }
    // Only settlement spins, and only where another core is left for the rest.
    std::chrono::microseconds spin() const {
        return std::thread::hardware_concurrency() < 2 ? std::chrono::microseconds(0) : options.spin;
    }

    Result<> begin();
    Result<std::size_t> settle();
    Result<std::size_t> settle_in_turn();
    void take_turn();
    Result<std::size_t> live_step();
    void wake_feeds();
    void fail(const Error& error);
    void end(std::chrono::milliseconds patience);
    PartState settlement_state() const;
    std::string mend_of(std::string_view full) const;

    ServiceParts parts;
    ServiceOptions options;
    Policies policies;
    FrameCache frames;
    Inbox inbox;
    Suspects suspects;
    SettlementMetrics settlement_metrics;
    EngineGauges gauges;
    Book book;
    Query query;
    Live live;
    Freshness freshness;
    std::function<void()> replies_done;
    std::vector<std::unique_ptr<FeedStage>> feeds;
    FeedStage* index_feed = nullptr;
    SteadyTime feeds_woken{};
    std::shared_ptr<JournalWake> journal_wake;

    std::atomic<bool> started{false}, stopping{false}, failed{false}, ended{false};
    Signal drained;
    mutable std::mutex failure_mutex;
    std::string failure;

    std::mutex turn_mutex;  // who holds it has settlement's turn: its thread, or one that ends a round
    // Last, so that their threads end first.
    Settlement settlement;
    StageRunner settlement_runner;
    StageRunner live_runner;
};

Result<> Service::Running::begin() {
    if (auto loaded = suspects.load(); !loaded) return loaded.error();
    const Instant now = parts.clock->now();
    PolicyPtr first;
    if (!options.default_policy.empty()) {
        auto parsed = Policy::parse(options.default_policy, 1, now);
        if (!parsed) return parsed.error();
        first = std::move(*parsed);
    }
    parts.journal->on_progress([wake = journal_wake] { wake->notify(); });
    if (auto recovered = settlement.recover(now, first); !recovered) return recovered.error();

    const SteadyTime patient_until = steady_now() + kTakeOverPatience;
    while (!settlement.idle()) {
        const auto stepped = settlement.step(parts.clock->now());
        if (!stepped) return stepped.error();
        if (*stepped != 0) continue;
        if (steady_now() > patient_until) {
            return Error{ErrorCode::unavailable, "the journal has not taken the first frame within a minute"};
        }
        static_cast<void>(settlement_runner.signal().wait_for(std::chrono::milliseconds(50)));
    }
    for (auto& stage : feeds) stage->runner.start();
    live_runner.start();
    settlement_runner.start();
    started = true;
    return {};
}

Result<std::size_t> Service::Running::settle() {
    const std::lock_guard turn(turn_mutex);
    return settle_in_turn();
}

Result<std::size_t> Service::Running::settle_in_turn() {
    if (failed) return std::size_t{0};
    auto done = settlement.step(parts.clock->now());
    if (done && stopping && settlement.idle() && inbox.empty()) drained.notify();
    return done;
}

void Service::Running::take_turn() {
    if (inbox.empty()) return;
    if (inbox.commands() <= kTurnCommandsMax) {
        if (const std::unique_lock turn(turn_mutex, std::try_to_lock); turn && started && !ended) {
            // One step decides and writes, another one answers if that is done already.
            for (int step = 0; step < 2; ++step) {
                const auto done = settle_in_turn();
                if (!done) return fail(done.error());
                if (*done == 0) break;
            }
        }
    }
    if (!inbox.empty()) settlement_runner.signal().notify();
}

Result<std::size_t> Service::Running::live_step() {
    freshness.expire(steady_now());
    return live.step();
}

void Service::Running::wake_feeds() {
    if (live.subscribers() > 0) live_runner.signal().notify();
    const SteadyTime now = steady_now();
    if (freshness.waiting() == 0 && now - feeds_woken < kFeedWakeEvery) return;
    feeds_woken = now;
    for (auto& stage : feeds) stage->runner.signal().notify();
}

void Service::Running::fail(const Error& error) {
    {
        const std::lock_guard lock(failure_mutex);
        failure = error.what;
    }
    inbox.close();
    drained.notify();
    if (failed.exchange(true)) return;
    log_error("settlement_failed", {{"code", nostro::name(error.code)}, {"error", error.what}});
    if (parts.fatal) parts.fatal(error);
}

void Service::Running::end(std::chrono::milliseconds patience) {
    if (ended.exchange(true)) return;
    inbox.close();
    stopping = true;
    if (started && !failed) {
        settlement_runner.signal().notify();
        static_cast<void>(drained.wait_for(patience));
    }
    settlement_runner.stop();
    journal_wake->end();
    {
        const std::lock_guard turn(turn_mutex);
        settlement.give_up();
    }
    live.stop();
    freshness.expire_all();
    live_runner.stop();
    for (auto& stage : feeds) stage->runner.stop();
}

// Of all tables, known ids alone find room by themselves: on disk.
std::string Service::Running::mend_of(std::string_view full) const {
    if (full == "known_max" && parts.sealed != nullptr) {
        return "older keys are being moved to the disk; raise it if that happens often";
    }
    return "raise it and start again";
}

PartState Service::Running::settlement_state() const {
    PartState state{.name = "settlement", .ready = true, .needed = true, .reason = {}};
    if (failed) {
        const std::lock_guard lock(failure_mutex);
        state.reason = failure;
    } else if (stopping) {
        state.reason = "stopping";
    } else if (!started) {
        state.reason = "starting";
    } else if (const auto full = settlement.full_table(); !full.empty()) {
        state.reason = "book_full: [book] " + std::string(full) + " is nearly used up; " + mend_of(full);
    }
    state.ready = state.reason.empty();
    return state;
}

Service::Service(ServiceParts parts, ServiceOptions options)
    : running_(std::make_unique<Running>(std::move(parts), std::move(options))) {}

Service::~Service() { stop(); }

Result<> Service::start() { return running_->begin(); }

void Service::stop(std::chrono::milliseconds patience) { running_->end(patience); }

SubmissionBuilder Service::build(std::shared_ptr<const void> memory, TenantNo tenant) const {
    return SubmissionBuilder({.policies = &running_->policies, .sealed = running_->parts.sealed, .tenant = tenant},
                             std::move(memory));
}

void Service::submit(std::unique_ptr<Submission> submission) {
    if (submission->commands.empty()) return submission->reply(std::vector<Receipt>());
    const std::size_t most = running_->parts.journal->frame_bytes_max();
    std::size_t begin = 0;
    for (std::size_t i = 0; i < submission->commands.size(); ++i) {
        const std::size_t bytes = submission->ends[i] - begin;
        begin = submission->ends[i];
        if (bytes + payments_of(submission->commands[i]) * kPaymentOverhead + kFrameOverhead <= most) continue;
        return submission->reply(Error{ErrorCode::invalid, "too_large: item " + std::to_string(i) + " has " +
                                                               std::to_string(bytes) +
                                                               " bytes, which with its outcome do not fit into a frame "
                                                               "of " +
                                                               std::to_string(most)});
    }
    running_->inbox.submit(std::move(submission));
}

void Service::round_begins() { in_round = true; }

void Service::round_ends() {
    in_round = false;
    running_->take_turn();
}

Result<> Service::complete_replayed(std::vector<Receipt>& receipts) const {
    for (Receipt& receipt : receipts) {
        if (receipt.answer.kind != Answer::Kind::replayed || receipt.answer.first.seq == 0) continue;
        // Of a group that was quarantined one record stands for all, and who found its id sealed could not know.
        Place place = receipt.answer.first;
        place.index -= receipt.item;
        auto first = running_->query.outcome_at(place);
        if (!first) return first.error();
        const bool is_record = is_quarantined(*first->outcome);
        if (receipt.item != 0 && !is_record) {
            place = receipt.answer.first;
            first = running_->query.outcome_at(place);
            if (!first) return first.error();
        }
        receipt.answer.first = place;
        receipt.status = first->outcome->status;
        receipt.reason = first->outcome->reason;
        receipt.accepted_at = first->outcome->accepted_at;
        receipt.place = place;
        receipt.number = first->outcome->number;
        // The record's own id is the group's; each payment keeps its own.
        if (!is_record && !first->outcome->payment.empty()) receipt.payment = first->outcome->payment;
    }
    return {};
}

void Service::on_replies(std::function<void()> round_done) { running_->replies_done = std::move(round_done); }

void Service::balance(AccountId account, std::function<void(Result<BalanceNow>)> reply) {
    auto found = std::make_shared<std::optional<AccountImage>>();
    auto read = std::make_unique<Inbox::Read>();
    read->ask = [account, found](Book& book, Instant) {
        if (const AccountImage* image = book.account(account)) *found = *image;
    };
    read->answer = [found, reply = std::move(reply)](Result<AsOf> as_of) {
        if (!as_of) return reply(as_of.error());
        if (!*found) return reply(Error{ErrorCode::not_found, "no such account"});
        reply(BalanceNow{**found, *as_of});
    };
    running_->inbox.read(std::move(read));
}

void Service::totals(std::function<void(Result<TotalsNow>)> reply) {
    auto totals = std::make_shared<std::vector<Book::KindTotal>>();
    auto read = std::make_unique<Inbox::Read>();
    read->ask = [totals](Book& book, Instant) { *totals = book.totals(); };
    read->answer = [totals, reply = std::move(reply)](Result<AsOf> as_of) {
        if (!as_of) return reply(as_of.error());
        reply(TotalsNow{std::move(*totals), *as_of});
    };
    running_->inbox.read(std::move(read));
}

void Service::simulate(std::unique_ptr<Submission> submission, std::function<void(Result<Simulated>)> reply) {
    if (submission->commands.size() != 1) {
        return reply(Error{ErrorCode::invalid, "simulate: one command at a time"});
    }
    auto simulated = std::make_shared<Simulated>();
    auto read = std::make_unique<Inbox::Read>();
    read->ask = [simulated, submission = std::shared_ptr<Submission>(std::move(submission))](Book& book, Instant now) {
        const Command& command = submission->commands.front();
        if (submission->sealed.empty()) {
            Changes changes;
            simulated->answer = book.simulate(command, now, changes);
            simulated->outcomes = std::move(changes.outcomes);
        } else {
            // The Book has forgotten this id and would decide it anew.
            const auto& found = submission->sealed.front();
            const bool same = found.meaning == command.meaning;
            simulated->answer.kind = same ? Answer::Kind::replayed : Answer::Kind::reused;
            simulated->answer.first = found.first;
        }
        simulated->policy = book.policy(command.tenant);
    };
    read->answer = [simulated, reply = std::move(reply)](Result<AsOf> as_of) {
        if (!as_of) return reply(as_of.error());
        simulated->as_of = *as_of;
        reply(std::move(*simulated));
    };
    running_->inbox.read(std::move(read));
}

Seq Service::accepted() const { return running_->frames.accepted(); }

Result<DecodedPtr> Service::frame(Seq seq) const { return running_->frames.frame(seq); }

Result<DecodedPtr> Service::frame_once(Seq seq) const { return running_->frames.frame_once(seq); }

void Service::when_readable(Seq seq, std::function<void()> then) const {
    FeedStage* const index = running_->index_feed;
    if (index == nullptr || index->feed.next() > seq) return then();
    running_->freshness.when(seq, steady_now() + running_->options.fresh_wait, std::move(then));
    index->runner.signal().notify();
}

const Query& Service::history() const { return running_->query; }

const Policies& Service::policies() const { return running_->policies; }

Live& Service::live() { return running_->live; }

std::vector<PartState> Service::parts() const {
    std::vector<PartState> states;
    const std::string turned_away = running_->settlement.turned_away();
    states.push_back({.name = "journal", .ready = turned_away.empty(), .needed = true, .reason = turned_away});
    states.push_back(running_->settlement_state());
    for (const auto& stage : running_->feeds) {
        const std::string trouble = stage->feed.trouble();
        states.push_back({.name = "feed " + stage->feed.name(),
                          .ready = trouble.empty(),
                          .needed = false,
                          .reason = trouble.empty()
                                        ? trouble
                                        : trouble + " (" + std::to_string(stage->feed.lag()) + " frames behind)"});
    }
    if (running_->parts.beside) running_->parts.beside(states);
    return states;
}

bool Service::ready() const {
    const auto states = parts();
    return std::all_of(states.begin(), states.end(), [](const PartState& each) { return each.ready || !each.needed; });
}

std::string Service::full_table() const {
    const std::string_view full = running_->settlement.full_table();
    return full.empty() ? std::string() : "[book] " + std::string(full) + ": " + running_->mend_of(full);
}

void Service::refresh_gauges() {
    EngineGauges& gauges = running_->gauges;
    gauges.inbox_commands.set(running_->inbox.commands());
    gauges.inbox_bytes.set(running_->inbox.bytes());
    gauges.accepted_seq.set(running_->frames.accepted());
    gauges.subscribers.set(running_->live.subscribers());
    const std::uint64_t overloaded = running_->inbox.overloaded_total();
    gauges.overloaded.add(overloaded - std::min(overloaded, gauges.overloaded.value()));
    for (const auto& stage : running_->feeds) stage->lag.set(stage->feed.lag());
}

}  // namespace nostro
