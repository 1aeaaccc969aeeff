// A random stream of commands for a Book, and a naive model that is told outcomes alone and adds everything up again.
#pragma once
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "tests/unit/domain/builders.hpp"

namespace nostro::test {

// Small numbers, so that ids, accounts and amounts meet often.
struct Step {
    int kind = 0, a = 0, b = 0, id = 0, amount = 0, extra = 0;
    friend std::ostream& operator<<(std::ostream& out, const Step& s) {
        return out << "{" << s.kind << "," << s.a << "," << s.b << "," << s.id << "," << s.amount << "," << s.extra
                   << "}";
    }
};

inline constexpr int kPeople = 6;  // the last one has dollars
inline constexpr const char* kNames[] = {
    "A0", "A1", "A2", "A3", "A4", "A5", "N0", "N1", "house:cash:EUR", "house:fees:EUR"};
inline constexpr int kNameCount = 10;

inline std::string world_policy(int at_most, bool reviews_odd) {
    std::string text = R"(
unknown_accounts = "open"
[[limit]]
name = "day_sum"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = ")" + std::to_string(at_most) +
                       R"(.00"
window = { days = 1, zone = "UTC" }
[[limit]]
name = "rolling_count"
side = "credit"
measure = "count"
at_most = 7
window = { rolling = "24h", buckets = 4 }
[[limit]]
name = "rolling_sum"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "20.00"
window = { rolling = "24h", buckets = 4 }
when_exceeded = "review"
)";
    if (reviews_odd) {
        text += R"(
[[rule]]
name = "odd"
kind = "match"
types = ["ODD"]
advice = "review"
)";
    }
    return text;
}
inline const PolicyPtr& world_policy_version(PolicyVersion version) {
    static std::map<PolicyVersion, PolicyPtr> made;
    PolicyPtr& policy = made[version];
    if (policy == nullptr) policy = a_policy(world_policy(version % 2 == 1 ? 30 : 25, version % 3 != 0), version);
    return policy;
}

// What a command points to must live as long as it does.
struct OwnedCommand {
    Command command;
    std::shared_ptr<const void> memory;
};

