// Accounts as a Book holds them: numbers only. Name, holder and metadata stay in the journal, in the
// command that opened the account.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/money.hpp"
#include "nostro/domain/payment.hpp"

namespace nostro {

enum class AccountKind : std::uint8_t { customer, merchant, bank, external, house };
enum class AccountStatus : std::uint8_t {
    active,
    frozen_debit,  // no debits
    frozen,        // neither debits nor credits
    closed,        // for ever; only at balance 0 without holds
};
enum class RiskLevel : std::uint8_t { unrated, low, medium, high, prohibited };

// What a rule may know of a party beyond the payment.
struct PartyFacts {
    RiskLevel risk_level = RiskLevel::unrated;
    AccountKind kind = AccountKind::customer;
    Instant opened_at{};
    friend bool operator==(const PartyFacts&, const PartyFacts&) = default;
};

constexpr std::int64_t kNoFloor = std::numeric_limits<std::int64_t>::min();

// House accounts stand for the other side of one-sided inputs: `house:{equity|cash|suspense|fees}:{currency}`.
// They have no floor and open on first use. Other names with this prefix are refused.
enum class House : std::uint8_t { equity, cash, suspense, fees };
std::string house_name(House house, Currency currency);
bool is_house_name(std::string_view name);               // starts with "house:"
Result<Currency> house_currency(std::string_view name);  // invalid: not one of the four, or no currency

// A name is 1..64 characters of A-Z a-z 0-9 . _ : @ + - (so that it fits into a path and a log line).
Result<> check_account_name(std::string_view name);
AccountId account_id(std::string_view tenant, std::string_view name);

std::string_view name(AccountKind);
std::string_view name(AccountStatus);
std::string_view name(RiskLevel);
Result<AccountKind> parse_account_kind(std::string_view text);
Result<AccountStatus> parse_account_status(std::string_view text);
Result<RiskLevel> parse_risk_level(std::string_view text);

}  // namespace nostro
