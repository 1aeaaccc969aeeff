// nostro bench: load against a running nostro, or one of its own, with the machine's facts and the raw write beside.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "nostro/base/text.hpp"
#include "nostro/cli/bench_report.hpp"
#include "nostro/cli/child.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/index_rows.hpp"
#include "nostro/cli/load.hpp"
#include "nostro/cli/machine.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro::cli {
namespace {

// How requests are sent: so many connections, so many unanswered on each, so many payments in one.
struct Shape {
    std::string_view name;
    std::uint32_t connections, pipeline, batch;
};
constexpr std::array kShapes = {Shape{"single", 1, 1, 1}, Shape{"concurrent", 64, 1, 1}, Shape{"pipelined", 16, 16, 1},
                                Shape{"bulk", 8, 1, 1000}};

struct BenchOptions {
    std::string url, plain, body, get, journal = "segment";
    std::vector<std::string> targets;  // what the file `get` holds
    std::vector<std::string> shapes = {"single", "concurrent", "pipelined", "bulk"}, sets;
    std::uint32_t accounts = 10'000, seconds = 5, warmup = 0, hot_percent = 0;
    std::uint32_t connections = 0, pipeline = 0, batch = 0;
    std::uint64_t rate = 0, payments = 0, seed = 1;
    bool prove = false;
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
            fmt::format_to(std::back_inserter(body),
                           "{{\"account_id\":\"{}\",\"currency\":\"USD\",\"opening_balance\":\"1000000000.00\"}}\n",
                           bench_account(opened));
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

// Nothing to read: the server is no nostro, or does not answer.
MetricsSample sample_of(const BenchOptions& options, const Url& url) {
    if (!options.plain.empty()) return {};
    Client client(url);
    const auto answer = client.get("/metrics");
    return answer && answer->status == 200 ? MetricsSample::parse(answer->body) : MetricsSample{};
}

struct Target {
    Url url;
    std::string path;  // of a server that is no nostro; else empty
};

Result<BenchMeasured> measure(const BenchOptions& options, const Target& target, Shape shape,
                              const std::filesystem::path& folder) {
    if (options.connections > 0) shape.connections = options.connections;
    if (options.pipeline > 0) shape.pipeline = options.pipeline;
    if (options.batch > 0) shape.batch = options.batch;
    BenchMeasured measured;
    measured.load = shape.name;
    measured.counts_settled = options.plain.empty();
    BenchLoadOptions& load = measured.options;
    load.url = target.url;
    load.connections = shape.connections;
    load.pipeline = shape.pipeline;
    load.batch = shape.batch;
    load.rate = options.rate;
    BenchRequestOptions form{target.url,  target.path,  options.accounts, options.hot_percent,
                             shape.batch, options.seed, options.body,     options.targets};
    BenchRequests requests(form);
    if (options.warmup > 0) {
        load.duration = std::chrono::seconds(options.warmup);
        if (auto warm = run_bench_load(load, requests); !warm) return warm.error();
    }
    load.duration = std::chrono::seconds(options.seconds);
    load.payments_max = options.payments;
    if (options.payments > 0) load.duration = std::chrono::hours(24);
    Progress progress(std::string(shape.name), "payments", options.payments);
    load.progress = [&](std::uint64_t payments) { progress.update(payments); };
    std::optional<GapWatch> gaps;  // before anything is counted: it lays out a file
    if (load.rate > 0) gaps.emplace(folder);
    const MetricsSample before = sample_of(options, target.url);
    const auto cpu_before = listener_cpu(target.url.port);
    auto result = run_bench_load(load, requests);
    if (!result) return result.error();
    if (gaps) measured.gaps = gaps->end();
    const auto cpu_after = listener_cpu(target.url.port);
    const MetricsSample after = sample_of(options, target.url);
    progress.finish(result->payments);
    load.progress = nullptr;
    if (cpu_before && cpu_after) measured.server_cpu = *cpu_after - *cpu_before;
    measured.server_memory = listener_memory(target.url.port);
    measured.stages = stages_between(before, after);
    const auto grown = [&](const char* name) {
        return static_cast<std::uint64_t>(after.value(name) - before.value(name));
    };
    measured.frames = grown("nostro_settlement_frames_total");
    measured.frame_bytes = grown("nostro_settlement_frame_bytes_total");
    measured.result = std::move(*result);
    return measured;
}

// "http://127.0.0.1:8080/some/path"; the path may be missing.
Result<Target> parse_plain(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    const std::size_t begin = text.starts_with(kScheme) ? kScheme.size() : 0;
    const std::size_t slash = std::min(text.find('/', begin), text.size());
    const auto url = parse_url(text.substr(0, slash));
    if (!url) return url.error();
    return Target{*url, slash == text.size() ? "/" : std::string(text.substr(slash))};
}

Result<BenchReport> run(const BenchOptions& options, const Target& target, const std::filesystem::path& folder) {
    BenchReport report;
    report.server = fmt::format("http://{}:{}{}", target.url.host, target.url.port, target.path);
    if (options.plain.empty()) {
        if (auto opened = open_accounts(options, target.url); !opened) return opened.error();
    }
    for (const std::string& name : options.shapes) {
        auto measured = measure(options, target, *std::ranges::find(kShapes, name, &Shape::name), folder);
        if (!measured) return measured.error();
        report.loads.push_back(std::move(*measured));
    }
    report.machine = machine_facts(folder);
    return report;
}

Exit finish(const Context& context, const BenchReport& report) {
    if (context.json) {
        fmt::print("{}\n", to_json(report));
    } else {
        print_table(report);
    }
    return report.proved.value_or(true) ? Exit::done : Exit::no;
}

Exit bench_running(Context& context, const BenchOptions& options) {
    Target target;
    if (options.plain.empty()) {
        const auto url = parse_url(options.url);
        if (!url) return fail(url.error());
        target.url = *url;
    } else {
        auto parsed = parse_plain(options.plain);
        if (!parsed) return fail(parsed.error());
        target = std::move(*parsed);
    }
    const auto report = run(options, target, std::filesystem::current_path());
    if (!report) return fail(Exit::environment, report.error().what);
    return finish(context, *report);
}

Exit bench_own(Context& context, const BenchOptions& options) {
    std::vector<std::string> arguments = {"--set", "journal.kind=" + options.journal, "--set", "log.level=warn"};
    for (const std::string& set : options.sets) arguments.insert(arguments.end(), {"--set", set});
    auto server = ChildServer::start(arguments);
    if (!server) return fail(server.error());
    const auto url = parse_url(server->url());
    if (!url) return fail(url.error());
    auto report = run(options, {*url, {}}, server->folder());
    if (!report) return fail(Exit::environment, report.error().what);
    report->server = fmt::format("its own, journal of kind {}", options.journal);
    if (options.prove) {
        server->stop();
        VerifyOptions whole;
        whole.index_rows = index_rows();
        const auto proof = verify(server->folder(), std::move(whole));
        if (!proof) return fail(Exit::environment, proof.error().what);
        report->proved = proof->proved();
        report->proved_payments = proof->payments;
    }
    return finish(context, *report);
}

Result<std::vector<std::string>> read_targets(const std::string& path) {
    std::vector<std::string> targets;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.empty()) continue;
        const bool is_target = line.front() == '/' && line.find_first_of(" \r\t") == line.npos;
        if (!is_target || line.size() != (targets.empty() ? line : targets.front()).size()) {
            return Error{ErrorCode::invalid,
                         fmt::format("{}: line {}: write paths that begin with /, one a line, all of one length", path,
                                     targets.size() + 1)};
        }
        targets.push_back(std::move(line));
    }
    if (targets.empty()) return Error{ErrorCode::invalid, path + " holds no paths, or cannot be read"};
    return targets;
}

