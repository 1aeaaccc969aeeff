#include "nostro/domain/account.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"

namespace nostro {
namespace {

TEST(AccountNameTest, TakesEveryCharacterThatFitsIntoAPathAndALogLine) {
    const std::vector<std::string> names = {"A",         "ACC001",         "a.b_c:d@e+f-g",     "C1305486145",
                                            "ada@oksbi", "house:cash:USD", std::string(64, 'x')};
    for (const std::string& each : names) EXPECT_TRUE(check_account_name(each)) << each;
}

TEST(AccountNameTest, RefusesEverythingElseAndSaysWhy) {
    const struct {
        std::string name, why;
    } cases[] = {
        {"", "at least one character"},    {std::string(65, 'x'), "it has 65 characters, at most 64"},
        {"a b", "nothing else"},           {"a/b", "nothing else"},
        {"a\nb", "nothing else"},          {std::string("a\0b", 3), "nothing else"},
        {"Z\xc3\xbcrich", "nothing else"}, {"a#b", "nothing else"},
        {"a%20b", "nothing else"},         {"a?b", "nothing else"},
        {"\xff\xfe", "nothing else"},      {"a,b", "nothing else"},
    };
    for (const auto& [each, why] : cases) {
        const auto checked = check_account_name(each);
        ASSERT_FALSE(checked) << each;
        EXPECT_EQ(checked.error().code, ErrorCode::invalid);
        EXPECT_NE(checked.error().what.find(why), std::string::npos) << checked.error().what;
    }
}

TEST(HouseNameTest, NamesHouseAndCurrency) {
    const Currency usd = *Currency::parse("USD");
    EXPECT_EQ(house_name(House::equity, usd), "house:equity:USD");
    EXPECT_EQ(house_name(House::cash, *Currency::parse("JPY")), "house:cash:JPY");
    EXPECT_EQ(house_name(House::suspense, usd), "house:suspense:USD");
    EXPECT_EQ(house_name(House::fees, usd), "house:fees:USD");
}

TEST(HouseNameTest, EveryHouseNameIsReadBackToItsCurrency) {
    for (const House house : {House::equity, House::cash, House::suspense, House::fees}) {
        const std::string text = house_name(house, *Currency::parse("KWD"));
        EXPECT_TRUE(is_house_name(text));
        EXPECT_TRUE(check_account_name(text));
        const auto currency = house_currency(text);
        ASSERT_TRUE(currency) << text;
        EXPECT_EQ(currency->code(), "KWD");
    }
}

TEST(HouseNameTest, RefusesOtherNamesWithItsPrefix) {
    for (const char* text : {"house:", "house:cash", "house:cash:", "house:rent:USD", "house:cash:usd",
                             "house:cash:XTS", "house:cash:USD:1", "house::USD", "House:cash:USD", "ACC001", ""}) {
        const auto currency = house_currency(text);
        ASSERT_FALSE(currency) << text;
        EXPECT_EQ(currency.error().code, ErrorCode::invalid);
    }
    EXPECT_TRUE(is_house_name("house:rent:USD"));
    EXPECT_FALSE(is_house_name("houseboat"));
    EXPECT_FALSE(is_house_name("House:cash:USD"));
}

TEST(AccountIdTest, IsTheFirstHalfOfTheHashOverLengthsAndTexts) {
    const std::string hashed =
        to_hex(sha256(std::string_view("\x06nostro\x06"
                                       "ACC001")));
    const AccountId id = account_id("nostro", "ACC001");
    EXPECT_EQ(to_hex(id), hashed.substr(0, 32));
}

TEST(AccountIdTest, SameNameOfAnotherTenantIsAnotherAccount) {
    EXPECT_EQ(account_id("nostro", "ACC001"), account_id("nostro", "ACC001"));
    EXPECT_NE(account_id("nostro", "ACC001"), account_id("upi", "ACC001"));
    EXPECT_NE(account_id("nostro", "ACC001"), account_id("nostro", "ACC002"));
    EXPECT_NE(account_id("nostro", "ACC001"), account_id("nostro", "acc001"));
}

TEST(AccountIdTest, ABorderBetweenTenantAndNameCannotMove) {
    EXPECT_NE(account_id("ab", "c"), account_id("a", "bc"));
    EXPECT_NE(account_id("", "abc"), account_id("abc", ""));
}

TEST(AccountIdTest, AnyLengthGivesAnIdOfItsOwn) {
    AccountId last;
    for (const std::size_t length : {1u, 46u, 47u, 48u, 64u, 127u, 128u, 229u, 230u, 231u, 300u, 5000u}) {
        const AccountId id = account_id("nostro", std::string(length, 'x'));
        EXPECT_NE(id, last) << length;
        last = id;
    }
}

TEST(AccountWordsTest, EveryValueIsReadBackFromItsName) {
    for (const auto kind :
         {AccountKind::customer, AccountKind::merchant, AccountKind::bank, AccountKind::external, AccountKind::house}) {
        EXPECT_EQ(parse_account_kind(name(kind)).value(), kind);
    }
    for (const auto status :
         {AccountStatus::active, AccountStatus::frozen_debit, AccountStatus::frozen, AccountStatus::closed}) {
        EXPECT_EQ(parse_account_status(name(status)).value(), status);
    }
    for (const auto level :
         {RiskLevel::unrated, RiskLevel::low, RiskLevel::medium, RiskLevel::high, RiskLevel::prohibited}) {
        EXPECT_EQ(parse_risk_level(name(level)).value(), level);
    }
}

TEST(AccountWordsTest, AnUnknownWordIsRefusedWithTheKnownOnes) {
    const auto kind = parse_account_kind("Customer");
    ASSERT_FALSE(kind);
    EXPECT_EQ(kind.error().what, "kind: 'Customer' is none of customer, merchant, bank, external, house");
    const auto status = parse_account_status("");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().what, "status: '' is none of active, frozen_debit, frozen, closed");
    const auto level = parse_risk_level("unknown");
    ASSERT_FALSE(level);
    EXPECT_EQ(level.error().what, "risk_level: 'unknown' is none of unrated, low, medium, high, prohibited");
}

}  // namespace
}  // namespace nostro
