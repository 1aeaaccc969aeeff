#include "nostro/engine/reconcile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <thread>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/log.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kLookAgain{100};
constexpr std::chrono::seconds kLookEvery{1};  // whether a run is due

// What differs there: the text of a column as minor units.
Result<std::int64_t> difference(const Drift& drift, Currency currency) {
    const auto journal = Money::parse_signed(*drift.journal, currency);
    if (!journal) return journal.error();
    const auto found = Money::parse_signed(*drift.found, currency);
    if (!found) return found.error();
    std::int64_t delta = 0;
    if (__builtin_sub_overflow(found->minor(), journal->minor(), &delta)) {
        return Error{ErrorCode::invalid, "the difference is out of range"};
    }
    return delta;
}

}  // namespace

std::string_view name(ReconcileMode mode) {
    static constexpr std::array<std::string_view, 3> kNames{"compare", "repair", "adopt"};
    return kNames[static_cast<std::size_t>(mode)];
}

bool ReconcileRun::Store::is_clean() const {
    if (!error.empty()) return false;
    const auto taken = static_cast<std::uint64_t>(std::ranges::count(adopted, "", &Adopted::refused));
    return !found.more && found.drift <= found.mended + taken;
}

bool ReconcileRun::is_clean() const { return std::ranges::all_of(stores, &Store::is_clean); }

Reconciler::Reconciler(Parts parts)
    : parts_(std::move(parts)),
      runner_(
          {.name = "reconcile", .idle_max = kLookEvery, .gives_way = true}, [this] { return step(); },
          [](const Error&) {}) {}

Reconciler::~Reconciler() { stop(); }

void Reconciler::start(std::vector<ComparedStore*> stores) {
    stores_ = std::move(stores);
    for (const ComparedStore* store : stores_) {
        const MetricLabels labels{{"store", store->name()}};
        MetricsRegistry& to = *parts_.metrics;
        watched_.push_back(
            {.buckets = to.counter("nostro_reconcile_buckets_total",
                                   "Ranges of keys that were compared with the journal.", labels),
             .failed = to.counter("nostro_reconcile_failed_total", "Comparisons that could not be made.", labels),
             .drift = to.gauge("nostro_reconcile_drift",
                               "What differs from the journal, as the last comparison left it.", labels),
             .through = to.gauge("nostro_reconcile_through", "The newest frame that was compared.", labels)});
    }
    if (parts_.every) due_ = steady_now() + *parts_.every;
    if (!stores_.empty()) runner_.start();
    const std::lock_guard lock(mutex_);
    started_ = true;
    has_stores_ = !stores_.empty();
}

void Reconciler::stop() {
    stopping_ = true;
    runner_.stop();
}

// --- asking

std::uint64_t Reconciler::add(ReconcileWish wish) {
    ReconcileRun run;
    run.run = ++last_;
    run.wish = std::move(wish);
    runs_.push_front(std::move(run));
    if (runs_.size() > kRunsMax) runs_.pop_back();  // the one that runs is among the newest two
    return last_;
}

Result<std::uint64_t> Reconciler::ask(ReconcileWish wish) {
    const std::lock_guard lock(mutex_);
    if (!started_) {
        return Error{ErrorCode::unavailable,
                     "standby: the stores are fed and compared by the process that owns the Book; ask that one"};
    }
    if (!has_stores_) {
        return Error{ErrorCode::not_found, "no store is fed from this journal: set postgres.url or redis.url"};
    }
    const auto waiting = std::ranges::find(runs_, ReconcileRun::State::waiting, &ReconcileRun::state);
    if (waiting != runs_.end()) {
        return Error{ErrorCode::conflict,
                     fmt::format("run {} waits already; ask again when it has begun", waiting->run)};
    }
    const std::uint64_t number = add(std::move(wish));
    runner_.signal().notify();
    return number;
}

std::optional<ReconcileRun> Reconciler::run(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(runs_, number, &ReconcileRun::run);
    return found == runs_.end() ? std::nullopt : std::optional(*found);
}

std::vector<ReconcileRun> Reconciler::runs() const {
    const std::lock_guard lock(mutex_);
    return {runs_.begin(), runs_.end()};
}

ReconcileRun* Reconciler::find(std::uint64_t number) {
    const auto found = std::ranges::find(runs_, number, &ReconcileRun::run);
    return found == runs_.end() ? nullptr : &*found;
}

// --- the thread

std::uint64_t Reconciler::next() {
    const std::lock_guard lock(mutex_);
    const auto waiting = std::ranges::find(runs_, ReconcileRun::State::waiting, &ReconcileRun::state);
    std::uint64_t number = waiting == runs_.end() ? 0 : waiting->run;
    if (number == 0 && parts_.every && steady_now() >= due_) {
        number = add({.mode = ReconcileMode::compare, .by = "nostro", .reason = {}});
    }
    if (number == 0) return 0;
    ReconcileRun* run = find(number);
    run->state = ReconcileRun::State::running;
    run->began = parts_.clock->now();
    return number;
}

std::size_t Reconciler::step() {
    const std::uint64_t number = next();
    if (number == 0) return 0;
    const ReconcileWish wish = run(number)->wish;
    for (std::size_t store = 0; store < stores_.size() && !stopping_; ++store) compare(store, number, wish);
    if (parts_.every) due_ = steady_now() + *parts_.every;
    const std::lock_guard lock(mutex_);
    ReconcileRun* run = find(number);
    run->state = ReconcileRun::State::done;
    run->ended = parts_.clock->now();
    run->store.clear();
    return 1;
}

