// The form that the journal keeps: what it says is what was meant, and damage is found.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "nostro/base/bytes.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/base/embedded.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/domain/policy_rules.hpp"
#include "tests/unit/domain/policy_builders.hpp"

namespace nostro {
namespace {

using test::a_payment;
using test::a_policy;
using test::any_facts;
using test::any_payment;
using test::assess;
using test::kStart;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view kWhole = R"(
unknown_accounts = 'open'
opened_floor = { USD = '-5.00' }
[thresholds]
review = 30
reject = 60
[[rail]]
name = 'upi'
number = 7
currencies = ['INR']
max_amount = { INR = '100000.00' }
[[rule]]
name = 'large'
kind = 'amount_band'
above = { USD = '5.00' }
points = 40
[[rule]]
name = 'bad'
kind = 'deny'
party = 'creditor'
accounts = ['eve']
advice = 'reject'
[[rule]]
name = 'risk'
kind = 'party_risk'
party = 'either'
levels = ['high']
points = 30
[[limit]]
name = 'day'
side = 'debit'
measure = 'sum'
currency = 'USD'
at_most = '1000.00'
window = { days = 1, zone = 'Europe/Berlin' }
[[limit]]
name = 'week'
side = 'credit'
measure = 'count'
at_most = 10
rails = ['upi']
window = { days = 7, zone = 'Asia/Kolkata' }
[[limit]]
name = 'hour'
side = 'debit'
measure = 'count'
at_most = 3
window = { rolling = '1h', buckets = 12 }
)";

std::string seal(std::string body) {
    const std::uint32_t sum = crc32c(std::as_bytes(std::span(body)));
    for (int shift = 0; shift < 32; shift += 8) body += static_cast<char>(sum >> shift & 0xff);
    return body;
}

bool same_limits(std::span<const Limit> a, std::span<const Limit> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Limit& x, const Limit& y) {
        return x.rule == y.rule && x.key == y.key && x.name_key == y.name_key && x.side == y.side &&
               x.measure == y.measure && x.window.index() == y.window.index() && x.at_most == y.at_most &&
               x.currency == y.currency && x.any_currency == y.any_currency && x.when_exceeded == y.when_exceeded &&
               x.ring == y.ring;
    });
}

bool same_assessment(const Assessment& a, const Assessment& b) {
    return a.version == b.version && a.advice == b.advice && a.score == b.score &&
           std::equal(a.fired().begin(), a.fired().end(), b.fired().begin(), b.fired().end());
}

TEST(CompiledPolicyTest, LoadsEqualInEveryPart) {
    const auto made = a_policy(kWhole, 5);
    const auto loaded = Policy::load(made->compiled());
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_EQ((*loaded)->compiled(), made->compiled());
    EXPECT_EQ((*loaded)->version(), 5u);
    EXPECT_EQ((*loaded)->text(), made->text());
    EXPECT_EQ((*loaded)->tenant(), "nostro");
    EXPECT_TRUE(same_limits((*loaded)->limits(), made->limits()));
    for (const RailNo rail : {RailNo{0}, RailNo{7}, RailNo{8}}) {
        EXPECT_TRUE(same_limits((*loaded)->limits(rail), made->limits(rail)));
        EXPECT_EQ((*loaded)->rail_name(rail), made->rail_name(rail));
    }
    for (RuleNo no = 0; no < 10; ++no) EXPECT_EQ((*loaded)->name(no), made->name(no));
    EXPECT_TRUE((*loaded)->may_follow(*made));
    EXPECT_TRUE(made->may_follow(**loaded));
}

TEST(CompiledPolicyTest, NeedsNoZoneDatabaseToLoad) {
    const std::string compiled = a_policy(kWhole)->compiled();
    ASSERT_EQ(::setenv("TZDIR", "/nowhere", 1), 0);
    const auto parsed = Policy::parse("tenant='nostro'\n" + std::string(kWhole), 1, kStart);
    const auto loaded = Policy::load(compiled);
    ::unsetenv("TZDIR");
    EXPECT_FALSE(parsed);
    EXPECT_THAT(parsed.error().what, HasSubstr("there is no time zone database at /nowhere; install the package"));
    ASSERT_TRUE(loaded) << loaded.error().what;
    const auto made = a_policy(kWhole);
    for (auto now = kStart; now < kStart + 24h * 400; now += 7h) {
        for (std::size_t i = 0; i < 3; ++i) {
            ASSERT_EQ((*loaded)->bucket((*loaded)->limits()[i], now), made->bucket(made->limits()[i], now));
        }
    }
}

