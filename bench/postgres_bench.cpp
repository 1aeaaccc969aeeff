// The projections into PostgreSQL beside programs that only copy and update: the same rows, tables and transactions,
// made beforehand. Needs NOSTRO_POSTGRES_URL, a server for trying out: it drops and makes a database there.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

#include "bench/need.hpp"
#include "nostro/adapters/postgres/native_tables.hpp"
#include "nostro/adapters/postgres/projection.hpp"
#include "nostro/app/postgres_tables.hpp"
#include "nostro/domain/book.hpp"

namespace nostro {
namespace {

constexpr std::size_t kAccounts = 10'000;
constexpr const char* kDatabase = "nostro_bench";

// nullptr: no server is named.
const char* server() { return std::getenv("NOSTRO_POSTGRES_URL"); }  // NOLINT(concurrency-mt-unsafe)

std::string empty_database(const PostgresSchema& schema = native_schema()) {
    const auto administrator = need(PostgresClient::connect(server()));
    need(administrator->script(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", kDatabase)));
    need(administrator->script(fmt::format("CREATE DATABASE {}", kDatabase)));
    const std::vector<std::pair<std::string, std::string>> parts = {{"dbname", kDatabase}};
    std::string address = need(postgres_address(server(), parts));
    need(migrate(*need(PostgresClient::connect(address)), schema));
    return address;
}

std::string account_name(std::uint64_t n) { return fmt::format("ACC{}", 1'000'000 + n % kAccounts); }

// Frames of so many payments each, as settlement writes them; the first opens the accounts.
class Frames {
public:
    explicit Frames(std::size_t payments_each, TenantNo tenant = 0, std::string_view name = "nostro")
        : each_(payments_each),
          tenant_(tenant),
          tenant_name_(name),
          book_({.accounts_max = 2 * kAccounts, .known_max = 4'000'000}),
          builder_(8u << 20),
          policy_(need(Policy::parse(fmt::format("tenant = \"{}\"\nunknown_accounts = \"open\"\n", name), 1, now_))) {
        decide({{tenant_, {}, 0, ChangePolicy{policy_, "bench"}}});
        std::vector<Command> open;
        for (std::size_t i = 0; i < kAccounts; ++i) {
            OpenAccount account;
            account.name = names_.emplace_back(account_name(i));
            account.id = account_id(tenant_name_, account.name);
            account.currency = need(Currency::parse("EUR"));
            account.opening_minor = 1'000'000'000;
            account.holder = "John Doe";
            account.metadata = R"({"account_type":"CHECKING","customer_id":"CUST001"})";
            open.push_back({tenant_, {}, 0, account});
        }
        decide(open);
    }
    DecodedPtr next() {
        std::vector<Command> commands;
        for (std::size_t i = 0; i < each_; ++i) {
            const std::uint64_t n = ++number_;
            SubmitPayment submit;
            submit.payment.id = {n * 0x9E3779B97F4A7C15u, n * 0xC2B2AE3D27D4EB4Fu};
            submit.payment.tenant = tenant_;
            submit.payment.debtor_name = names_[n * 7'919 % kAccounts];
            submit.payment.creditor_name = names_[(n * 104'729 + 1) % kAccounts];
            submit.payment.debtor = account_id(tenant_name_, submit.payment.debtor_name);
            submit.payment.creditor = account_id(tenant_name_, submit.payment.creditor_name);
            submit.payment.amount = Money(125, need(Currency::parse("EUR")));
            submit.payment.key = keys_.emplace_back(fmt::format("bench-{:010}", n));
            submit.payment.type = "TRANSFER";
            submit.payment.reference = "INV-0123456789";
            commands.push_back({tenant_, submit.payment.id, 1, submit});
        }
        auto frame = decide(commands);
        keys_.clear();
        return frame;
    }
    const PolicyPtr& policy() const { return policy_; }
    const std::vector<DecodedPtr>& begin() const { return frames_; }

private:
    DecodedPtr decide(const std::vector<Command>& commands) {
        Changes changes;
        builder_.begin();
        book_.begin_frame(++seq_, now_, 1024, changes);
        std::uint32_t recorded = 0;
        for (const Command& command : commands) {
            if (book_.apply(command, recorded).kind != Answer::Kind::recorded) continue;
            std::vector<std::byte> encoded;
            encode_command(command, encoded);
            builder_.add_command(encoded);
            ++recorded;
        }
        book_.end_frame();
        FrameHeader header;
        header.seq = seq_;
        header.time = now_;
        header.previous = last_;
        const FramePtr frame = builder_.finish(header, {}, {}, changes);
        last_ = frame->digest;
        auto decoded = std::make_shared<DecodedFrame>();
        need(decode_body(frame, Sections::all, *decoded));
        if (seq_ <= 2) frames_.push_back(decoded);
        return decoded;
    }

    const std::size_t each_;
    const TenantNo tenant_;
    const std::string tenant_name_;
    const Instant now_{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)};
    Book book_;
    FrameBuilder builder_;
    const PolicyPtr policy_;
    Seq seq_ = 0;
    Digest last_{};
    std::uint64_t number_ = 0;
    std::deque<std::string> names_, keys_;
    std::vector<DecodedPtr> frames_;
};

PostgresProjectionOptions options_of(const std::string& address) {
    const NativeNames names{[](TenantNo, PolicyVersion) { return PolicyPtr(); }, [](TenantNo) { return "nostro"; }};
    return {.address = address,
            .schema = native_schema(),
            .tables = native_tables(),
            .rows_of = [names](const DecodedFrame& frame, PostgresRows& into) {
                return add_native_rows(frame, names, into);
            }};
}

// The tables of clearing in place of the schema nostro: accounts, transactions and their audit.
PostgresProjectionOptions clearing_options(const ProfileEntry& entry, const Frames& frames) {
    const EngineReads reads{
        .frame = [](Seq) { return Result<DecodedPtr>(Error{ErrorCode::not_found, "no earlier frame is needed"}); },
        .policy = [&frames](TenantNo, PolicyVersion) { return frames.policy(); },
        .tenant = [&entry](TenantNo) { return std::string(entry.name); }};
    auto tables = *profile_tables(entry, {}, reads);
    return {.address = empty_database(tables.schema),
            .schema = tables.schema,
            .tables = tables.tables,
            .rows_of = tables.rows_of};
}

// What the server's own processes for this database have worked, which other load on the machine does not change.
class ServerTime {
public:
    ServerTime() {
        const auto administrator = need(PostgresClient::connect(server()));
        const auto found =
            need(administrator->run({"SELECT pid FROM pg_stat_activity WHERE datname = $1", {kDatabase}}));
        for (int row = 0; row < found.rows(); ++row) pids_.emplace_back(found.text(row, 0));
        begun_ns_ = now_ns();
    }
    void count(benchmark::State& state) const {
        const double payments = static_cast<double>(state.iterations() * state.range(0));
        state.counters["server_us"] = static_cast<double>(now_ns() - begun_ns_) / 1'000 / payments;
    }

private:
    std::uint64_t now_ns() const {
        std::uint64_t sum = 0;
        for (const std::string& pid : pids_) {
            std::uint64_t ns = 0;
            if (std::ifstream("/proc/" + pid + "/schedstat") >> ns) sum += ns;  // 0: the server is on another machine
        }
        return sum;
    }
    std::vector<std::string> pids_;
    std::uint64_t begun_ns_ = 0;
};

// A frame an iteration; its making does not count.
void project_each(benchmark::State& state, Frames& frames, PostgresProjectionOptions options) {
    PostgresProjection projection(std::move(options));
    need(projection.project(frames.begin()));
    const ServerTime time;
    for (auto _ : state) {
        state.PauseTiming();
        const DecodedPtr frame = frames.next();
        state.ResumeTiming();
        need(projection.project({&frame, 1}));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    time.count(state);
}

void projected(benchmark::State& state) {
    if (server() == nullptr) return state.SkipWithError("NOSTRO_POSTGRES_URL is not set");
    Frames frames(static_cast<std::size_t>(state.range(0)));
    project_each(state, frames, options_of(empty_database()));
}

void projected_clearing(benchmark::State& state) {
    if (server() == nullptr) return state.SkipWithError("NOSTRO_POSTGRES_URL is not set");
    const ProfileEntry& entry = *find_profile("clearing");
    Frames frames(static_cast<std::size_t>(state.range(0)), entry.tenant, entry.name);
    project_each(state, frames, clearing_options(entry, frames));
}

// Rows that come once are copied into their table, balances into `moved` and from there.
struct Bare {
    std::size_t balances;  // the table whose rows are balances
    const char *make_moved, *update;
};

void copy_each(benchmark::State& state, Frames& frames, const PostgresProjectionOptions& options, const Bare& bare) {
    {
        PostgresProjection projection(options);
        need(projection.project(frames.begin()));
    }
    const auto client = need(PostgresClient::connect(options.address));
    need(client->script(bare.make_moved));
    std::vector<std::string> copies;
    for (std::size_t i = 0; i < options.tables.size(); ++i) {
        std::vector<std::string_view> names;
        for (const PostgresColumn& column : options.tables[i].columns) names.push_back(column.name);
        copies.push_back(i == bare.balances
                             ? "COPY moved FROM STDIN"
                             : fmt::format("COPY {} ({}) FROM STDIN", options.tables[i].name, fmt::join(names, ", ")));
    }
    PostgresRows rows(options.tables.size());
    const ServerTime time;
    for (auto _ : state) {
        state.PauseTiming();
        rows.clear();
        need(options.rows_of(*frames.next(), rows));
        for (std::size_t i = 0; i < options.tables.size(); ++i) (void)rows.lines(i);
        state.ResumeTiming();
        need(client->script("BEGIN; SET LOCAL nostro.feeding = 'on'"));
        for (std::size_t i = 0; i < options.tables.size(); ++i) {
            if (!rows.empty(i)) need(client->copy(copies[i], rows.lines(i)));
        }
        need(client->script(fmt::format("{}; COMMIT", bare.update)));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    time.count(state);
}

void copied(benchmark::State& state) {
    if (server() == nullptr) return state.SkipWithError("NOSTRO_POSTGRES_URL is not set");
    Frames frames(static_cast<std::size_t>(state.range(0)));
    copy_each(state, frames, options_of(empty_database()),
              {1,
               "CREATE TEMP TABLE moved ON COMMIT DELETE ROWS AS SELECT account_id, status, risk_level, balance, held, "
               "floor, version FROM nostro.accounts WITH NO DATA",
               "UPDATE nostro.accounts a SET status = m.status, risk_level = m.risk_level, balance = m.balance, "
               "held = m.held, floor = m.floor, version = m.version FROM moved m WHERE a.account_id = m.account_id"});
}

void copied_clearing(benchmark::State& state) {
    if (server() == nullptr) return state.SkipWithError("NOSTRO_POSTGRES_URL is not set");
    const ProfileEntry& entry = *find_profile("clearing");
    Frames frames(static_cast<std::size_t>(state.range(0)), entry.tenant, entry.name);
    copy_each(
        state, frames, clearing_options(entry, frames),
        {4,
         "CREATE TEMP TABLE moved ON COMMIT DELETE ROWS AS SELECT n.account_id, a.balance, a.status FROM accounts "
         "a, nostro.account_numbers n WITH NO DATA",
         "UPDATE accounts a SET balance = m.balance, status = m.status FROM moved m JOIN nostro.account_numbers n "
         "ON n.account_id = m.account_id WHERE a.account_number = n.account_number"});
}

// Each for batches of 1,000 and 10,000.
void batches(benchmark::internal::Benchmark* each) {
    each->Arg(1'000)->Arg(10'000)->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(projected)->Name("postgres/projected")->Apply(batches);
BENCHMARK(copied)->Name("postgres/copied_bare")->Apply(batches);
BENCHMARK(projected_clearing)->Name("postgres/projected_clearing")->Apply(batches);
BENCHMARK(copied_clearing)->Name("postgres/copied_bare_clearing")->Apply(batches);

}  // namespace
}  // namespace nostro
