// The schema `nostro`: accounts, payments, what became of each and why, and the ledger's entries with their running
// balances. docs/operations/postgres.md shows it.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/rows.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "nostro/wire/answer_json.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

struct NativeNames {
    PolicyLookup policy;
    std::function<std::string(TenantNo)> tenant;
};

PostgresSchema native_schema();
std::vector<PostgresTable> native_tables();
Result<> add_native_rows(const DecodedFrame& frame, const NativeNames& names, PostgresRows& into);

}  // namespace nostro
