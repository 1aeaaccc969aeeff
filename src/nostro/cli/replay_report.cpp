#include "nostro/cli/replay_report.hpp"

#include <fmt/format.h>

#include "nostro/base/text.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

std::string share(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return "-";
    const std::uint64_t per_mille = part * 1000 / whole;
    return fmt::format("{}.{} %", per_mille / 10, per_mille % 10);
}

void line(std::string_view name, std::uint64_t count, std::uint64_t whole, std::string_view note = {}) {
    fmt::print("  {:<26} {:>12} {:>8}  {}\n", name, human_count(count), share(count, whole), note);
}

void counts(JsonWriter& json, std::string_view name, const std::map<std::string, std::uint64_t>& by) {
    json.key(name).begin_object();
    for (const auto& [key, count] : by) json.field(key, count);
    json.end_object();
}

void list(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
    json.key(name).begin_array();
    for (const std::string& text : texts) json.value(text);
    json.end_array();
}

}  // namespace

std::string ReplayReport::hint() const {
    const auto unknown = rejected_by_reason.find("account_unknown");
    if (unknown == rejected_by_reason.end() || unknown->second * 2 <= taken) return {};
    return "most rows name accounts that are not open: start with --put-policy, which lets payments open them, on a "
           "fresh data folder (what was rejected stays so)";
}

void ReplayReport::print() const {
    fmt::print("{}\n", coloured(Colour::bold, "rows"));
    line("read", rows, rows);
    if (zero_amounts > 0) line("amount 0, skipped", zero_amounts, rows, "nothing to move");
    if (unreadable > 0) line("unreadable, not sent", unreadable, rows);
    for (const std::string& what : unreadable_first) fmt::print("    {}\n", what);
    line("taken", taken, rows);
    if (replayed > 0) line("of them known before", replayed, rows, "a replay changes nothing");
    for (const auto& [code, count] : not_taken_by_code) line("not taken", count, rows, code);
    for (const std::string& what : not_taken_first) fmt::print("    {}\n", what);

    fmt::print("{}\n", coloured(Colour::bold, "decided"));
    for (const auto& [status, count] : by_status) line(status, count, taken);
    for (const auto& [reason, count] : rejected_by_reason) line("  rejected", count, taken, reason);

    if (const std::string what = hint(); !what.empty()) fmt::print("  {}\n", what);

    if (is_paysim) print_paysim();

    fmt::print("{}\n", coloured(Colour::bold, "answers"));
    fmt::print("  {} in {}; a batch: p50 {}, p99 {}, p100 {}{}\n", human_rate(taken, elapsed), human_duration(elapsed),
               human_duration(latencies.p50()), human_duration(latencies.p99()), human_duration(latencies.p100()),
               retried_batches > 0 ? fmt::format("; {} batches sent again", retried_batches) : "");
}

void ReplayReport::print_paysim() const {
    fmt::print("{}\n", coloured(Colour::bold, "what double entry makes of the file's balances"));
    // What was not settled moved nothing, however well its row adds up.
    line(paysim::name(paysim::Mismatch::none), reproduced, audit.rows(), paysim::explanation(paysim::Mismatch::none));
    if (const auto others = audit.count(paysim::Mismatch::none) - reproduced; others > 0) {
        line("not_settled", others, audit.rows(), "the row adds up, but the ledger did not settle it");
    }
    for (std::size_t i = 0; i < paysim::kMismatches; ++i) {
        const auto mismatch = static_cast<paysim::Mismatch>(i);
        if (mismatch == paysim::Mismatch::none || audit.count(mismatch) == 0) continue;
        line(paysim::name(mismatch), audit.count(mismatch), audit.rows(), paysim::explanation(mismatch));
    }

    fmt::print("{}\n", coloured(Colour::bold, "detection by the active policy"));
    fmt::print("  {} rows labelled fraud, {} stopped, {} of them fraud: precision {}, recall {}\n", human_count(fraud),
               human_count(stopped), human_count(stopped_fraud), share(stopped_fraud, stopped),
               share(stopped_fraud, fraud));
}

void ReplayReport::paysim_json(JsonWriter& json) const {
    json.key("double_entry").begin_object();
    for (std::size_t i = 0; i < paysim::kMismatches; ++i) {
        const auto mismatch = static_cast<paysim::Mismatch>(i);
        if (mismatch == paysim::Mismatch::none) continue;
        json.field(paysim::name(mismatch), audit.count(mismatch));
    }
    json.field(paysim::name(paysim::Mismatch::none), reproduced);
    json.field("not_settled", audit.count(paysim::Mismatch::none) - reproduced);
    json.end_object();
    json.key("detection").begin_object();
    json.field("fraud", fraud).field("stopped", stopped).field("stopped_fraud", stopped_fraud).end_object();
}

std::string ReplayReport::json() const {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    json.field("rows", rows).field("zero_amounts", zero_amounts).field("unreadable", unreadable);
    list(json, "unreadable_first", unreadable_first);
    json.field("taken", taken).field("replayed", replayed).field("retried_batches", retried_batches);
    counts(json, "by_status", by_status);
    counts(json, "rejected_by_reason", rejected_by_reason);
    counts(json, "not_taken_by_code", not_taken_by_code);
    list(json, "not_taken_first", not_taken_first);
    if (is_paysim) {
        paysim_json(json);
    } else {
        json.field("double_entry", nullptr).field("detection", nullptr);
    }
    json.key("batch_latency_us").begin_object();
    const auto us = [](std::chrono::nanoseconds ns) { return ns.count() / 1000; };
    json.field("p50", us(latencies.p50()))
        .field("p99", us(latencies.p99()))
        .field("p100", us(latencies.p100()))
        .end_object();
    json.field("elapsed_ms", elapsed.count() / 1'000'000);
    json.end_object();
    return text;
}

}  // namespace nostro::cli
