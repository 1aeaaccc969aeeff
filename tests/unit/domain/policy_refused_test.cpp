// What is no policy, and what its author is told: line, column, key, what was seen, what was expected.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "nostro/base/text.hpp"
#include "nostro/domain/policy.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro {
namespace {

using test::kStart;
using testing::HasSubstr;
using testing::StartsWith;

struct Refused {
    std::string text, what;
};

// The whole text and the whole message.
void expect_refused(const std::vector<Refused>& cases) {
    for (const auto& [text, what] : cases) {
        const auto policy = Policy::parse(text, 1, kStart);
        ASSERT_FALSE(policy) << text;
        EXPECT_EQ(policy.error().code, ErrorCode::invalid);
        EXPECT_EQ(policy.error().what, "policy line " + what) << text;
    }
}

// The head of each case is a policy that is right.
std::string nostro(std::string_view rest) { return "tenant = \"nostro\"\n" + std::string(rest); }
std::string rule(std::string_view rest) { return nostro("[[rule]]\nname = \"r\"\n" + std::string(rest)); }
std::string limit(std::string_view rest) { return nostro("[[limit]]\nname = \"l\"\n" + std::string(rest)); }
std::string rail(std::string_view rest) { return nostro("[[rail]]\nname = \"upi\"\n" + std::string(rest)); }

TEST(PolicyRefusedTest, WhatIsNoToml) {
    const struct {
        std::string text, where;
    } cases[] = {
        {"tenant", "policy line 1, column 7: is no TOML: "},
        {"tenant = \"nostro", "policy line 1, column 17: is no TOML: "},
        {"tenant = \"nostro\"\n[[rule]\n", "policy line 2, column 8: is no TOML: "},
        {"tenant = \"nostro\"\ntenant = \"nostro\"\n", "policy line 2, column"},
        {"tenant = \"\xff\"", "policy line 1, column 10: is no TOML: "},
        {std::string("tenant = \"a\0b\"", 14), "policy line 1, column 12: is no TOML: "},
        {"{\"tenant\":\"nostro\"}", "policy line 1, column 1: is no TOML: "},
    };
    for (const auto& [text, where] : cases) {
        const auto policy = Policy::parse(text, 1, kStart);
        ASSERT_FALSE(policy) << text;
        EXPECT_EQ(policy.error().code, ErrorCode::invalid);
        EXPECT_THAT(policy.error().what, StartsWith(where));
    }
}

TEST(PolicyRefusedTest, ATextOfMoreThanOneMebibyte) {
    const auto policy = Policy::parse(nostro("#") + std::string(1 << 20, 'x'), 1, kStart);
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().what, "policy: has 1048595 bytes; at most 1 MiB is read");
}

