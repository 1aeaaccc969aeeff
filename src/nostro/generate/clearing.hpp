// The rows that the clearing profile begins with, and endless random ones between its sample accounts, as the JSON
// messages that stand for inserted rows:
//
//     {"transaction_id":"TXN001","amount":1000.00,"from_account":"ACC001","to_account":"ACC002",
//      "transaction_type":"TRANSFER","description":"..."}
//
// The first three messages are the sample transactions; those behind them have uniform amounts from 0.01 to 20,000.00,
// on both sides of the bounds at 5,000 and 10,000. Realistic: what is paid, why, and between which accounts fit
// together.
//
// The same seed and options give the same bytes on every machine. Amounts in minor units of USD. Threads: one owner.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "nostro/base/random.hpp"
#include "nostro/base/time.hpp"
#include "nostro/generate/tally.hpp"

namespace nostro::generate {

struct ClearingCustomer {
    std::string_view customer_id, name, email, risk_level;
};
struct ClearingAccount {
    std::string_view account_number, customer_id, account_type;
    std::int64_t balance_minor;
};
struct ClearingTransaction {
    std::string_view transaction_id;
    std::int64_t amount_minor;
    std::string_view from_account, to_account, transaction_type, description;
};

inline constexpr std::array<ClearingCustomer, 4> kClearingCustomers = {{
    {"CUST001", "John Doe", "john.doe@example.com", "LOW"},
    {"CUST002", "Jane Smith", "jane.smith@example.com", "MEDIUM"},
    {"CUST003", "Bob Johnson", "bob.johnson@example.com", "HIGH"},
    {"CUST004", "Alice Brown", "alice.brown@example.com", "LOW"},
}};
inline constexpr std::array<ClearingAccount, 6> kClearingAccounts = {{
    {"ACC001", "CUST001", "CHECKING", 50'000'00},
    {"ACC002", "CUST002", "SAVINGS", 25'000'00},
    {"ACC003", "CUST003", "CHECKING", 75'000'00},
    {"ACC004", "CUST004", "SAVINGS", 30'000'00},
    {"ACC005", "CUST001", "SAVINGS", 100'000'00},
    {"ACC006", "CUST002", "CHECKING", 15'000'00},
}};
inline constexpr std::array<ClearingTransaction, 3> kClearingTransactions = {{
    {"TXN001", 1'000'00, "ACC001", "ACC002", "TRANSFER", "Deposit for the flat"},
    {"TXN002", 2'500'50, "ACC003", "ACC004", "TRANSFER", "Share of the car"},
    {"TXN003", 750'25, "ACC005", "ACC006", "TRANSFER", "Holiday together"},
}};

// Each appends one line of JSON, without a line end.
void append_json(std::string& to, const ClearingCustomer& customer);
void append_json(std::string& to, const ClearingAccount& account);
void append_json(std::string& to, const ClearingTransaction& transaction);

struct ClearingOptions {
    std::uint64_t seed = 1;
    bool realistic = false;
    Instant start = {};  // rows bring no time; another start, other ids
};

class ClearingGenerator {
public:
    explicit ClearingGenerator(const ClearingOptions& options);

    // Appends one message, without a line end. No id comes twice within 2^32 messages.
    Made append(std::string& to);

private:
    ClearingTransaction uniform();
    ClearingTransaction realistic();

    Xoshiro256 random_;
    bool realistic_;
    std::uint64_t id_key_;
    std::uint64_t made_ = 0;
};

}  // namespace nostro::generate
