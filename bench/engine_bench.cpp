// The whole chain in one process: JSON in, decided, durable, answered. What an HTTP server adds is measured elsewhere.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "nostro/wire/batch_json.hpp"

namespace nostro {
namespace {

constexpr std::size_t kAccounts = 100'000;
constexpr std::size_t kBulk = 1'000;

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "engine_bench: %s\n", why.c_str());
    std::exit(1);
}

std::string account_name(std::uint64_t n) { return "ACC" + std::to_string(1'000'000 + n % kAccounts); }

std::string payment_line(std::uint64_t n) {
    return R"({"idempotency_key":"bench-)" + std::to_string(n) + R"(","debtor_account":")" + account_name(n * 7'919) +
           R"(","creditor_account":")" + account_name(n * 104'729 + 1) +
           R"(","amount":"1.25","currency":"EUR","type":"TRANSFER","reference":"INV-)" + std::to_string(n) + "\"}\n";
}

// An engine with accounts, on either journal. The folder is removed at the end.
class Engine {
public:
    explicit Engine(bool durable) {
        if (durable) {
            folder_ = std::filesystem::temp_directory_path() /
                      ("nostro_bench_" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
            auto disk = PosixDisk::open(folder_.string(), {});
            if (!disk) give_up(disk.error().what);
            disk_ = std::move(*disk);
            journal_ = std::make_unique<SegmentJournal>(*disk_, SegmentJournalOptions{});
        } else {
            journal_ = std::make_unique<MemoryJournal>(std::make_shared<MemoryLog>());
        }
        ServiceParts parts;
        parts.journal = journal_.get();
        parts.clock = &clock_;
        parts.metrics = &registry_;
        parts.fatal = [](const Error& error) { give_up(error.what); };
        ServiceOptions options;
        options.book.accounts_max = 2 * kAccounts;
        options.book.known_max = 32'000'000;
        options.default_policy = "tenant = \"nostro\"\n";
        service_ = std::make_unique<Service>(std::move(parts), options);
        if (auto started = service_->start(); !started) give_up(started.error().what);
        open_accounts();
    }
    ~Engine() {
        service_.reset();
        journal_.reset();
        disk_.reset();
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    Service& operator*() { return *service_; }
    Service* operator->() { return service_.get(); }

private:
    void open_accounts() {
        for (std::uint64_t first = 0; first < kAccounts; first += 10'000) {
            auto names = std::make_shared<std::vector<std::string>>();
            for (std::uint64_t i = 0; i < 10'000; ++i) names->push_back(account_name(first + i));
            auto builder = service_->build(names);
            for (const std::string& name : *names) {
                OpenAccount open;
                open.name = name;
                open.currency = *Currency::parse("EUR");
                open.opening_minor = 1'000'000'000;
                if (auto opened = builder.open_account(open, {}); !opened) give_up(opened.error().what);
            }
            std::atomic<bool> done{false};
            service_->submit(builder.take([&](const Result<std::vector<Receipt>>&) {
                done = true;
                done.notify_one();
            }));
            done.wait(false);
        }
    }

    std::filesystem::path folder_;
    SystemClock clock_;
    MetricsRegistry registry_;
    std::unique_ptr<PosixDisk> disk_;
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<Service> service_;
};

struct Body {
    std::string text;
    Arena arena{64u << 10};
};

// What a handler does with NDJSON.
void submit_lines(Service& service, JsonReader& reader, std::string text, std::size_t count,
                  std::function<void(Result<std::vector<Receipt>>)> reply) {
    auto body = std::make_shared<Body>();
    const std::size_t size = text.size();
    text.resize(size + kJsonPadding);
    body->text = std::move(text);
    auto builder = service.build(body);
    builder.reserve(count);
    FieldErrors errors;
    const auto each = [&](const BatchItem& item) {
        if (item.wish == nullptr || !builder.payment(*item.wish)) give_up("a payment was refused");
    };
    const JsonInput input{std::string_view(body->text).substr(0, size), body->text.size()};
    if (!read_payment_lines(reader, input, BatchMode::independent, body->arena, each, errors)) give_up("not read");
    service.submit(builder.take(std::move(reply)));
}

void bulk(benchmark::State& state) {
    Engine engine(state.range(0) != 0);
    JsonReader reader;
    std::uint64_t next = 0;
    std::atomic<int> in_flight{0};
    std::atomic<std::uint64_t> settled{0};
    for (auto _ : state) {
        state.PauseTiming();
        std::string text;
        for (std::size_t i = 0; i < kBulk; ++i) text += payment_line(next++);
        state.ResumeTiming();
        for (int now = in_flight.load(); now >= 16; now = in_flight.load()) in_flight.wait(now);
        ++in_flight;
        submit_lines(*engine, reader, std::move(text), kBulk, [&](Result<std::vector<Receipt>> receipts) {
            if (receipts) settled += receipts->size();
            --in_flight;
            in_flight.notify_one();
        });
    }
    for (int now = in_flight.load(); now > 0; now = in_flight.load()) in_flight.wait(now);
    if (settled != next) state.SkipWithError("not all were taken");
    state.SetItemsProcessed(static_cast<std::int64_t>(next));
}
BENCHMARK(bulk)->ArgName("durable")->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond)->MinTime(2);

// One payment a request, so many requests under way at once.
void single(benchmark::State& state) {
    Engine engine(state.range(0) != 0);
    const int at_once = static_cast<int>(state.range(1));
    JsonReader reader;
    std::uint64_t next = 0;
    std::atomic<int> in_flight{0};
    for (auto _ : state) {
        for (int now = in_flight.load(); now >= at_once; now = in_flight.load()) in_flight.wait(now);
        ++in_flight;
        submit_lines(*engine, reader, payment_line(next++), 1, [&](const Result<std::vector<Receipt>>&) {
            --in_flight;
            in_flight.notify_one();
        });
    }
    for (int now = in_flight.load(); now > 0; now = in_flight.load()) in_flight.wait(now);
    state.SetItemsProcessed(static_cast<std::int64_t>(next));
}
BENCHMARK(single)
    ->ArgNames({"durable", "at_once"})
    ->Args({0, 1})
    ->Args({0, 64})
    ->Args({1, 1})
    ->Args({1, 64})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace nostro
