// A policy for tests of JSON: a rule, a sum and a count.
#pragma once
#include <string>

#include "nostro/domain/policy.hpp"

namespace nostro::test {

inline const std::string kPolicyText = R"(tenant = "nostro"
order = ["accounts", "status", "same_account", "amount", "risk", "limits", "funds"]
unknown_accounts = "refuse"
hold_ttl = "7d"
review_ttl = "24h"
reversal_days = 400

[thresholds]
review = 70
reject = 100

[[rule]]
name = "amount_over_10000"
kind = "amount_band"
above = { USD = "10000.00" }
points = 30

[[limit]]
name = "daily_debit_sum"
side = "debit"
measure = "sum"
currency = "USD"
at_most = "50000.00"
window = { days = 1, zone = "UTC" }
when_exceeded = "reject"

[[limit]]
name = "daily_debit_count"
side = "debit"
measure = "count"
at_most = 1000
window = { days = 1, zone = "UTC" }
when_exceeded = "reject"
)";

inline PolicyPtr a_policy(PolicyVersion version = 3) {
    auto policy = Policy::parse(kPolicyText, version, Instant{std::chrono::seconds{1'795'000'000}});
    return policy ? *policy : nullptr;
}

}  // namespace nostro::test
