#include "nostro/engine/engine_metrics.hpp"

namespace nostro {
namespace {

MetricLabels label(std::string_view key, std::string_view value) { return {{std::string(key), std::string(value)}}; }

}  // namespace

SettlementMetrics::SettlementMetrics(MetricsRegistry& registry)
    : frames(registry.counter("nostro_settlement_frames_total", "Frames written.")),
      frame_bytes(registry.counter("nostro_settlement_frame_bytes_total", "Bytes of the frames written.")),
      commands(registry.counter("nostro_settlement_commands_total", "Commands recorded in frames.")),
      replayed(registry.counter("nostro_settlement_answers_total", "Commands that were answered without a record.",
                                label("kind", "replayed"))),
      reused(registry.counter("nostro_settlement_answers_total", "Commands that were answered without a record.",
                              label("kind", "reused"))),
      refused(registry.counter("nostro_settlement_answers_total", "Commands that were answered without a record.",
                               label("kind", "refused"))),
      not_taken(registry.counter("nostro_settlement_not_taken_total",
                                 "Commands turned away because the disk or a table of the Book was full.")),
      frame_payments(registry.histogram("nostro_settlement_frame_payments", "Payments in a frame.", Unit::things)),
      decide(registry.histogram("nostro_settlement_frame_seconds", "From the begin of a frame until it is handed over.",
                                Unit::nanoseconds)),
      accept(registry.histogram("nostro_journal_accept_seconds", "From handing a frame over until it is durable.",
                                Unit::nanoseconds)) {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        outcomes[i] = &registry.counter("nostro_payments_total", "Decisions on payments, by the state they led to.",
                                        label("status", name(static_cast<Status>(i))));
    }
    constexpr std::array<std::string_view, 6> kTables = {"accounts", "counters", "holds",
                                                         "reversed", "bounds",   "known"};
    for (std::size_t i = 0; i < kTables.size(); ++i) {
        table_used[i] =
            &registry.gauge("nostro_book_cells", "Cells in use in a table of the Book.", label("table", kTables[i]));
        table_most[i] =
            &registry.gauge("nostro_book_cells_max", "Cells that a table of the Book has.", label("table", kTables[i]));
    }
    for (std::size_t i = 1; i < reasons.size(); ++i) {
        reasons[i] = &registry.counter("nostro_payments_refused_total", "Payments rejected or expired, by reason.",
                                       label("reason", name(static_cast<Reason>(i))));
    }
}

void SettlementMetrics::record(const std::array<Book::TableUse, 6>& usage) {
    for (std::size_t i = 0; i < usage.size(); ++i) {
        table_used[i]->set(usage[i].used);
        table_most[i]->set(usage[i].most);
    }
}

FeedMetrics::FeedMetrics(MetricsRegistry& registry, std::string_view projection)
    : frames(registry.counter("nostro_feed_frames_total", "Frames projected.", label("projection", projection))),
      failures(registry.counter("nostro_feed_failures_total", "Times a projection could not take frames.",
                                label("projection", projection))),
      project(registry.histogram("nostro_feed_project_seconds", "Time a projection took for what it was given at once.",
                                 Unit::nanoseconds, label("projection", projection))) {}

EngineGauges::EngineGauges(MetricsRegistry& registry)
    : inbox_commands(registry.gauge("nostro_inbox_commands", "Commands that wait for their turn.")),
      inbox_bytes(registry.gauge("nostro_inbox_bytes", "Bytes of the commands that wait for their turn.")),
      accepted_seq(registry.gauge("nostro_journal_accepted_seq", "Newest frame that is durable.")),
      subscribers(registry.gauge("nostro_stream_subscribers", "Subscribers of the live stream.")),
      overloaded(registry.counter("nostro_inbox_overloaded_total", "Requests turned away because too much waited.")),
      owner(registry.gauge("nostro_owner", "1: this process owns the Book; 0: it is a standby.")),
      standby_lag_frames(registry.gauge("nostro_standby_lag_frames", "Frames that a standby has not installed yet.")),
      standby_lag_seconds(registry.gauge("nostro_standby_lag_seconds",
                                         "Since the books of a standby were last known to be up to date.")) {}

}  // namespace nostro