Exit bench(Context& context, BenchOptions& options) {
    const bool running = !options.url.empty() || !options.plain.empty();
    if (!options.url.empty() && !options.plain.empty())
        return fail(Exit::usage, "--url and --plain exclude each other");
    if (running && (options.journal != "segment" || !options.sets.empty() || options.prove)) {
        return fail(Exit::usage,
                    "--journal, --set and --prove are for a server of its own: leave --url and --plain out");
    }
    if (options.prove && options.journal == "memory") {
        return fail(Exit::usage, "--prove: a journal in memory leaves nothing to prove the books from");
    }
    for (const auto& [name, given] : {std::pair("--body", !options.body.empty()), {"--get", !options.get.empty()}}) {
        if (!given) continue;
        if (options.plain.empty())
            return fail(Exit::usage, fmt::format("{} is sent to the URL that --plain names", name));
        std::erase(options.shapes, "bulk");  // of payments of ours
        if (options.shapes.empty() || options.batch > 1) {
            return fail(Exit::usage, fmt::format("{} is one request each: leave --load bulk and --batch out", name));
        }
    }
    if (!options.get.empty()) {
        if (!options.body.empty()) return fail(Exit::usage, "--body and --get exclude each other");
        auto targets = read_targets(options.get);
        if (!targets) return fail(Exit::usage, "--get: " + targets.error().what);
        options.targets = std::move(*targets);
    }
    return running ? bench_running(context, options) : bench_own(context, options);
}

}  // namespace

