// Commands with the dull parts filled in, and a Book that a test drives frame by frame.
//
//   a_payment().of("EUR", 1250).from("ada").to("bob").command()
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/domain/book.hpp"

namespace nostro::test {

using namespace std::chrono_literals;

inline Currency currency(std::string_view code) { return *Currency::parse(code); }
inline AccountId account(std::string_view name) { return account_id("nostro", name); }
inline PaymentId payment_id_of(std::uint64_t n) { return {n * 0x9E3779B97F4A7C15u >> 8, n}; }
inline const Instant kStart{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 9h};

// Texts must outlive the payment: literals, or strings that the test keeps.
class PaymentBuilder {
public:
    PaymentBuilder() {
        static std::uint64_t last = 1'000'000;
        id(++last);
        of("EUR", 1000).from("ada").to("bob");
    }

    PaymentBuilder& id(std::uint64_t n) { return id(payment_id_of(n)); }
    PaymentBuilder& id(PaymentId id) {
        payment_.id = id;
        return *this;
    }
    PaymentBuilder& of(std::string_view code, std::int64_t minor) {
        payment_.amount = Money(minor, currency(code));
        return *this;
    }
    PaymentBuilder& from(std::string_view name) {
        payment_.debtor_name = name;
        payment_.debtor = account(name);
        return *this;
    }
    PaymentBuilder& to(std::string_view name) {
        payment_.creditor_name = name;
        payment_.creditor = account(name);
        return *this;
    }
    PaymentBuilder& on_rail(RailNo rail) {
        payment_.rail = rail;
        return *this;
    }
    PaymentBuilder& type(std::string_view type) {
        payment_.type = type;
        return *this;
    }
    PaymentBuilder& manual(Instant expires_at = {}) {
        payment_.capture = Capture::manual;
        payment_.expires_at = expires_at;
        return *this;
    }
    PaymentBuilder& opening(std::int64_t debtor_minor, std::int64_t creditor_minor) {
        payment_.debtor_opening_minor = debtor_minor;
        payment_.creditor_opening_minor = creditor_minor;
        return *this;
    }
    PaymentBuilder& meaning(std::uint64_t meaning) {
        meaning_ = meaning;
        return *this;
    }
    PaymentBuilder& assessed(const Assessment& assessment) {
        assessment_ = assessment;
        return *this;
    }
    PaymentBuilder& sealed_at(Place place) {
        sealed_ = place;
        return *this;
    }

