#include <gtest/gtest.h>

#include "nostro/adapters/memory/faulty_disk.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "tests/sim/store.hpp"

namespace nostro::sim {
namespace {

SegmentJournalOptions small(const SegmentStoreOnMemoryDisk::Writes& writes) {
    SegmentJournalOptions options;
    options.segment_bytes = 256u << 10;
    options.spares = 1;
    options.frame_bytes_max = 64u << 10;
    options.in_flight_max = writes.in_flight_max;
    options.waited_bytes_max = writes.waited_bytes_max;
    options.quick_write = std::chrono::hours(24);  // however busy the machine is: a seed repeats itself
    options.tail_bytes = 64u << 10;
    options.own_thread = false;
    options.idle_after = std::chrono::milliseconds(0);
    options.retry_space_every = std::chrono::milliseconds(0);
    return options;
}

class OpenSegments final : public OpenJournal {
public:
    OpenSegments(std::shared_ptr<MemoryStorage> storage, const SegmentStoreOnMemoryDisk::Writes& writes,
                 const FaultyDisk::Plan& plan)
        : disk_(std::move(storage), MemoryDisk::Writes::by_hand), faulty_(disk_), journal_(faulty_, small(writes)) {
        faulty_.plan(plan);
        auto runs = SealedRuns::open(faulty_, false);
        EXPECT_TRUE(runs || is_broken()) << (runs ? "" : runs.error().what);
        if (runs) runs_ = std::move(*runs);
    }

    Journal& journal() override { return journal_; }
    const SealedIds* sealed() override { return runs_.get(); }
    std::size_t under_way() const override { return disk_.under_way(); }
    void set_full(bool full) override { faulty_.set_full(full); }
    void progress(Xoshiro256& random, bool all) override {
        if (all) return disk_.complete_all();
        for (std::size_t n = disk_.under_way(); n > 0 && random.chance(2, 3); --n) {
            disk_.complete(random.below(disk_.under_way()));
        }
    }
    // A disk that works again afterwards is the worse one: what it lost must not be built upon.
    void break_soon(Xoshiro256& random) override {
        if (is_broken()) return;
        FaultyDisk::Plan plan;
        plan.at = 1 + random.below(12);
        plan.fault = random.chance(1, 2) ? FaultyDisk::Plan::Fault::fails : FaultyDisk::Plan::Fault::tears;
        plan.dead_afterwards = random.chance(1, 2);
        faulty_.plan(plan);
    }
    bool is_broken() const override { return faulty_.has_failed(); }
    std::uint64_t operations() const override { return faulty_.operations(); }
    void upkeep(Instant now) override {
        time_ += std::chrono::milliseconds(10);
        for (int i = 0; i < 4; ++i) {
            const auto more = journal_.upkeep(time_);
            EXPECT_TRUE(more || is_broken()) << (more ? "" : more.error().what);
            if (!more || !*more) break;
        }
        if (fold_ == nullptr)
            fold_ = std::make_unique<ImageFold>(faulty_, journal_.store(), *runs_, journal_.id(), fold_options());
        for (int i = 0; i < 3; ++i) {
            const auto folded = fold_->step(now);
            if (!folded && (is_broken() || folded.error().code == ErrorCode::unavailable)) return;  // or full
            ASSERT_TRUE(folded) << folded.error().what;
            if (!*folded) return;
        }
    }
    void crash(Xoshiro256& random) override {
        progress(random, false);
        disk_.cut_power(random);
    }

private:
    static FoldOptions fold_options() {
        FoldOptions options;
        options.memory_bytes = 1u << 20;
        options.plain_segments = 0;
        return options;
    }

    MemoryDisk disk_;
    FaultyDisk faulty_;
    SegmentJournal journal_;
    std::unique_ptr<SealedRuns> runs_;
    std::unique_ptr<ImageFold> fold_;
    // Behind every instant of the machine's clock, which ready() reads when the journal has no thread.
    SteadyTime time_{std::chrono::hours(24 * 365 * 100)};
};

}  // namespace

std::unique_ptr<OpenJournal> SegmentStoreOnMemoryDisk::open() {
    return std::make_unique<OpenSegments>(storage_, writes_, plan_);
}

}  // namespace nostro::sim
