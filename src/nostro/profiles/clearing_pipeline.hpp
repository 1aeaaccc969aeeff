// Clearing in three parts: what capture says of a row that was found, and what clearance says before settlement has
// decided. Both speak from what the tables showed at that time; the Book alone knows the funds, and decides again.
//
// Pure. Threads: any. `unavailable` is never an error of these: a row that nobody can read is passed on as it is, and
// becomes a dead letter where it arrives.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/time.hpp"
#include "nostro/domain/policy.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro::clearing {

// The accounts that a row of transactions names; nullopt: it is another row, or nobody can read it.
struct NamedAccounts {
    std::string from, to;  // empty: none
    friend bool operator==(const NamedAccounts&, const NamedAccounts&) = default;
};
std::optional<NamedAccounts> named_accounts(const Profile& profile, std::string_view row);

// An account with its customer, as the tables have them.
struct ListedAccount {
    std::string name, risk_level, account_type;
    std::string balance;  // "49000.00"
};
// The row as a message of `financial-transactions`; a row of another table as it is.
std::string captured_message(const Profile& profile, const Policy& policy, std::string_view row,
                             const std::optional<ListedAccount>& from, const std::optional<ListedAccount>& to,
                             Instant now);
// A message of `financial-transactions` as one of `cleared-transactions`: its status is cleared,
// cleared_with_conditions, requires_manual_review, or rejected where an account is missing or the amount is none.
std::string judged_message(const Profile& profile, const Policy& policy, std::string_view message, Instant now);

}  // namespace nostro::clearing
