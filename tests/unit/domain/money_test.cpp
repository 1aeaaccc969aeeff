#include "nostro/domain/money.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace nostro {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

Currency currency(std::string_view code) {
    const auto parsed = Currency::parse(code);
    EXPECT_TRUE(parsed) << code;
    return parsed.value_or(Currency{});
}

struct Accepted {
    std::string_view text, code;
    std::int64_t minor;
};

TEST(MoneyTest, ParseIsExact) {
    const Accepted cases[] = {
        {"12.75", "USD", 1275},
        {"12.7", "USD", 1270},
        {"12", "USD", 1200},
        {"12.750", "USD", 1275},
        {"12.7500000000", "USD", 1275},
        {"0.01", "USD", 1},
        {"1", "JPY", 1},
        {"1.0", "JPY", 1},
        {"1.234", "KWD", 1234},
        {"2.675", "KWD", 2675},
        {"1.2345", "CLF", 12345},
        {"4.35", "USD", 435},
        {"1.15", "USD", 115},
        {"0.29", "USD", 29},
        {"92233720368547758.07", "USD", kMost},
        {"9223372036854775807", "JPY", kMost},
        {"9223372036854775.807", "BHD", kMost},
        {"922337203685477.5807", "UYW", kMost},
    };
    for (const auto& c : cases) {
        const auto money = Money::parse(c.text, currency(c.code));
        ASSERT_TRUE(money) << c.text << ": " << money.error().what;
        EXPECT_EQ(money->minor(), c.minor) << c.text << " " << c.code;
        EXPECT_EQ(money->currency(), currency(c.code));
        // What may be negative may be positive too.
        EXPECT_EQ(Money::parse_signed(c.text, currency(c.code)).value(), *money);
    }
}

struct Refused {
    std::string_view text, code, says;
};

TEST(MoneyTest, ParseRefusesWhatIsNotExactAndSaysWhy) {
    const Refused cases[] = {
        {"12.755", "USD", "amount: '12.755' has 3 decimals, USD takes at most 2"},
        {"0.001", "USD", "has 3 decimals, USD takes at most 2"},
        {"1.5", "JPY", "has 1 decimal, JPY takes none"},
        {"1.2345", "KWD", "has 4 decimals, KWD takes at most 3"},
        {"1.23450", "KWD", "has 4 decimals"},
        {"92233720368547758.08", "USD", "too large, USD takes at most 92233720368547758.07"},
        {"9223372036854775808", "JPY", "too large, JPY takes at most 9223372036854775807"},
        {"99999999999999999999999999", "USD", "too large"},
        {"18446744073709551617", "JPY", "too large"},
        {"0", "USD", "is zero"},
        {"0.00", "USD", "is zero"},
        {"-1", "USD", "is negative"},
        {"-0", "USD", "is negative"},
        {"+1", "USD", "has a sign"},
        {"1e2", "USD", "has an exponent"},
        {"1E2", "USD", "has an exponent"},
        {"01", "USD", "leading zeros"},
        {"00.5", "USD", "leading zeros"},
        {".5", "USD", "both sides of its point"},
        {"5.", "USD", "both sides of its point"},
        {".", "USD", "both sides of its point"},
        {"-", "USD", "no decimal number"},
        {"--1", "USD", "no decimal number"},
        {"1,000.00", "USD", "has separators"},
        {"1_000", "USD", "has separators"},
        {"1.2.3", "USD", "no decimal number"},
        {"NaN", "USD", "no decimal number"},
        {"Infinity", "USD", "no decimal number"},
        {"0x10", "USD", "no decimal number"},
        {"12.75 USD", "USD", "no decimal number"},
        {"", "USD", "is empty"},
        {" 1", "USD", "spaces"},
        {"1 ", "USD", "spaces"},
        {"1\n", "USD", "no decimal number"},
        {std::string_view("1\0", 2), "USD", "no decimal number"},
        {"\xD9\xA1\xD9\xA2", "USD", "no decimal number"},  // Arabic-Indic digits
        {"\xEF\xBC\x91", "USD", "no decimal number"},      // full-width one
        {"1.00000000000000000000000000000000000000000000000000000000000000000", "USD", "is too long"},
    };
    for (const auto& c : cases) {
        const auto money = Money::parse(c.text, currency(c.code));
        ASSERT_FALSE(money) << c.text;
        EXPECT_EQ(money.error().code, ErrorCode::invalid);
        EXPECT_THAT(money.error().what, HasSubstr(c.says)) << c.text;
    }
}