// Turns steps into commands. Reversals need facts that only a reader of the journal has.
class CommandMaker {
public:
    OwnedCommand make(const Step& step, const Book& book, Instant now) {
        switch (step.kind) {
            case 0:
            case 1:
            case 2: return {manual(step, now).command(), {}};
            case 3:
            case 4: return {a_command(CapturePayment{open_id(step), captured(step)}, key(step), meaning(step)), {}};
            case 5: return {a_command(VoidPayment{open_id(step)}), {}};
            case 6:
            case 7: return {a_command(DecideReview{open_id(step), step.extra % 3 != 0, "joe", ""}), {}};
            case 8: return group(step);
            case 9:
            case 10: return {reversal(step), {}};
            case 11: return {a_change(kNames[step.a]).status(status(step)).command(), {}};
            case 12: return bounds(step, book);
            case 13: return {a_command(AdjustBalance{account(kNames[step.a]), (step.amount - 5) * 100, ""}), {}};
            case 14: return policy(step, book);
            case 15: return {an_account(kNames[step.a]).with(step.amount * 100).meaning(1).command(), {}};
            default: return {payment(step).command(), {}};
        }
    }
    void see(const Outcome& outcome, Place place, Instant now) {
        if (!is_of_payment(outcome.event)) return;
        Seen& seen = seen_[outcome.payment];
        if (outcome.event == Event::submitted) {
            seen.first = outcome;
            seen.place = place;
        }
        seen.status = outcome.status;
        if (outcome.status == Status::settled) {
            seen.settled_minor = outcome.amount.minor();
            seen.settled_at = now;
        }
    }

private:
    struct Seen {
        Outcome first;
        Place place;
        Status status = Status::accepted;
        std::int64_t settled_minor = 0;
        Instant settled_at{};
    };
    static PaymentId id(const Step& step) { return payment_id_of(static_cast<std::uint64_t>(step.id) + 1); }
    // Mostly one that waits, so that what follows it is not always refused.
    PaymentId open_id(const Step& step) const {
        std::vector<PaymentId> open;
        for (const auto& [payment, seen] : seen_) {
            if (is_open(seen.status)) open.push_back(payment);
        }
        return open.empty() || step.extra == 0 ? id(step) : open[static_cast<std::size_t>(step.id) % open.size()];
    }
    PaymentId settled_id(const Step& step) const {
        std::vector<PaymentId> settled;
        for (const auto& [payment, seen] : seen_) {
            if (seen.status == Status::settled) settled.push_back(payment);
        }
        return settled.empty() || step.extra == 0 ? id(step)
                                                  : settled[static_cast<std::size_t>(step.id) % settled.size()];
    }
    static PaymentId key(const Step& step) {
        return step.extra % 4 == 0 ? payment_id_of(1000 + static_cast<std::uint64_t>(step.id)) : PaymentId{};
    }
    static std::uint64_t meaning(const Step& step) { return step.extra % 5 == 0 ? 2 : 1; }
    static std::optional<std::int64_t> captured(const Step& step) {
        return step.extra % 2 == 0 ? std::nullopt : std::optional<std::int64_t>(step.amount * 90);
    }
    static AccountStatus status(const Step& step) {
        return step.extra % 4 != 0 ? AccountStatus::active : static_cast<AccountStatus>(step.amount % 4);
    }
    static PaymentBuilder payment(const Step& step) {
        auto built = a_payment();
        built.id(id(step)).from(kNames[step.a]).to(kNames[step.b]).of("EUR", step.amount * 100).meaning(meaning(step));
        if (step.extra == 7 || step.extra == 4) built.type("ODD");
        if (step.extra == 8 && step.amount % 4 == 0) built.of("USD", step.amount * 100);
        if (step.extra > 4) built.opening(step.extra * 100, step.extra * 10);
        return built;
    }
    static PaymentBuilder manual(const Step& step, Instant now) {
        auto built = payment(step);
        built.manual(step.extra % 3 == 0 ? Instant{} : now + std::chrono::hours(step.extra * 3));
        return built;
    }
    static OwnedCommand group(const Step& step) {
        auto items = std::make_shared<std::vector<SubmitPayment>>();
        for (int i = 0; i <= step.extra % 4; ++i) {
            Step item = step;
            item.id = (step.id + 7 * i) % 150;
            item.a = (step.a + i) % kNameCount;
            item.b = (step.b + 2 * i) % kNameCount;
            item.amount = step.amount / 2 + i;
            item.extra = step.extra == 9 ? 7 : step.extra % 6;
            items->push_back(payment(item).submit());
        }
        return {a_command(SubmitGroup{*items}, key(step), meaning(step)), items};
    }
    Command reversal(const Step& step) const {
        ReversePayment body;
        body.original = settled_id(step);
        body.whole_rest = step.extra % 3 == 0;
        body.meaning = 1;
        body.payment = a_payment().id(200 + static_cast<std::uint64_t>(step.id) * 2 + step.extra % 2).payment();
        const auto found = seen_.find(body.original);
        if (found != seen_.end()) {
            const Seen& seen = found->second;
            body.original_at = seen.place;
            body.original_status = seen.status;
            body.original_is_reversal = !seen.first.reverses.empty();
            body.original_minor = seen.settled_minor;
            body.original_settled_at = seen.settled_at;
            body.payment.debtor = seen.first.creditor;
            body.payment.creditor = seen.first.debtor;
            body.payment.amount = Money(step.amount * 40, seen.first.amount.currency());
        }
        return a_command(body, body.payment.id, body.meaning);
    }
    static OwnedCommand bounds(const Step& step, const Book& book) {
        auto own = std::make_shared<std::vector<OwnBound>>();
        const auto limits = book.policy(0)->limits();
        const Limit& limit = limits[static_cast<std::size_t>(step.b) % limits.size()];
        own->push_back({limit.name_key, step.amount * 150, step.extra % 3 == 0});
        return {a_change(kNames[step.a]).bounds(*own).command(), own};
    }
    static OwnedCommand policy(const Step& step, const Book& book) {
        const PolicyVersion next = book.policy(0)->version() + 1;
        if (step.extra > 2) return {payment(step).command(), {}};
        return {a_command(ChangePolicy{world_policy_version(next), "ops"}), {}};
    }

