// Each Reason in the words of the rails, and what a client may do about it. docs/reasons.md shows the table; a test
// compares them.
#pragma once
#include <cstdint>
#include <string_view>

#include "nostro/domain/outcome.hpp"

namespace nostro {

enum class ReasonClass : std::uint8_t {
    retry_later,
    fix_and_resend,
    ask_customer,
    risk_block,
    reconcile_never_retry,
    final,
};
std::string_view name(ReasonClass);

// Whose codes a rail speaks, beside those of ISO 20022, which all are told.
enum class RailFamily : std::uint8_t { iso20022, upi, ach, card };
RailFamily rail_family(std::string_view rail_name);  // "upi", "upi_lite": upi; "ach", "same_day_ach": ach; "card": card

// Empty: that scheme has no code for it.
struct ReasonCodes {
    std::string_view iso20022, upi, ach, iso8583;
};

// Precondition: not Reason::none.
ReasonClass reason_class(Reason reason);
ReasonCodes reason_codes(Reason reason);
// One sentence for people: what happened.
std::string_view reason_text(Reason reason);

}  // namespace nostro
