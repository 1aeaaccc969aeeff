// The small bodies: capture, reverse, review, accounts, policies, dead letters. Strictness, ownership and threads as in
// payment_json.hpp; every function returns false when `errors` says why not.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nostro/domain/command.hpp"
#include "nostro/domain/policy.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/field_errors.hpp"
#include "nostro/wire/json_input.hpp"

namespace nostro {

constexpr std::size_t kHolderMax = 140, kReviewerMax = 64, kNoteMax = 500;
constexpr std::size_t kLetterSourceMax = 64, kLetterPositionMax = 128, kLetterFormatMax = 32;

// An amount whose currency the body does not name. to_minor() when the payment is known.
struct AmountText {
    std::string_view text;
    bool given = false;
};
// > 0. nullopt: added to `errors` under `pointer`.
std::optional<std::int64_t> to_minor(std::string_view text, Currency currency, std::string_view pointer,
                                     FieldErrors& errors);
// 0 and negative are fine: floors, openings.
std::optional<std::int64_t> to_signed_minor(std::string_view text, Currency currency, std::string_view pointer,
                                            FieldErrors& errors);

struct CaptureBody {  // {"amount"}; an empty body: all
    AmountText amount;
};
bool read_capture(JsonReader& reader, const JsonInput& input, Arena& arena, CaptureBody& into, FieldErrors& errors);

struct ReverseBody {  // {"amount","reference","description"}; an empty body: all that is left
    AmountText amount;
    std::string_view reference, description;
};
bool read_reverse(JsonReader& reader, const JsonInput& input, Arena& arena, ReverseBody& into, FieldErrors& errors);

struct ReviewBody {  // {"reviewer","reason"}, both required
    std::string_view reviewer, reason;
};
bool read_review(JsonReader& reader, const JsonInput& input, Arena& arena, ReviewBody& into, FieldErrors& errors);

struct ReconcileBody {  // {"mode","by","reason"}; to adopt names both
    std::string_view mode, by, reason;
};
bool read_reconcile(JsonReader& reader, const JsonInput& input, Arena& arena, ReconcileBody& into, FieldErrors& errors);

// {"account_id","currency","holder","kind","risk_level","floor","limits","opening_balance","metadata"}; the first two
// are required. `limits`: bounds by limit name, amounts for sums, whole numbers for counts. id and meaning stay empty.
bool read_open_account(JsonReader& reader, const JsonInput& input, const Policy& policy, Arena& arena,
                       OpenAccount& into, FieldErrors& errors);

// PATCH: what is absent stays. Amounts wait for the account's currency.
struct ChangeAccountBody {
    std::optional<AccountStatus> status;
    std::optional<RiskLevel> risk_level;
    AmountText floor;
    bool no_floor = false;  // null was sent: the account has no floor
    std::optional<std::string_view> holder, metadata;
    std::span<const OwnBound> bounds;  // null as bound: removed
};
bool read_change_account(JsonReader& reader, const JsonInput& input, const Policy& policy, Arena& arena,
                         ChangeAccountBody& into, FieldErrors& errors);
// The command, once the account's currency is known. nullopt: `errors` says why.
std::optional<ChangeAccount> change_account(const ChangeAccountBody& body, AccountId id, Currency currency,
                                            FieldErrors& errors);

struct PolicyBody {  // {"policy": TOML text, "by"}; `by` is optional
    std::string_view text, by;
};
bool read_policy(JsonReader& reader, const JsonInput& input, Arena& arena, PolicyBody& into, FieldErrors& errors);

// {"source","position","format","why","text"}; `format` is optional. `text` is kept as it is, whatever it holds.
bool read_dead_letter(JsonReader& reader, const JsonInput& input, Arena& arena, KeepDeadLetter& into,
                      FieldErrors& errors);

struct LetterBody {  // {"by","note","payment"}, all optional; an empty body is fine
    std::string_view by, note;
    std::string_view payment;  // redrive: the object's JSON text; to be read by read_payment
};
bool read_discard(JsonReader& reader, const JsonInput& input, Arena& arena, LetterBody& into, FieldErrors& errors);
bool read_redrive(JsonReader& reader, const JsonInput& input, Arena& arena, LetterBody& into, FieldErrors& errors);

}  // namespace nostro
