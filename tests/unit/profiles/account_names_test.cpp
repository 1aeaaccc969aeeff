#include "nostro/profiles/account_names.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "nostro/domain/account.hpp"

namespace nostro {
namespace {

TEST(AccountNamesTest, PlainIdsStayAsTheyAre) {
    Arena arena;
    EXPECT_EQ(account_name_of("user:", "user_1", "", arena), "user:user_1");
    EXPECT_EQ(account_name_of("party:", "C1231006815", ":USD", arena), "party:C1231006815:USD");
    EXPECT_EQ(account_name_of("user:", "a b+c", "", arena), "user:a+20b+2bc");
    EXPECT_EQ(id_of_account("party:C1:USD", "party:", ":USD"), "C1");
    EXPECT_EQ(id_of_account("user:C1", "party:", ":USD"), std::nullopt);
    EXPECT_EQ(id_of_account("user:a+2", "user:", ""), std::nullopt);
    EXPECT_EQ(id_of_account("user:a+zz", "user:", ""), std::nullopt);
}

RC_GTEST_PROP(AccountNamesProperty, AnyIdGivesAGoodNameAndComesBackUnlessCut, (std::string id)) {
    Arena arena;
    const auto name = account_name_of("party:", id, ":USD", arena);
    RC_ASSERT(check_account_name(name).has_value());
    const auto back = id_of_account(name, "party:", ":USD");
    if (id.size() * 3 + 10 <= 64) RC_ASSERT(back == id);
    if (back) RC_ASSERT(*back == id);
}

TEST(AccountNamesTest, LongIdsThatBeginAlikeStayApart) {
    Arena arena;
    const std::string a(100, 'a');
    const auto first = account_name_of("user:", a + "1", "", arena),
               second = account_name_of("user:", a + "2", "", arena);
    EXPECT_NE(first, second);
    EXPECT_LE(first.size(), 64u);
    EXPECT_EQ(id_of_account(first, "user:", ""), std::nullopt);
    // Whoever calls themselves like the short form of another is somebody else.
    EXPECT_NE(account_name_of("user:", first.substr(5), "", arena), first);
}

}  // namespace
}  // namespace nostro
