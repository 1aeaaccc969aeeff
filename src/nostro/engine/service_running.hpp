// What a Service is made of: the stages, and the threads they run on. Inner part of service.hpp.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nostro/engine/engine_metrics.hpp"
#include "nostro/engine/feed.hpp"
#include "nostro/engine/freshness.hpp"
#include "nostro/engine/inbox.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/settlement.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/engine/suspects.hpp"

namespace nostro {

struct FeedStage {
    FeedStage(const ServiceParts::NamedProjection& projection, const FrameCache& frames, MetricsRegistry& registry)
        : metrics(registry, projection.name),
          lag(registry.gauge("nostro_feed_lag_frames", "Durable frames that a projection has not taken yet.",
                             {{"projection", projection.name}})),
          feed(projection.name, frames, *projection.projection, metrics),
          runner(
              {.name = "feed " + projection.name, .idle_max = kLookEvery, .gives_way = true},
              [this] { return feed.step(steady_now()); }, [](const Error&) {}) {}

    // A frame that is accepted right behind another one wakes nobody: so long it may stand until it is projected.
    static constexpr std::chrono::milliseconds kLookEvery{10};

    FeedMetrics metrics;
    Gauge& lag;
    Feed feed;
    StageRunner runner;
};

// Wakes settlement from threads for which nobody waits at the end: writes of the journal may complete when the service
// is gone, and so may a source's reads.
class OutsideWake {
public:
    explicit OutsideWake(Signal& signal) : signal_(&signal) {}
    void arrived() {
        const std::lock_guard lock(mutex_);
        if (signal_ != nullptr) signal_->notify();
    }
    // accepted() may have moved.
    void written() {
        const std::lock_guard lock(mutex_);
        if (signal_ == nullptr) return;
        if (reader_ == nullptr) return signal_->notify();
        reader_is_called_ = true;
        reader_->wake();
    }
    // Whom written() wakes: a thread that reads requests; nullptr: settlement's own.
    void writes_wake(const std::shared_ptr<Waker>& reader) {
        const std::lock_guard lock(mutex_);
        reader_ = reader;
    }
    bool reader_is_called() const { return reader_is_called_; }
    void reader_has_come() { reader_is_called_ = false; }
    void end() {
        const std::lock_guard lock(mutex_);
        signal_ = nullptr;
        reader_ = nullptr;
    }

private:
    std::mutex mutex_;
    Signal* signal_;
    std::shared_ptr<Waker> reader_;
    std::atomic<bool> reader_is_called_{false};
};

struct Service::Running {
    Running(ServiceParts service_parts, ServiceOptions service_options);

    SettlementParts settlement_parts();
    std::chrono::microseconds spin() const;
    FeedStage& add_feed(const ServiceParts::NamedProjection& projection);
    void wake_by(Source& source) const;

    // service_standby.cpp
    Result<> begin_behind();
    Result<> take_over();
    Result<Seq> hand_over(std::chrono::milliseconds patience);
    void rest(bool rests);
    Result<std::size_t> follow_step();
    void note_up_to_date();
    void set_trouble(std::string text);
    std::string following_trouble() const;
    StandbyLag lag() const;

    Result<PolicyPtr> first_policy() const;
    Result<> begin();
    Result<> own(const PolicyPtr& first);
    void start_threads();
    void begin_round() const;
    void end_round(const std::shared_ptr<Waker>& reader);
    Result<std::size_t> settle();
    Result<std::size_t> settle_in_turn(Settlement::Caller caller, const std::shared_ptr<Waker>& reader);
    void take_turn(const std::shared_ptr<Waker>& reader);
    bool try_turn(const std::shared_ptr<Waker>& reader);
    Result<std::size_t> live_step();
    void wake_feeds();
    void fail(const Error& error);
    void end(std::chrono::milliseconds patience);
    void look_at_journal();  // settlement's thread, in the turn
    PartState journal_state() const;
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
    mutable std::mutex feeds_mutex;
    std::vector<std::unique_ptr<FeedStage>> feeds;  // feeds_mutex; what stands in it stays
    std::atomic<FeedStage*> index_feed{nullptr};
    SteadyTime feeds_woken{};
    std::shared_ptr<OutsideWake> outside_wake;

    std::atomic<bool> started{false}, stopping{false}, failed{false}, ended{false};
    std::atomic<Role> role{Role::owner};
    std::atomic<bool> resting{false};
    Signal drained, rested;
    mutable std::mutex failure_mutex;
    std::string failure, trouble;  // failure_mutex; `trouble`: why nothing can be followed
    // Of a standby: the newest frame known of, and when the books were last as far.
    std::atomic<Seq> newest_known{0};
    std::atomic<SteadyTime> up_to_date{SteadyTime{}};

    SteadyTime journal_seen{};  // of settlement's thread
    std::mutex turn_mutex;      // who holds it has settlement's turn: its thread, or one that ends a round
    bool broken = false;        // turn_mutex; a step has failed: there must be no other
    // Last, so that their threads end first.
    Settlement settlement;
    StageRunner settlement_runner;
    StageRunner follow_runner;
    StageRunner live_runner;
};

}  // namespace nostro
