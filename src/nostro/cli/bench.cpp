// nostro bench: load against a running nostro, or one of its own, with the machine's facts and the raw write beside.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/base/json_text.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/child.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/load.hpp"
#include "nostro/cli/machine.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

// How requests are sent: so many connections, so many unanswered on each, so many payments in one.
struct Shape {
    std::string_view name;
    std::size_t connections, pipeline, batch;
};
constexpr std::array kShapes = {Shape{"single", 1, 1, 1}, Shape{"concurrent", 64, 1, 1}, Shape{"pipelined", 16, 16, 1},
                                Shape{"bulk", 8, 1, 1000}};

struct BenchOptions {
    std::string url;
    std::vector<std::string> shapes = {"single", "concurrent", "pipelined", "bulk"};
    std::uint32_t accounts = 10'000, seconds = 5;
    std::uint64_t rate = 0, seed = 1;
    std::size_t connections = 0;
    bool hot = false, memory = false;
};

struct Measured {
    Shape shape;
    LoadResult load;
    std::uint64_t payments = 0, settled = 0, refused = 0;
};

// Makes requests: random payments of small amounts between the bench's accounts, each with a key of its own.
class Payments {
public:
    Payments(const BenchOptions& options, const Url& url)
        : options_(options),
          random_(options.seed),
          run_(fmt::format("{:016x}", random_u64())),
          single_(post_head(url, "/v1/payments", "application/json")),
          bulk_(post_head(url, "/v1/payments/batch", "application/x-ndjson")) {}

    void append(std::string& request, std::size_t batch) {
        body_.clear();
        const std::string first_key = fmt::format("bench-{}-{}", run_, number_);
        for (std::size_t i = 0; i < batch; ++i) append_payment(batch > 1);
        append_post(request, batch > 1 ? bulk_ : single_, batch > 1 ? std::string_view() : first_key, body_);
    }

private:
    void append_payment(bool with_key) {
        const auto debtor = random_.below(options_.accounts);
        // Hot: one account in two payments is always the same, as with a big merchant.
        auto creditor = options_.hot ? 0 : random_.below(options_.accounts);
        if (creditor == debtor) creditor = (creditor + 1) % options_.accounts;
        auto to = std::back_inserter(body_);
        body_ += '{';
        if (with_key) fmt::format_to(to, R"("idempotency_key":"bench-{}-{}",)", run_, number_);
        fmt::format_to(
            to,
            R"("debtor_account":"bench-{}","creditor_account":"bench-{}","amount":"{}.{:02}","currency":"USD",)"
            R"("type":"TRANSFER","reference":"INV-{}"}})",
            debtor, creditor, 1 + random_.below(99), random_.below(100), number_);
        if (with_key) body_ += '\n';
        ++number_;
    }

    const BenchOptions& options_;
    Xoshiro256 random_;
    std::string run_, single_, bulk_, body_;
    std::uint64_t number_ = 0;
};

Result<> open_accounts(const BenchOptions& options, const Url& url) {
    const std::string head = post_head(url, "/v1/accounts/batch", "application/x-ndjson");
    std::uint32_t opened = 0;
    std::string refused;
    Progress progress("open accounts", "accounts", options.accounts);
    const auto next = [&](std::string& request, std::uint64_t&) {
        if (opened == options.accounts) return false;
        std::string body;
        for (int i = 0; i < 1000 && opened < options.accounts; ++i, ++opened) {
            fmt::format_to(
                std::back_inserter(body),
                "{{\"account_id\":\"bench-{}\",\"currency\":\"USD\",\"opening_balance\":\"1000000000.00\"}}\n", opened);
        }
        append_post(request, head, {}, body);
        progress.update(opened);
        return true;
    };
    const auto answered = [&](std::uint64_t, int status, std::string_view body) {
        if (status < 300) return true;
        refused = fmt::format("accounts could not be opened: {}", body.substr(0, 300));
        return false;
    };
    LoadOptions load;
    load.url = url;
    load.connections = 4;
    const auto result = Load::run(load, next, answered);
    if (!result) return result.error();
    if (!refused.empty()) return Error{ErrorCode::unavailable, refused};
    progress.finish(opened);
    return {};
}

// Counts `"status":"settled"` without reading the JSON: the client should cost less than what it measures.
std::uint64_t settled_in(std::string_view body) {
    std::uint64_t count = 0;
    for (auto at = body.find("\"settled\""); at != std::string_view::npos; at = body.find("\"settled\"", at + 9))
        ++count;
    return count;
}

Result<Measured> measure(const BenchOptions& options, const Url& url, Shape shape) {
    if (options.connections > 0) shape.connections = options.connections;
    Measured measured{shape, {}, 0, 0, 0};
    Payments payments(options, url);
    LoadOptions load;
    load.url = url;
    load.connections = shape.connections;
    load.pipeline = shape.pipeline;
    load.rate = options.rate / shape.batch;
    const auto end = steady_now() + std::chrono::seconds(options.seconds);
    Progress progress(std::string(shape.name), "payments", 0);
    const auto next = [&](std::string& request, std::uint64_t&) {
        if (steady_now() >= end) return false;
        payments.append(request, shape.batch);
        return true;
    };
    const auto answered = [&](std::uint64_t, int status, std::string_view body) {
        if (status == 202 || status == 200) {
            measured.payments += shape.batch;
            measured.settled += settled_in(body);
        } else {
            ++measured.refused;
        }
        progress.update(measured.payments);
        return true;
    };
    auto result = Load::run(load, next, answered);
    if (!result) return result.error();
    progress.finish(measured.payments);
    measured.load = *result;
    return measured;
}

