// Business payments of nine types: their documents in, rows, answers and queries out (b2b_documents.hpp).
//
// Money: `party:{originator}:{currency}` -> `party:{beneficiary}:{currency}`, or the house's suspense account where no
// beneficiary is named.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "nostro/profiles/b2b_documents.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {

Result<std::unique_ptr<Profile>> make_b2b(const ProfileSetup& setup);

namespace b2b {

// POST /payments/time-range, /payments/type-customer, /payments/date-type-customer.
std::vector<Route> query_routes(Ledger& ledger);
std::string_view query_schemas();  // of their bodies

}  // namespace b2b
}  // namespace nostro
