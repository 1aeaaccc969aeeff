#include "nostro/profiles/clearing_pipeline.hpp"

#include <array>
#include <variant>

#include "nostro/base/text.hpp"
#include "nostro/profiles/clearing_documents.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro::clearing {
namespace {

// A transaction before settlement: what was asked for, and an outcome as clearance sees it, for the documents.
struct Draft {
    Arena arena;
    Payment payment;
    Outcome first;
    bool is_refused = false;  // the row itself: an account is missing, or the amount is none
};

// False: it is no transaction, or nobody can read it.
bool read_draft(const Profile& profile, std::string_view message, Draft& into) {
    const auto wish = profile.read(message, {}, into.arena);
    if (!wish) return false;
    if (const auto* payment = std::get_if<PaymentWish>(&*wish)) {
        into.payment = payment->payment;
        return true;
    }
    const auto* record = std::get_if<RecordWish>(&*wish);
    if (record == nullptr || record->reason == Reason::none) return false;
    into.payment.attachment = record->document;
    into.first.reason = record->reason;
    into.is_refused = true;
    return true;
}

std::int64_t minor_of(const std::optional<ListedAccount>& account, const Draft& draft) {
    if (!account) return 0;
    const auto balance = Money::parse_signed(account->balance, draft.payment.amount.currency());
    return balance ? balance->minor() : 0;
}

std::optional<Party> party_of(const std::optional<ListedAccount>& account) {
    if (!account) return std::nullopt;
    Party party{account->name, account->risk_level, account->account_type, 0, {}};
    if (const auto level = parse_risk_level(to_lower(account->risk_level))) party.facts.risk_level = *level;
    return party;
}

Step step_of(Draft& draft, const Policy& policy, const std::optional<ListedAccount>& from,
             const std::optional<ListedAccount>& to, Instant now) {
    Outcome& first = draft.first;
    first.debtor_before = minor_of(from, draft);
    first.creditor_before = minor_of(to, draft);
    first.accepted_at = now;
    Step step{.payment = &draft.payment, .first = &first, .outcome = &first, .at = now, .policy = &policy};
    step.from = party_of(from);
    step.to = party_of(to);
    const PartyFacts none;
    if (!draft.is_refused) {
        first.why = policy.with_parties(policy.assess(draft.payment), draft.payment,
                                        step.from ? step.from->facts : none, step.to ? step.to->facts : none, now);
    }
    return step;
}

// What the tables could tell; funds and the status of accounts are settlement's to judge.
void judge(Outcome& first, const Step& step) {
    first.status = Status::rejected;
    if (first.reason != Reason::none) return;
    if (!step.from || !step.to) {
        first.reason = Reason::account_unknown;
    } else if (step.payment->debtor_name == step.payment->creditor_name) {
        first.reason = Reason::same_account;
    } else if (first.why.advice == Advice::reject) {
        first.reason = Reason::risk_rejected;
    } else {
        first.status = first.why.advice == Advice::review ? Status::in_review : Status::settled;
    }
}

enum Field : std::size_t {
    kId,
    kFromName,
    kFromRisk,
    kFromType,
    kFromBalance,
    kToName,
    kToRisk,
    kToType,
    kToBalance,
    kFields
};
constexpr std::array<std::string_view, kFields> kPaths = {
    "id",
    "from_customer.name",
    "from_customer.risk_level",
    "from_customer.account_type",
    "from_customer.balance",
    "to_customer.name",
    "to_customer.risk_level",
    "to_customer.account_type",
    "to_customer.balance",
};
using Values = std::array<MessageValue, kFields>;

// As captured_message() wrote it: an account that is not there has a type of null.
std::optional<ListedAccount> listed(const Values& values, Field name) {
    const auto text = [&](std::size_t behind) { return std::string(values[name + behind].text); };
    const bool is_there = values[name + 2].kind == MessageValue::Kind::text;
    if (!is_there) return std::nullopt;
    return ListedAccount{text(0), text(1), text(2), text(3)};
}

std::uint64_t number_of(const MessageValue& value) { return parse_uint64(value.text).value_or(0); }

}  // namespace

std::optional<NamedAccounts> named_accounts(const Profile& profile, std::string_view row) {
    Draft draft;
    if (!read_draft(profile, row, draft)) return std::nullopt;
    return NamedAccounts{message_member(row, "from_account"), message_member(row, "to_account")};
}

std::string captured_message(const Profile& profile, const Policy& policy, std::string_view row,
                             const std::optional<ListedAccount>& from, const std::optional<ListedAccount>& to,
                             Instant now) {
    Draft draft;
    if (!read_draft(profile, row, draft)) return std::string(row);
    constexpr std::array<std::string_view, 1> kId{"id"};
    std::array<MessageValue, 1> id;
    JsonReader reader;
    if (read_message(reader, row, kId, draft.arena, id)) draft.first.number = number_of(id[0]);
    return financial_message(step_of(draft, policy, from, to, now));
}

std::string judged_message(const Profile& profile, const Policy& policy, std::string_view message, Instant now) {
    Draft draft;
    Values values;
    JsonReader reader;
    if (!read_draft(profile, message, draft)) return std::string(message);
    if (!read_message(reader, message, kPaths, draft.arena, values)) return std::string(message);
    draft.first.number = number_of(values[kId]);
    const Step step = step_of(draft, policy, listed(values, kFromName), listed(values, kToName), now);
    judge(draft.first, step);
    return cleared_message(step);
}

}  // namespace nostro::clearing
