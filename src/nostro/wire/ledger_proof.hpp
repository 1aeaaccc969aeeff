// What GET /v1/ledger/proof answers, checked without journal or service. docs/formats/proof.md.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/wire/checkpoint.hpp"

namespace nostro {

// Of the books as the document tells them, not as they are: the signature covers the journal and none of the sums.
struct CheckedLedger {
    struct Verified {
        std::string at;
        Seq first = 0, last = 0;
    };
    Checkpoint checkpoint;                // genuine, and of the frame that the books stand at
    std::vector<std::string> currencies;  // whose sums are zero: all that the document has
    std::optional<Verified> verified;     // what the service says of the last `nostro verify`
};

// What speaks of a payment is none, whatever else it holds: less is asked of a proof of the books.
bool is_ledger_proof(std::string_view json);
// Checks everything but whether the key is to be trusted. `invalid`: says what is wrong.
Result<CheckedLedger> check_ledger_proof(std::string_view json);

}  // namespace nostro
