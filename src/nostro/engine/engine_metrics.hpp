// What the engine counts. Registered once; names end in their unit.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/domain/book.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro {

constexpr std::size_t kStatusCount = static_cast<std::size_t>(Status::quarantined) + 1;
constexpr std::size_t kEndReasonCount = static_cast<std::size_t>(Reason::broken) + 1;  // of recorded outcomes

struct SettlementMetrics {
    explicit SettlementMetrics(MetricsRegistry& registry);
    void record(const std::array<Book::TableUse, 6>& usage);

    Counter& frames;
    Counter& frame_bytes;
    Counter& commands;                                // recorded
    std::array<Counter*, kStatusCount> outcomes{};    // of payments, by the status they led to
    std::array<Counter*, kEndReasonCount> reasons{};  // of rejected and expired ones
    Counter& replayed;
    Counter& reused;
    Counter& refused;
    std::array<Gauge*, 6> table_used{}, table_most{};  // of the Book, in the order of Book::usage()
    Counter& not_taken;                                // no space, tables full
    Histogram& frame_payments;
    Histogram& decide;  // begin of a frame until it is handed to the journal
    Histogram& accept;  // from there until it is durable
};

struct FeedMetrics {
    FeedMetrics(MetricsRegistry& registry, std::string_view projection);

    Counter& frames;
    Counter& failures;
    Histogram& project;
};

// Brought up to date when somebody looks.
struct EngineGauges {
    explicit EngineGauges(MetricsRegistry& registry);

    Gauge& inbox_commands;
    Gauge& inbox_bytes;
    Gauge& accepted_seq;
    Gauge& subscribers;
    Counter& overloaded;
    Gauge& owner;
    Gauge& standby_lag_frames;
    Gauge& standby_lag_seconds;
};

}  // namespace nostro