TEST(PolicyRefusedTest, Heads) {
    const std::string tenant = "expected the name of the ledger that the policy is for: 1 to 64 of A-Z a-z 0-9 _ -";
    const std::string checks = "expected one of accounts, status, same_account, amount, risk, limits, funds";
    expect_refused({
        {"", "1, column 1: tenant: is missing; " + tenant},
        {"tenant = 5", "1, column 10: tenant: saw the number 5; " + tenant},
        {"tenant = \"nos tro\"", "1, column 10: tenant: saw the text 'nos tro'; " + tenant},
        {"tenant = \"\"", "1, column 10: tenant: saw the text ''; " + tenant},
        {nostro("unknown_acounts = \"open\""),
         "2, column 1: there is no key 'unknown_acounts'; did you mean 'unknown_accounts'? expected hold_ttl, limit, "
         "opened_floor, order, profile, rail, reversal_days, review_ttl, rule, tenant, thresholds, unknown_accounts"},
        {nostro("colour = \"red\""),
         "2, column 1: there is no key 'colour'; expected hold_ttl, limit, opened_floor, order, profile, rail, "
         "reversal_days, "
         "review_ttl, rule, tenant, thresholds, unknown_accounts"},
        {nostro("[[rules]]\nname = \"x\""),
         "2, column 3: there is no key 'rules'; did you mean 'rule'? expected hold_ttl, limit, opened_floor, order, "
         "profile, rail, reversal_days, review_ttl, rule, tenant, thresholds, unknown_accounts"},
        {nostro("unknown_accounts = \"opened\""),
         "2, column 20: unknown_accounts: saw the text 'opened'; did you mean 'open'? expected one of refuse, open"},
        {nostro("unknown_accounts = true"), "2, column 20: unknown_accounts: saw true; expected one of refuse, open"},
        {nostro("order = [\"accounts\"]"), "2, column 9: order: 'status' is not in it; all seven checks are made"},
        {nostro("order = \"accounts\""),
         "2, column 9: order: saw the text 'accounts'; expected an array of the names of checks"},
        {nostro("order = []"), "2, column 9: order: saw an array; expected the names of checks in it, or no such key"},
        {nostro("order = [\"acounts\"]"),
         "2, column 10: order: saw the text 'acounts'; did you mean 'accounts'? " + checks},
        {nostro("order = [\"accounts\", 3]"),
         "2, column 22: order: saw the number 3; expected an array of the names of checks"},
        {nostro("order = [\"accounts\", \"risk\", \"risk\"]"), "2, column 30: order: 'risk' is there twice"},
        {nostro("order = [\"amount\", \"funds\", \"accounts\"]"),
         "2, column 20: order: 'funds' stands before 'accounts', which it needs"},
        {nostro("opened_floor = \"10\""),
         "2, column 16: opened_floor: saw the text '10'; expected \"0\", \"none\", or an amount a currency, like { USD "
         "= \"-100.00\" }"},
        {nostro("opened_floor = 0"),
         "2, column 16: opened_floor: saw the number 0; expected \"0\", \"none\", or an amount a currency, like { USD "
         "= \"-100.00\" }"},
        {nostro("opened_floor = { USD = 0 }"),
         "2, column 24: opened_floor.USD: saw the number 0; expected an amount as text, like \"10000.00\": money is "
         "never a number of TOML"},
        {nostro("hold_ttl = \"7 days\""),
         "2, column 12: hold_ttl: saw the text '7 days'; expected a span of time in whole seconds as text, from '1s' "
         "to '400d'"},
        {nostro("hold_ttl = 7"),
         "2, column 12: hold_ttl: saw the number 7; expected a span of time in whole seconds as text, from '1s' to "
         "'400d'"},
        {nostro("review_ttl = \"500ms\""),
         "2, column 14: review_ttl: saw the text '500ms'; expected a span of time in whole seconds as text, from '1s' "
         "to '400d'"},
        {nostro("review_ttl = \"401d\""),
         "2, column 14: review_ttl: saw the text '401d'; expected a span of time in whole seconds as text, from '1s' "
         "to '400d'"},
        {nostro("reversal_days = -1"),
         "2, column 17: reversal_days: saw the number -1; expected a whole number from 0 to 800"},
        {nostro("reversal_days = 1.5"),
         "2, column 17: reversal_days: saw a float; expected a whole number from 0 to 800"},
        {nostro("reversal_days = 1979-05-27"),
         "2, column 17: reversal_days: saw a date or time; expected a whole number from 0 to 800"},
    });
}

