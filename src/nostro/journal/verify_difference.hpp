// Two frames' worth of changes side by side, and the difference in words.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "nostro/domain/outcome.hpp"

namespace nostro {

// Tells the first difference of each kind. True: there is none.
bool tell_difference(const Changes& decided, const Changes& recorded,
                     const std::function<void(std::string what, std::optional<PaymentId> payment)>& fault);

}  // namespace nostro
