// From hits to score and advice.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "nostro/domain/policy.hpp"
#include "tests/unit/domain/policy_builders.hpp"

namespace nostro {
namespace {

using test::a_payment;
using test::a_policy;
using test::any_facts;
using test::any_payment;
using test::assess;
using test::fired;
using test::kStart;
using testing::ElementsAre;
using testing::IsEmpty;

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
        const auto policy = a_policy(
            "[thresholds]\nclear_with_conditions=20\nreview=70\nreject=100\n"
            "[[rule]]\nname='m'\nkind='match'\ncurrencies=['EUR']\npoints=" +
            std::to_string(points));
        const auto assessment = assess(policy, a_payment());
        EXPECT_EQ(assessment.score, points);
        EXPECT_EQ(assessment.advice, advice) << points;
    }
}

TEST(ScoreTest, WithoutAThresholdPointsAdviseNothing) {
    const auto policy = a_policy("[[rule]]\nname='m'\nkind='match'\ncurrencies=['EUR']\npoints=1000000");
    EXPECT_EQ(assess(policy, a_payment()).advice, Advice::clear);
}

TEST(ScoreTest, ARailMayHaveThresholdsOfItsOwn) {
    const auto policy = a_policy(
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
    EXPECT_EQ(assess(a_policy(up), a_payment()).score, std::numeric_limits<std::int32_t>::max());
    EXPECT_EQ(assess(a_policy(down), a_payment()).score, std::numeric_limits<std::int32_t>::min());
}

TEST(ScoreTest, PointsAboutThePartiesCanTakeTheFirstHalfsAdviceBack) {
    const auto policy =
        a_policy("[thresholds]\nreview=30\n" + match_rule(1, 30) +
                 "[[rule]]\nname='known'\nkind='party_risk'\nparty='debtor'\nlevels=['low']\npoints=-10");
    const auto payment = a_payment();
    EXPECT_EQ(policy->assess(payment.payment()).advice, Advice::review);
    EXPECT_EQ(assess(policy, payment, {RiskLevel::low, AccountKind::customer, {}}).advice, Advice::clear);
    EXPECT_EQ(assess(policy, payment).advice, Advice::review);
}

TEST(ScoreTest, HitsStandInThePolicysOrderWhicheverHalfFoundThem) {
    const auto policy = a_policy(
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
    const auto assessment = assess(a_policy(""), a_payment());
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

RC_GTEST_PROP(ScoreTest, DoesNotDependOnTheOrderOfRules, ()) {
    std::vector<std::string> rules;
    const int count = *rc::gen::inRange(1, 8);
    for (int i = 0; i < count; ++i) rules.push_back(any_rule(i));
    const auto text = [](const std::vector<std::string>& all) {
        std::string joined = "[thresholds]\nreview=20\nreject=60\n";
        for (const std::string& rule : all) joined += rule;
        return joined;
    };
    const auto first = a_policy(text(rules));
    std::reverse(rules.begin(), rules.end());
    std::rotate(rules.begin(), rules.begin() + *rc::gen::inRange(0, count), rules.end());
    const auto second = a_policy(text(rules));

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
    const auto assessment = assess(a_policy(rules), any_payment(), any_facts(), any_facts());
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
