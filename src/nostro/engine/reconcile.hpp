// Stores that were made from the journal, held against it: in the background, and when somebody asks.
//
// One run at a time, on a thread that takes what others leave over. A run compares all stores, and may rewrite what
// differs (repair) or take in balances that somebody edited there (adopt): as an adjustment against the equity account,
// under an id that is made of the account and the frame that changed it last, so that the same edit is taken in once.
// Threads: start and stop belong to one; the rest may be called from any.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/ports/compared_store.hpp"

namespace nostro {

enum class ReconcileMode : std::uint8_t { compare, repair, adopt };
std::string_view name(ReconcileMode mode);

// What somebody asks for; `by` and `reason` stand in the journal beside what is adopted.
struct ReconcileWish {
    ReconcileMode mode = ReconcileMode::compare;
    std::string by, reason;
};

struct Adopted {
    Drift drift;
    Money amount;         // that the account got; negative: gave
    bool before = false;  // an earlier run had done it
    std::string refused;  // why not; empty: it was
};

struct ReconcileRun {
    enum class State : std::uint8_t { waiting, running, done };
    std::uint64_t run = 0;
    State state = State::waiting;
    ReconcileWish wish;
    Instant began{}, ended{};
    std::string store;                  // that is being compared
    std::uint64_t done = 0, total = 0;  // frames of it
    struct Store {
        std::string name;
        std::string error;  // why it was not compared; empty: it was
        Comparison found;
        std::vector<Adopted> adopted;
        bool is_clean() const;  // compared, and nothing that differs is left
    };
    std::vector<Store> stores;
    bool is_clean() const;
};

class Reconciler {
public:
    struct Parts {
        Service* service = nullptr;
        const Clock* clock = nullptr;
        MetricsRegistry* metrics = nullptr;
        std::optional<std::chrono::nanoseconds> every;  // nullopt: only when asked
    };
    explicit Reconciler(Parts parts);
    ~Reconciler();  // stops

    // Those are compared from here on, while this process owns the Book. Once; they outlive it.
    void start(std::vector<ComparedStore*> stores);
    void stop();  // before the service

    // Its number. `unavailable`: start() was not called, another process feeds the stores; `not_found`: there are none;
    // `conflict`: another one waits already.
    Result<std::uint64_t> ask(ReconcileWish wish);
    std::optional<ReconcileRun> run(std::uint64_t number) const;
    std::vector<ReconcileRun> runs() const;  // newest first; the last few

private:
    static constexpr std::size_t kRunsMax = 8;
    static constexpr std::chrono::seconds kCatchUpPatience{30};
    struct Watched {
        Counter &buckets, &failed;
        Gauge &drift, &through;
        std::uint64_t last_drift = 0;
    };

    std::size_t step();
    std::uint64_t next();  // the run to make now; 0: none
    std::uint64_t add(ReconcileWish wish);
    void compare(std::size_t store, std::uint64_t number, const ReconcileWish& wish);
    Result<Comparison> compare_far_enough(ComparedStore& store, const ReconcileWish& wish, const CompareWatch& watch);
    Adopted adopt(const Drift& drift, const std::string& store, const ReconcileWish& wish);
    void tell(std::size_t store, const ReconcileRun::Store& result);
    ReconcileRun* find(std::uint64_t number);

    const Parts parts_;
    std::vector<ComparedStore*> stores_;  // set before the thread begins
    std::vector<Watched> watched_;        // by store
    SteadyTime due_{};                    // the next run that nobody asks for
    mutable std::mutex mutex_;
    bool started_ = false, has_stores_ = false;  // mutex_
    std::deque<ReconcileRun> runs_;              // newest first
    std::uint64_t last_ = 0;
    std::atomic<bool> stopping_{false};
    StageRunner runner_;
};

}  // namespace nostro
