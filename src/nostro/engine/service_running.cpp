// The threads of a Service: how they begin, take turns and end.
#include "nostro/engine/service_running.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/base/random.hpp"

namespace nostro {
namespace {

constexpr std::size_t kFrameCacheBytes = 32u << 20;
// Feeds are woken at most that often: a wake costs settlement microseconds, and more frames at once cost a
// projection less. A reader that waits for the index wakes it at once.
constexpr std::chrono::milliseconds kFeedWakeEvery{2};
constexpr std::chrono::seconds kTakeOverPatience{60};
// More than that is decided by settlement's own thread, while others go on reading.
constexpr std::size_t kTurnCommandsMax = 256, kTurnBytesMax = 256u << 10;
// So few are decided by a reader to whom frames do not come back, too: that is quicker than waking somebody. And a
// reader that had so few in so many rounds has nothing better to do than to wait for their writes.
constexpr std::size_t kLittleCommands = 4, kLittleRounds = 16;
// Settlement asks the journal when there is something to write; while there is nothing, so often.
constexpr std::chrono::milliseconds kJournalLookEvery{100};
thread_local bool in_round = false;          // this thread comes to settlement by itself
thread_local std::size_t little_rounds = 0;  // of this thread, in a row

// A thread that has settlement's turn and writes a frame itself looks for what was accepted in its next step: nobody
// has to be woken for that.
struct Turn {
    bool taken = false;       // by this thread
    bool progressed = false;  // in its last step
};
thread_local Turn turn_of_thread;

// Who writes what he has appended himself saves two wakes for a payment that comes alone. Among many connections a
// small round is chance: the next requests lie there already.
Settlement::Caller caller_of(std::size_t commands) {
    if (commands != 0) little_rounds = commands <= kLittleCommands ? std::min(little_rounds + 1, kLittleRounds) : 0;
    return little_rounds == kLittleRounds ? Settlement::Caller::idle : Settlement::Caller::busy;
}

}  // namespace

Service::Running::Running(ServiceParts service_parts, ServiceOptions service_options)
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
      follow_runner(
          {.name = "follow"}, [this] { return follow_step(); }, [this](const Error& error) { fail(error); }),
      live_runner(
          {.name = "live", .idle_max = std::chrono::milliseconds(25)}, [this] { return live_step(); },
          [](const Error&) {}) {
    for (const auto& projection : parts.projections) add_feed(projection);
    outside_wake = std::make_shared<OutsideWake>(settlement_runner.signal());
    for (Source* source : parts.sources) wake_by(*source);
    inbox.on_arrival([this] {
        if (!in_round || inbox.commands() > kTurnCommandsMax) settlement_runner.signal().notify();
    });
    live.on_room([this] { live_runner.signal().notify(); });
}

SettlementParts Service::Running::settlement_parts() {
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
    to.on_followed = parts.on_followed;
    to.on_replies = [this] {
        if (replies_done) replies_done();
    };
    return to;
}

// Only settlement spins, and only where another core is left for the rest.
std::chrono::microseconds Service::Running::spin() const {
    return std::thread::hardware_concurrency() < 2 ? std::chrono::microseconds(0) : options.spin;
}

FeedStage& Service::Running::add_feed(const ServiceParts::NamedProjection& projection) {
    const std::lock_guard lock(feeds_mutex);
    feeds.push_back(std::make_unique<FeedStage>(projection, frames, *parts.metrics));
    FeedStage& stage = *feeds.back();
    if (projection.name == "index") {
        stage.feed.on_progress([this](Seq next) { freshness.reached(next - 1); });
        index_feed = &stage;
    }
    return stage;
}

void Service::Running::wake_by(Source& source) const {
    source.on_arrival([wake = outside_wake] { wake->arrived(); });
}

Result<PolicyPtr> Service::Running::first_policy() const {
    if (options.default_policy.empty()) return PolicyPtr();
    return Policy::parse(options.default_policy, 1, parts.clock->now());
}

Result<> Service::Running::begin() {
    if (auto loaded = suspects.load(); !loaded) return loaded.error();
    const auto first = first_policy();
    if (!first) return first.error();
    if (auto owned = own(*first); !owned) return owned;
    start_threads();
    return {};
}

// Until the first frame of ours is accepted, nothing is told that needs it.
Result<> Service::Running::own(const PolicyPtr& first) {
    parts.journal->on_progress([wake = outside_wake] {
        turn_of_thread.progressed = true;
        if (!turn_of_thread.taken) wake->written();
    });
    if (auto recovered = settlement.recover(parts.clock->now(), first); !recovered) return recovered.error();
    const SteadyTime patient_until = steady_now() + kTakeOverPatience;
    while (!settlement.idle()) {
        const auto stepped = settlement.step(parts.clock->now());
        if (!stepped) return stepped.error();
        if (*stepped != 0) continue;
        if (steady_now() > patient_until) {
            return Error{ErrorCode::unavailable, "the journal has not taken the first frame within a minute"};
        }
        // Not by the signal: its thread may wait for it already.
        if (started) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (!started) static_cast<void>(settlement_runner.signal().wait_for(std::chrono::milliseconds(50)));
    }
    return {};
}

void Service::Running::start_threads() {
    {
        const std::lock_guard lock(feeds_mutex);
        for (auto& stage : feeds) stage->runner.start();
    }
    live_runner.start();
    settlement_runner.start();
    started = true;
}

Result<std::size_t> Service::Running::settle() {
    const std::lock_guard turn(turn_mutex);
    auto done = settle_in_turn(Settlement::Caller::idle, nullptr);
    // Here and by nobody who only wants to know: the journal may wait until a segment is ready.
    if (done && *done == 0) look_at_journal();
    return done;
}

void Service::Running::look_at_journal() {
    if (role != Role::owner || failed || stopping) return;
    const SteadyTime now = steady_now();
    if (now - journal_seen < kJournalLookEvery) return;
    journal_seen = now;
    settlement.look_at_journal();
}

Result<std::size_t> Service::Running::settle_in_turn(Settlement::Caller caller, const std::shared_ptr<Waker>& reader) {
    if (failed || broken) return std::size_t{0};
    turn_of_thread = {.taken = true};
    auto done = settlement.step(parts.clock->now(), caller);
    turn_of_thread.taken = false;
    if (!done) broken = true;
    if (done && stopping && settlement.idle() && inbox.empty()) drained.notify();
    if (done && resting && settlement.idle()) rested.notify();
    if (role == Role::standby) note_up_to_date();
    // Who had the turn before has been woken by writes that have ended by now, and comes as well.
    if (settlement.has_in_flight()) outside_wake->writes_wake(reader);
    return done;
}

void Service::Running::take_turn(const std::shared_ptr<Waker>& reader) {
    if (inbox.empty() && !outside_wake->reader_is_called()) return;
    if (!try_turn(reader)) settlement_runner.signal().notify();
}

// False: settlement's own thread should look.
bool Service::Running::try_turn(const std::shared_ptr<Waker>& reader) {
    std::unique_lock turn(turn_mutex, std::try_to_lock);
    // Before the step, and also where there is none: whoever has the turn may have looked before the call.
    outside_wake->reader_has_come();
    const std::size_t commands = inbox.commands();
    const auto caller = caller_of(commands);
    if (!turn || !started || ended) return false;
    if (commands > (reader != nullptr ? kTurnCommandsMax : kLittleCommands) || inbox.bytes() > kTurnBytesMax)
        return false;
    if (settlement.has_sources()) return false;  // they may bring much

    // One step answers, decides and appends; another one answers if that is written already.
    Result<std::size_t> done = std::size_t{1};
    bool waits_for_room = false;
    for (int step = 0; step < 2 && done && *done != 0; ++step) {
        waits_for_room = parts.journal->is_making_room();
        if (waits_for_room) break;
        done = settle_in_turn(reader != nullptr ? caller : Settlement::Caller::idle, reader);
    }
    const bool is_left = !settlement.idle() && !settlement.has_in_flight();
    const bool goes_on = waits_for_room || is_left || turn_of_thread.progressed;
    turn.unlock();
    if (!done) fail(done.error());
    return !goes_on;
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
    const std::lock_guard lock(feeds_mutex);
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
        outside_wake->writes_wake(nullptr);  // readers may have ended
        settlement_runner.signal().notify();
        static_cast<void>(drained.wait_for(patience));
    }
    follow_runner.stop();
    settlement_runner.stop();
    outside_wake->end();
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

PartState Service::Running::journal_state() const {
    PartState state{.name = "journal", .ready = true, .needed = true, .reason = {}};
    state.reason = role == Role::standby ? following_trouble() : settlement.turned_away();
    state.ready = state.reason.empty();
    return state;
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
    } else if (role == Role::standby) {
        if (parts.writes == nullptr) state.reason = settlement.turned_away();
    } else if (const auto full = settlement.full_table(); !full.empty()) {
        state.reason = "book_full: [book] " + std::string(full) + " is nearly used up; " + mend_of(full);
    }
    state.ready = state.reason.empty();
    return state;
}

void Service::Running::begin_round() const { in_round = true; }

void Service::Running::end_round(const std::shared_ptr<Waker>& reader) {
    in_round = false;
    take_turn(reader);
}

}  // namespace nostro
