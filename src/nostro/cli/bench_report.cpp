#include "nostro/cli/bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

std::uint64_t per_second(std::uint64_t count, std::chrono::nanoseconds in) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(1, in.count()));
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(count) * 1'000'000'000 / ns);
}

// Two decimals are enough.
double microseconds(std::chrono::nanoseconds ns) {
    const std::int64_t hundredths = ns.count() / 10;
    return static_cast<double>(hundredths) / 100;
}

double share(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

// Of one payment, in microseconds with two decimals.
double each(std::chrono::nanoseconds time, std::uint64_t payments) {
    return payments == 0 ? 0 : microseconds(time) / static_cast<double>(payments);
}

std::string bar(std::uint64_t value, std::uint64_t most) {
    constexpr std::uint64_t kWidth = 16;
    return std::string(most == 0 ? 0 : static_cast<std::size_t>(std::max<std::uint64_t>(1, value * kWidth / most)),
                       '#');
}

std::string shape_text(const BenchLoadOptions& options) {
    std::string text = std::to_string(options.connections);
    if (options.pipeline > 1) text += fmt::format(" x {}", options.pipeline);
    if (options.batch > 1) text += fmt::format(" x {}", human_count(options.batch));
    return text;
}

void print_loads(const BenchReport& report) {
    using enum Table::Align;
    Table table({{"LOAD", left},
                 {"SENT", right},
                 {"PAYMENTS/S", right},
                 {"", left},
                 {"P50", right},
                 {"P90", right},
                 {"P99", right},
                 {"P99.9", right},
                 {"P100", right}});
    std::uint64_t most = 0;
    for (const BenchMeasured& load : report.loads) most = std::max(most, load.payments_per_second());
    for (const BenchMeasured& load : report.loads) {
        const Latencies& latencies = load.result.latencies;
        table.add({load.load, shape_text(load.options), human_count(load.payments_per_second()),
                   bar(load.payments_per_second(), most), human_duration(latencies.p50()),
                   human_duration(latencies.p90()), human_duration(latencies.p99()), human_duration(latencies.p999()),
                   human_duration(latencies.p100())});
    }
    table.print();
}

void print_stages(const BenchReport& report) {
    using enum Table::Align;
    Table table({{"SERVER'S STAGE", left},
                 {"TIMES", right},
                 {"MEAN", right},
                 {"", left},
                 {"P50", right},
                 {"P90", right},
                 {"P99", right},
                 {"P99.9", right},
                 {"P100 <=", right}});
    for (const BenchMeasured& load : report.loads) {
        std::int64_t most = 1;
        for (const StageTimes& stage : load.stages) most = std::max(most, stage.mean.count());
        for (const StageTimes& stage : load.stages) {
            table.add({fmt::format("{}: {}", load.load, stage.stage), human_count(stage.count),
                       human_duration(stage.mean),
                       bar(static_cast<std::uint64_t>(stage.mean.count()), static_cast<std::uint64_t>(most)),
                       human_duration(stage.p50), human_duration(stage.p90), human_duration(stage.p99),
                       human_duration(stage.p999), human_duration(stage.p100)});
        }
    }
    if (table.rows() == 0) return;
    fmt::print("\n");
    table.print();
}

void print_costs(const BenchReport& report) {
    using enum Table::Align;
    Table table({{"COST", left},
                 {"PAYMENTS", right},
                 {"SETTLED", right},
                 {"REFUSED", right},
                 {"CLIENT CPU EACH", right},
                 {"SERVER CPU EACH", right},
                 {"JOURNAL EACH", right},
                 {"SERVER MEMORY", right}});
    for (const BenchMeasured& load : report.loads) {
        const BenchLoadResult& result = load.result;
        const auto us = [](double value) { return fmt::format("{:.2f} us", value); };
        table.add({load.load, human_count(result.payments),
                   load.counts_settled ? fmt::format("{:.2f} %", 100 * share(result.settled, result.payments)) : "-",
                   human_count(result.refused + result.not_taken), us(each(result.client_cpu, result.payments)),
                   load.server_cpu ? us(each(*load.server_cpu, result.payments)) : "-",
                   load.frame_bytes > 0 ? fmt::format("{:.0f} B", share(load.frame_bytes, result.payments)) : "-",
                   load.server_memory ? human_bytes(load.server_memory->resident_bytes) : "-"});
    }
    fmt::print("\n");
    table.print();
}

void write_latencies(JsonWriter& json, std::string_view name, const Latencies& latencies) {
    json.key(name).begin_object().field("p50", microseconds(latencies.p50()));
    json.field("p90", microseconds(latencies.p90())).field("p99", microseconds(latencies.p99()));
    json.field("p99_9", microseconds(latencies.p999())).field("p100", microseconds(latencies.p100())).end_object();
}

void write_stages(JsonWriter& json, const std::vector<StageTimes>& stages) {
    json.key("stages").begin_array();
    for (const StageTimes& stage : stages) {
        json.begin_object().field("stage", stage.stage).field("count", stage.count);
        json.field("mean_us", microseconds(stage.mean)).field("p50_us", microseconds(stage.p50));
        json.field("p90_us", microseconds(stage.p90)).field("p99_us", microseconds(stage.p99));
        json.field("p99_9_us", microseconds(stage.p999)).field("p100_at_most_us", microseconds(stage.p100));
        json.end_object();
    }
    json.end_array();
}

void write_costs(JsonWriter& json, const BenchMeasured& load) {
    const BenchLoadResult& result = load.result;
    json.field("bytes_sent", result.bytes_sent).field("bytes_received", result.bytes_received);
    json.field("client_cpu_us_each", each(result.client_cpu, result.payments)).key("server_cpu_us_each");
    load.server_cpu ? json.number(each(*load.server_cpu, result.payments)) : json.null();
    json.key("server_memory_bytes");
    load.server_memory ? json.number(load.server_memory->resident_bytes) : json.null();
    json.field("frames", load.frames).field("journal_bytes_each", share(load.frame_bytes, result.payments));
}

void write_load(JsonWriter& json, const BenchMeasured& load) {
    const BenchLoadResult& result = load.result;
    json.begin_object().field("load", load.load).field("loop", load.options.rate > 0 ? "open" : "closed");
    json.field("connections", load.options.connections).field("pipeline", load.options.pipeline);
    json.field("batch", load.options.batch).field("rate", load.options.rate);
    json.field("requests", result.requests).field("payments", result.payments).key("settled");
    load.counts_settled ? json.number(result.settled) : json.null();
    json.key("settled_ratio");
    load.counts_settled ? json.number(share(result.settled, result.payments)) : json.null();
    json.field("refused_requests", result.refused).field("not_taken", result.not_taken).field("unsent", result.unsent);
    json.field("first_refusal", result.first_refusal);
    json.field("payments_per_second", load.payments_per_second());
    json.field("elapsed_ms", result.elapsed.count() / 1'000'000);
    write_latencies(json, "latency_us", result.latencies);
    if (load.options.rate > 0) {
        write_latencies(json, "lateness_us", result.lateness);
        write_latencies(json, "own_lateness_us", result.own_lateness);
    }
    if (load.gaps) {
        write_latencies(json, "machine_late_us", load.gaps->late);
        write_latencies(json, "machine_write_us", load.gaps->writes);
        json.field("machine_late_at_real_time_priority", load.gaps->real_time);
    }
    write_stages(json, load.stages);
    write_costs(json, load);
    json.end_object();
}

}  // namespace

