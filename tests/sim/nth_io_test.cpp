// A long script of disk operations: each of them fails, tears, and is lost with the power, once. Whatever was told
// before is there afterwards, the next process starts, and the books are proved.
//
// The script is the lives of several processes, one after the other on the same disk. A fault spoils one life; the one
// before it left the same disk every time, so only that life runs again.
//
// NOSTRO_NTH_IO_LIVES: how many lives. NOSTRO_NTH_IO_EVERY: only every so manieth operation breaks.
#include <gtest/gtest.h>

#include <iostream>

#include "nostro/journal/verify.hpp"
#include "nostro/wire/command_codec.hpp"
#include "tests/sim/commands.hpp"
#include "tests/sim/process.hpp"
#include "tests/sim/settings.hpp"

namespace nostro::sim {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kEvery = 23;
#else
constexpr std::uint64_t kEvery = 1;
#endif
constexpr std::uint64_t kLives = 11;
constexpr int kRounds = 45;
constexpr std::uint64_t kOperationsLeast = 2'000;
constexpr BookSize kBook{
    .accounts_max = 60, .counters_max = 400, .holds_max = 400, .reversed_max = 200, .bounds_max = 20, .known_max = 300};

class Nowhere final : public Projection {
public:
    Result<Seq> next() override { return Seq{1}; }
    Result<> project(std::span<const DecodedPtr>) override { return {}; }
};

// One process: what it was asked in each round, what it told.
struct Life {
    std::vector<std::vector<Command>> rounds;
    Instant begins{};
    std::uint64_t seed = 0;
};
struct Told {
    std::vector<std::pair<PaymentId, Receipt>> recorded;
    std::uint64_t operations = 0;
    bool met_the_fault = false;
};

ProcessOptions options_of(Nowhere& nowhere, const PolicyPtr& policy, std::uint64_t nonce) {
    static const std::vector<Command> no_source;
    ProcessOptions options;
    options.book = kBook;
    options.nonce = nonce;
    options.projection = &nowhere;
    options.first_policy = policy;
    options.source_commands = &no_source;
    options.decided = [](Seq, const Book& book) { EXPECT_TRUE(book.is_balanced()); };
    return options;
}

class Script {
public:
    explicit Script(std::uint64_t lives) : random_(42), commands_(random_), policy_(commands_.policy(1, now_)) {
        auto disk = std::make_shared<MemoryStorage>();
        for (std::uint64_t n = 0; n < lives; ++n) {
            before_.push_back(disk);
            disk = disk->copy();
            lives_.push_back(next_life(n));
            const Told told = run(n, disk, {});
            EXPECT_FALSE(told.recorded.empty());
            operations_.push_back(told.operations);
            check(disk, told, "life " + std::to_string(n) + " without a fault");
        }
    }

    std::uint64_t lives() const { return lives_.size(); }
    std::uint64_t operations(std::uint64_t life) const { return operations_[life]; }
    void spoil(std::uint64_t life, const FaultyDisk::Plan& plan, const std::string& where) const {
        begin_patience();
        const auto disk = before_[life]->copy();
        const Told told = run(life, disk, plan);
        ASSERT_TRUE(told.met_the_fault) << where;
        check(disk, told, where);
    }

private:
    Life next_life(std::uint64_t number) {
        Life life;
        life.begins = now_;
        life.seed = number + 1;
        for (int round = 0; round < kRounds; ++round, now_ += 20s) {
            auto& commands = life.rounds.emplace_back();
            for (std::uint64_t n = 1 + random_.below(4); n > 0; --n) commands.push_back(commands_.next(now_));
        }
        return life;
    }

    Told run(std::uint64_t number, const std::shared_ptr<MemoryStorage>& disk, const FaultyDisk::Plan& plan) const {
        const Life& life = lives_[number];
        Xoshiro256 random(life.seed);
        // The later lives write small frames themselves where they may.
        const std::size_t waited_bytes_max = number >= kLives / 2 ? 16u << 10 : 0;
        SegmentStoreOnMemoryDisk store({.waited_bytes_max = waited_bytes_max}, disk);
        store.plan(plan);
        Nowhere nowhere;
        Told told;
        {
            Process process(store.open(), options_of(nowhere, policy_, life.seed));
            const bool is_open = process.open->sealed() != nullptr;  // else it ends before it begins
            if (is_open && process.start(life.begins)) go_on(process, life, random, told);
            told.operations = process.open->operations();
            told.met_the_fault = process.open->is_broken();
            if (plan.fault == FaultyDisk::Plan::Fault::is_lost && plan.at != 0) process.open->crash(random);
            process.inbox.close();
        }
        return told;
    }

