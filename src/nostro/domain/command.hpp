// Everything that can change a Book. Texts and spans are views into memory that belongs to whoever holds
// the command.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "nostro/domain/outcome.hpp"
#include "nostro/domain/payment.hpp"
#include "nostro/domain/policy.hpp"

namespace nostro {

struct SubmitPayment {
    Payment payment;
    std::uint64_t meaning = 0;  // 64 bits of SHA-256 over the parsed fields: tells same content from other
    Assessment assessment{};    // made at intake; made again by the Book if the policy has moved on
    Place sealed{};             // where this id stands, if intake found it in a sealed run; seq 0: not found
};
inline constexpr std::size_t kGroupMax = 1'000;
struct SubmitGroup {  // all settle or none; at most kGroupMax
    std::span<const SubmitPayment> payments;
};
struct CapturePayment {
    PaymentId payment;
    std::optional<std::int64_t> amount_minor;  // the rest is released; absent: all
};
struct VoidPayment {
    PaymentId payment;
};
// A payment of its own, from the original's creditor back to its debtor. Intake reads the original's facts
// from the journal; the Book checks its place against the known id.
struct ReversePayment {
    Payment payment;  // sides swapped already; its amount is only valid if `whole_rest` is false
    std::uint64_t meaning = 0;
    bool whole_rest = false;  // all that is not reversed yet
    PaymentId original;
    Place original_at;
    Status original_status = Status::settled;
    bool original_is_reversal = false;
    std::int64_t original_minor = 0;  // settled (captured) amount
    Instant original_settled_at{};
    Place sealed{};
};
struct DecideReview {
    PaymentId payment;
    bool approve = false;
    std::string_view by, note;
};
struct OwnBound {  // of a limit, by the limit's name
    std::uint32_t name_key = 0;
    std::int64_t at_most = 0;
    bool removed = false;  // back to the policy's
};
struct OpenAccount {
    AccountId id;
    std::string_view name;
    Currency currency;
    AccountKind kind = AccountKind::customer;
    RiskLevel risk_level = RiskLevel::unrated;
    std::int64_t floor_minor = 0;
    std::int64_t opening_minor = 0;  // comes out of the equity account
    std::string_view holder, metadata;
    std::span<const OwnBound> bounds;
    std::uint64_t meaning = 0;  // opening again with the same meaning is no error
};
struct ChangeAccount {  // what is absent stays as it was
    AccountId id;
    std::optional<AccountStatus> status;
    std::optional<std::int64_t> floor_minor;
    std::optional<RiskLevel> risk_level;
    std::optional<std::string_view> holder, metadata;
    std::span<const OwnBound> bounds;
};
struct AdjustBalance {  // against equity, when a reconciler adopts an outside edit
    AccountId id;
    std::int64_t delta_minor = 0;
    std::string_view why;
};
struct ChangePolicy {
    PolicyPtr policy;  // parsed elsewhere, swapped by pointer
    std::string_view by;
};
struct KeepRecord {  // a source's document with an outcome but no posting: refused input, historical rows
    PaymentId id;
    Reason reason = Reason::unreadable;
    std::string_view document;
};
struct KeepDeadLetter {  // input nobody could read; kept so that no position is ever skipped
    std::string_view source, position, format, why, bytes;
};
struct ResolveDeadLetter {
    Place letter;
    bool redriven = false;  // false: discarded
    std::string_view by, note;
};

using CommandBody =
    std::variant<SubmitPayment, SubmitGroup, CapturePayment, VoidPayment, ReversePayment, DecideReview, OpenAccount,
                 ChangeAccount, AdjustBalance, ChangePolicy, KeepRecord, KeepDeadLetter, ResolveDeadLetter>;

struct Command {
    TenantNo tenant = 0;
    // What makes a retry harmless: the payment's id for SubmitPayment, ReversePayment and KeepRecord; the hash of the
    // request's key and path for the others; empty: none was given.
    PaymentId id;
    std::uint64_t meaning = 0;  // what the id stands for; SubmitPayment and ReversePayment carry their own
    CommandBody body;
};

// The one payment or record that a command is about; empty: none, or many.
PaymentId payment_of(const Command& command);
// How many payments it may bring, at least one.
std::size_t payments_of(const Command& command);

}  // namespace nostro
