// What a payment costs the Book alone: a million accounts, the built-in policy, assessments made at intake, every id
// new.
//
// One iteration is one frame; the time of an item is that of a payment, with its share of the frame's begin and end.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "nostro/base/embedded.hpp"
#include "nostro/base/random.hpp"
#include "nostro/domain/book.hpp"

namespace nostro {
namespace {

constexpr std::uint64_t kAccounts = 1'000'000;
constexpr std::size_t kFrame = 4'096;
constexpr std::size_t kAhead = 14;
const Instant kStart{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)};

AccountId nth_account(std::uint64_t n) {
    SplitMix64 spread(n);
    const std::uint64_t high = spread.next();
    return {high, spread.next()};
}

// One for all benchmarks: opening a million accounts takes longer than measuring.
class Ledger {
public:
    static Ledger& get() {
        static Ledger ledger;
        return ledger;
    }

    // Fresh ids and other accounts for the next frame; not measured.
    void draw(Capture capture, std::uint64_t creditors) {
        for (std::size_t i = 0; i < kFrame; ++i) {
            auto& body = std::get<SubmitPayment>(commands[i].body);
            body.payment.id = {random_.next() >> 8, random_.next()};
            body.payment.debtor = nth_account(random_.below(kAccounts));
            body.payment.creditor = nth_account(kAccounts - 1 - random_.below(creditors));
            body.payment.amount = Money(random_.between(1, 500'000), usd_);
            body.payment.capture = capture;
            body.assessment = book.policy(0)->assess(body.payment);
            commands[i].id = body.payment.id;
        }
    }
    void frame(bool with_prefetch) {
        begin();
        for (std::size_t i = 0; i < kFrame; ++i) {
            if (with_prefetch && i + kAhead < kFrame) book.prefetch(commands[i + kAhead]);
            benchmark::DoNotOptimize(book.apply(commands[i], static_cast<std::uint32_t>(i)));
        }
        book.end_frame();
        book.forget_known(seq);
    }
    void begin() {
        changes.clear();
        now += std::chrono::milliseconds(5);
        book.begin_frame(++seq, now, 1024, changes);
    }

    Book book{BookSize{.accounts_max = 1'100'000, .counters_max = 3'000'000, .holds_max = 1'000'000}};
    Changes changes;
    std::vector<Command> commands{kFrame};
    Seq seq = 0;
    Instant now = kStart;

private:
    Ledger() {
        begin();
        const std::string text(embedded_file("profiles/nostro.toml").value());
        book.apply({0, {}, 0, ChangePolicy{Policy::parse(text, 1, kStart).value(), "bench"}}, 0);
        book.end_frame();
        for (std::uint64_t n = 0; n < kAccounts;) {
            begin();
            for (std::size_t i = 0; i < kFrame && n < kAccounts; ++i, ++n) {
                OpenAccount open;
                open.id = nth_account(n);
                open.currency = usd_;
                open.opening_minor = 1'000'000'000;
                book.apply({0, {}, 0, open}, 0);
            }
            book.end_frame();
        }
        for (Command& command : commands) command.body = SubmitPayment{};
    }

    Currency usd_ = Currency::parse("USD").value();
    Xoshiro256 random_{1};
};

void measure(benchmark::State& state, Capture capture, std::uint64_t creditors, bool with_prefetch) {
    Ledger& ledger = Ledger::get();
    for (auto _ : state) {
        ledger.draw(capture, creditors);
        const auto from = std::chrono::steady_clock::now();
        ledger.frame(with_prefetch);
        state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFrame));
}

void payments_between_a_million_accounts(benchmark::State& state) {
    measure(state, Capture::automatic, kAccounts, true);
}
void payments_without_prefetch(benchmark::State& state) { measure(state, Capture::automatic, kAccounts, false); }
void payments_to_ten_merchants(benchmark::State& state) { measure(state, Capture::automatic, 10, true); }
BENCHMARK(payments_between_a_million_accounts)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(payments_without_prefetch)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(payments_to_ten_merchants)->UseManualTime()->Unit(benchmark::kMicrosecond);

void installing_frames(benchmark::State& state) {
    Ledger& ledger = Ledger::get();
    Book standby{BookSize{.accounts_max = 1'100'000, .counters_max = 3'000'000, .holds_max = 1'000'000}};
    for (auto _ : state) {
        ledger.draw(Capture::automatic, kAccounts);
        ledger.frame(true);
        const auto from = std::chrono::steady_clock::now();
        benchmark::DoNotOptimize(standby.install(ledger.seq, ledger.now, ledger.changes));
        state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count());
        standby.forget_known(ledger.seq);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFrame));
}
BENCHMARK(installing_frames)->UseManualTime()->Unit(benchmark::kMicrosecond);

// Holds and the captures that settle them.
void holds_and_captures(benchmark::State& state) {
    Ledger& ledger = Ledger::get();
    for (auto _ : state) {
        ledger.draw(Capture::manual, kAccounts);
        std::vector<PaymentId> held;
        for (const Command& command : ledger.commands) held.push_back(command.id);
        const auto from = std::chrono::steady_clock::now();
        ledger.frame(true);
        ledger.begin();
        for (std::size_t i = 0; i < kFrame; ++i) {
            ledger.book.apply({0, {}, 0, CapturePayment{held[i], {}}}, static_cast<std::uint32_t>(i));
        }
        ledger.book.end_frame();
        state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFrame));
}
BENCHMARK(holds_and_captures)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace nostro
