// Clearing of transfers between the accounts of customers: rows of `transactions`, `accounts` and `customers` in, and
// out (clearing_documents.hpp) what its topics, tables, hashes and logs hold.
//
// Money: from_account -> to_account, two decimals, in the currency of profile.currency. docs/profiles/clearing.md.
#pragma once
#include <memory>

#include "nostro/profiles/profile.hpp"

namespace nostro {

Result<std::unique_ptr<Profile>> make_clearing(const ProfileSetup& setup);

}  // namespace nostro
