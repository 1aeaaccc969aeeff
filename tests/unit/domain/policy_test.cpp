// What a policy says besides its rules: order, rails, limits and their windows, accounts, terms.
#include "nostro/domain/policy.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "nostro/base/time.hpp"
#include "nostro/domain/policy_rules.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro {
namespace {

using test::a_payment;
using test::a_policy;
using test::currency;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

Instant at(std::string_view text) { return parse_rfc3339(text).value(); }

std::vector<std::string> names(const Policy& policy, std::span<const Limit> limits) {
    std::vector<std::string> all;
    for (const Limit& limit : limits) all.emplace_back(policy.name(limit.rule));
    return all;
}

TEST(PolicyTest, DefaultsAreThoseOfTheDocumentation) {
    const auto policy = a_policy();
    EXPECT_EQ(policy->version(), 1u);
    EXPECT_EQ(policy->tenant(), "nostro");
    EXPECT_THAT(policy->order(), ElementsAre(Check::accounts, Check::status, Check::same_account, Check::amount,
                                             Check::risk, Check::limits, Check::funds));
    EXPECT_EQ(policy->unknown_accounts(), UnknownAccounts::refuse);
    EXPECT_EQ(policy->opened_floor_minor(currency("USD")), 0);
    EXPECT_EQ(policy->hold_ttl(), 7 * 24h);
    EXPECT_EQ(policy->review_ttl(), 24h);
    EXPECT_EQ(policy->reversal_days(), 400);
    EXPECT_EQ(policy->rail("internal").value(), 0);
    EXPECT_EQ(policy->rail_name(0), "internal");
    EXPECT_THAT(policy->limits(), IsEmpty());
    EXPECT_FALSE(policy->rail_refusal(a_payment().payment()));
}

TEST(PolicyTest, SaysWhatItsTextSays) {
    const auto policy = a_policy(
        "order = ['same_account', 'amount', 'accounts', 'limits', 'risk', 'status', 'funds']\n"
        "unknown_accounts = 'open'\nopened_floor = { USD = '-100.00', JPY = '5' }\n"
        "hold_ttl = '36h'\nreview_ttl = '90m'\nreversal_days = 0\n",
        17);
    EXPECT_EQ(policy->version(), 17u);
    EXPECT_THAT(policy->order(), ElementsAre(Check::same_account, Check::amount, Check::accounts, Check::limits,
                                             Check::risk, Check::status, Check::funds));
    EXPECT_EQ(policy->unknown_accounts(), UnknownAccounts::open);
    EXPECT_EQ(policy->opened_floor_minor(currency("USD")), -10'000);
    EXPECT_EQ(policy->opened_floor_minor(currency("JPY")), 5);
    EXPECT_EQ(policy->opened_floor_minor(currency("EUR")), 0);
    EXPECT_EQ(policy->hold_ttl(), 36h);
    EXPECT_EQ(policy->review_ttl(), 90min);
    EXPECT_EQ(policy->reversal_days(), 0);
    EXPECT_THAT(std::string(policy->text()), HasSubstr("opened_floor"));
}

TEST(PolicyTest, OpenedAccountsMayHaveNoFloor) {
    EXPECT_EQ(a_policy("opened_floor = 'none'")->opened_floor_minor(currency("USD")), kNoFloor);
    EXPECT_EQ(a_policy("opened_floor = '0'")->opened_floor_minor(currency("USD")), 0);
}

TEST(PolicyTest, NumbersRulesThenLimitsThenBoundsOfRails) {
    const auto policy = a_policy(R"(
[[rail]]
name = 'upi'
number = 1
max_amount = { INR = '100000.00' }
[[rule]]
name = 'r'
kind = 'match'
types = ['X']
advice = 'review'
[[limit]]
name = 'l'
side = 'debit'
measure = 'count'
at_most = 3
window = { rolling = '1h', buckets = 4 }
)");
    EXPECT_EQ(policy->name(1), "r");
    EXPECT_EQ(policy->name(2), "l");
    EXPECT_EQ(policy->name(3), "upi.max_amount");
    EXPECT_EQ(policy->name(0), "");
    EXPECT_EQ(policy->name(4), "");
    EXPECT_EQ(policy->name(65'535), "");
    EXPECT_EQ(policy->limit(1), nullptr);
    ASSERT_NE(policy->limit(2), nullptr);
    EXPECT_EQ(policy->limit(2), policy->limit("l"));
    EXPECT_EQ(policy->limit(3), nullptr);
    EXPECT_EQ(policy->limit(0), nullptr);
    EXPECT_EQ(policy->limit("r"), nullptr);
    EXPECT_EQ(policy->limit("other"), nullptr);
    EXPECT_EQ(policy->advice(1), Advice::review);
    EXPECT_EQ(policy->advice(2), std::nullopt);
    EXPECT_EQ(policy->advice(0), std::nullopt);
}

TEST(PolicyTest, EveryWordHasAName) {
    EXPECT_EQ(name(Advice::clear), "clear");
    EXPECT_EQ(name(Advice::clear_with_conditions), "clear_with_conditions");
    EXPECT_EQ(name(Advice::review), "review");
    EXPECT_EQ(name(Advice::reject), "reject");
    const auto policy = a_policy();
    std::string all;
    for (const Check check : policy->order()) all += std::string(name(check)) + " ";
    EXPECT_EQ(all, "accounts status same_account amount risk limits funds ");
}

// ---- rails -----------------------------------------------------------------------------------------------------

constexpr std::string_view kRails = R"(
[[rail]]
name = 'upi'
number = 7
currencies = ['INR']
min_amount = { INR = '1.00' }
max_amount = { INR = '100000.00' }
[[rail]]
name = 'internal'
number = 0
max_amount = { USD = '5.00' }
[[rail]]
name = 'wire'
number = 65535
)";

TEST(RailTest, IsFoundByNameAndNumber) {
    const auto policy = a_policy(kRails);
    EXPECT_EQ(policy->rail("upi").value(), 7);
    EXPECT_EQ(policy->rail("wire").value(), 65'535);
    EXPECT_EQ(policy->rail("internal").value(), 0);
    EXPECT_EQ(policy->rail_name(7), "upi");
    EXPECT_EQ(policy->rail_name(0), "internal");
    EXPECT_EQ(policy->rail_name(8), "");
    const auto unknown = policy->rail("UPI");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::invalid);
    EXPECT_EQ(unknown.error().what, "rail: 'UPI' is none of internal, upi, wire");
}

TEST(RailTest, RefusesWhatIsNotOfItsCurrenciesAndBounds) {
    using Why = RailRefusal::Why;
    const struct {
        RailNo rail;
        std::string_view currency;
        std::int64_t minor;
        std::optional<Why> why;
        std::string_view bound;
        std::int64_t at_most;
    } cases[] = {
        {7, "INR", 99, Why::below_min, "upi.min_amount", 100},
        {7, "INR", 100, {}, "", 0},
        {7, "INR", 10'000'000, {}, "", 0},
        {7, "INR", 10'000'001, Why::above_max, "upi.max_amount", 10'000'000},
        {7, "USD", 500, Why::currency_not_taken, "upi.currencies", 0},
        {0, "USD", 500, {}, "", 0},
        {0, "USD", 501, Why::above_max, "internal.max_amount", 500},
        {0, "EUR", 1'000'000'000, {}, "", 0},
        {65'535, "EUR", std::numeric_limits<std::int64_t>::max(), {}, "", 0},
        {8, "EUR", 1, {}, "", 0},  // no rail has this number
    };
    const auto policy = a_policy(kRails);
    for (const auto& each : cases) {
        const auto refusal =
            policy->rail_refusal(a_payment().of(each.currency, each.minor).on_rail(each.rail).payment());
        ASSERT_EQ(refusal.has_value(), each.why.has_value()) << each.rail << each.currency << each.minor;
        if (!refusal) continue;
        EXPECT_EQ(refusal->why, *each.why);
        EXPECT_EQ(policy->name(refusal->hit.rule), each.bound);
        EXPECT_EQ(refusal->hit.input, each.minor);
        EXPECT_EQ(refusal->hit.at_most, each.at_most);
        EXPECT_EQ(refusal->hit.points, 0);
    }
    const auto refusal = policy->rail_refusal(a_payment().of("INR", 99).on_rail(7).payment());
    EXPECT_EQ(policy->input_text(refusal->hit, currency("INR")), "0.99");
}

TEST(RailTest, StaysForLife) {
    const auto before = a_policy("[[rail]]\nname='upi'\nnumber=7\n", 3);
    EXPECT_TRUE(before->may_follow(*before));
    EXPECT_TRUE(a_policy(kRails, 4)->may_follow(*before));
    EXPECT_TRUE(before->may_follow(*a_policy()));
    const auto gone = a_policy("", 4)->may_follow(*before);
    ASSERT_FALSE(gone);
    EXPECT_THAT(gone.error().what, HasSubstr("rail 'upi' (number 7) of version 3 is missing"));
    const auto renamed = a_policy("[[rail]]\nname='upi2'\nnumber=7\n", 4)->may_follow(*before);
    ASSERT_FALSE(renamed);
    EXPECT_THAT(renamed.error().what, HasSubstr("is now named 'upi2'"));
    const auto moved = a_policy("[[rail]]\nname='upi'\nnumber=8\n", 4)->may_follow(*before);
    ASSERT_FALSE(moved);
    const auto other = Policy::parse("tenant = 'upi'", 4, test::kStart).value()->may_follow(*a_policy());
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().what, HasSubstr("tenant is 'upi', but the policy in force is of 'nostro'"));
}

// ---- limits ----------------------------------------------------------------------------------------------------

std::string limit_text(std::string_view name, std::string_view rest = "") {
    std::string text = "[[limit]]\nname='" + std::string(name) + "'\n";
    const auto or_default = [&](std::string_view key, std::string_view value) {
        if (rest.find(key) == std::string_view::npos) text += std::string(key) + "=" + std::string(value) + "\n";
    };
    or_default("side", "'debit'");
    or_default("measure", "'count'");
    or_default("at_most", "5");
    or_default("window", "{rolling='24h'}");
    return text + std::string(rest) + "\n";
}

TEST(LimitTest, IsReadAsWritten) {
    const auto policy = a_policy(
        limit_text("a", "side='credit'\nmeasure='sum'\ncurrency='JPY'\nat_most='1000'\nwhen_exceeded='review'") +
        limit_text("b", "currency='USD'\nat_most=0\nwindow={days=7, zone='Asia/Kolkata'}") +
        limit_text("c", "at_most=9223372036854775807\nwindow={rolling='90s', buckets=3}"));
    ASSERT_EQ(policy->limits().size(), 3u);
    const Limit &a = policy->limits()[0], &b = policy->limits()[1], &c = policy->limits()[2];
    EXPECT_EQ(a.side, Limit::Side::credit);
    EXPECT_EQ(a.measure, Limit::Measure::sum);
    EXPECT_EQ(a.currency, currency("JPY"));
    EXPECT_FALSE(a.any_currency);
    EXPECT_EQ(a.at_most, 1'000);
    EXPECT_EQ(a.when_exceeded, Advice::review);
    EXPECT_EQ(std::get<Rolling>(a.window).bucket_s, 3'600u);  // 24 buckets when none are named
    EXPECT_EQ(std::get<Rolling>(a.window).buckets, 24);
    EXPECT_EQ(a.ring, 25);  // and the running one
    EXPECT_EQ(b.side, Limit::Side::debit);
    EXPECT_EQ(b.measure, Limit::Measure::count);
    EXPECT_EQ(b.currency, currency("USD"));
    EXPECT_FALSE(b.any_currency);
    EXPECT_EQ(b.at_most, 0);
    EXPECT_EQ(b.when_exceeded, Advice::reject);
    EXPECT_EQ(std::get<Calendar>(b.window).days, 7);
    EXPECT_EQ(b.ring, 7);
    EXPECT_TRUE(c.any_currency);
    EXPECT_EQ(c.at_most, std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(std::get<Rolling>(c.window).bucket_s, 30u);
    EXPECT_EQ(c.ring, 4);
}

TEST(LimitTest, BoundsTheRailsItNames) {
    const auto policy = a_policy(std::string(kRails) + limit_text("all") + limit_text("upi", "rails=['upi']") +
                                 limit_text("two", "rails=['wire', 'internal']"));
    EXPECT_THAT(names(*policy, policy->limits()), ElementsAre("all", "upi", "two"));
    EXPECT_THAT(names(*policy, policy->limits(7)), ElementsAre("all", "upi"));
    EXPECT_THAT(names(*policy, policy->limits(0)), ElementsAre("all", "two"));
    EXPECT_THAT(names(*policy, policy->limits(65'535)), ElementsAre("all", "two"));
    EXPECT_THAT(names(*policy, policy->limits(8)), ElementsAre("all"));  // no rail has this number
}

TEST(LimitTest, CountsOnUnderTheSameKeyAsLongAsItCountsTheSame) {
    const auto key = [](std::string_view name, std::string_view rest) {
        const auto policy = a_policy(std::string(kRails) + limit_text(name, rest));
        return policy->limits().front().key;
    };
    const std::uint32_t plain = key("l", "");
    EXPECT_EQ(key("l", "at_most=99"), plain);
    EXPECT_EQ(key("l", "when_exceeded='review'"), plain);
    EXPECT_EQ(key("l", "window={rolling='1d', buckets=24}"), plain);
    EXPECT_EQ(key("l", "rails=['upi', 'wire']"), key("l", "rails=['wire', 'upi']"));
    const std::vector<std::uint32_t> others = {
        plain,
        key("m", ""),
        key("l", "side='credit'"),
        key("l", "measure='sum'\ncurrency='USD'\nat_most='1.00'"),
        key("l", "currency='USD'"),
        key("l", "currency='EUR'"),
        key("l", "window={rolling='24h', buckets=12}"),
        key("l", "window={rolling='48h', buckets=48}"),
        key("l", "window={days=1, zone='UTC'}"),
        key("l", "window={days=2, zone='UTC'}"),
        key("l", "window={days=1, zone='Asia/Kolkata'}"),
        key("l", "rails=['upi']"),
        key("l", "rails=['wire']"),
        key("l", "rails=['upi', 'wire']"),
    };
    for (std::size_t i = 0; i < others.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(others[i], others[j]) << i << " " << j;
    }
}

TEST(LimitTest, AnAccountsOwnBoundNamesItByNameAlone) {
    const auto a = a_policy(limit_text("l", "side='credit'")), b = a_policy(limit_text("l"));
    EXPECT_EQ(a->limits()[0].name_key, b->limits()[0].name_key);
    EXPECT_NE(a->limits()[0].name_key, a_policy(limit_text("m"))->limits()[0].name_key);
}

TEST(LimitTest, RollingBucketsChangeAtWholeMultiplesOfTheirLength) {
    const auto policy = a_policy(limit_text("l", "window={rolling='24h', buckets=24}"));
    const Limit& limit = policy->limits()[0];
    const std::uint64_t bucket = policy->bucket(limit, at("2026-11-21T09:00:00Z"));
    EXPECT_EQ(policy->bucket(limit, at("2026-11-21T09:00:00Z") - 1ns), bucket - 1);
    EXPECT_EQ(policy->bucket(limit, at("2026-11-21T10:00:00Z") - 1ns), bucket);
    EXPECT_EQ(policy->bucket(limit, at("2026-11-21T10:00:00Z")), bucket + 1);
    EXPECT_EQ(policy->bucket(limit, at("2026-11-22T09:00:00Z")), bucket + 24);
    EXPECT_EQ(policy->bucket(limit, Instant{}), 0u);
    EXPECT_EQ(policy->bucket(limit, Instant{} - 5h), 0u);
    EXPECT_EQ(policy->window_name(limit, bucket), "24h");
}

TEST(LimitTest, RollingWindowsAreNamedAsTheirAuthorWroteThem) {
    for (const char* text : {"24h", "1d", "1440m", "7d", "1h30m", "90s"}) {
        const auto policy = a_policy(limit_text("l", "window={rolling='" + std::string(text) + "', buckets=1}"));
        EXPECT_EQ(policy->window_name(policy->limits()[0], 17), text);
    }
}

TEST(LimitTest, CalendarBucketsAreDatesOfTheirZone) {
    const struct {
        std::string_view zone, now, date;
    } cases[] = {
        {"UTC", "2026-11-21T00:00:00Z", "2026-11-21"},
        {"UTC", "2026-11-20T23:59:59.999999999Z", "2026-11-20"},
        {"Asia/Kolkata", "2026-11-21T18:29:59.999999999Z", "2026-11-21"},
        {"Asia/Kolkata", "2026-11-21T18:30:00Z", "2026-11-22"},
        {"America/New_York", "2026-11-21T04:59:59.999999999Z", "2026-11-20"},
        {"America/New_York", "2026-11-21T05:00:00Z", "2026-11-21"},
        {"Europe/Berlin", "2027-03-28T21:59:59.999999999Z", "2027-03-28"},  // after 23 hours
        {"Europe/Berlin", "2027-03-28T22:00:00Z", "2027-03-29"},
        {"Europe/Berlin", "2027-10-31T22:59:59.999999999Z", "2027-10-31"},  // after 25
        {"Europe/Berlin", "2027-10-31T23:00:00Z", "2027-11-01"},
    };
    for (const auto& [zone, now, date] : cases) {
        const auto policy = a_policy(limit_text("l", "window={days=1, zone='" + std::string(zone) + "'}"));
        const Limit& limit = policy->limits()[0];
        EXPECT_EQ(policy->window_name(limit, policy->bucket(limit, at(now))), date) << zone << " " << now;
    }
}

TEST(LimitTest, WindowsOfSeveralDaysNameTheirFirstAndLast) {
    const auto policy = a_policy(limit_text("l", "window={days=7, zone='UTC'}"));
    const Limit& limit = policy->limits()[0];
    EXPECT_EQ(policy->window_name(limit, policy->bucket(limit, at("2026-03-02T12:00:00Z"))), "2026-02-24/2026-03-02");
    EXPECT_EQ(policy->window_name(limit, 3), "1970-01-01/1970-01-04");
    EXPECT_THAT(policy->window_name(limit, std::numeric_limits<std::uint64_t>::max()), HasSubstr("/"));
}

TEST(LimitTest, LimitsOfOneZoneShareItsDays) {
    const auto policy = a_policy(limit_text("a", "window={days=1, zone='Europe/Berlin'}") +
                                 limit_text("b", "window={days=1, zone='UTC'}") +
                                 limit_text("c", "window={days=5, zone='Europe/Berlin'}"));
    EXPECT_EQ(std::get<Calendar>(policy->limits()[0].window).zone, 0);
    EXPECT_EQ(std::get<Calendar>(policy->limits()[1].window).zone, 1);
    EXPECT_EQ(std::get<Calendar>(policy->limits()[2].window).zone, 0);
}

TEST(LimitTest, WhatWasUsedIsShownInItsOwnUnit) {
    const auto policy =
        a_policy(limit_text("sum", "measure='sum'\ncurrency='KWD'\nat_most='5.000'") + limit_text("count"));
    const Hit sum{policy->limits()[0].rule, 0, 1'234, 5'000, 9};
    const Hit count{policy->limits()[1].rule, 0, 1'234, 5, 9};
    EXPECT_EQ(policy->input_text(sum, currency("KWD")), "1.234");
    EXPECT_EQ(policy->input_text(count, currency("KWD")), "1234");
}

// ---- how many hits ---------------------------------------------------------------------------------------------

std::string band(std::string_view name, std::string_view bounds, std::string_view rest = "") {
    return "[[rule]]\nname='" + std::string(name) + "'\nkind='amount_band'\npoints=1\n" + std::string(bounds) + "\n" +
           std::string(rest) + "\n";
}
std::string many(int count, const std::function<std::string(std::string)>& rule) {
    std::string all;
    for (int i = 0; i < count; ++i) all += rule("n" + std::to_string(i));
    return all;
}

TEST(HitsTest, APolicyUnderWhichMoreThanEightCanMeetIsRefused) {
    const auto match = [](std::string name) {
        return "[[rule]]\nname='" + name + "'\nkind='match'\ntypes=['T']\npoints=1\n";
    };
    const auto limits = [](std::string name) { return limit_text(name); };
    const auto levels = [](std::string name) {
        return "[[rule]]\nname='" + name + "'\nkind='party_risk'\nparty='debtor'\nlevels=['high']\npoints=1\n";
    };
    const auto ages = [](std::string name) {
        return "[[rule]]\nname='" + name + "'\nkind='account_age'\nparty='debtor'\nyounger_than='1h'\npoints=1\n";
    };
    const auto lists = [](std::string name) {
        return "[[rule]]\nname='" + name + "'\nkind='allow'\nparty='debtor'\naccounts=['a']\npoints=-1\n";
    };
    const auto kinds = [](std::string name) {
        return "[[rule]]\nname='" + name + "'\nkind='account_kind'\nparty='either'\nkinds=['bank']\npoints=1\n";
    };
    const auto bands = [](std::string name) { return band(name, "above={USD='1.00'}"); };
    for (const auto& rule :
         std::vector<std::function<std::string(std::string)>>{match, limits, levels, ages, lists, kinds, bands}) {
        const std::string head = "tenant='nostro'\n";
        EXPECT_TRUE(Policy::parse(head + many(8, rule), 1, test::kStart)) << rule("x");
        const auto nine = Policy::parse(head + many(9, rule), 1, test::kStart);
        ASSERT_FALSE(nine) << rule("x");
        EXPECT_THAT(nine.error().what, HasSubstr("could meet 9 rules and limits at once"));
        EXPECT_THAT(nine.error().what, HasSubstr("n0, n1, n2, n3, n4, n5, n6, n7, n8"));
    }
}

TEST(HitsTest, WhatCannotComeTogetherIsNotCountedTogether) {
    std::string disjoint_bands, other_currencies, other_types, other_rails, levels;
    for (int i = 0; i < 20; ++i) {
        const std::string n = std::to_string(i);
        disjoint_bands += band("b" + n, "at_least={USD='" + std::to_string(i + 1) + ".00'}\nbelow={USD='" +
                                            std::to_string(i + 2) + ".00'}");
        other_types += "[[rule]]\nname='t" + n + "'\nkind='match'\ntypes=['T" + n + "']\npoints=1\n";
        other_rails += "[[rail]]\nname='r" + n + "'\nnumber=" + std::to_string(i + 1) + "\n";
    }
    for (int i = 0; i < 20; ++i) {
        other_rails += limit_text("l" + std::to_string(i), "rails=['r" + std::to_string(i) + "']");
    }
    for (const char* code : {"USD", "EUR", "GBP", "JPY", "INR", "CHF", "CAD", "AUD", "NZD", "SEK"}) {
        other_currencies += limit_text("l" + std::string(code), "currency='" + std::string(code) + "'");
    }
    for (const char* level : {"unrated", "low", "medium", "high", "prohibited"}) {
        for (const char* party : {"debtor", "creditor", "either"}) {
            levels += "[[rule]]\nname='" + std::string(level) + "-" + party +
                      "'\nkind='party_risk'\npoints=1\nparty='" + party + "'\nlevels=['" + level + "']\n";
        }
    }
    for (const std::string& text : {disjoint_bands, other_currencies, other_types, other_rails, levels}) {
        const auto policy = Policy::parse("tenant='nostro'\n" + text, 1, test::kStart);
        EXPECT_TRUE(policy) << policy.error().what;
    }
}

TEST(HitsTest, ARailsBoundCountsOnceWhereTheRailHasOne) {
    const auto rail = [](std::string_view bounds) {
        return "tenant='nostro'\n[[rail]]\nname='upi'\nnumber=1\n" + std::string(bounds) + "\n";
    };
    const auto limits = [](std::string name) { return limit_text(name); };
    EXPECT_TRUE(Policy::parse(rail("") + many(8, limits), 1, test::kStart));
    const std::string bounds = "currencies=['INR']\nmin_amount={INR='1.00'}\nmax_amount={INR='9.00'}";
    EXPECT_TRUE(Policy::parse(rail(bounds) + many(7, limits), 1, test::kStart));
    const auto refused = Policy::parse(rail(bounds) + many(8, limits), 1, test::kStart);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("a payment on rail upi could meet 9"));
}

TEST(HitsTest, TheCountIsReachedByARealPayment) {
    const auto policy =
        a_policy(band("b1", "above={USD='1.00'}") + band("b2", "below={USD='9.00'}") +
                 "[[rule]]\nname='m'\nkind='match'\ntypes=['T']\npoints=1\n"
                 "[[rule]]\nname='deny'\nkind='deny'\nparty='either'\naccounts=['ada']\nadvice='review'\n"
                 "[[rule]]\nname='risk'\nkind='party_risk'\nparty='either'\nlevels=['high']\npoints=1\n"
                 "[[rule]]\nname='kind'\nkind='account_kind'\nparty='either'\nkinds=['bank']\npoints=1\n"
                 "[[rule]]\nname='age'\nkind='account_age'\nparty='either'\nyounger_than='1h'\npoints=1\n" +
                 limit_text("l"));
    const auto payment = a_payment().of("USD", 200).type("T");
    const PartyFacts facts{RiskLevel::high, AccountKind::bank, test::kStart};
    const auto assessment =
        policy->with_parties(policy->assess(payment.payment()), payment.payment(), facts, facts, test::kStart);
    EXPECT_EQ(assessment.hit_count, 7);  // the eighth is the limit's
}

}  // namespace
}  // namespace nostro
