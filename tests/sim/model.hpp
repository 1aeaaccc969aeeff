// The bank once more, as plainly as it can be said: maps, whole scans, a group decided on a copy. It reads nothing of a
// frame but its time and its commands, and must come to the outcomes that stand there. Shares no code with the Book.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/wire/frame.hpp"
#include "tests/sim/commands.hpp"

namespace nostro::sim {

class Model {
public:
    Model(const Commands& commands, std::size_t expiries_max) : commands_(commands), expiries_max_(expiries_max) {}

    // The next frame: each of its outcomes is what the model says, and there is none too few or too many.
    void take(const DecodedFrame& frame);
    // After the last frame: balances, reservations, open payments, limits, states.
    void check_book(const Book& book) const;

    struct Known {
        Place place;
        std::uint64_t meaning = 0;
    };
    const Known* known(PaymentId id) const;
    const Place* submitted(PaymentId payment) const;  // where its first outcome stands
    const Place* opened(AccountId account) const;
    // From the end of frame `from` to that of frame `through`, at `until` still: the payment could be captured.
    bool was_held_throughout(PaymentId payment, Seq from, Seq through, Instant until) const;

private:
    struct Account {
        Currency currency;
        AccountStatus status = AccountStatus::active;
        std::int64_t balance = 0, held = 0, floor = 0;
        Place opened;
    };
    enum class Counts { often, much };
    // Account, limit, running number of its bucket.
    using Bucket = std::tuple<AccountId, Counts, std::int64_t>;
    struct Open {
        Outcome first;
        Status status = Status::held;
        Capture capture = Capture::automatic;
        Instant expires_at{}, hold_expires_at{};
        std::vector<Bucket> counted;
    };
    struct State {
        std::map<AccountId, Account> accounts;
        std::map<PaymentId, Open> open;
        std::map<PaymentId, Status> states;  // of every payment
        std::map<PaymentId, Place> submitted;
        std::map<PaymentId, std::int64_t> reversed;
        std::map<Bucket, std::int64_t> counted;
        std::map<PaymentId, Known> known;
        std::uint64_t payments = 0;
        std::vector<Outcome> outcomes;  // of the frame
    };
    struct Change {  // of an open payment
        Seq seq = 0;
        bool can_be_captured = false;
        Instant expires_at{};
    };

    void expire(const DecodedFrame& frame);
    void decide(const Command& command);
    void decide(const Command& command, const SubmitPayment& body);
    void decide(const Command& command, const SubmitGroup& body);
    void decide(const Command& command, const ReversePayment& body);
    void decide(const Command& command, const CapturePayment& body);
    void decide(const Command& command, const VoidPayment& body);
    void decide(const Command& command, const DecideReview& body);
    void decide(const Command& command, const OpenAccount& body);
    void decide(const Command& command, const ChangeAccount& body);
    void decide(const Command& command, const ChangePolicy& body);
    void decide(const Command& command, const KeepDeadLetter& body);
    template <class Body>
    void decide(const Command&, const Body&) {
        not_recorded("is never asked for");
    }

    void not_recorded(std::string_view why) const;  // the Book did, and should not have
    Account* find(AccountId id);
    Outcome about(const Payment& payment);
    void tell(Outcome outcome);  // as the frame's next one
    void tell_rejected(Outcome outcome, Reason reason);
    void spend(PaymentId id, std::uint64_t meaning, std::size_t index);
    std::size_t last() const { return state_.outcomes.size() - 1; }

    void submit(const SubmitPayment& body);
    Reason refusal(const Payment& payment, bool& review) const;
    Reason refusal_by_accounts(const Payment& payment) const;
    Reason refusal_by_status(AccountId debtor, AccountId creditor) const;
    bool exceeds(const Payment& payment, Counts limit) const;
    std::int64_t used(AccountId account, Counts limit, Instant now) const;
    std::vector<Bucket> count(const Payment& payment);
    void open_account(AccountId id, Currency currency, std::int64_t opening);
    void open_if_unknown(AccountId id, Currency currency);
    void move(Outcome& outcome, std::int64_t minor);
    void show_balances(Outcome& outcome);
    void hold(const Payment& payment, Outcome outcome, bool review);
    Open* waiting(PaymentId payment, Status status);
    Outcome follow_up(const Open& open, Event event, std::int64_t minor) const;
    void settle(PaymentId payment, Event event, std::int64_t minor);
    void free(PaymentId payment, Event event, Status status, Reason reason);

    const Commands& commands_;
    const std::size_t expiries_max_;
    Instant now_{};
    Seq seq_ = 0;
    std::uint32_t epoch_ = 0, command_ = kNoCommand, item_ = 0;
    std::optional<Terms> terms_, next_terms_;
    State state_;
    std::map<PaymentId, std::vector<Change>> changes_;
};

}  // namespace nostro::sim
