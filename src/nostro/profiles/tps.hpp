// A record of users' transactions: bodies of POST /transactions in, their state, table rows and cache entries out.
//
// Money: `user:{user_id}:{currency}` -> `tps:clearing:{currency}`, without a floor.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/profiles/profile.hpp"

namespace nostro {

Result<std::unique_ptr<Profile>> make_tps(const ProfileSetup& setup);

namespace tps {

struct Words {  // of the states
    std::string pending = "pending", completed = "completed", failed = "failed";
};

struct Transaction {
    std::uint64_t id = 0;
    std::string user_id;
    Money amount;
    std::string status;
    Instant created_at{};
    friend bool operator==(const Transaction&, const Transaction&) = default;
};
// Of a payment and the last thing that became of it. nullopt: of a reversal, for which a transaction has no words.
std::optional<Transaction> transaction_of(const Outcome& outcome, const Payment& payment, const Words& words);

// The documents.

// What the routes answer: user_id, amount, currency, id, status, created_at.
std::string body_of(const Transaction& transaction);

// A row of `transactions(id, user_id, amount numeric(20,4), currency, status, created_at timestamp)`: the columns'
// texts.
std::vector<std::string> row_of(const Transaction& transaction);

struct CacheEntry {
    std::string key, value;
    std::int64_t expires_s = 0;
};
CacheEntry cache_of(const Transaction& transaction);  // txn:{id}, for an hour

}  // namespace tps
}  // namespace nostro