TEST(PolicyRefusedTest, Thresholds) {
    expect_refused({
        {nostro("thresholds = 70"),
         "2, column 14: thresholds: saw the number 70; expected a table of scores, like { review = 70, reject = 100 }"},
        {nostro("[thresholds]\nreview = \"70\""),
         "3, column 10: thresholds, review: saw the text '70'; expected a whole number from 1 to 2147483647"},
        {nostro("[thresholds]\nreview = 0"),
         "3, column 10: thresholds, review: saw the number 0; expected a whole number from 1 to 2147483647"},
        {nostro("[thresholds]\nreveiw = 70"),
         "3, column 1: thresholds: there is no key 'reveiw'; did you mean 'review'? expected clear_with_conditions, "
         "reject, review"},
        {nostro("[thresholds]\nreview = 70\nreject = 70"),
         "4, column 10: thresholds, reject: 70 is not above review, 70; thresholds rise from clear_with_conditions to "
         "reject"},
        {nostro("[thresholds]\nclear_with_conditions = 80\nreject = 70"),
         "4, column 10: thresholds, reject: 70 is not above clear_with_conditions, 80; thresholds rise from "
         "clear_with_conditions to reject"},
        {nostro("[thresholds]\nreview = 70\n[[rail]]\nname = \"upi\"\nnumber = 1\nthresholds = { reject = 60 }"),
         "7, column 25: rail 'upi', thresholds, reject: 60 is not above review, 70; thresholds rise from "
         "clear_with_conditions to reject"},
    });
}

TEST(PolicyRefusedTest, Rails) {
    const std::string name = "expected a name of 1 to 64 characters of A-Z a-z 0-9 _ -";
    expect_refused({
        {nostro("rail = 5"), "2, column 8: rail: saw the number 5; expected tables, each begun by [[rail]]"},
        {nostro("[rail]\nname = \"upi\""), "2, column 1: rail: saw a table; expected tables, each begun by [[rail]]"},
        {nostro("rail = [5]"), "2, column 9: rail: saw the number 5; expected tables, each begun by [[rail]]"},
        {nostro("[[rail]]\nnumber = 1"), "2, column 1: rail 1, name: is missing; " + name},
        {nostro("[[rail]]\nname = \"u.p\"\nnumber = 1"), "3, column 8: rail 'u.p', name: saw the text 'u.p'; " + name},
        {nostro("[[rail]]\nname = 7\nnumber = 1"), "3, column 8: rail 1, name: saw the number 7; " + name},
        {rail(""),
         "2, column 1: rail 'upi', number: is missing; expected the rail's number, which stays its own for life"},
        {rail("number = 65536"),
         "4, column 10: rail 'upi', number: saw the number 65536; expected a whole number from 0 to 65535"},
        {rail("number = 0"), "4, column 10: rail 'upi', number: number 0 is the rail 'internal', and no other"},
        {nostro("[[rail]]\nname = \"internal\"\nnumber = 1"),
         "4, column 10: rail 'internal', number: number 0 is the rail 'internal', and no other"},
        {rail("number = 1\n[[rail]]\nname = \"upi\"\nnumber = 2"),
         "6, column 8: rail 'upi', name: there is another of this name"},
        {rail("number = 1\n[[rail]]\nname = \"sepa\"\nnumber = 1"),
         "7, column 10: rail 'sepa', number: rail 'upi' has it already"},
        {rail("number = 1\ncurrencies = \"INR\""),
         "5, column 14: rail 'upi', currencies: saw the text 'INR'; expected an array of currency codes, like \"USD\""},
        {rail("number = 1\ncurrencies = [\"INR\", \"INR\"]"),
         "5, column 22: rail 'upi', currencies: 'INR' is there twice"},
        {rail("number = 1\nmin_amount = \"1.00\""),
         "5, column 14: rail 'upi', min_amount: saw the text '1.00'; expected an amount a currency, like { USD = "
         "\"10000.00\" }"},
        {rail("number = 1\nmin_amount = { INR = \"2.00\" }\nmax_amount = { INR = \"1.00\" }"),
         "6, column 14: rail 'upi', max_amount: in INR is 1.00, below min_amount 2.00"},
        {rail("number = 1\ncurrencies = [\"INR\"]\nmax_amount = { USD = \"1.00\" }"),
         "6, column 14: rail 'upi', max_amount: USD is not among the rail's currencies"},
        {rail("number = 1\nmax_amout = 3"),
         "5, column 1: rail 'upi': there is no key 'max_amout'; did you mean 'max_amount'? expected currencies, "
         "max_amount, min_amount, name, number, thresholds"},
    });
}

