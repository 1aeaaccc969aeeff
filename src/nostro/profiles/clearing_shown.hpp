// All documents of one transaction of the clearing pipeline, as they are now.
//
// Threads: any. Blocks on disk.
#pragma once
#include "nostro/base/json_text.hpp"
#include "nostro/base/result.hpp"
#include "nostro/ports/ledger.hpp"

namespace nostro::clearing {

// Members of the open object: row, audit, messages, hash, log; of a customer's record its row alone.
// `rejected_reviews`: what waits for review stands under rejected:{id}.
Result<> write_documents(const Recorded& recorded, const Ledger& ledger, bool rejected_reviews, JsonWriter& into);

}  // namespace nostro::clearing