    const Payment& payment() const { return payment_; }
    SubmitPayment submit() const { return {payment_, meaning_, assessment_, sealed_}; }
    Command command() const { return {payment_.tenant, payment_.id, meaning_, submit()}; }

private:
    Payment payment_;
    std::uint64_t meaning_ = 1;
    Assessment assessment_;
    Place sealed_;
};
inline PaymentBuilder a_payment() { return {}; }

class AccountBuilder {
public:
    explicit AccountBuilder(std::string_view name) {
        open_.name = name;
        open_.id = account(name);
        open_.currency = currency("EUR");
    }
    AccountBuilder& in(std::string_view code) {
        open_.currency = currency(code);
        return *this;
    }
    AccountBuilder& with(std::int64_t opening_minor) {
        open_.opening_minor = opening_minor;
        return *this;
    }
    AccountBuilder& floor(std::int64_t floor_minor) {
        open_.floor_minor = floor_minor;
        return *this;
    }
    AccountBuilder& kind(AccountKind kind) {
        open_.kind = kind;
        return *this;
    }
    AccountBuilder& risk(RiskLevel level) {
        open_.risk_level = level;
        return *this;
    }
    AccountBuilder& bounds(std::span<const OwnBound> bounds) {
        open_.bounds = bounds;
        return *this;
    }
    AccountBuilder& meaning(std::uint64_t meaning) {
        open_.meaning = meaning;
        return *this;
    }
    AccountBuilder& key(PaymentId id) {
        id_ = id;
        return *this;
    }
    Command command() const { return {0, id_, open_.meaning, open_}; }

private:
    OpenAccount open_;
    PaymentId id_;
};
inline AccountBuilder an_account(std::string_view name) { return AccountBuilder(name); }

class ChangeBuilder {
public:
    explicit ChangeBuilder(std::string_view name) { change_.id = account(name); }
    ChangeBuilder& status(AccountStatus status) {
        change_.status = status;
        return *this;
    }
    ChangeBuilder& floor(std::int64_t floor_minor) {
        change_.floor_minor = floor_minor;
        return *this;
    }
    ChangeBuilder& risk(RiskLevel level) {
        change_.risk_level = level;
        return *this;
    }
    ChangeBuilder& bounds(std::span<const OwnBound> bounds) {
        change_.bounds = bounds;
        return *this;
    }
    Command command() const { return {0, {}, 0, change_}; }

private:
    ChangeAccount change_;
};
inline ChangeBuilder a_change(std::string_view name) { return ChangeBuilder(name); }

// A command without a key, or with one.
template <class Body>
Command a_command(Body body, PaymentId id = {}, std::uint64_t meaning = 0) {
    return {0, id, meaning, std::move(body)};
}

inline PolicyPtr a_policy(std::string_view rules = "", PolicyVersion version = 1) {
    auto policy = Policy::parse("tenant = \"nostro\"\n" + std::string(rules), version, kStart);
    if (!policy) ADD_FAILURE() << policy.error().what;
    return policy ? *policy : nullptr;
}

inline constexpr BookSize kSmallBook{.accounts_max = 400,
                                     .counters_max = 2'000,
                                     .holds_max = 200,
                                     .reversed_max = 100,
                                     .bounds_max = 50,
                                     .known_max = 20'000};

// A Book and, after each of its frames, a standby that only installs: they must be equal.
class DrivenBook {
public:
    explicit DrivenBook(std::string_view rules = "", const BookSize& size = kSmallBook)
        : book_(std::make_unique<Book>(size)), standby_(std::make_unique<Book>(size)) {
        run(a_command(ChangePolicy{a_policy(rules), "test"}));
    }

    Book& operator*() { return *book_; }
    Book* operator->() { return book_.get(); }
    const Changes& changes() const { return changes_; }
    Instant now() const { return now_; }
    Seq seq() const { return seq_; }
    void pass(std::chrono::nanoseconds time) { now_ += time; }

    void begin(std::size_t expiries_max = 1024) {
        changes_.clear();
        commands_ = 0;
        book_->begin_frame(++seq_, now_, expiries_max, changes_);
    }
    Answer apply(const Command& command) {
        const Answer answer = book_->apply(command, commands_);
        if (answer.kind == Answer::Kind::recorded) ++commands_;
        return answer;
    }
    void end() {
        book_->end_frame();
        ASSERT_TRUE(standby_->install(seq_, now_, changes_));
        ASSERT_TRUE(book_->is_balanced());
        ASSERT_EQ(book_->digest(), standby_->digest()) << "the standby differs after frame " << seq_;
    }
    // In a frame of its own.
    Answer run(const Command& command) {
        begin();
        const Answer answer = apply(command);
        end();
        return answer;
    }
    // A frame in which only time passes.
    const Changes& wait(std::chrono::nanoseconds time) {
        pass(time);
        begin();
        end();
        return changes_;
    }
    // The outcome that an answer of the last frame points to.
    const Outcome& outcome(const Answer& answer) const {
        static const Outcome kNone;
        EXPECT_EQ(answer.kind, Answer::Kind::recorded) << name(answer.reason);
        return answer.index < changes_.outcomes.size() ? changes_.outcomes[answer.index] : kNone;
    }
    const Outcome& decide(const Command& command) { return outcome(run(command)); }

    std::int64_t balance(std::string_view name) const {
        const AccountImage* image = book_->account(account(name));
        return image != nullptr ? image->balance : -1;
    }
    std::int64_t held(std::string_view name) const {
        const AccountImage* image = book_->account(account(name));
        return image != nullptr ? image->held : -1;
    }
    void open(std::string_view name, std::int64_t opening_minor, std::int64_t floor_minor = 0) {
        const Answer answer = run(an_account(name).with(opening_minor).floor(floor_minor).command());
        ASSERT_EQ(answer.kind, Answer::Kind::recorded) << nostro::name(answer.reason);
    }
    const Book& standby() const { return *standby_; }

private:
    std::unique_ptr<Book> book_, standby_;
    Changes changes_;
    Instant now_ = kStart;
    Seq seq_ = 0;
    std::uint32_t commands_ = 0;
};

}  // namespace nostro::test