TEST(MoneyTest, ParseSignedTakesZeroAndNegative) {
    const Accepted cases[] = {
        {"0", "USD", 0},
        {"0.00", "USD", 0},
        {"-0", "USD", 0},
        {"-0.05", "USD", -5},
        {"-500", "JPY", -500},
        {"-12.750", "USD", -1275},
        {"-92233720368547758.08", "USD", kLeast},
    };
    for (const auto& c : cases) {
        const auto money = Money::parse_signed(c.text, currency(c.code));
        ASSERT_TRUE(money) << c.text << ": " << money.error().what;
        EXPECT_EQ(money->minor(), c.minor);
    }
}

TEST(MoneyTest, ParseSignedRefusesWhatParseRefusesForItsForm) {
    const Refused cases[] = {
        {"-92233720368547758.09", "USD", "too small, USD ends at -92233720368547758.08"},
        {"-0.001", "USD", "has 3 decimals"},
        {"-01", "USD", "leading zeros"},
        {"-.5", "USD", "no decimal number"},
        {"- 1", "USD", "no decimal number"},
        {"+0", "USD", "has a sign"},
    };
    for (const auto& c : cases) {
        const auto money = Money::parse_signed(c.text, currency(c.code));
        ASSERT_FALSE(money) << c.text;
        EXPECT_THAT(money.error().what, HasSubstr(c.says)) << c.text;
    }
}

TEST(MoneyTest, DecimalShowsAllDecimalsOfTheCurrency) {
    const Accepted cases[] = {
        {"0.00", "USD", 0},
        {"0.01", "USD", 1},
        {"-0.05", "USD", -5},
        {"12.70", "USD", 1270},
        {"500", "JPY", 500},
        {"0", "JPY", 0},
        {"0.001", "BHD", 1},
        {"1.0000", "CLF", 10000},
        {"0.0001", "UYW", 1},
        {"-0.0001", "UYW", -1},
        {"92233720368547758.07", "USD", kMost},
        {"-92233720368547758.08", "USD", kLeast},
        {"-922337203685477.5808", "CLF", kLeast},
        {"-9223372036854775808", "JPY", kLeast},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(Money(c.minor, currency(c.code)).decimal(), c.text);
        char buffer[kDecimalMax];
        EXPECT_EQ(std::string_view(buffer, write_decimal(buffer, c.minor, currency(c.code))), c.text);
    }
}

RC_GTEST_PROP(MoneyTest, DecimalReadsBackToTheSameAmount, (std::int64_t minor)) {
    const auto code = *rc::gen::element<std::string_view>("JPY", "USD", "KWD", "CLF");
    const Money money(minor, currency(code));
    RC_ASSERT(Money::parse_signed(money.decimal(), money.currency()).value() == money);
    RC_ASSERT(Money::parse(money.decimal(), money.currency()).has_value() == (minor > 0));
}

// Compared with arithmetic on the text itself.
RC_GTEST_PROP(MoneyTest, AWellFormedTextMeansTheNumberThatItShows, (bool negative)) {
    const auto whole = std::to_string(*rc::gen::inRange<std::uint64_t>(0, 900'000'000'000'000));
    auto fraction = *rc::gen::container<std::string>(rc::gen::inRange('0', static_cast<char>('9' + 1)));
    fraction.resize(std::min<std::size_t>(fraction.size(), 4));
    const auto zeros = *rc::gen::inRange<std::size_t>(1, 30);
    const std::string text = (negative ? "-" : "") + whole + "." + fraction + std::string(zeros, '0');

    fraction.resize(4, '0');
    const auto expected = std::stoll(whole) * 10'000 + std::stoll(fraction);
    RC_ASSERT(Money::parse_signed(text, currency("CLF")).value().minor() == (negative ? -expected : expected));
}

