// What the routes of profiles share: one wish goes in, its answer follows when it is durable; what is refused has the
// shape {"detail": text}.
//
// Threads: any.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/ports/ledger.hpp"
#include "nostro/wire/framework_errors.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

// Submits `wish` and answers with what `taken` renders of its receipt, on the connection's own thread, once it is
// durable. A wish that was met before gets the receipt of the first time. Refused: 422 when its key was used for
// another wish, or when the policy cannot take it; 503 when nothing was taken or nobody knows. `memory` keeps alive
// what the wish's views point into.
void submit_one(Ledger& ledger, const Reply& reply, std::shared_ptr<const void> memory, const Wish& wish,
                std::function<void(Response&, const Receipt&)> taken);

// {"detail": text}; 503 with a Retry-After.
void refuse_framework(const Reply& reply, std::uint16_t status, std::string_view detail);
void refuse_framework(const Reply& reply, const Error& error);
void refuse_framework(const Reply& reply, const FrameworkErrors& errors);  // 422

// Idempotency-Key, which the originals do not have: whoever sends none makes another wish with every request.
Parameter optional_key();
RouteAnswer json_answer_of(std::uint16_t status, std::string_view description, std::string_view schema,
                           std::vector<std::string_view> headers = {});

// An amount as a JSON number, exact, as the originals show theirs: 12.75, 12.5, 12.0.
void append_amount_number(std::string& to, Money amount);

// The policy that decided it; of what none decided, the one in force. nullptr: there is none yet.
PolicyPtr deciding_policy(const Recorded& recorded, const Ledger& ledger);

}  // namespace nostro
