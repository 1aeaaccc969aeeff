// Names of accounts made of other systems' ids, which may be any text: "user:user_1", "party:C123:USD".
//
// An account's name is 1..64 characters of a small set (domain/account.hpp). Others are escaped as '+' and two hex
// digits (so is '+'); what would be too long is cut and ends with a digest of the whole. Different ids get different
// names.
//
// Pure. Threads: any.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "nostro/wire/arena.hpp"

namespace nostro {

// prefix + id + suffix, the id escaped; in the arena.
std::string_view account_name_of(std::string_view prefix, std::string_view id, std::string_view suffix, Arena& arena);
// Whether such a name was cut.
bool is_cut(std::string_view name);
// The id again; nullopt: it was cut, and only whoever made the name knows it.
std::optional<std::string> id_of_account(std::string_view name, std::string_view prefix, std::string_view suffix);

}  // namespace nostro
