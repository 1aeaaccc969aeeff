// From what a caller wants to commands that settlement can take: ids, meanings, the policy's first half, what the
// sealed ids know, and the bytes for the frame. All the work that needs no turn is done here, on the caller's thread.
//
// Ownership: views in what is added must live in `memory` (or for ever). Threads: one owner.
// Errors:    `invalid` begins with the field's name and a colon ("rail: ..."); the builder is then as before the call.
//            `unavailable`, `corrupt`: the sealed ids could not be asked.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/command.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/ports/history.hpp"
#include "nostro/ports/intake.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/payment_json.hpp"

namespace nostro {

// An Idempotency-Key as it counts for routes other than POST /v1/payments: bound to the request's path. `key` empty:
// none was sent, every request is one of its own.
struct RequestKey {
    std::string_view method, path, key;
};

class SubmissionBuilder {
public:
    struct Context {
        const Policies* policies;
        const SealedIds* sealed;    // may be nullptr
        Seq forgotten_through = 0;  // ids of newer frames are left to the Book, which still knows them
        TenantNo tenant = 0;
    };
    SubmissionBuilder(const Context& context, std::shared_ptr<const void> memory);

    // Each adds one command and returns the id under which its receipt comes (payments) or nothing.
    Result<PaymentId> payment(const PaymentWish& wish);
    // All settle or none. The key names the group; every payment has its own key. At most 1,000.
    Result<std::vector<PaymentId>> group(std::string_view key, std::span<const PaymentWish> wishes);
    Result<> capture(PaymentId payment, std::optional<std::int64_t> amount_minor, const RequestKey& key);
    Result<> void_payment(PaymentId payment, const RequestKey& key);
    // Reads nothing: `original` comes from history().payment(). Amount absent: all that is not reversed yet.
    // The reversal is a payment with an id of its own, made from the key or, without one, at random.
    Result<PaymentId> reverse(const Recorded& original, std::optional<std::int64_t> amount_minor,
                              std::string_view reference, std::string_view description, const RequestKey& key);
    Result<> decide_review(PaymentId payment, bool approve, std::string_view by, std::string_view note,
                           const RequestKey& key);
    // `account.id` and `account.meaning` are filled in.
    Result<AccountId> open_account(OpenAccount account, const RequestKey& key);
    Result<> change_account(const ChangeAccount& change, const RequestKey& key);
    Result<> adjust_balance(const AdjustBalance& adjust, const RequestKey& key);
    Result<> change_policy(PolicyPtr policy, std::string_view by);
    // Returns the id under which its receipt comes; it shares the keys of payments.
    Result<PaymentId> keep_record(std::string_view key, Reason reason, std::string_view document);
    Result<> keep_record(PaymentId id, Reason reason, std::string_view document);  // of a key that was said elsewhere
    Result<> keep_dead_letter(const KeepDeadLetter& letter, const RequestKey& key);
    // Once for each letter: the other resolution is an id used again. `key`: of the message that is sent again, where
    // it is not the letter's own; another key is another resolution.
    Result<> resolve_dead_letter(Place letter, bool redriven, std::string_view by, std::string_view note,
                                 std::string_view key = {});
    // Anything else, complete as it is (sources, tests).
    Result<> command(const Command& command);

    void reserve(std::size_t commands);  // makes room at once for so many more

    AccountId account(std::string_view name) const;  // of this tenant
    const PolicyPtr& policy() const;                 // that assesses; the one in force when the builder was made
    std::size_t size() const;                        // commands so far

    // The Submission, ready for submit(); the builder is empty afterwards.
    std::unique_ptr<Submission> take(std::function<void(Result<std::vector<Receipt>>)> reply);

private:
    struct Held;  // what spans and texts of the commands point to, beside the caller's memory

    Result<> prepare(const PaymentWish& wish, SubmitPayment& into) const;
    Result<std::optional<SealedIds::Found>> ask_sealed(PaymentId id) const;
    Result<> add(Command command);
    Result<> finish_last();  // all but the body of the newest command; takes it away again when that fails
    Command request(const RequestKey& key, std::uint64_t meaning) const;
    Held& held();
    Submission& open();  // the one that grows

    Context context_;
    std::string tenant_name_;
    PolicyPtr policy_;
    std::shared_ptr<const void> memory_;
    std::shared_ptr<Held> held_;
    Seq ids_asked_through_;
    std::unique_ptr<Submission> submission_;  // nullptr: nothing has been added since take()
};

}  // namespace nostro