void add_bench(Command app, Context& context) {
    add_command<BenchOptions>(
        app, context, "bench", "Measure rates and latencies: durable answers, closed or open loop",
        [&](Command& command, BenchOptions& options) {
            command.option("--url", options.url, "A running nostro; none: one of its own, in this folder");
            command.option("--plain", options.plain, "Any HTTP server in its place: the same requests to this URL");
            command.option("--body", options.body,
                           "JSON to send to --plain; each # becomes a digit, drawn anew each time");
            command.option("--get", options.get,
                           "File of paths, one a line and of one length: read them from --plain, in place of payments");
            command.flag("--json", context.json, "Print the figures as JSON");
            std::vector<std::string> names;
            names.reserve(kShapes.size());
            for (const Shape& shape : kShapes) names.emplace_back(shape.name);
            command.option("--load", options.shapes, "single, concurrent, pipelined, bulk; may be repeated")
                .one_of(names)
                .repeatable();
            command.option("--seconds", options.seconds, "Each load runs so long").between(1, 3600).with_default();
            command.option("--payments", options.payments, "Each load ends after so many, in place of --seconds");
            command.option("--warmup", options.warmup, "Seconds of each load before it is measured").between(0, 600);
            command.option("--accounts", options.accounts, "Opened first").between(2, 9'000'000).with_default();
            command.option("--hot", options.hot_percent, "Percent of the payments that go to one account")
                .between(0, 100);
            command.option("--connections", options.connections, "In place of the load's own number")
                .between(1, 10'000);
            command.option("--pipeline", options.pipeline, "Unanswered requests a connection, likewise")
                .between(1, 10'000);
            command.option("--batch", options.batch, "Payments in a request, likewise").between(1, 10'000);
            command.option("--rate", options.rate, "Payments a second, sent on schedule; 0: as fast as answers come")
                .with_default();
            command.option("--seed", options.seed, "Of accounts and amounts").with_default();
            command.option("--journal", options.journal, "Of its own server: segment (durable) or memory")
                .one_of({"segment", "memory"})
                .with_default();
            command.option("--set", options.sets, "KEY=VALUE of its own server's configuration; may be repeated")
                .repeatable();
            command.flag("--prove", options.prove, "Stop its own server at the end and prove the books");
        },
        bench);
}

}  // namespace nostro::cli