    // Until it has been asked everything, or stops as the program does.
    static void go_on(Process& process, const Life& life, Xoshiro256& random, Told& told) {
        Instant now = life.begins;
        for (const auto& commands : life.rounds) {
            now += 20s;
            ask(process, commands, told);
            for (int turn = 0; turn < 3; ++turn) {
                if (!process.settlement->step(now)) return;
                process.open->progress(random, turn == 2);
            }
            process.open->upkeep(now);
        }
        for (int turn = 0; turn < 20 && !(process.settlement->idle() && process.inbox.empty()); ++turn) {
            process.open->progress(random, true);
            if (!process.settlement->step(now)) return;
        }
    }

    static void ask(Process& process, const std::vector<Command>& commands, Told& told) {
        auto submission = std::make_unique<Submission>();
        for (const Command& command : commands) {
            encode_command(command, submission->encoded);
            submission->ends.push_back(static_cast<std::uint32_t>(submission->encoded.size()));
            submission->commands.push_back(command);
        }
        submission->reply = [&told, commands](Result<std::vector<Receipt>> receipts) {
            if (!receipts) return;
            for (std::size_t i = 0; i < receipts->size() && i < commands.size(); ++i) {
                if (std::holds_alternative<SubmitGroup>(commands[i].body)) return;  // as many receipts as it has items
                const Receipt& receipt = (*receipts)[i];
                if (receipt.answer.kind == Answer::Kind::recorded) told.recorded.emplace_back(commands[i].id, receipt);
            }
        };
        process.inbox.submit(std::move(submission));
    }

    // By a process whose disk works.
    void check(const std::shared_ptr<MemoryStorage>& disk, const Told& told, const std::string& where) const {
        {
            MemoryDisk looked_at(disk);
            const auto report = verify(looked_at);
            ASSERT_TRUE(report || told.recorded.empty()) << where << ": " << (report ? "" : report.error().what);
            if (report) {
                for (const auto& finding : report->findings) ADD_FAILURE() << where << ": " << describe(finding);
            }
        }
        SegmentStoreOnMemoryDisk store({}, disk);
        Nowhere nowhere;
        Process process(store.open(), options_of(nowhere, policy_, 1'000));
        const auto started = process.start(now_);
        ASSERT_TRUE(started) << where << ": " << started.error().what;
        for (const auto& [id, receipt] : told.recorded) {
            const auto frame = process.frames.frame(receipt.place.seq);
            ASSERT_TRUE(frame) << where << ": " << frame.error().what;
            ASSERT_LT(receipt.place.index, (*frame)->changes.outcomes.size()) << where << ": told, and lost";
            const Outcome& outcome = (*frame)->changes.outcomes[receipt.place.index];
            ASSERT_EQ(outcome.status, receipt.status) << where;
            ASSERT_EQ(outcome.payment, receipt.payment) << where;
            if (id.empty()) continue;
            ASSERT_EQ(place_of(process, id), receipt.place) << where << ": its id is forgotten";
        }
    }

    static Place place_of(const Process& process, PaymentId id) {
        if (const auto known = process.book.known(id)) return known->place;
        const auto sealed = process.open->sealed()->find(id, process.book.forgotten_through());
        return sealed && *sealed ? (*sealed)->place : Place{};
    }

    Xoshiro256 random_;
    Instant now_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 9h;
    Commands commands_;
    PolicyPtr policy_;
    std::vector<Life> lives_;
    std::vector<std::shared_ptr<MemoryStorage>> before_;
    std::vector<std::uint64_t> operations_;
};

TEST(NthIoTest, EveryOperationOfALongScriptFailsTearsAndIsLostOnce) {
    const std::uint64_t lives = number_from("NOSTRO_NTH_IO_LIVES", kLives);
    const std::uint64_t every = std::max<std::uint64_t>(1, number_from("NOSTRO_NTH_IO_EVERY", kEvery));
    const Script script(lives);
    using Fault = FaultyDisk::Plan::Fault;
    constexpr std::pair<Fault, const char*> kFaults[] = {
        {Fault::fails, "fails"}, {Fault::tears, "tears"}, {Fault::is_lost, "is lost"}};
    std::uint64_t operations = 0;
    std::uint64_t spoiled = 0;
    for (std::uint64_t life = 0; life < script.lives(); ++life) {
        for (std::uint64_t at = 1; at <= script.operations(life); ++at) {
            if (++operations % every != 0) continue;
            for (const auto& [fault, word] : kFaults) {
                const std::string where =
                    "life " + std::to_string(life) + ", operation " + std::to_string(at) + " " + word;
                script.spoil(life, {at, fault, fault == Fault::is_lost}, where);
                ++spoiled;
                if (HasFailure()) return;
            }
        }
    }
    std::cout << operations << " operations, " << spoiled << " faults\n";
    if (lives >= kLives) {
        EXPECT_GE(operations, kOperationsLeast);
    }
}

}  // namespace
}  // namespace nostro::sim
