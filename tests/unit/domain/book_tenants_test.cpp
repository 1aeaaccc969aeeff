// Several ledgers in one Book: each has its own policy.
#include <gtest/gtest.h>

#include "nostro/domain/tenant_names.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

// Two tenants with a policy of their own, both of version 1, in one frame.
Changes two_tenants(Book& book, TenantNo second = 1, const std::string& second_name = "other") {
    Changes changes;
    book.begin_frame(1, kStart, 0, changes);
    std::uint32_t number = 0;
    for (const std::string& name : {std::string("nostro"), second_name}) {
        const auto policy = Policy::parse("tenant = \"" + name + "\"\n", 1, kStart);
        Command command = a_command(ChangePolicy{policy ? *policy : nullptr, "test"});
        command.tenant = number == 0 ? TenantNo{0} : second;
        EXPECT_EQ(book.apply(command, number++).kind, Answer::Kind::recorded);
    }
    book.end_frame();
    return changes;
}

TEST(BookTenantsTest, EachTenantGetsItsOwnPolicyOfOneVersion) {
    Book book(kSmallBook), copy(kSmallBook);
    const Changes changes = two_tenants(book);
    EXPECT_EQ(tenant_of_policy(changes, 1), TenantNo{1});
    ASSERT_TRUE(copy.install(1, kStart, changes));
    EXPECT_EQ(copy.policy(0)->tenant(), "nostro");
    EXPECT_EQ(copy.policy(1)->tenant(), "other");
    EXPECT_EQ(copy.tenant("other"), TenantNo{1});
    EXPECT_EQ(copy.tenant("third"), std::nullopt);
}

TEST(BookTenantsTest, WhosePolicyItIsIsNeverGuessed) {
    Book book(kSmallBook), copy(kSmallBook);
    two_tenants(book);
    Result<> installed;
    book.export_cells(10, [&](const Changes& cells) {
        if (installed) installed = copy.install(0, kStart, cells);
    });
    ASSERT_FALSE(installed);
    EXPECT_EQ(installed.error().code, ErrorCode::corrupt);
}

TEST(BookTenantsTest, ATenantThatIsCompiledInIsKnownByItsName) {
    know_tenant(7, "compiled_in");
    Book book(kSmallBook), copy(kSmallBook);
    two_tenants(book, 7, "compiled_in");
    Result<> installed;
    book.export_cells(10, [&](const Changes& cells) {
        if (installed) installed = copy.install(0, kStart, cells);
    });
    ASSERT_TRUE(installed) << installed.error().what;
    EXPECT_EQ(copy.policy(0)->tenant(), "nostro");
    EXPECT_EQ(copy.policy(7)->tenant(), "compiled_in");
}

}  // namespace
}  // namespace nostro::test
