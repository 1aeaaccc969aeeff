// UPI payments between users: the messages of the topic in, rows, audit rows, cache entries and metrics out.
//
// Money: `user:{payer_id}` -> `user:{payee_id}`, whole rupees.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nostro/profiles/profile.hpp"

namespace nostro {

Result<std::unique_ptr<Profile>> make_upi(const ProfileSetup& setup);

namespace upi {

// The documents: what stores of the original hold of one payment. Amounts in rupees.
struct Transaction {  // a row of `transactions`; of the audit, without reason
    std::string tx_id, payer_id, payee_id;
    std::int64_t amount = 0;
    std::string currency = "INR";
    std::string status;  // SUCCESS, FAILED; PENDING while it is neither
    std::string reason;  // empty: SUCCESS
    Instant created_at{};
};
struct Balance {  // `users` and the cache's balance:{user_id}
    std::string user_id;
    std::int64_t balance = 0;
};
struct CacheEntry {
    std::string key, value;
    std::int64_t expires_s = 0;  // 0: never
};

// Of the outcome that a message got: `payment` as asked for, or, of a record, the message itself in its attachment.
Transaction transaction_of(const Outcome& outcome, const Payment& payment, const Policy& policy);
// Both users after a payment that succeeded; none otherwise.
std::vector<Balance> balances_of(const Outcome& outcome, const Payment& payment);
// balance:{user} of both and daily:{payer}:{YYYY-MM-DD}, after a payment that succeeded; none otherwise.
std::vector<CacheEntry> cache_of(const Outcome& outcome, const Payment& payment, const Policy& policy);

}  // namespace upi
}  // namespace nostro
