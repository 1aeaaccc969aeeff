// One table a kind of rule: what fires it, on both sides of every boundary, and what it looked at.
#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <vector>

#include "nostro/domain/policy.hpp"
#include "tests/unit/domain/policy_builders.hpp"

namespace nostro {
namespace {

using test::a_payment;
using test::a_policy;
using test::assess;
using test::fired;
using test::fired_by;
using test::kPlain;
using test::kStart;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// ---- amount_band -----------------------------------------------------------------------------------------------

TEST(AmountBandTest, EachBoundFiresOnItsSideOnly) {
    const struct {
        std::string_view bounds;
        std::string_view currency;
        std::int64_t minor;
        bool fires;
    } cases[] = {
        {"above = { USD = \"10000.00\" }", "USD", 1'000'000, false},
        {"above = { USD = \"10000.00\" }", "USD", 1'000'001, true},
        {"above = { USD = \"10000.00\" }", "EUR", 9'999'999, false},  // no bound: not looked at
        {"at_least = { USD = \"10000.00\" }", "USD", 999'999, false},
        {"at_least = { USD = \"10000.00\" }", "USD", 1'000'000, true},
        {"below = { USD = \"0.10\" }", "USD", 9, true},
        {"below = { USD = \"0.10\" }", "USD", 10, false},
        {"at_most = { USD = \"0.10\" }", "USD", 10, true},
        {"at_most = { USD = \"0.10\" }", "USD", 11, false},
        {"at_least = { USD = \"1.00\" }\nbelow = { USD = \"2.00\" }", "USD", 99, false},
        {"at_least = { USD = \"1.00\" }\nbelow = { USD = \"2.00\" }", "USD", 100, true},
        {"at_least = { USD = \"1.00\" }\nbelow = { USD = \"2.00\" }", "USD", 199, true},
        {"at_least = { USD = \"1.00\" }\nbelow = { USD = \"2.00\" }", "USD", 200, false},
        {"at_least = { JPY = \"500\" }", "JPY", 499, false},  // minor units are the currency's own
        {"at_least = { JPY = \"500\" }", "JPY", 500, true},
        {"at_least = { KWD = \"1.234\" }", "KWD", 1'233, false},
        {"at_least = { KWD = \"1.234\" }", "KWD", 1'234, true},
        {"at_least = { JPY = \"9223372036854775807\" }", "JPY", std::numeric_limits<std::int64_t>::max(), true},
        {"above = { USD = \"5.00\", EUR = \"4.00\" }\nbelow = { USD = \"6.00\" }", "EUR", 99'999, true},  // open end
        {"above = { USD = \"5.00\", EUR = \"4.00\" }\nbelow = { USD = \"6.00\" }", "USD", 600, false},
    };
    for (const auto& [bounds, code, minor, fires] : cases) {
        const auto policy = a_policy("[[rule]]\nname='band'\nkind='amount_band'\npoints=1\n" + std::string(bounds));
        EXPECT_EQ(!fired_by(policy, a_payment().of(code, minor)).empty(), fires) << bounds << " " << code << minor;
    }
}

TEST(AmountBandTest, TellsTheAmountAndMayTakePointsAway) {
    const auto policy = a_policy("[[rule]]\nname='small'\nkind='amount_band'\nat_most={USD='20.00'}\npoints=-15");
    const auto assessment = assess(policy, a_payment().of("USD", 1'999));
    EXPECT_THAT(fired(*policy, assessment, test::currency("USD")), ElementsAre("small 19.99"));
    EXPECT_EQ(assessment.score, -15);
    EXPECT_EQ(assessment.advice, Advice::clear);
}

// ---- selectors, match ------------------------------------------------------------------------------------------

constexpr std::string_view kRails = "[[rail]]\nname='upi'\nnumber=7\n[[rail]]\nname='sepa'\nnumber=9\n";

TEST(MatchTest, FiresForTheRailsTypesAndCurrenciesItNames) {
    const struct {
        std::string_view selectors;
        RailNo rail;
        std::string_view type, currency, input;  // no input: does not fire
    } cases[] = {
        {"rails=['upi']", 7, "TRANSFER", "USD", "upi"},
        {"rails=['upi']", 9, "TRANSFER", "USD", ""},
        {"rails=['upi']", 0, "TRANSFER", "USD", ""},
        {"rails=['upi']", 8, "TRANSFER", "USD", ""},  // no rail has this number
        {"rails=['upi', 'internal']", 0, "", "USD", "internal"},
        {"types=['TRANSFER']", 0, "TRANSFER", "USD", "TRANSFER"},
        {"types=['TRANSFER']", 8, "TRANSFER", "USD", "TRANSFER"},
        {"types=['TRANSFER']", 0, "transfer", "USD", ""},  // types are compared as they are
        {"types=['TRANSFER']", 0, "TRANSFERS", "USD", ""},
        {"types=['TRANSFER']", 0, "", "USD", ""},
        {"types=['PAYMENT', 'CASH_OUT']", 0, "CASH_OUT", "USD", "CASH_OUT"},
        {"currencies=['USD']", 0, "TRANSFER", "USD", "USD"},
        {"currencies=['USD']", 0, "TRANSFER", "EUR", ""},
        {"rails=['sepa']\ntypes=['TRANSFER']\ncurrencies=['EUR']", 9, "TRANSFER", "EUR", "TRANSFER"},
        {"rails=['sepa']\ntypes=['TRANSFER']\ncurrencies=['EUR']", 9, "TRANSFER", "USD", ""},
        {"rails=['sepa']\ntypes=['TRANSFER']\ncurrencies=['EUR']", 9, "OTHER", "EUR", ""},
        {"rails=['sepa']\ntypes=['TRANSFER']\ncurrencies=['EUR']", 7, "TRANSFER", "EUR", ""},
    };
    for (const auto& [selectors, rail, type, code, input] : cases) {
        const auto policy =
            a_policy(std::string(kRails) + "[[rule]]\nname='m'\nkind='match'\npoints=5\n" + std::string(selectors));
        const auto hits = fired_by(policy, a_payment().of(code, 100).on_rail(rail).type(type));
        if (input.empty()) {
            EXPECT_THAT(hits, IsEmpty()) << selectors << " " << rail << type << code;
        } else {
            EXPECT_THAT(hits, ElementsAre("m " + std::string(input))) << selectors << " " << rail << type << code;
        }
    }
}

TEST(MatchTest, SelectorsNarrowEveryKindOfRule) {
    const struct {
        std::string_view rule;
    } rules[] = {
        {"kind='amount_band'\nabove={USD='0.01'}\npoints=1"},
        {"kind='allow'\nparty='debtor'\naccounts=['ada']\npoints=-1\ncurrencies=['USD']"},
        {"kind='deny'\nparty='debtor'\naccounts=['ada']\npoints=1\ncurrencies=['USD']"},
        {"kind='party_risk'\nparty='debtor'\nlevels=['unrated']\npoints=1\ncurrencies=['USD']"},
        {"kind='account_kind'\nparty='debtor'\nkinds=['customer']\npoints=1\ncurrencies=['USD']"},
        {"kind='account_age'\nparty='debtor'\nyounger_than='9000h'\npoints=1\ncurrencies=['USD']"},
    };
    for (const auto& [rule] : rules) {
        const auto policy =
            a_policy(std::string(kRails) + "[[rule]]\nname='r'\nrails=['upi']\ntypes=['T']\n" + std::string(rule));
        EXPECT_EQ(fired_by(policy, a_payment().of("USD", 100).on_rail(7).type("T")).size(), 1u) << rule;
        EXPECT_THAT(fired_by(policy, a_payment().of("USD", 100).on_rail(9).type("T")), IsEmpty()) << rule;
        EXPECT_THAT(fired_by(policy, a_payment().of("USD", 100).on_rail(7).type("U")), IsEmpty()) << rule;
        EXPECT_THAT(fired_by(policy, a_payment().of("EUR", 100).on_rail(7).type("T")), IsEmpty()) << rule;
    }
}

// ---- lists -----------------------------------------------------------------------------------------------------

TEST(ListTest, FindsThePartyItLooksFor) {
    const struct {
        std::string_view party, debtor, creditor, input;
    } cases[] = {
        {"debtor", "bad", "bob", "debtor"},     {"debtor", "ada", "bad", ""},
        {"creditor", "ada", "bad", "creditor"}, {"creditor", "bad", "bob", ""},
        {"either", "bad", "bob", "debtor"},     {"either", "ada", "bad", "creditor"},
        {"either", "bad", "worse", "debtor"},   {"either", "ada", "bob", ""},
        {"debtor", "worse", "bob", "debtor"},   {"debtor", "Bad", "bob", ""},
        {"debtor", "bad2", "bob", ""},
    };
    for (const auto& [party, debtor, creditor, input] : cases) {
        const auto policy =
            a_policy("[[rule]]\nname='l'\nkind='deny'\nadvice='reject'\naccounts=['worse','bad']\nparty='" +
                     std::string(party) + "'");
        const auto hits = fired_by(policy, a_payment().from(debtor).to(creditor));
        if (input.empty()) {
            EXPECT_THAT(hits, IsEmpty()) << party << " " << debtor << " " << creditor;
        } else {
            EXPECT_THAT(hits, ElementsAre("l " + std::string(input))) << party << " " << debtor << " " << creditor;
        }
    }
}

TEST(ListTest, DenyGivesItsAdviceWhateverTheScore) {
    for (const auto& [word, advice] : {std::pair{"review", Advice::review}, std::pair{"reject", Advice::reject},
                                       std::pair{"clear_with_conditions", Advice::clear_with_conditions}}) {
        const auto policy = a_policy("[[rule]]\nname='l'\nkind='deny'\nparty='debtor'\naccounts=['ada']\nadvice='" +
                                     std::string(word) + "'");
        const auto assessment = assess(policy, a_payment());
        EXPECT_EQ(assessment.advice, advice);
        EXPECT_EQ(assessment.score, 0);
        EXPECT_EQ(policy->advice(assessment.hits[0].rule), advice);
    }
}

constexpr std::string_view kAllowAndOthers = R"(
[thresholds]
review = 30
[[rule]]
name = 'large'
kind = 'amount_band'
above = { EUR = '5.00' }
points = 30
[[rule]]
name = 'payroll'
kind = 'allow'
party = 'debtor'
accounts = ['ada']
skips = ['large', 'risky']
[[rule]]
name = 'transfers'
kind = 'match'
types = ['TRANSFER']
points = 7
[[rule]]
name = 'risky'
kind = 'party_risk'
party = 'creditor'
levels = ['high']
advice = 'reject'
)";

TEST(ListTest, AllowSilencesTheRulesItNamesAboveAndBelowAndNoOther) {
    const auto policy = a_policy(kAllowAndOthers);
    const PartyFacts risky{RiskLevel::high, AccountKind::customer, {}};
    const auto allowed = a_payment().from("ada").type("TRANSFER");
    EXPECT_THAT(fired_by(policy, allowed, kPlain, risky), ElementsAre("payroll debtor", "transfers TRANSFER"));
    EXPECT_EQ(assess(policy, allowed, kPlain, risky).advice, Advice::clear);
    const auto other = a_payment().from("eve").type("TRANSFER");
    EXPECT_THAT(fired_by(policy, other, kPlain, risky), ElementsAre("large 10.00", "transfers TRANSFER", "risky high"));
    EXPECT_EQ(assess(policy, other, kPlain, risky).advice, Advice::reject);
    EXPECT_EQ(assess(policy, other).advice, Advice::review);
}

TEST(ListTest, AllowMayTakePointsAway) {
    const auto policy = a_policy(
        "[[rule]]\nname='known'\nkind='allow'\nparty='either'\naccounts=['bob']\npoints=-25\n"
        "[[rule]]\nname='large'\nkind='amount_band'\nabove={EUR='5.00'}\npoints=30");
    EXPECT_EQ(assess(policy, a_payment()).score, 5);
    EXPECT_EQ(assess(policy, a_payment().to("eve")).score, 30);
}

// ---- parties ---------------------------------------------------------------------------------------------------

TEST(PartyRiskTest, LooksAtTheLevelOfThePartyItNames) {
    using enum RiskLevel;
    const struct {
        std::string_view party, levels;
        RiskLevel debtor, creditor;
        std::string_view input;
    } cases[] = {
        {"debtor", "'high'", high, low, "high"},
        {"debtor", "'high'", low, high, ""},
        {"debtor", "'high'", prohibited, low, ""},
        {"creditor", "'high'", low, high, "high"},
        {"creditor", "'high'", high, low, ""},
        {"either", "'medium'", medium, low, "medium"},
        {"either", "'medium'", unrated, medium, "medium"},
        {"either", "'medium'", medium, high, ""},  // the riskier one counts
        {"either", "'medium', 'high'", medium, high, "high"},
        {"either", "'unrated'", unrated, unrated, "unrated"},
        {"either", "'unrated'", unrated, low, ""},
        {"either", "'prohibited'", prohibited, high, "prohibited"},
    };
    for (const auto& [party, levels, debtor, creditor, input] : cases) {
        const auto policy = a_policy("[[rule]]\nname='r'\nkind='party_risk'\npoints=1\nparty='" + std::string(party) +
                                     "'\nlevels=[" + std::string(levels) + "]");
        const auto hits =
            fired_by(policy, a_payment(), {debtor, AccountKind::customer, {}}, {creditor, AccountKind::merchant, {}});
        if (input.empty()) {
            EXPECT_THAT(hits, IsEmpty()) << party << levels;
        } else {
            EXPECT_THAT(hits, ElementsAre("r " + std::string(input))) << party << levels;
        }
    }
}

TEST(PartyRiskTest, HouseAccountsHaveNoRisk) {
    const auto policy = a_policy("[[rule]]\nname='r'\nkind='party_risk'\nparty='either'\nlevels=['unrated']\npoints=1");
    const PartyFacts house{RiskLevel::unrated, AccountKind::house, {}};
    const PartyFacts low{RiskLevel::low, AccountKind::customer, {}};
    EXPECT_THAT(fired_by(policy, a_payment(), house, house), IsEmpty());
    EXPECT_THAT(fired_by(policy, a_payment(), house, low), IsEmpty());
    EXPECT_THAT(fired_by(policy, a_payment(), house, kPlain), ElementsAre("r unrated"));
}

TEST(AccountKindTest, LooksAtTheKindOfThePartyItNames) {
    using enum AccountKind;
    const struct {
        std::string_view party, kinds;
        AccountKind debtor, creditor;
        std::string_view input;
    } cases[] = {
        {"debtor", "'external'", external, customer, "external"},
        {"debtor", "'external'", customer, external, ""},
        {"creditor", "'merchant'", customer, merchant, "merchant"},
        {"creditor", "'merchant'", merchant, customer, ""},
        {"either", "'bank', 'house'", bank, house, "bank"},
        {"either", "'bank', 'house'", customer, house, "house"},
        {"either", "'bank', 'house'", customer, merchant, ""},
    };
    for (const auto& [party, kinds, debtor, creditor, input] : cases) {
        const auto policy = a_policy("[[rule]]\nname='k'\nkind='account_kind'\npoints=1\nparty='" + std::string(party) +
                                     "'\nkinds=[" + std::string(kinds) + "]");
        const auto hits = fired_by(policy, a_payment(), {RiskLevel::low, debtor, {}}, {RiskLevel::low, creditor, {}});
        if (input.empty()) {
            EXPECT_THAT(hits, IsEmpty()) << party << kinds;
        } else {
            EXPECT_THAT(hits, ElementsAre("k " + std::string(input))) << party << kinds;
        }
    }
}

TEST(AccountAgeTest, FiresBelowTheAgeAndNotAtIt) {
    const struct {
        std::string_view party;
        std::chrono::nanoseconds debtor_age, creditor_age;
        std::string_view input;
    } cases[] = {
        {"debtor", 24h - 1ns, 100h, "23h59m59s"},
        {"debtor", 24h, 0h, ""},
        {"debtor", 0ns, 100h, "0s"},
        {"debtor", -5h, 100h, "0s"},  // opened by a frame of another clock: new
        {"creditor", 0h, 24h, ""},
        {"creditor", 100h, 1h, "1h"},
        {"either", 30h, 2h, "2h"},  // the younger one counts
        {"either", 3h, 2h, "2h"},
        {"either", 30h, 24h, ""},
    };
    const auto policy_for = [](std::string_view party) {
        return a_policy("[[rule]]\nname='young'\nkind='account_age'\npoints=1\nyounger_than='24h'\nparty='" +
                        std::string(party) + "'");
    };
    for (const auto& [party, debtor_age, creditor_age, input] : cases) {
        const auto hits =
            fired_by(policy_for(party), a_payment(), {RiskLevel::low, AccountKind::customer, kStart - debtor_age},
                     {RiskLevel::low, AccountKind::customer, kStart - creditor_age});
        if (input.empty()) {
            EXPECT_THAT(hits, IsEmpty()) << party << debtor_age.count();
        } else {
            EXPECT_THAT(hits, ElementsAre("young " + std::string(input))) << party << debtor_age.count();
        }
    }
}

TEST(AccountAgeTest, HouseAccountsHaveNoAgeAndTheEpochDoesNotOverflow) {
    const auto policy = a_policy("[[rule]]\nname='y'\nkind='account_age'\nparty='either'\nyounger_than='1h'\npoints=1");
    const PartyFacts house{RiskLevel::unrated, AccountKind::house, kStart};
    EXPECT_THAT(fired_by(policy, a_payment(), house, kPlain), IsEmpty());
    EXPECT_THAT(fired_by(policy, a_payment(), house, house), IsEmpty());
    const PartyFacts oldest{RiskLevel::unrated, AccountKind::customer, Instant::min()};
    EXPECT_THAT(fired_by(policy, a_payment(), oldest, oldest), IsEmpty());
}

}  // namespace
}  // namespace nostro
