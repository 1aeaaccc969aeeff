// What outcomes say without a field of their own for it. Pure. Threads: any.
#pragma once
#include <string>

#include "nostro/wire/frame.hpp"

namespace nostro {

// Of a payment: its event moved the money.
bool moved_money(const Outcome& outcome);

// The name under which an account was opened: by its own command, on the way of a payment, or a house account's.
std::string opened_name(const DecodedFrame& frame, const Outcome& account_opened);

}  // namespace nostro