TEST(PolicyRefusedTest, MoneyThatIsNone) {
    const std::string start = "kind = \"amount_band\"\npoints = 1\nabove = { ";
    const struct {
        std::string amount, what;
    } cases[] = {
        {"USD = 10000.0",
         "policy line 6, column 17: rule 'r', above.USD: saw a float; expected an amount as text, like "
         "\"10000.00\": money is never a number of TOML"},
        {"USD = 10000",
         "policy line 6, column 17: rule 'r', above.USD: saw the number 10000; expected an amount as text"},
        {"USD = nan", "policy line 6, column 17: rule 'r', above.USD: saw a float; expected"},
        {"USD = \"1e4\"", "policy line 6, column 17: rule 'r', above.USD: amount: '1e4' "},
        {"USD = \"10.001\"", "policy line 6, column 17: rule 'r', above.USD: amount: '10.001' "},
        {"USD = \"-1.00\"", "policy line 6, column 17: rule 'r', above.USD: amount: '-1.00' "},
        {"USD = \"0.00\"", "policy line 6, column 17: rule 'r', above.USD: amount: '0.00' is zero"},
        {"EUR = \"1.00\", USD = \"1,000.00\"", "policy line 6, column 31: rule 'r', above.USD: amount: '1,000.00' "},
        {"USX = \"1.00\"", "policy line 6, column 11: rule 'r', above.USX: currency: "},
        {"HRK = \"1.00\"", "policy line 6, column 11: rule 'r', above.HRK: currency: HRK is no longer in use"},
        {"", "policy line 6, column 9: rule 'r', above: saw a table; expected an amount a currency, like { USD = "},
    };
    for (const auto& [amount, what] : cases) {
        const auto policy = Policy::parse(rule(start + amount + " }"), 1, kStart);
        ASSERT_FALSE(policy) << amount;
        EXPECT_THAT(policy.error().what, StartsWith(what));
    }
}

TEST(PolicyRefusedTest, Rules) {
    const std::string kinds = "expected one of amount_band, match, allow, deny, party_risk, account_kind, account_age";
    expect_refused({
        {nostro("[[rule]]\nkind = \"match\"\ntypes = [\"T\"]\npoints = 1"),
         "2, column 1: rule 1, name: is missing; expected a name of 1 to 64 characters of A-Z a-z 0-9 _ -"},
        {rule("points = 1"),
         "2, column 1: rule 'r', kind: is missing; expected one of the kinds of rules, like amount_band"},
        {rule("kind = \"amount_bands\""),
         "4, column 8: rule 'r', kind: saw the text 'amount_bands'; did you mean 'amount_band'? " + kinds},
        {rule("kind = [\"match\"]"), "4, column 8: rule 'r', kind: saw an array; " + kinds},
        {rule("kind = \"match\"\npoints = 1"),
         "2, column 1: rule 'r': selects nothing; expected 'rails', 'types' or 'currencies'"},
        {rule("kind = \"match\"\ntypes = [\"T\"]"),
         "2, column 1: rule 'r': has no effect; expected 'points' or 'advice'"},
        {rule("kind = \"match\"\ntypes = [\"T\"]\nponts = 1"),
         "6, column 1: rule 'r': there is no key 'ponts'; did you mean 'points'? expected advice, currencies, kind, "
         "name, points, rails, types"},
        {rule("kind = \"match\"\ntypes = [\"T\"]\npoints = 1\nadvice = \"review\""),
         "7, column 10: rule 'r', advice: and 'points' exclude each other"},
        {rule("kind = \"match\"\ntypes = [\"T\"]\npoints = 0"),
         "6, column 10: rule 'r', points: 0 points change nothing"},
        {rule("kind = \"match\"\ntypes = [\"T\"]\npoints = 2147483648"),
         "6, column 10: rule 'r', points: saw the number 2147483648; expected a whole number from -2147483648 to "
         "2147483647"},
        {rule("kind = \"match\"\ntypes = [\"T\"]\npoints = 1.0"),
         "6, column 10: rule 'r', points: saw a float; expected a whole number from -2147483648 to 2147483647"},
        {rule("kind = \"match\"\ntypes = [\"T\"]\nadvice = \"clear\""),
         "6, column 10: rule 'r', advice: saw the text 'clear'; expected one of clear_with_conditions, review, reject"},
        {rule("kind = \"match\"\ntypes = [\"T\", \"\"]\npoints = 1"),
         "5, column 15: rule 'r', types: '' is no type: those have 1 to 32 characters"},
        {rule("kind = \"match\"\ntypes = [\"" + std::string(33, 'T') + "\"]\npoints = 1"),
         "5, column 10: rule 'r', types: '" + std::string(33, 'T') + "' is no type: those have 1 to 32 characters"},
        {rule("kind = \"match\"\nrails = [\"upi\"]\npoints = 1"),
         "5, column 10: rule 'r', rails: saw the text 'upi'; expected one of internal"},
        {rule("kind = \"match\"\ntypes = [\"T\"]\npoints = 1\n[[rule]]\nname = \"r\"\nkind = \"match\"\ntypes = "
              "[\"T\"]\npoints = 1"),
         "8, column 8: rule 'r', name: there is another of this name"},
    });
}

