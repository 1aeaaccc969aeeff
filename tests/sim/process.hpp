// One simulated process: a settlement over a store, with what stands around it. Dropping it is a crash.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/adapters/memory/memory_source.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/engine/feed.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/engine/inbox.hpp"
#include "nostro/engine/live.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/engine/settlement.hpp"
#include "tests/sim/store.hpp"

namespace nostro::sim {

struct ProcessOptions {
    BookSize book;
    SettlementLimits limits;
    std::uint64_t nonce = 0;
    Projection* projection = nullptr;
    PolicyPtr first_policy;
    const std::vector<Command>* source_commands = nullptr;
    // After each decided frame, told or not: its seq and the Book as it left it.
    std::function<void(Seq, const Book&)> decided;
};

class Process {
public:
    Process(std::unique_ptr<OpenJournal> open_journal, const ProcessOptions& options)
        : open(std::move(open_journal)),
          frames(open->journal(), 256u << 10),
          inbox(10'000, 16u << 20),
          policies("nostro"),
          metrics(registry),
          feed_metrics(registry, "sim"),
          book(options.book),
          source(1),
          feed("sim", frames, *options.projection, feed_metrics),
          live(frames, 16, 4),
          nonce(options.nonce),
          first_policy_(options.first_policy) {
        for (const Command& command : *options.source_commands) source.put(command);
        SettlementParts parts;
        parts.book = &book;
        parts.journal = &open->journal();
        parts.inbox = &inbox;
        parts.frames = &frames;
        parts.policies = &policies;
        parts.metrics = &metrics;
        parts.sealed = open->sealed();
        parts.sources = {&source};
        parts.nonce = options.nonce;
        parts.audit = [this, decided = options.decided](const Changes&) {
            decided(settlement->deciding(), book);
            return true;
        };
        settlement = std::make_unique<Settlement>(std::move(parts), options.limits);
    }

    Result<> start(Instant now) { return settlement->recover(now, first_policy_); }
    std::size_t waiting() const { return inbox.commands() + open->under_way(); }

    std::unique_ptr<OpenJournal> open;
    FrameCache frames;
    Inbox inbox;
    Policies policies;
    MetricsRegistry registry;
    SettlementMetrics metrics;
    FeedMetrics feed_metrics;
    Book book;
    MemorySource source;
    Feed feed;
    Live live;
    std::unique_ptr<Settlement> settlement;
    const std::uint64_t nonce;

private:
    PolicyPtr first_policy_;
};

}  // namespace nostro::sim
