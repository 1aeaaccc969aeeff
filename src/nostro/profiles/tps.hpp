// A record of users' transactions: bodies of POST /transactions in, their state, table rows and cache entries out.
//
// Money: `user:{user_id}:{currency}` -> `tps:clearing:{currency}`, without a floor.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/profiles/profile.hpp"

namespace nostro {

Result<std::unique_ptr<Profile>> make_tps(const ProfileSetup& setup);

namespace tps {

struct Words {  // of the states
    std::string pending = "pending", completed = "completed", failed = "failed";
};
Words words_of(const ProfileSetup& setup);

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

// A program without the Book cannot know the number that the Book will give. It answers with another that is made from
// the payment's id, of sixteen digits, which no JSON reader rounds: GET shows the transaction under it as well.
std::uint64_t ticket_of(PaymentId payment);
bool is_ticket(std::uint64_t number);                                  // never a number that the Book gives
void index_rows(const Payment& payment, std::vector<IndexRow>& into);  // by which a ticket's transaction is found

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
std::string cache_key(std::uint64_t id);
// What cache_of() has written; nullopt: it is none, or one that may become another: only an end is the end.
std::optional<Transaction> transaction_of(std::string_view cached, const Words& words);

}  // namespace tps
}  // namespace nostro