TEST(PolicyRefusedTest, AmountBands) {
    const std::string start = "kind = \"amount_band\"\npoints = 1\n";
    expect_refused({
        {rule(start),
         "2, column 1: rule 'r': has no bound; expected 'above', 'at_least', 'below' or 'at_most', like { USD = "
         "\"10000.00\" }"},
        {rule(start + "above = { USD = \"1.00\" }\nat_least = { USD = \"1.00\" }"),
         "6, column 9: rule 'r', above: and 'at_least' bound the same end"},
        {rule(start + "below = { USD = \"1.00\" }\nat_most = { USD = \"1.00\" }"),
         "6, column 9: rule 'r', below: and 'at_most' bound the same end"},
        {rule(start + "above = { USD = \"2.00\" }\nat_most = { USD = \"2.00\" }"),
         "2, column 1: rule 'r': holds no amount of USD"},
        {rule(start + "below = { USD = \"0.01\" }"), "2, column 1: rule 'r': holds no amount of USD"},
        {rule(start + "above = { JPY = \"9223372036854775807\" }\nbelow = { JPY = \"9223372036854775807\" }"),
         "6, column 9: rule 'r', above: no amount is above it"},
        {rule(start + "above = { USD = \"2.00\" }\ncurrencies = [\"USD\"]"),
         "7, column 1: rule 'r': there is no key 'currencies'; expected above, advice, at_least, at_most, below, kind, "
         "name, points, rails, types"},
    });
}

