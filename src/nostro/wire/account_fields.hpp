// The fields of an account that is opened, read from an object that may stand alone or in a batch. Inner part of
// request_json and batch_json.
#pragma once
#include "nostro/domain/command.hpp"
#include "nostro/domain/policy.hpp"
#include "nostro/wire/json_fields.hpp"

namespace nostro {

void read_account_fields(JsonBody& body, ondemand::object& object, const Policy& policy, OpenAccount& into);

// {"limit name": bound, ...}, in the arena; a null removes a bound where that is allowed. Errors are noted.
std::span<const OwnBound> read_bounds(JsonBody& body, ondemand::value& value, std::string_view pointer,
                                      const Policy& policy, bool may_remove);

}  // namespace nostro