    std::map<PaymentId, Seen> seen_;
};

// Adds up outcomes in maps, without tables, rings or marks.
class NaiveBook {
public:
    void see(const Outcome& outcome, const Book& book, Instant now) {
        if (!outcome.debtor.empty() && outcome.debtor_before != outcome.debtor_after) {
            RC_ASSERT(balances_[outcome.debtor] == outcome.debtor_before);
            balances_[outcome.debtor] = outcome.debtor_after;
        }
        if (!outcome.creditor.empty() && outcome.creditor_before != outcome.creditor_after) {
            RC_ASSERT(balances_[outcome.creditor] == outcome.creditor_before);
            balances_[outcome.creditor] = outcome.creditor_after;
        }
        if (!is_of_payment(outcome.event)) return;
        check_life(outcome);
        if (outcome.event == Event::submitted) {
            see_submitted(outcome, book, now);
        } else {
            see_follow_up(outcome);
        }
    }

    // Everything that can be added up again is what the Book says.
    void compare(const Book& book, Instant now) const {
        std::map<AccountId, std::int64_t> held;
        for (const auto& [id, payment] : payments_) {
            const bool is_held = is_open(payment.status);
            RC_ASSERT((book.hold(id) != nullptr) == is_held);
            RC_ASSERT(book.known(id)->state == payment.status);
            if (is_held) held[payment.debtor] += payment.minor;
        }
        std::map<std::string, std::int64_t> sums;
        for (const auto& [id, balance] : balances_) {
            const AccountImage* image = book.account(id);
            RC_ASSERT(image != nullptr);
            RC_ASSERT(image->balance == balance);
            sums[std::string(image->currency.code())] += balance;
        }
        for (const auto& [code, sum] : sums) RC_ASSERT(sum == 0);
        for (const char* name : kNames) {
            const AccountImage* image = book.account(account(name));
            if (image == nullptr) continue;
            RC_ASSERT(image->held == held[image->id]);
            for (const Limit& limit : book.policy(0)->limits()) {
                RC_ASSERT(book.limit_used(image->id, limit, now) == used(image->id, *book.policy(0), limit, now));
            }
        }
    }

private:
    struct Payment {
        Status status = Status::accepted;
        AccountId debtor, creditor;
        std::int64_t minor = 0;
        bool is_counted = false;
        Currency currency;
        Instant counted_at{};
    };