TEST(PolicyRefusedTest, ListsAndParties) {
    const std::string deny = "kind = \"deny\"\nparty = \"debtor\"\nadvice = \"reject\"\n";
    const std::string allow = "kind = \"allow\"\nparty = \"debtor\"\naccounts = [\"ada\"]\n";
    expect_refused({
        {rule(deny), "2, column 1: rule 'r', accounts: is missing; expected an array of account names"},
        {rule("kind = \"deny\"\naccounts = [\"ada\"]\nadvice = \"reject\""),
         "2, column 1: rule 'r', party: is missing; expected debtor, creditor or either"},
        {rule("kind = \"deny\"\nparty = \"debitor\"\naccounts = [\"ada\"]\nadvice = \"reject\""),
         "5, column 9: rule 'r', party: saw the text 'debitor'; did you mean 'debtor'? expected one of debtor, "
         "creditor, either"},
        {rule(deny + "accounts = [\"ada\", \"a da\"]"),
         "7, column 20: rule 'r', accounts: 'a da' is no account name: it may hold A-Z a-z 0-9 . _ : @ + - and nothing "
         "else"},
        {rule(allow),
         "2, column 1: rule 'r': has no effect; expected negative 'points', or 'skips' with names of rules"},
        {rule(allow + "points = 5"),
         "7, column 10: rule 'r', points: saw the number 5; expected a whole number from -2147483648 to -1"},
        {rule(allow + "advice = \"review\"\npoints = -5"),
         "7, column 1: rule 'r': there is no key 'advice'; expected accounts, currencies, kind, name, party, points, "
         "rails, skips, types"},
        {rule(allow + "skips = [\"x\"]"), "7, column 10: rule 'r', skips: saw the text 'x'; expected one of r"},
        {rule(allow + "skips = [\"r\"]"), "7, column 10: rule 'r', skips: 'r' is an allow list itself"},
        {rule("kind = \"party_risk\"\nparty = \"either\"\npoints = 1"),
         "2, column 1: rule 'r', levels: is missing; expected an array of them"},
        {rule("kind = \"party_risk\"\nparty = \"either\"\npoints = 1\nlevels = [\"hihg\"]"),
         "7, column 11: rule 'r', levels: saw the text 'hihg'; did you mean 'high'? expected one of unrated, low, "
         "medium, high, prohibited"},
        {rule("kind = \"account_kind\"\nparty = \"either\"\npoints = 1\nkinds = [\"person\"]"),
         "7, column 10: rule 'r', kinds: saw the text 'person'; expected one of customer, merchant, bank, external, "
         "house"},
        {rule("kind = \"account_age\"\nparty = \"debtor\"\npoints = 1"),
         "2, column 1: rule 'r', younger_than: is missing; expected a span of time as text, like \"24h\""},
        {rule("kind = \"account_age\"\nparty = \"debtor\"\npoints = 1\nyounger_than = \"0s\""),
         "7, column 16: rule 'r', younger_than: saw the text '0s'; expected a span of time in whole seconds as text, "
         "from '1s' to '36500d'"},
    });
}

TEST(PolicyRefusedTest, Limits) {
    const std::string count = "side = \"debit\"\nmeasure = \"count\"\n";
    const std::string sum = "side = \"debit\"\nmeasure = \"sum\"\n";
    const std::string window = "window = { rolling = \"24h\" }\n";
    const std::string amount = "expected an amount as text, like \"10000.00\": money is never a number of TOML";
    expect_refused({
        {limit(count + "at_most = 1\n"),
         "2, column 1: limit 'l', window: is missing; expected { days = 1, zone = \"Asia/Kolkata\" } or { rolling = "
         "\"24h\", buckets = 24 }"},
        {limit(count + window), "2, column 1: limit 'l', at_most: is missing; expected a number of payments"},
        {limit("measure = \"count\"\nat_most = 1\n" + window),
         "2, column 1: limit 'l', side: is missing; expected debit or credit"},
        {limit("side = \"debit\"\nat_most = 1\n" + window),
         "2, column 1: limit 'l', measure: is missing; expected count or sum"},
        {limit("side = \"debtor\"\nmeasure = \"count\"\nat_most = 1\n" + window),
         "4, column 8: limit 'l', side: saw the text 'debtor'; expected one of debit, credit"},
        {limit(count + "at_most = \"10\"\n" + window),
         "6, column 11: limit 'l', at_most: saw the text '10'; expected a whole number from 0 to 9223372036854775807"},
        {limit(count + "at_most = -1\n" + window),
         "6, column 11: limit 'l', at_most: saw the number -1; expected a whole number from 0 to 9223372036854775807"},
        {limit(sum + "at_most = \"10.00\"\n" + window),
         "2, column 1: limit 'l', currency: is missing; expected the currency of a sum, like \"USD\""},
        {limit(sum + "currency = \"USD\"\nat_most = 10\n" + window),
         "7, column 11: limit 'l', at_most: saw the number 10; " + amount},
        {limit(sum + "currency = \"USD\"\nat_most = 10.5\n" + window),
         "7, column 11: limit 'l', at_most: saw a float; " + amount},
        {limit(sum + "currency = \"USD\"\nat_most = \"-10.00\"\n" + window),
         "7, column 11: limit 'l', at_most: '-10.00' is negative"},
        {limit(count + "at_most = 1\nwhen_exceeded = \"clear\"\n" + window),
         "7, column 17: limit 'l', when_exceeded: saw the text 'clear'; expected one of review, reject"},
        {limit(count + "at_most = 1\nrails = [\"upi\"]\n" + window),
         "7, column 10: limit 'l', rails: saw the text 'upi'; expected one of internal"},
        {limit(count + "at_most = 1\ntypes = [\"T\"]\n" + window),
         "7, column 1: limit 'l': there is no key 'types'; expected at_most, currency, measure, name, rails, side, "
         "when_exceeded, window"},
        {limit(count + "at_most = 1\n" + window + "[[limit]]\nname = \"l\"\n" + count + "at_most = 1\n" + window),
         "9, column 8: limit 'l', name: there is another of this name"},
        {nostro("[[rule]]\nname = \"l\"\nkind = \"match\"\ntypes = [\"T\"]\npoints = 1\n[[limit]]\nname = \"l\"\n" +
                count + "at_most = 1\n" + window),
         "8, column 8: limit 'l', name: there is another of this name"},
    });
}

