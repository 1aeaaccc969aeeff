// One table a kind of rule: what fires it, on both sides of every boundary, and what it looked at.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "nostro/domain/policy.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro {
namespace {

using test::a_payment;
using test::kStart;
using test::PaymentBuilder;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const PartyFacts kPlain{RiskLevel::unrated, AccountKind::customer, kStart - 1000h};

PolicyPtr policy_of(std::string_view rules) { return test::a_policy(rules); }

// "name input" of every hit, in order.
std::vector<std::string> fired(const Policy& policy, const Assessment& assessment, Currency currency) {
    std::vector<std::string> all;
    for (const Hit& hit : assessment.fired()) {
        all.push_back(std::string(policy.name(hit.rule)) + " " + policy.input_text(hit, currency));
    }
    return all;
}

Assessment assess(const PolicyPtr& policy, const PaymentBuilder& payment, const PartyFacts& debtor = kPlain,
                  const PartyFacts& creditor = kPlain) {
    return policy->with_parties(policy->assess(payment.payment()), payment.payment(), debtor, creditor, kStart);
}
std::vector<std::string> fired_by(const PolicyPtr& policy, const PaymentBuilder& payment,
                                  const PartyFacts& debtor = kPlain, const PartyFacts& creditor = kPlain) {
    return fired(*policy, assess(policy, payment, debtor, creditor), payment.payment().amount.currency());
}

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
        const auto policy = policy_of("[[rule]]\nname='band'\nkind='amount_band'\npoints=1\n" + std::string(bounds));
        EXPECT_EQ(!fired_by(policy, a_payment().of(code, minor)).empty(), fires) << bounds << " " << code << minor;
    }
}