void Reconciler::compare(std::size_t store, std::uint64_t number, const ReconcileWish& wish) {
    ComparedStore& compared = *stores_[store];
    const auto progress = [&](std::uint64_t done, std::uint64_t total) {
        const std::lock_guard lock(mutex_);
        ReconcileRun* run = find(number);
        run->store = compared.name();
        run->done = done;
        run->total = total;
    };
    progress(0, 0);
    const CompareWatch watch{[this] { return stopping_.load(); }, progress};
    ReconcileRun::Store result{.name = compared.name(), .error = {}, .found = {}, .adopted = {}};
    const auto found = compare_far_enough(compared, wish, watch);
    if (found) {
        result.found = *found;
    } else {
        result.error = found.error().what;
    }
    if (wish.mode == ReconcileMode::adopt) {
        for (const Drift& drift : result.found.drifts) {
            if (!drift.account.empty()) result.adopted.push_back(adopt(drift, result.name, wish));
        }
    }
    tell(store, result);
    const std::lock_guard lock(mutex_);
    find(number)->stores.push_back(std::move(result));
}

// What an earlier run adopted must be in the store before the next one adopts: else it would be met again.
Result<Comparison> Reconciler::compare_far_enough(ComparedStore& store, const ReconcileWish& wish,
                                                  const CompareWatch& watch) {
    const Seq enough = wish.mode == ReconcileMode::adopt ? parts_.service->accepted() : 0;
    const SteadyTime until = steady_now() + kCatchUpPatience;
    for (;;) {
        auto found = store.compare(wish.mode == ReconcileMode::repair, watch);
        if (!found || found->through >= enough) return found;
        if (watch.stopped() || steady_now() >= until) {
            return Error{ErrorCode::unavailable,
                         fmt::format("it has frames up to {}, and {} are accepted: nothing is adopted before it has "
                                     "caught up",
                                     found->through, enough)};
        }
        std::this_thread::sleep_for(kLookAgain);
    }
}

// --- adopting

Adopted Reconciler::adopt(const Drift& drift, const std::string& store, const ReconcileWish& wish) {
    Adopted adopted{.drift = drift, .amount = {}, .before = false, .refused = {}};
    const auto refused = [&](std::string why) {
        adopted.refused = std::move(why);
        return adopted;
    };
    const auto account = parts_.service->history().account(drift.account);
    if (!account) return refused(account.error().what);
    if (!*account) return refused("the account is not in the index yet");
    const AccountImage& image = (*account)->image;
    const auto delta = difference(drift, image.currency);
    if (!delta) return refused(delta.error().what);
    adopted.amount = Money(*delta, image.currency);
    const auto why =
        std::make_shared<std::string>(fmt::format("{}: {} (adopted from {}: {} where {}, the journal had {})", wish.by,
                                                  wish.reason, store, *drift.found, drift.key, *drift.journal));
    const std::string key = fmt::format("{}:{}", to_hex(drift.account), drift.changed);
    SubmissionBuilder builder = parts_.service->build(why, image.tenant);
    const AdjustBalance adjust{.id = drift.account, .delta_minor = *delta, .why = *why};
    if (auto added = builder.adjust_balance(adjust, {.method = "ADOPT", .path = "balance", .key = key}); !added) {
        return refused(added.error().what);
    }
    auto told = std::make_shared<std::promise<Result<std::vector<Receipt>>>>();
    auto receipts = told->get_future();
    parts_.service->submit(
        builder.take([told](Result<std::vector<Receipt>> given) { told->set_value(std::move(given)); }));
    while (receipts.wait_for(kLookAgain) != std::future_status::ready) {
        if (stopping_) return refused("this program ends; ask again, it is taken in once");
    }
    const auto given = receipts.get();
    if (!given) return refused(given.error().what);
    if (given->empty()) return refused("not taken now: " + parts_.service->full_table());
    const Answer& answer = given->front().answer;
    adopted.before = answer.kind == Answer::Kind::replayed;
    if (answer.kind == Answer::Kind::recorded || adopted.before) {
        log_info("balance_adopted", {{"store", store}, {"by", wish.by}, {"frame", given->front().place.seq}});
        return adopted;
    }
    return refused(answer.kind == Answer::Kind::reused ? "another edit of this balance was adopted already"
                                                       : std::string(name(answer.reason)));
}

// --- telling

void Reconciler::tell(std::size_t store, const ReconcileRun::Store& result) {
    Watched& watched = watched_[store];
    if (!result.error.empty()) {
        watched.failed.add();
        log_warn("reconcile_failed", {{"store", result.name}, {"what", result.error}});
        return;
    }
    const auto taken = static_cast<std::uint64_t>(std::ranges::count(result.adopted, "", &Adopted::refused));
    // Where not all was looked into something is left, though nobody has counted it.
    const std::uint64_t left = std::max<std::uint64_t>(
        result.found.drift - std::min(result.found.drift, result.found.mended + taken), result.found.more ? 1 : 0);
    watched.buckets.add(result.found.buckets);
    watched.through.set(result.found.through);
    watched.drift.set(left);
    if (result.found.mended != 0) {
        log_info("drift_mended", {{"store", result.name}, {"count", result.found.mended}});
    }
    const bool changes = (left == 0) != (watched.last_drift == 0);
    watched.last_drift = left;
    if (!changes) return;
    if (left == 0) log_info("drift_gone", {{"store", result.name}, {"frame", result.found.through}});
    if (left != 0) {
        log_warn("drift", {{"store", result.name},
                           {"count", left},
                           {"first", result.found.drifts.front().place},
                           {"see", "nostro reconcile names it"}});
    }
    std::string event;
    JsonWriter(event)
        .begin_object()
        .field("store", result.name)
        .field("drift", left)
        .field("through", result.found.through)
        .end_object();
    parts_.service->live().tell("drift", event);
}

}  // namespace nostro
