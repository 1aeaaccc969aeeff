// What tests of policies share: payments and parties of few values, and what fired in words.
#pragma once
#include <rapidcheck.h>

#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/policy.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro::test {

inline const PartyFacts kPlain{RiskLevel::unrated, AccountKind::customer, kStart - 1000h};

// "name input" of every hit, in order.
inline std::vector<std::string> fired(const Policy& policy, const Assessment& assessment, Currency currency) {
    std::vector<std::string> all;
    for (const Hit& hit : assessment.fired()) {
        all.push_back(std::string(policy.name(hit.rule)) + " " + policy.input_text(hit, currency));
    }
    return all;
}

// Both halves.
inline Assessment assess(const PolicyPtr& policy, const PaymentBuilder& payment, const PartyFacts& debtor = kPlain,
                         const PartyFacts& creditor = kPlain) {
    return policy->with_parties(policy->assess(payment.payment()), payment.payment(), debtor, creditor, kStart);
}
inline std::vector<std::string> fired_by(const PolicyPtr& policy, const PaymentBuilder& payment,
                                         const PartyFacts& debtor = kPlain, const PartyFacts& creditor = kPlain) {
    return fired(*policy, assess(policy, payment, debtor, creditor), payment.payment().amount.currency());
}

// For properties. Values are few, so that much fires; rail 3 is for policies that have one, 8 for none.
inline PaymentBuilder any_payment() {
    static const std::vector<std::string_view> kNames = {"ada", "bob", "eve"}, kTypes = {"TRANSFER", "PAYMENT", ""},
                                               kCurrencies = {"EUR", "USD", "JPY"};
    static const std::vector<RailNo> kRailNumbers = {0, 3, 8};
    return a_payment()
        .of(*rc::gen::elementOf(kCurrencies), *rc::gen::inRange<std::int64_t>(1, 2'000))
        .from(*rc::gen::elementOf(kNames))
        .to(*rc::gen::elementOf(kNames))
        .type(*rc::gen::elementOf(kTypes))
        .on_rail(*rc::gen::elementOf(kRailNumbers));
}
inline PartyFacts any_facts() {
    return {static_cast<RiskLevel>(*rc::gen::inRange(0, 5)), static_cast<AccountKind>(*rc::gen::inRange(0, 5)),
            kStart - std::chrono::minutes(*rc::gen::inRange(0, 120))};
}

}  // namespace nostro::test
