#include "nostro/base/embedded.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace nostro {
namespace {

TEST(EmbeddedTest, FindsAFileWithAllItsBytes) {
    const auto licence = embedded_file("LICENSE");
    ASSERT_TRUE(licence);
    EXPECT_NE(licence->find("Apache License"), std::string_view::npos);
    EXPECT_EQ(licence->find('\0'), std::string_view::npos);
    EXPECT_TRUE(licence->ends_with("limitations under the License.\n"));
    EXPECT_EQ(licence->data()[licence->size()], '\0');
}

TEST(EmbeddedTest, AnUnknownNameIsNotFound) {
    EXPECT_FALSE(embedded_file("no/such/file"));
    EXPECT_FALSE(embedded_file(""));
    EXPECT_FALSE(embedded_file("LICENS"));
}

TEST(EmbeddedTest, NamesBelowAPrefixComeInOrderAndAreAllFound) {
    const auto names = embedded_names("");
    EXPECT_TRUE(std::ranges::is_sorted(names));
    EXPECT_TRUE(std::ranges::all_of(names, [](std::string_view name) { return embedded_file(name).has_value(); }));
    EXPECT_EQ(embedded_names("LICENSE").size(), 1u);
    EXPECT_TRUE(embedded_names("no/such/").empty());
}

}  // namespace
}  // namespace nostro
