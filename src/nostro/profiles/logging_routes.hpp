// HTTP of the transaction log: POST /transaction, GET /reports, GET /. Internal to logging*.cpp.
#pragma once
#include <string_view>
#include <vector>

#include "nostro/ports/ledger.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro::logging {

std::vector<Route> logging_routes(Ledger& ledger);
extern const std::string_view kSchemas;  // of their bodies

// Texts of the wish are in the arena, or live as long as the arguments do.
Wish wish_of(std::string_view sender, std::string_view receiver, Money amount, std::string_view key, Arena& arena);

}  // namespace nostro::logging