TEST(PolicyRefusedTest, Windows) {
    const auto with = [](std::string_view window) {
        return limit("side = \"debit\"\nmeasure = \"count\"\nat_most = 1\nwindow = " + std::string(window));
    };
    const std::string zone = "expected a name like 'Asia/Kolkata', 'Europe/Berlin' or 'UTC'";
    expect_refused({
        {with("\"24h\""),
         "7, column 10: limit 'l', window: saw the text '24h'; expected { days = 1, zone = \"Asia/Kolkata\" } or { "
         "rolling = \"24h\", buckets = 24 }"},
        {with("{ zone = \"UTC\" }"),
         "7, column 10: limit 'l', window, days: is missing; expected 'days' and 'zone', or 'rolling' and 'buckets'"},
        {with("{ days = 1 }"),
         "7, column 10: limit 'l', window, zone: is missing; expected the time zone of the days, like \"Asia/Kolkata\" "
         "or \"UTC\""},
        {with("{ days = 0, zone = \"UTC\" }"),
         "7, column 19: limit 'l', window, days: saw the number 0; expected a whole number from 1 to 100"},
        {with("{ days = 101, zone = \"UTC\" }"),
         "7, column 19: limit 'l', window, days: saw the number 101; expected a whole number from 1 to 100"},
        {with("{ days = 1, zone = \"Asia/Calcuta\" }"),
         "7, column 29: limit 'l', window, zone: 'Asia/Calcuta' is no time zone; did you mean 'Asia/Calcutta'?; " +
             zone},
        {with("{ days = 1, zone = \"IST\" }"), "7, column 29: limit 'l', window, zone: 'IST' is no time zone; " + zone},
        {with("{ days = 1, zone = \"../UTC\" }"),
         "7, column 29: limit 'l', window, zone: '../UTC' is no time zone; " + zone},
        {with("{ days = 1, zone = 5 }"),
         "7, column 29: limit 'l', window, zone: saw the number 5; expected the name of a time zone, like "
         "\"Asia/Kolkata\" or \"UTC\""},
        {with("{ rolling = \"24h\", buckets = 0 }"),
         "7, column 39: limit 'l', window, buckets: saw the number 0; expected a whole number from 1 to 200"},
        {with("{ rolling = \"24h\", buckets = 201 }"),
         "7, column 39: limit 'l', window, buckets: saw the number 201; expected a whole number from 1 to 200"},
        {with("{ rolling = \"1h\", buckets = 7 }"),
         "7, column 22: limit 'l', window, rolling: cannot be cut into 7 buckets of whole seconds; give 'buckets' "
         "another number"},
        {with("{ rolling = \"10s\" }"),
         "7, column 22: limit 'l', window, rolling: cannot be cut into 24 buckets of whole seconds; give 'buckets' "
         "another number"},
        {with("{ rolling = \"a day\" }"),
         "7, column 22: limit 'l', window, rolling: saw the text 'a day'; expected a span of time in whole seconds as "
         "text, from '1s' to '400d'"},
        {with("{ rolling = \"24h\", zone = \"UTC\" }"),
         "7, column 29: limit 'l', window: there is no key 'zone'; expected buckets, rolling"},
        {with("{ days = 1, zone = \"UTC\", buckets = 3 }"),
         "7, column 36: limit 'l', window: there is no key 'buckets'; expected days, zone"},
    });
}

