#include "nostro/profiles/upi_metrics.hpp"

#include <array>

namespace nostro::upi {
namespace {

constexpr std::int64_t kPaisa = 100;
constexpr std::array<std::uint64_t, 11> kRupees = {1, 10, 50, 100, 500, 1'000, 5'000, 10'000, 50'000, 100'000, 200'000};
constexpr std::string_view kByStatus = "upi_transactions_total", kByStatusHelp = "Processed payments by their status.";

}  // namespace

Metrics::Metrics(MetricsRegistry& registry, std::size_t balance_gauges)
    : registry_(registry),
      balance_gauges_(balance_gauges),
      all_(registry.counter("transactions_total", "Processed payments.")),
      failures_(registry.counter("transaction_failures_total", "Payments that failed.")),
      success_(registry.counter(kByStatus, kByStatusHelp, {{"status", "SUCCESS"}})),
      failed_(registry.counter(kByStatus, kByStatusHelp, {{"status", "FAILED"}})),
      amount_(registry.counter("upi_transactions_amount_total", "Rupees of the payments that succeeded.")),
      amounts_(registry.bounded_histogram("transaction_amount", "Amounts of payments in rupees.", kRupees, 0)) {}

void Metrics::count(const Outcome& outcome, const Payment* payment) {
    const bool is_first = outcome.event == Event::submitted || outcome.event == Event::record_kept;
    if (!is_first || !outcome.reverses.empty()) return;  // what is given back is no new payment
    all_.add();
    const bool is_success = outcome.status == Status::settled;
    (is_success ? success_ : failed_).add();
    if (!is_success) failures_.add();
    if (payment == nullptr) return;
    const auto rupees = static_cast<std::uint64_t>(payment->amount.minor() / kPaisa);
    amounts_.record(rupees);
    if (!is_success) return;
    amount_.add(rupees);
    for (const Balance& balance : balances_of(outcome, *payment)) show(balance);
}

void Metrics::show(const Balance& balance) {
    auto found = balances_.find(balance.user_id);
    if (found == balances_.end()) {
        if (balances_.size() >= balance_gauges_) return;
        Gauge& gauge =
            registry_.gauge("upi_user_balance", "Balance of a user in rupees.", {{"user_id", balance.user_id}});
        found = balances_.emplace(balance.user_id, &gauge).first;
    }
    found->second->set(balance.balance);
}

}  // namespace nostro::upi
