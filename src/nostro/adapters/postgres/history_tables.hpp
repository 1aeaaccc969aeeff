// The query index as tables of the schema nostro: where in the journal a question finds its answer, and nothing else.
// PostgresProjection feeds them, PostgresHistory asks them.
//
// Pure. Threads: any.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "nostro/adapters/postgres/rows.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "nostro/ports/history.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// Appends what a profile keeps of a payment, or of a kept record, as Recorded::payment shows it. The same payment
// always gives the same rows. Empty: nothing is kept.
using HistoryRows = std::function<void(TenantNo, const Payment&, std::vector<IndexRow>&)>;
// Of what HistoryRows gives. Whoever lets it go up appends a step to the schema that empties the tables.
constexpr std::uint32_t kHistoryRowsVersion = 4;

PostgresSchema history_schema();
std::vector<PostgresTable> history_tables();
Result<> add_history_rows(const DecodedFrame& frame, const HistoryRows& rows, PostgresRows& into);

}  // namespace nostro