TEST(PolicyRefusedTest, TooManyOfAKind) {
    std::string rules, limits, rails, types;
    for (int i = 0; i < 65; ++i) {
        const std::string n = std::to_string(i);
        rules += "[[rule]]\nname='r" + n + "'\nkind='match'\ntypes=['T']\npoints=1\n";
        limits += "[[limit]]\nname='l" + n + "'\nside='debit'\nmeasure='count'\nat_most=1\nwindow={rolling='24h'}\n";
        rails += "[[rail]]\nname='x" + n + "'\nnumber=" + std::to_string(i + 1) + "\n";
        types += "'T" + n + "', ";
    }
    expect_refused({
        {nostro(rules), "322, column 1: rule 65: is one too many; at most 64"},
        {nostro(limits), "386, column 1: limit 'l64': is one too many; at most 64"},
        {nostro(rails), "188, column 1: rail 'x62': is one too many; at most 62 besides 'internal'"},
    });
    const auto policy = Policy::parse(rule("kind='match'\npoints=1\ntypes=[" + types + "]"), 1, kStart);
    ASSERT_FALSE(policy);
    EXPECT_THAT(policy.error().what, HasSubstr("rule 'r', types: is one type too many; at most 63 in all rules"));
}

TEST(PolicyRefusedTest, TooManyHitsAreNamedWhereTheLastOfThemStands) {
    std::string rules;
    for (int i = 0; i < 9; ++i) {
        rules += "[[rule]]\nname='r" + std::to_string(i) + "'\nkind='match'\ntypes=['T']\npoints=1\n";
    }
    expect_refused({{nostro(rules),
                     "42, column 1: a payment on rail internal, of type T could meet 9 rules and limits at once, but "
                     "its outcome explains at most 8: r0, r1, r2, r3, r4, r5, r6, r7, r8"}});
}

TEST(PolicyRefusedTest, OfSeveralMistakesTheFirstInTheTextIsTold) {
    const std::string text = nostro(
        "[[rule]]\n"
        "kind = \"match\"\n"  // line 3: no name, which is told last
        "types = [\"T\"]\n"
        "points = 1.5\n"  // line 5
        "[[rule]]\nname = \"r\"\nkind = \"mach\"\n");
    expect_refused({{text,
                     "5, column 10: rule 1, points: saw a float; expected a whole number from -2147483648 to "
                     "2147483647"}});
}

TEST(PolicyRefusedTest, AnyCutOfAPolicyIsTakenOrRefusedReadably) {
    const std::string text = rule(
        "kind = \"amount_band\"\nabove = { USD = \"1.00\" }\npoints = 1\n[[limit]]\nname = \"l\"\n"
        "side = \"debit\"\nmeasure = \"count\"\nat_most = 3\nwindow = { days = 1, zone = \"UTC\" }\n");
    ASSERT_TRUE(Policy::parse(text, 1, kStart));
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto policy = Policy::parse(text.substr(0, size), 1, kStart);
        if (policy) continue;
        EXPECT_EQ(policy.error().code, ErrorCode::invalid);
        EXPECT_THAT(policy.error().what, StartsWith("policy line "));
        EXPECT_TRUE(is_valid_utf8(policy.error().what));
    }
}

}  // namespace
}  // namespace nostro