std::string bar(std::uint64_t value, std::uint64_t most) {
    constexpr std::uint64_t kWidth = 20;
    return std::string(most == 0 ? 0 : static_cast<std::size_t>(std::max<std::uint64_t>(1, value * kWidth / most)),
                       '#');
}

std::uint64_t rate_of(const Measured& measured) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(1, measured.load.elapsed.count()));
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(measured.payments) * 1'000'000'000 / ns);
}

void print(const std::vector<Measured>& all, const Machine& machine) {
    using enum Table::Align;
    Table table({{"LOAD", left},
                 {"CONN", right},
                 {"PAYMENTS/S", right},
                 {"", left},
                 {"P50", right},
                 {"P99", right},
                 {"P99.9", right},
                 {"P100", right},
                 {"SETTLED", right},
                 {"REFUSED", right}});
    std::uint64_t most = 0;
    for (const Measured& measured : all) most = std::max(most, rate_of(measured));
    for (const Measured& measured : all) {
        const Latencies& latencies = measured.load.latencies;
        table.add({std::string(measured.shape.name),
                   fmt::format("{} x {}", measured.shape.connections,
                               std::max(measured.shape.pipeline, measured.shape.batch)),
                   human_count(rate_of(measured)), bar(rate_of(measured), most), human_duration(latencies.p50()),
                   human_duration(latencies.p99()), human_duration(latencies.p999()), human_duration(latencies.p100()),
                   human_count(measured.settled), human_count(measured.refused)});
    }
    table.print();
    fmt::print("\nmachine  {}\n", machine.text());
}

void print_json(const std::vector<Measured>& all, const Machine& machine) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("loads").begin_array();
    for (const Measured& measured : all) {
        const auto us = [](std::chrono::nanoseconds ns) { return ns.count() / 1000; };
        json.begin_object().field("load", measured.shape.name).field("connections", measured.shape.connections);
        json.field("pipeline", measured.shape.pipeline).field("batch", measured.shape.batch);
        json.field("payments", measured.payments)
            .field("settled", measured.settled)
            .field("refused_requests", measured.refused);
        json.field("payments_per_second", rate_of(measured))
            .field("elapsed_ms", measured.load.elapsed.count() / 1'000'000);
        const Latencies& latencies = measured.load.latencies;
        json.key("latency_us").begin_object().field("p50", us(latencies.p50())).field("p99", us(latencies.p99()));
        json.field("p99_9", us(latencies.p999())).field("p100", us(latencies.p100())).end_object().end_object();
    }
    json.end_array().key("machine");
    machine.write(json);
    json.end_object();
    fmt::print("{}\n", text);
}

Exit run(Context& context, BenchOptions& options, const std::string& where, const std::filesystem::path& folder) {
    const auto url = parse_url(where);
    if (!url) return fail(url.error());
    if (auto opened = open_accounts(options, *url); !opened) return fail(Exit::environment, opened.error().what);
    std::vector<Measured> all;
    for (const std::string& name : options.shapes) {
        const auto shape = std::ranges::find(kShapes, name, &Shape::name);
        auto measured = measure(options, *url, *shape);
        if (!measured) return fail(Exit::environment, measured.error().what);
        all.push_back(std::move(*measured));
    }
    const Machine machine = machine_facts(folder);
    if (context.json) {
        print_json(all, machine);
    } else {
        print(all, machine);
    }
    return Exit::done;
}

Exit bench(Context& context, BenchOptions& options) {
    if (!options.url.empty()) return run(context, options, options.url, std::filesystem::current_path());
    auto server = ChildServer::start(options.memory ? std::vector<std::string>{"--set", "journal.kind=memory"}
                                                    : std::vector<std::string>{});
    if (!server) return fail(server.error());
    return run(context, options, server->url(), server->folder());
}

}  // namespace

void add_bench(Command app, Context& context) {
    add_command<BenchOptions>(
        app, context, "bench", "Measure rates and latencies: durable answers, closed or open loop",
        [&](Command& command, BenchOptions& options) {
            command.option("--url", options.url, "A running nostro; none: one of its own, in this folder");
            command.flag("--json", context.json, "Print the figures as JSON");
            std::vector<std::string> names;
            names.reserve(kShapes.size());
            for (const Shape& shape : kShapes) names.emplace_back(shape.name);
            command.option("--load", options.shapes, "single, concurrent, pipelined, bulk; may be repeated")
                .one_of(names)
                .repeatable();
            command.option("--seconds", options.seconds, "Each load runs so long").between(1, 3600).with_default();
            command.option("--accounts", options.accounts, "Opened first").between(2, 1'000'000).with_default();
            command.option("--connections", options.connections, "In place of the load's own number")
                .between(1, 10'000);
            command.option("--rate", options.rate, "Payments a second, sent on schedule; 0: as fast as answers come")
                .with_default();
            command.option("--seed", options.seed, "Of the payments").with_default();
            command.flag("--hot", options.hot, "One account is paid by all");
            command.flag("--memory", options.memory, "The server of its own keeps its journal in memory");
        },
        bench);
}

}  // namespace nostro::cli