    void check_life(const Outcome& outcome) {
        const Payment& payment = payments_[outcome.payment];
        const bool is_first = payment.status == Status::accepted;
        RC_ASSERT((outcome.event == Event::submitted) == is_first);
        RC_ASSERT(is_first || is_open(payment.status));
        if (outcome.event == Event::approved || outcome.event == Event::refused) {
            RC_ASSERT(payment.status == Status::in_review);
        }
        if (outcome.event == Event::captured || outcome.event == Event::voided) {
            RC_ASSERT(payment.status == Status::held);
        }
    }
    void see_submitted(const Outcome& outcome, const Book& book, Instant now) {
        Payment& payment = payments_[outcome.payment];
        payment.status = outcome.status;
        if (outcome.status == Status::rejected) {
            RC_ASSERT(outcome.reason != Reason::none);
            return;
        }
        RC_ASSERT(outcome.reason == Reason::none);
        payment.debtor = outcome.debtor;
        payment.creditor = outcome.creditor;
        payment.minor = outcome.amount.minor();
        payment.currency = outcome.amount.currency();
        payment.counted_at = now;
        if (outcome.status == Status::settled) {
            RC_ASSERT(outcome.debtor_after == outcome.debtor_before - payment.minor);
            RC_ASSERT(outcome.creditor_after == outcome.creditor_before + payment.minor);
        }
        if (!outcome.reverses.empty()) {
            reversed_[outcome.reverses] += payment.minor;
            RC_ASSERT(reversed_[outcome.reverses] <= payments_[outcome.reverses].minor);
            return;
        }
        check_bounds(outcome, *book.policy(0), book, now);
        payment.is_counted = true;
    }
    // What each looked-at limit says it had used is what the outcomes before add up to, and leaves room.
    void check_bounds(const Outcome& outcome, const Policy& policy, const Book& book, Instant now) const {
        if (outcome.why.version != policy.version()) return;
        for (const Hit& hit : outcome.why.fired()) {
            const Limit* limit = policy.limit(hit.rule);
            if (limit == nullptr) continue;
            const AccountId who = limit->side == Limit::Side::debit ? outcome.debtor : outcome.creditor;
            const std::int64_t before = used(who, policy, *limit, now);
            RC_ASSERT(hit.input == before);
            const std::int64_t adds = limit->measure == Limit::Measure::sum ? outcome.amount.minor() : 1;
            if (limit->when_exceeded == Advice::reject) RC_ASSERT(before + adds <= hit.at_most);
            if (before + adds > hit.at_most) RC_ASSERT(outcome.status == Status::in_review);
            RC_ASSERT(book.account(who)->kind != AccountKind::house);
        }
    }
    void see_follow_up(const Outcome& outcome) {
        Payment& payment = payments_[outcome.payment];
        payment.status = outcome.status;
        if (outcome.status == Status::settled) {
            RC_ASSERT(outcome.amount.minor() <= payment.minor);
            payment.minor = outcome.amount.minor();
        } else if (!is_open(outcome.status)) {
            payment.is_counted = false;
            payment.minor = 0;
        }
    }
    std::int64_t used(AccountId who, const Policy& policy, const Limit& limit, Instant now) const {
        std::int64_t sum = 0;
        const std::uint64_t bucket = policy.bucket(limit, now);
        for (const auto& [id, payment] : payments_) {
            const AccountId side = limit.side == Limit::Side::debit ? payment.debtor : payment.creditor;
            if (!payment.is_counted || side != who) continue;
            if (!limit.any_currency && payment.currency != limit.currency) continue;
            if (policy.bucket(limit, payment.counted_at) + limit.ring <= bucket) continue;
            sum += limit.measure == Limit::Measure::sum ? payment.minor : 1;
        }
        return is_house(who) ? 0 : sum;
    }
    static bool is_house(AccountId id) {
        return id == account("house:cash:EUR") || id == account("house:fees:EUR") || id == account("house:equity:EUR");
    }
    std::map<AccountId, std::int64_t> balances_;
    std::map<PaymentId, Payment> payments_;
    std::map<PaymentId, std::int64_t> reversed_;
};

}  // namespace nostro::test

namespace rc {
template <>
struct Arbitrary<nostro::test::Step> {
    static Gen<nostro::test::Step> arbitrary() {
        using nostro::test::Step;
        return gen::build<Step>(
            gen::set(&Step::kind, gen::inRange(0, 24)), gen::set(&Step::a, gen::inRange(0, nostro::test::kNameCount)),
            gen::set(&Step::b, gen::inRange(0, nostro::test::kNameCount)), gen::set(&Step::id, gen::inRange(0, 150)),
            gen::set(&Step::amount, gen::inRange(0, 16)), gen::set(&Step::extra, gen::inRange(0, 10)));
    }
};
}  // namespace rc
