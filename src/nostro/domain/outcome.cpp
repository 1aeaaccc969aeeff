#include "nostro/domain/outcome.hpp"

#include <array>
#include <string>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::array<std::string_view, 8> kStatuses = {"accepted", "in_review", "held",   "settled",
                                                       "rejected", "expired",   "voided", "quarantined"};
constexpr std::array<std::string_view, 33> kReasons = {
    "none",
    "insufficient_funds",
    "limit_exceeded",
    "account_unknown",
    "account_closed",
    "account_frozen",
    "same_account",
    "currency_mismatch",
    "amount_out_of_range",
    "risk_rejected",
    "review_rejected",
    "review_expired",
    "hold_expired",
    "not_settled",
    "reversal_exceeds_original",
    "reversal_of_reversal",
    "too_late_to_reverse",
    "group_refused",
    "not_immediate",
    "unreadable",
    "broken",
    "not_found",
    "not_open",
    "already_decided",
    "amount_exceeds_held",
    "account_exists",
    "balance_not_zero",
    "holds_open",
    "opening_out_of_range",
    "house_account",
    "policy_outdated",
    "no_policy",
    "book_full",
};
constexpr std::array<std::string_view, 13> kEvents = {
    "submitted",
    "captured",
    "voided",
    "approved",
    "refused",
    "expired",
    "account_opened",
    "account_changed",
    "balance_adjusted",
    "policy_changed",
    "record_kept",
    "dead_letter_kept",
    "dead_letter_resolved",
};
static_assert(static_cast<std::size_t>(Status::quarantined) + 1 == kStatuses.size());
static_assert(static_cast<std::size_t>(Reason::book_full) + 1 == kReasons.size());
static_assert(static_cast<std::size_t>(Event::dead_letter_resolved) + 1 == kEvents.size());

template <class Enum, std::size_t N>
Result<Enum> parse(std::string_view text, const char* what, const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == text) return static_cast<Enum>(i);
    }
    std::string known;
    for (const std::string_view name : names) {
        if (!known.empty()) known += ", ";
        known += name;
    }
    return Error{ErrorCode::invalid, std::string(what) + ": " + quoted(text) + " is none of " + known};
}

}  // namespace

std::string_view name(Status status) { return kStatuses.at(static_cast<std::size_t>(status)); }
std::string_view name(Reason reason) { return kReasons.at(static_cast<std::size_t>(reason)); }
std::string_view name(Event event) { return kEvents.at(static_cast<std::size_t>(event)); }

Result<Status> parse_status(std::string_view text) { return parse<Status>(text, "status", kStatuses); }
Result<Reason> parse_reason(std::string_view text) { return parse<Reason>(text, "reason", kReasons); }

void Changes::clear() {
    outcomes.clear();
    accounts.clear();
    counters.clear();
    holds.clear();
    reversed.clear();
    known.clear();
    bounds.clear();
    tenants.clear();
    policies.clear();
}

std::optional<TenantNo> tenant_of_policy(const Changes& changes, std::size_t index) {
    for (const Outcome& outcome : changes.outcomes) {
        if (outcome.event == Event::policy_changed && index-- == 0) return outcome.tenant;
    }
    return std::nullopt;
}

}  // namespace nostro