TEST(CompiledPolicyTest, KeepsTheDaysOfItsMakingWhenLoadedYearsLater) {
    const auto made = a_policy(kWhole);
    const auto loaded = Policy::load(made->compiled()).value();
    const Limit& limit = made->limits()[0];
    const Instant summer_2036{std::chrono::sys_days(std::chrono::year(2036) / 7 / 1) + 22h};
    EXPECT_EQ(made->window_name(limit, made->bucket(limit, summer_2036)), "2036-07-02");
    EXPECT_EQ(loaded->bucket(loaded->limits()[0], summer_2036), made->bucket(limit, summer_2036));
}

// A currency that has gone since does not make history unreadable.
TEST(CompiledPolicyTest, TakesCurrenciesThatAreGone) {
    const std::string text = "tenant='nostro'\n[[rail]]\nname='r'\nnumber=1\ncurrencies=['HRK']\n";
    EXPECT_FALSE(Policy::parse(text, 1, kStart));
    std::string body = "NSTRPOL1";
    body += '\1';
    body += static_cast<char>(text.size());
    body += text;
    body += '\0';
    const auto loaded = Policy::load(seal(body));
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_EQ((*loaded)->rail("r").value(), 1);
}

TEST(CompiledPolicyTest, IsSmall) {
    const auto policy = a_policy(kWhole);
    EXPECT_LT(policy->compiled().size(), policy->text().size() + 600);
}

// Bytes written by the first release must be read by every later one.
TEST(CompiledPolicyTest, TheFormStaysAsItIs) {
    const auto policy = Policy::parse("tenant='a'", 3, kStart).value();
    EXPECT_EQ(to_hex(sha256(policy->compiled())), to_hex(sha256(seal(std::string("NSTRPOL1\3\12tenant='a'\0", 21)))));
}

TEST(CompiledPolicyTest, AnyFlippedBitIsCorrupt) {
    const std::string compiled = a_policy(kWhole)->compiled();
    for (std::size_t i = 0; i < compiled.size(); ++i) {
        for (const int flip : {1, 0x80}) {
            std::string damaged = compiled;
            damaged[i] = static_cast<char>(damaged[i] ^ flip);
            const auto loaded = Policy::load(damaged);
            ASSERT_FALSE(loaded) << i;
            ASSERT_EQ(loaded.error().code, ErrorCode::corrupt);
        }
    }
}

TEST(CompiledPolicyTest, AnyCutIsCorrupt) {
    const std::string compiled = a_policy(kWhole)->compiled();
    for (std::size_t size = 0; size < compiled.size(); ++size) {
        const auto loaded = Policy::load(compiled.substr(0, size));
        ASSERT_FALSE(loaded) << size;
        ASSERT_EQ(loaded.error().code, ErrorCode::corrupt);
    }
    EXPECT_FALSE(Policy::load(compiled + "x"));
}

// Damage that a checksum does not see: the bytes were sealed like this.
TEST(CompiledPolicyTest, AnyFlippedBitUnderARightChecksumIsRefusedOrReadable) {
    std::string body = a_policy(kWhole)->compiled();
    body.resize(body.size() - 4);
    std::size_t refused = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
        for (const int flip : {1, 0x40, 0x80}) {
            std::string damaged = body;
            damaged[i] = static_cast<char>(damaged[i] ^ flip);
            const auto loaded = Policy::load(seal(damaged));
            if (!loaded) {
                ASSERT_EQ(loaded.error().code, ErrorCode::corrupt);
                ++refused;
                continue;
            }
            for (const Limit& limit : (*loaded)->limits()) {
                static_cast<void>((*loaded)->window_name(limit, (*loaded)->bucket(limit, kStart)));
            }
        }
    }
    EXPECT_GT(refused, body.size());
}