// The other direction is the fuzz target's: no text of these characters does harm.
RC_GTEST_PROP(MoneyTest, AnAcceptedTextIsDigitsWithAtMostOnePoint, ()) {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("019.-+e, ")));
    if (const auto money = Money::parse(text, currency("USD"))) {
        RC_ASSERT(text.find_first_not_of("019.") == std::string::npos);
        RC_ASSERT(std::count(text.begin(), text.end(), '.') <= 1);
        RC_ASSERT(money->minor() > 0);
    }
}

TEST(MoneyTest, AddSubtractAndNegateRefuseOverflowInsteadOfWrapping) {
    const Currency usd = currency("USD");
    EXPECT_EQ(add(Money(2, usd), Money(3, usd)).value(), Money(5, usd));
    EXPECT_EQ(subtract(Money(2, usd), Money(3, usd)).value(), Money(-1, usd));
    EXPECT_EQ(negate(Money(-7, usd)).value(), Money(7, usd));
    EXPECT_EQ(add(Money(kMost, usd), Money(0, usd)).value(), Money(kMost, usd));
    EXPECT_THAT(add(Money(kMost, usd), Money(1, usd)).error().what, HasSubstr("out of range"));
    EXPECT_THAT(subtract(Money(kLeast, usd), Money(1, usd)).error().what, HasSubstr("out of range"));
    EXPECT_THAT(negate(Money(kLeast, usd)).error().what, HasSubstr("out of range"));
}

TEST(MoneyTest, AddAndSubtractRefuseTwoCurrencies) {
    const Money dollars(1, currency("USD")), yen(1, currency("JPY"));
    EXPECT_THAT(add(dollars, yen).error().what, HasSubstr("USD and JPY"));
    EXPECT_THAT(subtract(dollars, yen).error().what, HasSubstr("JPY cannot be taken from USD"));
}

TEST(TotalTest, SumsBeyondOneAmountAndComesBack) {
    Total total;
    for (int i = 0; i < 3; ++i) total.add(kMost);
    EXPECT_EQ(total.minor(), std::nullopt);
    EXPECT_EQ(total.decimal(currency("USD")), "276701161105643274.21");
    for (int i = 0; i < 3; ++i) total.subtract(kMost);
    EXPECT_TRUE(total.is_zero());
    EXPECT_EQ(total.minor(), 0);
}

TEST(TotalTest, ShowsNegativeSumsAndExtremes) {
    Total total;
    total.subtract(5);
    EXPECT_EQ(total.decimal(currency("USD")), "-0.05");
    Total other;
    other.add(kLeast);
    total += other;
    EXPECT_EQ(total.minor(), std::nullopt);
    EXPECT_EQ(total.decimal(currency("JPY")), "-9223372036854775813");
    total -= other;
    EXPECT_EQ(total, Total(-5));
    const auto lowest = static_cast<Total::Wide>(static_cast<unsigned __int128>(1) << 127);
    EXPECT_EQ(Total(lowest).decimal(currency("JPY")), "-170141183460469231731687303715884105728");
}

RC_GTEST_PROP(TotalTest, ShowsWhatMoneyShows, (std::int64_t minor)) {
    RC_ASSERT(Total(minor).decimal(currency("BHD")) == Money(minor, currency("BHD")).decimal());
}

// --- Currencies ---

std::vector<std::string> every_possible_code() {
    std::vector<std::string> codes;
    for (char a = 'A'; a <= 'Z'; ++a) {
        for (char b = 'A'; b <= 'Z'; ++b) {
            for (char c = 'A'; c <= 'Z'; ++c) codes.push_back({a, b, c});
        }
    }
    return codes;
}

TEST(CurrencyTest, TheListHas165PayableAnd13UnpayableCodes) {
    std::size_t payable = 0, unpayable = 0;
    std::set<unsigned> numbers;
    for (const auto& code : every_possible_code()) {
        const auto parsed = Currency::parse(code);
        if (parsed) {
            ++payable;
            EXPECT_EQ(parsed->code(), code);
            EXPECT_TRUE(numbers.insert(parsed->numeric()).second) << code << ": its number belongs to another";
            EXPECT_EQ(Currency::from_numeric(parsed->numeric()).value(), *parsed);
            EXPECT_FALSE(parsed->is_retired());
        } else if (parsed.error().what.find("nothing can be paid") != std::string::npos) {
            ++unpayable;
        }
    }
    EXPECT_EQ(payable, 165u);
    EXPECT_EQ(unpayable, 13u);
}