std::uint64_t BenchMeasured::payments_per_second() const { return per_second(result.payments, result.elapsed); }

void print_table(const BenchReport& report) {
    print_loads(report);
    print_stages(report);
    print_costs(report);
    for (const BenchMeasured& load : report.loads) {
        const std::string& refusal = load.result.first_refusal;
        if (!refusal.empty()) fmt::print("\n{}: the first refusal: {}\n", load.load, refusal);
    }
    for (const BenchMeasured& load : report.loads) {
        if (load.options.rate == 0) continue;
        const BenchLoadResult& result = load.result;
        fmt::print(
            "\n{}: open loop of {}/s; requests were sent late by p99 {}, at most {}; {} found no free connection\n",
            load.load, human_count(load.options.rate), human_duration(result.lateness.p99()),
            human_duration(result.lateness.p100()), human_count(result.unsent));
        fmt::print("  while a connection was free, so for the client's own sake: p99 {}, at most {}\n",
                   human_duration(result.own_lateness.p99()), human_duration(result.own_lateness.p100()));
        if (!load.gaps) continue;
        fmt::print("  a thread that only sleeps woke late by p99 {}, at most {} ({} priority)\n",
                   human_duration(load.gaps->late.p99()), human_duration(load.gaps->late.p100()),
                   load.gaps->real_time ? "real-time" : "usual");
        fmt::print("  raw 4 KiB writes meanwhile: p99 {}, at most {}\n", human_duration(load.gaps->writes.p99()),
                   human_duration(load.gaps->writes.p100()));
    }
    fmt::print("\nserver   {}\nmachine  {}\n", report.server, report.machine.text());
    if (report.proved && *report.proved) {
        fmt::print("{}: {} payments\n", coloured(Colour::green, "books proved"), human_count(report.proved_payments));
    } else if (report.proved) {
        fmt::print("{}\n", coloured(Colour::red, "books NOT proved"));
    }
}

std::string to_json(const BenchReport& report) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("server", report.server).key("loads").begin_array();
    for (const BenchMeasured& load : report.loads) write_load(json, load);
    json.end_array().key("machine");
    report.machine.write(json);
    json.key("books_proved");
    report.proved ? json.boolean(*report.proved) : json.null();
    json.end_object();
    return text;
}

}  // namespace nostro::cli