TEST(CompiledPolicyTest, DaysOfOtherZonesThanTheTextNamesAreCorrupt) {
    const auto form = [](std::string_view text, const std::vector<std::string>& zones) {
        ByteBuffer buffer;
        ByteWriter writer(buffer);
        writer.text("NSTRPOL1");
        writer.varint(1);
        writer.string(text);
        writer.varint(zones.size());
        for (const std::string& zone : zones) write_day_borders(writer, DayBorders{zone, 20'000, {1'728'000'000}});
        const auto bytes = writer.view();
        return seal(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    };
    const std::string text =
        "tenant='a'\n[[limit]]\nname='l'\nside='debit'\nmeasure='count'\nat_most=1\nwindow={days=1,zone='Mars/Base'}";
    const auto loaded = Policy::load(form(text, {"Mars/Base"}));
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_EQ((*loaded)->bucket((*loaded)->limits()[0], Instant(1'728'000'000s)), 20'000u);
    for (const auto& zones :
         std::vector<std::vector<std::string>>{{}, {"UTC"}, {"Mars/Base", "UTC"}, {"Mars/Base", "Mars/Base"}}) {
        const auto other = Policy::load(form(text, zones));
        ASSERT_FALSE(other);
        EXPECT_EQ(other.error().code, ErrorCode::corrupt);
    }
}

// ---- properties ------------------------------------------------------------------------------------------------

// A policy of random parts, and what it is decided on. Names repeat, values are few, so that much fires.
std::string any_text() {
    static const std::vector<std::string> kRules = {
        "kind='amount_band'\nabove={EUR='5.00'}\n",
        "kind='amount_band'\nat_least={USD='1.00'}\nbelow={USD='7.00'}\n",
        "kind='amount_band'\nat_most={EUR='10.00', USD='1.00'}\nrails=['fast']\n",
        "kind='match'\ntypes=['TRANSFER', 'OTHER']\n",
        "kind='match'\nrails=['fast']\n",
        "kind='match'\ncurrencies=['EUR']\n",
        "kind='deny'\nparty='either'\naccounts=['ada', 'eve']\n",
        "kind='party_risk'\nparty='either'\nlevels=['high', 'medium']\n",
        "kind='party_risk'\nparty='debtor'\nlevels=['low']\n",
        "kind='account_kind'\nparty='creditor'\nkinds=['merchant', 'house']\n",
        "kind='account_age'\nparty='debtor'\nyounger_than='1h'\n",
    };
    static const std::vector<std::string> kLimits = {
        "side='debit'\nmeasure='count'\nat_most=2\nwindow={days=1, zone='Europe/Berlin'}\n",
        "side='credit'\nmeasure='sum'\ncurrency='EUR'\nat_most='9.00'\nwindow={days=3, zone='UTC'}\n",
        "side='debit'\nmeasure='count'\nat_most=2\ncurrency='USD'\nwindow={rolling='24h'}\nrails=['fast']\n",
        "side='credit'\nmeasure='count'\nat_most=0\nwindow={rolling='10m', buckets=5}\nwhen_exceeded='review'\n",
    };
    std::string text =
        "tenant='nostro'\n[thresholds]\nreview=20\nreject=60\n"
        "[[rail]]\nname='fast'\nnumber=3\nmax_amount={EUR='15.00'}\nthresholds={review=5}\n";
    const int rules = *rc::gen::inRange(0, 9), limits = *rc::gen::inRange(0, 5);
    for (int i = 0; i < rules; ++i) {
        text += "[[rule]]\nname='r" + std::to_string(i) + "'\n" + *rc::gen::elementOf(kRules);
        const int points = *rc::gen::inRange(-50, 50);
        text += points == 0 ? "advice='review'\n" : "points=" + std::to_string(points) + "\n";
    }
    for (int i = 0; i < limits; ++i) {
        text += "[[limit]]\nname='l" + std::to_string(i) + "'\n" + *rc::gen::elementOf(kLimits);
    }
    return text;
}

RC_GTEST_PROP(CompiledPolicyTest, WhatIsLoadedDecidesAsWhatWasCompiled, ()) {
    const auto made = Policy::parse(any_text(), 9, kStart);
    if (!made) RC_DISCARD("too many hits");
    const auto loaded = Policy::load((*made)->compiled());
    RC_ASSERT(loaded.has_value());
    RC_ASSERT((*loaded)->compiled() == (*made)->compiled());
    RC_ASSERT(same_limits((*made)->limits(), (*loaded)->limits()));
    const Instant now = kStart + std::chrono::minutes(*rc::gen::inRange(-100'000, 6'000'000));
    for (std::size_t i = 0; i < (*made)->limits().size(); ++i) {
        const std::uint64_t bucket = (*made)->bucket((*made)->limits()[i], now);
        RC_ASSERT((*loaded)->bucket((*loaded)->limits()[i], now) == bucket);
        RC_ASSERT((*loaded)->window_name((*loaded)->limits()[i], bucket) ==
                  (*made)->window_name((*made)->limits()[i], bucket));
    }
    const auto payment = any_payment();
    const PartyFacts debtor = any_facts(), creditor = any_facts();
    RC_ASSERT(same_assessment(assess(*made, payment, debtor, creditor), assess(*loaded, payment, debtor, creditor)));
    RC_ASSERT((*made)->rail_refusal(payment.payment()).has_value() ==
              (*loaded)->rail_refusal(payment.payment()).has_value());
}

RC_GTEST_PROP(CompiledPolicyTest, NoPaymentUnderAPolicyThatWasTakenMeetsMoreThanFits, ()) {
    const auto policy = Policy::parse(any_text(), 9, kStart);
    if (!policy) RC_DISCARD("too many hits");
    const auto payment = any_payment();
    const Currency currency = payment.payment().amount.currency();
    std::size_t hits = assess(*policy, payment, any_facts(), any_facts()).hit_count;
    for (const Limit& limit : (*policy)->limits(payment.payment().rail)) {
        if (limit.any_currency || limit.currency == currency) ++hits;
    }
    if ((*policy)->rail_refusal(payment.payment())) ++hits;
    RC_ASSERT(hits <= kHitsMax);
}

// ---- built in --------------------------------------------------------------------------------------------------

PolicyPtr built_in(std::string_view name) {
    const auto text = embedded_file(name);
    if (!text) {
        ADD_FAILURE() << name << " is not in the program";
        return nullptr;
    }
    const auto policy = Policy::parse(*text, 1, kStart);
    if (!policy) ADD_FAILURE() << policy.error().what;
    return policy ? *policy : nullptr;
}

PartyFacts risky(RiskLevel level) { return {level, AccountKind::customer, kStart - 24h}; }

TEST(BuiltInPolicyTest, NostroRefusesUnknownAccountsAndKnowsRisk) {
    const auto policy = built_in("profiles/nostro.toml");
    ASSERT_NE(policy, nullptr);
    EXPECT_EQ(policy->tenant(), "nostro");
    EXPECT_EQ(policy->unknown_accounts(), UnknownAccounts::refuse);
    EXPECT_EQ(policy->limits().size(), 2u);
    using enum RiskLevel;
    const struct {
        std::int64_t minor;
        RiskLevel debtor, creditor;
        int score;
        Advice advice;
    } cases[] = {
        {1'000'000, unrated, unrated, 0, Advice::clear}, {1'000'001, unrated, unrated, 30, Advice::clear},
        {1'200'000, low, low, 30, Advice::clear},        {1'200'000, medium, unrated, 50, Advice::clear},
        {1'200'000, unrated, high, 70, Advice::review},  {1'000, high, high, 40, Advice::clear},
        {1'000, prohibited, low, 0, Advice::reject},     {1'200'000, high, prohibited, 30, Advice::reject},
    };
    for (const auto& [minor, debtor, creditor, score, advice] : cases) {
        const auto assessment = assess(policy, a_payment().of("USD", minor), risky(debtor), risky(creditor));
        EXPECT_EQ(assessment.score, score) << minor;
        EXPECT_EQ(assessment.advice, advice) << minor;
    }
    const Limit* sum = policy->limit("daily_debit_sum");
    ASSERT_NE(sum, nullptr);
    EXPECT_EQ(sum->at_most, 5'000'000'000);
    ASSERT_NE(policy->limit("daily_debit_count"), nullptr);
    EXPECT_EQ(policy->limit("daily_debit_count")->at_most, 10'000);
}

TEST(BuiltInPolicyTest, PaysimOpensNamesAndReviewsLargeTransfersToNewOnes) {
    const auto policy = built_in("profiles/paysim.toml");
    ASSERT_NE(policy, nullptr);
    EXPECT_EQ(policy->tenant(), "nostro");
    EXPECT_EQ(policy->unknown_accounts(), UnknownAccounts::open);
    EXPECT_EQ(policy->opened_floor_minor(test::currency("USD")), 0);
    EXPECT_TRUE(policy->may_follow(*built_in("profiles/nostro.toml")));
    const PartyFacts fresh{RiskLevel::unrated, AccountKind::customer, kStart};
    const struct {
        std::string_view type;
        std::int64_t minor;
        PartyFacts creditor;
        Advice advice;
    } cases[] = {
        {"TRANSFER", 20'000'001, fresh, Advice::review},
        {"TRANSFER", 20'000'000, fresh, Advice::clear},
        {"TRANSFER", 20'000'001, test::kPlain, Advice::clear_with_conditions},
        {"CASH_OUT", 20'000'001, fresh, Advice::clear_with_conditions},
        {"PAYMENT", 90'000'000, fresh, Advice::clear},
        {"CASH_IN", 90'000'000, fresh, Advice::clear},
    };
    for (const auto& [type, minor, creditor, advice] : cases) {
        const auto assessment = assess(policy, a_payment().of("USD", minor).type(type), test::kPlain, creditor);
        EXPECT_EQ(assessment.advice, advice) << type << minor;
    }
}

}  // namespace
}  // namespace nostro