TEST(CurrencyTest, ExponentsAreThoseOfTheList) {
    const std::set<std::string_view> none{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                          "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
    const std::set<std::string_view> three{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    const std::set<std::string_view> four{"CLF", "UYW"};
    for (const auto& code : every_possible_code()) {
        const auto parsed = Currency::parse(code);
        if (!parsed) continue;
        const int expected = none.contains(code) ? 0 : three.contains(code) ? 3 : four.contains(code) ? 4 : 2;
        EXPECT_EQ(parsed->decimals(), expected) << code;
    }
    for (const auto& list : {none, three, four}) {
        for (const auto code : list) EXPECT_TRUE(Currency::parse(code)) << code;
    }
}

TEST(CurrencyTest, NumbersAreThoseOfTheList) {
    const std::pair<std::string_view, unsigned> cases[] = {
        {"USD", 840}, {"EUR", 978}, {"GBP", 826}, {"INR", 356}, {"JPY", 392}, {"KWD", 414}, {"BHD", 48},  {"CLF", 990},
        {"UYW", 927}, {"CHF", 756}, {"CNY", 156}, {"BRL", 986}, {"ALL", 8},   {"XCG", 532}, {"SLE", 925}, {"XAD", 396},
    };
    for (const auto& [code, numeric] : cases) {
        EXPECT_EQ(currency(code).numeric(), numeric);
        EXPECT_EQ(Currency::from_numeric(numeric).value().code(), code);
    }
}

TEST(CurrencyTest, WhatHasNoMinorUnitIsRefused) {
    for (const auto code :
         {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"}) {
        EXPECT_THAT(Currency::parse(code).error().what, HasSubstr("nothing can be paid")) << code;
        EXPECT_FALSE(Currency::parse_historic(code)) << code;
    }
    EXPECT_FALSE(Currency::from_numeric(999));
}

TEST(CurrencyTest, RetiredCodesAreReadForHistoryOnly) {
    for (const auto code : {"HRK", "BGN", "ANG", "SLL", "ZWL", "CUC", "DEM", "ITL"}) {
        EXPECT_THAT(Currency::parse(code).error().what, HasSubstr("no longer in use")) << code;
        const auto historic = Currency::parse_historic(code);
        ASSERT_TRUE(historic) << code;
        EXPECT_TRUE(historic->is_retired());
        EXPECT_EQ(historic->code(), code);
    }
    EXPECT_EQ(Currency::parse_historic("ITL")->decimals(), 0);
    EXPECT_EQ(Currency::parse_historic("HRK")->decimals(), 2);
    EXPECT_EQ(Currency::parse_historic("HRK")->numeric(), 191u);
    EXPECT_EQ(Currency::parse_historic("USD").value(), currency("USD"));
}

TEST(CurrencyTest, ANumberThatWasHandedOnBelongsToTheCodeInUse) {
    EXPECT_EQ(Currency::from_numeric(532)->code(), "XCG");  // ANG before
    EXPECT_FALSE(Currency::from_numeric(191));              // HRK, not handed on
    EXPECT_FALSE(Currency::from_numeric(0));
    EXPECT_FALSE(Currency::from_numeric(100'840));
}

TEST(CurrencyTest, FundCodesAreKnownAsSuch) {
    const std::set<std::string_view> funds{"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"};
    for (const auto& code : every_possible_code()) {
        if (const auto parsed = Currency::parse(code)) {
            EXPECT_EQ(parsed->is_fund_code(), funds.contains(code)) << code;
        }
    }
}

TEST(CurrencyTest, UnknownAndMisspeltCodesAreRefusedWithAHint) {
    for (const auto code : {"", "U", "US", "USDX", "ZZZ", "U$D", "US ", "\xC3\xBCSD", "840"}) {
        EXPECT_THAT(Currency::parse(code).error().what, HasSubstr("like USD")) << code;
    }
    EXPECT_THAT(Currency::parse("usd").error().what, HasSubstr("here USD"));
}

TEST(CurrencyTest, TheDefaultIsNoCurrency) {
    EXPECT_EQ(Currency{}.code(), "XXX");
    EXPECT_EQ(Currency{}.numeric(), 999u);
    EXPECT_EQ(Currency{}.decimals(), 0);
}

}  // namespace
}  // namespace nostro
