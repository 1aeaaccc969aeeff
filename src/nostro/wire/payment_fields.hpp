// The fields of one payment, read from an object that may stand alone or in a batch. Inner part of payment_json and
// batch_json.
#pragma once
#include <string_view>

#include "nostro/wire/json_fields.hpp"
#include "nostro/wire/payment_json.hpp"

namespace nostro {

// `key`: what the header said; in a batch nullptr, there each payment names its own. Errors go to `body.errors`.
void read_payment_fields(JsonBody& body, ondemand::object& object, const std::string_view* key, PaymentWish& into);

}  // namespace nostro
