// A settlement over a journal in memory, stepped by hand, with what it needs around it.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/adapters/memory/memory_source.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/engine/inbox.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/engine/settlement.hpp"
#include "nostro/wire/command_codec.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro::test {

// What a caller was told.
struct Told {
    int times = 0;
    std::vector<Receipt> receipts;
    std::optional<Error> error;

    bool yet() const { return times > 0; }
    const Receipt& one() const { return receipts.at(0); }
};
using ToldPtr = std::shared_ptr<Told>;

inline std::unique_ptr<Submission> a_submission(const std::vector<Command>& commands, const ToldPtr& told) {
    auto submission = std::make_unique<Submission>();
    for (const Command& command : commands) {
        encode_command(command, submission->encoded);
        submission->ends.push_back(static_cast<std::uint32_t>(submission->encoded.size()));
        submission->commands.push_back(command);
    }
    submission->reply = [told](Result<std::vector<Receipt>> result) {
        ++told->times;
        if (result) {
            told->receipts = std::move(*result);
        } else {
            told->error = result.error();
        }
    };
    return submission;
}

struct NodeOptions {
    std::size_t in_flight_max = 4, frame_bytes_max = 8u << 20;
    SettlementLimits limits;
    BookSize book = kSmallBook;
    std::string rules;
    const SealedIds* sealed = nullptr;
    std::vector<Source*> sources;
    Disk* disk = nullptr;
    std::function<bool(const Changes&)> audit;
};

// One process. Dropping it is a crash.
class Node {
public:
    Node(std::shared_ptr<MemoryLog> log, const NodeOptions& options, Instant start = kStart)
        : now(start),
          journal(std::move(log), MemoryJournal::Writes::by_hand),
          frames(journal, 1u << 20),
          inbox(1'000, 1u << 20),
          policies("nostro"),
          suspects(options.disk),
          metrics(registry),
          book(options.book),
          rules_(options.rules) {
        journal.set_bounds(options.in_flight_max, options.frame_bytes_max);
        SettlementParts parts;
        parts.book = &book;
        parts.journal = &journal;
        parts.inbox = &inbox;
        parts.frames = &frames;
        parts.policies = &policies;
        parts.metrics = &metrics;
        parts.sealed = options.sealed;
        parts.suspects = options.disk != nullptr ? &suspects : nullptr;
        parts.sources = options.sources;
        parts.nonce = reinterpret_cast<std::uintptr_t>(this);
        parts.on_replies = [this] { ++reply_rounds; };
        parts.audit = options.audit;
        settlement = std::make_unique<Settlement>(std::move(parts), options.limits);
    }

    Result<> recover() {
        if (auto loaded = suspects.load(); !loaded) return loaded;
        return settlement->recover(now, a_policy(rules_));
    }
    // Ready to decide.
    void start() {
        const auto recovered = recover();
        ASSERT_TRUE(recovered) << recovered.error().what;
        settle();
        ASSERT_EQ(frames.accepted(), journal_head());
    }

    ToldPtr submit(const std::vector<Command>& commands) {
        auto told = std::make_shared<Told>();
        inbox.submit(a_submission(commands, told));
        return told;
    }
    ToldPtr submit(const Command& command) { return submit(std::vector{command}); }
    // Submits, and steps until it is told.
    Told run(const std::vector<Command>& commands) {
        const auto told = submit(commands);
        settle();
        EXPECT_TRUE(told->yet());
        return *told;
    }
    Told run(const Command& command) { return run(std::vector{command}); }

    Result<std::size_t> step() { return settlement->step(now); }
    // Steps without failing.
    void turn() {
        const auto done = step();
        ASSERT_TRUE(done) << done.error().what;
    }
    // Steps and completes writes until nothing is left to do.
    void settle() {
        for (int i = 0; i < 1'000; ++i) {
            const auto done = step();
            ASSERT_TRUE(done) << done.error().what;
            const std::size_t under_way = journal.under_way();
            journal.complete(under_way);
            if (*done == 0 && under_way == 0) return;
        }
        FAIL() << "it never comes to rest";
    }

    struct ReadTold {
        std::optional<AccountImage> account;
        std::optional<AsOf> as_of;
        std::optional<Error> error;
        bool yet() const { return as_of || error; }
    };
    std::shared_ptr<ReadTold> read(std::string_view name) {
        auto told = std::make_shared<ReadTold>();
        auto read = std::make_unique<Inbox::Read>();
        read->ask = [told, id = account(name)](Book& asked, Instant) {
            if (const auto* image = asked.account(id)) told->account = *image;
        };
        read->answer = [told](Result<AsOf> as_of) {
            if (as_of) {
                told->as_of = *as_of;
            } else {
                told->error = as_of.error();
            }
        };
        inbox.read(std::move(read));
        return told;
    }

    std::int64_t balance(std::string_view name) const {
        const AccountImage* image = book.account(account(name));
        return image == nullptr ? -1 : image->balance;
    }
    Seq journal_head() const { return frames.accepted(); }
    DecodedPtr frame(Seq seq) const {
        auto found = frames.frame(seq);
        EXPECT_TRUE(found) << (found ? "" : found.error().what);
        return found ? *found : nullptr;
    }

    Instant now;
    MemoryJournal journal;
    FrameCache frames;
    Inbox inbox;
    Policies policies;
    Suspects suspects;
    MetricsRegistry registry;
    SettlementMetrics metrics;
    Book book;
    std::unique_ptr<Settlement> settlement;
    int reply_rounds = 0;

private:
    std::string rules_;
};

// Payments `first`, `first` + 1... from ada to bob, each of so much.
inline std::vector<Command> payments(std::uint64_t first, std::size_t count, std::int64_t minor = 1) {
    std::vector<Command> commands;
    for (std::size_t i = 0; i < count; ++i) {
        commands.push_back(a_payment().id(first + i).of("EUR", minor).command());
    }
    return commands;
}
inline std::vector<Command> two_accounts() {
    return {an_account("ada").with(100'000).command(), an_account("bob").command()};
}

}  // namespace nostro::test
