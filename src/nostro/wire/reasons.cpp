#include "nostro/wire/reasons.hpp"

#include <array>

#include "nostro/wire/payload_parts.hpp"

namespace nostro {
namespace {

struct Row {
    Reason reason;
    ReasonClass of_class;
    ReasonCodes codes;  // ISO 20022, UPI, ACH return, ISO 8583
    std::string_view text;
};

using enum ReasonClass;
constexpr std::array kRows = {
    Row{Reason::none, final, {}, "nothing was refused"},
    Row{Reason::insufficient_funds, retry_later, {"AM04", "Z9", "R01", "51"}, "the debtor has too little available"},
    Row{Reason::limit_exceeded, retry_later, {"AM14", "Z7", "", "61"}, "a limit of the policy would be exceeded"},
    Row{Reason::account_unknown, fix_and_resend, {"AC01", "XH", "R03", "14"}, "there is no such account"},
    Row{Reason::account_closed, fix_and_resend, {"AC04", "XI", "R02", "62"}, "an account is closed"},
    Row{Reason::account_frozen, fix_and_resend, {"AC06", "YE", "R16", "62"}, "an account is frozen"},
    Row{Reason::same_account, fix_and_resend, {"AG01", "U96", "R17", "12"}, "debtor and creditor are one account"},
    Row{Reason::currency_mismatch, fix_and_resend, {"AM03", "U12", "R17", "12"}, "an account has another currency"},
    Row{Reason::amount_out_of_range, fix_and_resend, {"AM02", "Z8", "R17", "13"}, "the amount is not taken here"},
    Row{Reason::risk_rejected, risk_block, {"FRAD", "U16", "R17", "05"}, "the policy's rules refuse it"},
    Row{Reason::review_rejected, risk_block, {"RR04", "U16", "R17", "05"}, "a reviewer refused it"},
    Row{Reason::review_expired, retry_later, {"AB06", "U20", "R17", "05"}, "nobody reviewed it in time"},
    Row{Reason::hold_expired, final, {"AB05", "U69", "", ""}, "nobody captured it in time"},
    Row{Reason::not_settled, fix_and_resend, {"NARR", "U04", "R17", "12"}, "the original payment is not settled"},
    Row{Reason::reversal_exceeds_original,
        fix_and_resend,
        {"AM09", "U12", "R17", "13"},
        "more would be reversed than the original payment moved"},
    Row{Reason::reversal_of_reversal, final, {"AG01", "U07", "R17", "12"}, "a reversal cannot be reversed"},
    Row{Reason::too_late_to_reverse, final, {"NARR", "U07", "R17", "12"}, "the original payment is too old"},
    Row{Reason::group_refused,
        fix_and_resend,
        {"NARR", "U30", "R17", "12"},
        "another payment of its group was refused"},
    Row{Reason::not_immediate,
        fix_and_resend,
        {"NARR", "U30", "R17", "12"},
        "it would have been held or reviewed, which a group cannot wait for"},
    Row{Reason::unreadable, fix_and_resend, {"FF01", "U05", "R17", "30"}, "its document could not be read"},
    Row{Reason::broken, reconcile_never_retry, {"MS03", "U08", "", "96"}, "it was put aside after a fault of ours"},
    Row{Reason::not_found, fix_and_resend, {"NARR", "U04", "", "25"}, "there is no such payment"},
    Row{Reason::not_open, final, {"NARR", "U07", "", "12"}, "the payment is not open any more"},
    Row{Reason::already_decided, final, {"NARR", "U07", "", "12"}, "the review is decided already"},
    Row{Reason::amount_exceeds_held, fix_and_resend, {"AM09", "U12", "", "13"}, "more than is held"},
    Row{Reason::account_exists, fix_and_resend, {"NARR", "", "", ""}, "the account exists with other fields"},
    Row{Reason::balance_not_zero, fix_and_resend, {"NARR", "", "", ""}, "the account's balance is not zero"},
    Row{Reason::holds_open, retry_later, {"NARR", "", "", ""}, "the account has open holds"},
    Row{Reason::opening_out_of_range, fix_and_resend, {"AM12", "", "", "13"}, "the opening balance is out of range"},
    Row{Reason::house_account, fix_and_resend, {"AG01", "", "", ""}, "house accounts are there by themselves"},
    Row{Reason::policy_outdated, fix_and_resend, {"NARR", "", "", ""}, "another version of the policy came first"},
    Row{Reason::no_policy, retry_later, {"NARR", "", "", "96"}, "the tenant has no policy yet"},
    Row{Reason::book_full, retry_later, {"NARR", "U08", "", "96"}, "a table of the book is full"},
};
static_assert(kRows.size() == static_cast<std::size_t>(kReasonLast) + 1);

constexpr bool in_order() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (static_cast<std::size_t>(kRows[i].reason) != i) return false;
    }
    return true;
}
static_assert(in_order(), "a row stands at its reason's number");

const Row& row(Reason reason) { return kRows[static_cast<std::size_t>(reason)]; }

}  // namespace

std::string_view name(ReasonClass of_class) {
    switch (of_class) {
        case retry_later: return "retry_later";
        case fix_and_resend: return "fix_and_resend";
        case ask_customer: return "ask_customer";
        case risk_block: return "risk_block";
        case reconcile_never_retry: return "reconcile_never_retry";
        case final: return "final";
    }
    return "unknown";
}

RailFamily rail_family(std::string_view rail_name) {
    const auto has = [&](std::string_view word) { return rail_name.find(word) != std::string_view::npos; };
    if (has("upi")) return RailFamily::upi;
    if (has("ach")) return RailFamily::ach;
    if (has("card") || has("8583")) return RailFamily::card;
    return RailFamily::iso20022;
}

ReasonClass reason_class(Reason reason) { return row(reason).of_class; }
ReasonCodes reason_codes(Reason reason) { return row(reason).codes; }
std::string_view reason_text(Reason reason) { return row(reason).text; }

}  // namespace nostro