TEST(AmountBandTest, TellsTheAmountAndMayTakePointsAway) {
    const auto policy = policy_of("[[rule]]\nname='small'\nkind='amount_band'\nat_most={USD='20.00'}\npoints=-15");
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
            policy_of(std::string(kRails) + "[[rule]]\nname='m'\nkind='match'\npoints=5\n" + std::string(selectors));
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
            policy_of(std::string(kRails) + "[[rule]]\nname='r'\nrails=['upi']\ntypes=['T']\n" + std::string(rule));
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
            policy_of("[[rule]]\nname='l'\nkind='deny'\nadvice='reject'\naccounts=['worse','bad']\nparty='" +
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
        const auto policy = policy_of("[[rule]]\nname='l'\nkind='deny'\nparty='debtor'\naccounts=['ada']\nadvice='" +
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
    const auto policy = policy_of(kAllowAndOthers);
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
    const auto policy = policy_of(
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
        const auto policy = policy_of("[[rule]]\nname='r'\nkind='party_risk'\npoints=1\nparty='" + std::string(party) +
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
    const auto policy =
        policy_of("[[rule]]\nname='r'\nkind='party_risk'\nparty='either'\nlevels=['unrated']\npoints=1");
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
        const auto policy = policy_of("[[rule]]\nname='k'\nkind='account_kind'\npoints=1\nparty='" +
                                      std::string(party) + "'\nkinds=[" + std::string(kinds) + "]");
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
        return policy_of("[[rule]]\nname='young'\nkind='account_age'\npoints=1\nyounger_than='24h'\nparty='" +
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
    const auto policy =
        policy_of("[[rule]]\nname='y'\nkind='account_age'\nparty='either'\nyounger_than='1h'\npoints=1");
    const PartyFacts house{RiskLevel::unrated, AccountKind::house, kStart};
    EXPECT_THAT(fired_by(policy, a_payment(), house, kPlain), IsEmpty());
    EXPECT_THAT(fired_by(policy, a_payment(), house, house), IsEmpty());
    const PartyFacts oldest{RiskLevel::unrated, AccountKind::customer, Instant::min()};
    EXPECT_THAT(fired_by(policy, a_payment(), oldest, oldest), IsEmpty());
}

// ---- score and advice ------------------------------------------------------------------------------------------

TEST(ScoreTest, ThresholdsAreReachedAtTheirScore) {
    const struct {
        int points;
        Advice advice;
    } cases[] = {
        {-1, Advice::clear},
        {19, Advice::clear},
        {20, Advice::clear_with_conditions},
        {69, Advice::clear_with_conditions},
        {70, Advice::review},
        {99, Advice::review},
        {100, Advice::reject},
        {std::numeric_limits<int>::max(), Advice::reject},
    };
    for (const auto& [points, advice] : cases) {
        const auto policy = policy_of(
            "[thresholds]\nclear_with_conditions=20\nreview=70\nreject=100\n"
            "[[rule]]\nname='m'\nkind='match'\ncurrencies=['EUR']\npoints=" +
            std::to_string(points));
        const auto assessment = assess(policy, a_payment());
        EXPECT_EQ(assessment.score, points);
        EXPECT_EQ(assessment.advice, advice) << points;
    }
}

TEST(ScoreTest, WithoutAThresholdPointsAdviseNothing) {
    const auto policy = policy_of("[[rule]]\nname='m'\nkind='match'\ncurrencies=['EUR']\npoints=1000000");
    EXPECT_EQ(assess(policy, a_payment()).advice, Advice::clear);
}

TEST(ScoreTest, ARailMayHaveThresholdsOfItsOwn) {
    const auto policy = policy_of(
        "[thresholds]\nreview=70\nreject=100\n"
        "[[rail]]\nname='fast'\nnumber=3\nthresholds={review=30}\n"
        "[[rule]]\nname='m'\nkind='match'\ncurrencies=['EUR']\npoints=50");
    EXPECT_EQ(assess(policy, a_payment()).advice, Advice::clear);
    EXPECT_EQ(assess(policy, a_payment().on_rail(3)).advice, Advice::review);
    EXPECT_EQ(assess(policy, a_payment().on_rail(4)).advice, Advice::clear);
}

std::string match_rule(int number, std::int64_t points) {
    return "[[rule]]\nname='m" + std::to_string(number) +
           "'\nkind='match'\ncurrencies=['EUR']\npoints=" + std::to_string(points) + "\n";
}

TEST(ScoreTest, StaysAtTheEndsOf32Bits) {
    std::string up, down;
    for (int i = 0; i < 8; ++i) {
        up += match_rule(i, std::numeric_limits<std::int32_t>::max());
        down += match_rule(i, std::numeric_limits<std::int32_t>::min());
    }
    EXPECT_EQ(assess(policy_of(up), a_payment()).score, std::numeric_limits<std::int32_t>::max());
    EXPECT_EQ(assess(policy_of(down), a_payment()).score, std::numeric_limits<std::int32_t>::min());
}

TEST(ScoreTest, PointsAboutThePartiesCanTakeTheFirstHalfsAdviceBack) {
    const auto policy =
        policy_of("[thresholds]\nreview=30\n" + match_rule(1, 30) +
                  "[[rule]]\nname='known'\nkind='party_risk'\nparty='debtor'\nlevels=['low']\npoints=-10");
    const auto payment = a_payment();
    EXPECT_EQ(policy->assess(payment.payment()).advice, Advice::review);
    EXPECT_EQ(assess(policy, payment, {RiskLevel::low, AccountKind::customer, {}}).advice, Advice::clear);
    EXPECT_EQ(assess(policy, payment).advice, Advice::review);
}

TEST(ScoreTest, HitsStandInThePolicysOrderWhicheverHalfFoundThem) {
    const auto policy = policy_of(
        "[[rule]]\nname='p1'\nkind='account_kind'\nparty='debtor'\nkinds=['customer']\npoints=1\n" + match_rule(1, 2) +
        "[[rule]]\nname='p2'\nkind='account_kind'\nparty='creditor'\nkinds=['customer']\npoints=4\n" +
        match_rule(2, 8));
    const auto assessment = assess(policy, a_payment());
    EXPECT_THAT(fired(*policy, assessment, test::currency("EUR")),
                ElementsAre("p1 customer", "m1 EUR", "p2 customer", "m2 EUR"));
    EXPECT_EQ(assessment.score, 15);
    EXPECT_EQ(assessment.version, 1u);
}

TEST(ScoreTest, WithoutRulesEverythingIsClear) {
    const auto assessment = assess(policy_of(""), a_payment());
    EXPECT_THAT(assessment.fired(), IsEmpty());
    EXPECT_EQ(assessment.score, 0);
    EXPECT_EQ(assessment.advice, Advice::clear);
    EXPECT_EQ(assessment.version, 1u);
}

// Random rules over few values, so that many fire.
std::string any_rule(int number) {
    static const std::vector<std::string> kWhat = {
        "kind='amount_band'\nabove={EUR='5.00'}\npoints=",
        "kind='amount_band'\nat_most={EUR='10.00', USD='1.00'}\npoints=",
        "kind='match'\ntypes=['TRANSFER', 'OTHER']\npoints=",
        "kind='match'\ncurrencies=['EUR']\npoints=",
        "kind='deny'\nparty='either'\naccounts=['ada', 'eve']\npoints=",
        "kind='party_risk'\nparty='either'\nlevels=['high', 'medium']\npoints=",
        "kind='account_kind'\nparty='creditor'\nkinds=['merchant']\npoints=",
        "kind='account_age'\nparty='debtor'\nyounger_than='1h'\npoints=",
    };
    const int points = *rc::gen::inRange(-50, 50);
    return "[[rule]]\nname='r" + std::to_string(number) + "'\n" + *rc::gen::elementOf(kWhat) +
           std::to_string(points == 0 ? 1 : points) + "\n";
}

PaymentBuilder any_payment() {
    static const std::vector<std::string_view> kNames = {"ada", "bob", "eve"}, kTypes = {"TRANSFER", "PAYMENT", ""},
                                               kCurrencies = {"EUR", "USD", "JPY"};
    return a_payment()
        .of(*rc::gen::elementOf(kCurrencies), *rc::gen::inRange<std::int64_t>(1, 2'000))
        .from(*rc::gen::elementOf(kNames))
        .to(*rc::gen::elementOf(kNames))
        .type(*rc::gen::elementOf(kTypes));
}

PartyFacts any_facts() {
    return {static_cast<RiskLevel>(*rc::gen::inRange(0, 5)), static_cast<AccountKind>(*rc::gen::inRange(0, 5)),
            kStart - std::chrono::minutes(*rc::gen::inRange(0, 120))};
}

RC_GTEST_PROP(ScoreTest, DoesNotDependOnTheOrderOfRules, ()) {
    std::vector<std::string> rules;
    const int count = *rc::gen::inRange(1, 8);
    for (int i = 0; i < count; ++i) rules.push_back(any_rule(i));
    const auto text = [](const std::vector<std::string>& all) {
        std::string joined = "[thresholds]\nreview=20\nreject=60\n";
        for (const std::string& rule : all) joined += rule;
        return joined;
    };
    const auto first = policy_of(text(rules));
    std::reverse(rules.begin(), rules.end());
    std::rotate(rules.begin(), rules.begin() + *rc::gen::inRange(0, count), rules.end());
    const auto second = policy_of(text(rules));

    const auto payment = any_payment();
    const PartyFacts debtor = any_facts(), creditor = any_facts();
    const auto a = assess(first, payment, debtor, creditor), b = assess(second, payment, debtor, creditor);
    RC_ASSERT(a.score == b.score);
    RC_ASSERT(a.advice == b.advice);
    const Currency currency = payment.payment().amount.currency();
    auto of_a = fired(*first, a, currency), of_b = fired(*second, b, currency);
    std::sort(of_a.begin(), of_a.end());
    std::sort(of_b.begin(), of_b.end());
    RC_ASSERT(of_a == of_b);
}

RC_GTEST_PROP(ScoreTest, IsTheSumOfTheHitsAndTheHitsAreInOrder, ()) {
    std::string rules = "[thresholds]\nreview=20\nreject=60\n";
    const int count = *rc::gen::inRange(0, 8);
    for (int i = 0; i < count; ++i) rules += any_rule(i);
    const auto assessment = assess(policy_of(rules), any_payment(), any_facts(), any_facts());
    int sum = 0;
    RuleNo last = 0;
    for (const Hit& hit : assessment.fired()) {
        RC_ASSERT(hit.rule > last);
        last = hit.rule;
        sum += hit.points;
    }
    RC_ASSERT(assessment.score == sum);
    RC_ASSERT(assessment.advice == (sum >= 60 ? Advice::reject : sum >= 20 ? Advice::review : Advice::clear));
}

}  // namespace
}  // namespace nostro
