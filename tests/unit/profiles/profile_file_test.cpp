#include "nostro/profiles/profile_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/base/embedded.hpp"
#include "nostro/domain/policy.hpp"

namespace nostro {
namespace {

using ::testing::HasSubstr;

Result<ProfileSetup> read(std::string_view text,
                          const std::map<std::string, std::string, std::less<>>& variables = {}) {
    return read_profile_file(text, "x.toml", [&](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

TEST(ProfileFileTest, ReadsSettingsAccountsAndVariables) {
    constexpr std::string_view kText = R"(tenant = "x"
  # ${MOST:-1} and ${OPENING stay as they are
[[rail]]
name = "x"
number = 1
max_amount = { USD = "${MOST:-10}.00" }
[profile]
word = "a"
number = 7
flag = true
[[profile.account]]
name = "ann"
currency = "USD"
opening = "${OPENING:-}5.00"
)";
    const auto setup = read(kText, {{"MOST", "20"}}).value();
    EXPECT_THAT(setup.policy, HasSubstr(R"("20.00")"));
    EXPECT_THAT(setup.policy, HasSubstr("# ${MOST:-1} and ${OPENING stay"));
    EXPECT_EQ(setup.setting("word", ""), "a");
    EXPECT_EQ(setup.setting("number", ""), "7");
    EXPECT_EQ(setup.setting("flag", ""), "true");
    EXPECT_EQ(setup.setting("nothing", "else"), "else");
    ASSERT_EQ(setup.accounts.size(), 1u);
    EXPECT_EQ(setup.accounts[0].opening, "5.00");
    EXPECT_EQ(setup.accounts[0].kind, "customer");
    EXPECT_TRUE(Policy::parse(setup.policy, 1, Instant{})) << "a policy passes over the profile's table";
}

struct Bad {
    const char* text;
    const char* why;
};

TEST(ProfileFileTest, SaysWhereItIsWrong) {
    const Bad cases[] = {{"tenant = ", "x.toml, line 1"},
                         {"a = \"${OPEN", "has no }"},
                         {"a = \"${BAD:-1}\"", "the environment variable BAD"},
                         {"[profile]\na = 1.5", "x.toml, line 2, column 5: profile.a"},
                         {"[profile]\naccount = 1", "no list of tables"},
                         {"[[profile.account]]\nname = \"a\"", "needs name and currency"},
                         {"[[profile.account]]\nnam = \"a\"", "profile.account has no key 'nam'"},
                         {"[[profile.account]]\nname = 1", "name is no text"}};
    for (const auto& [text, why] : cases) {
        const auto setup = read(text, {{"BAD", "1\"\nx = 2"}});
        ASSERT_FALSE(setup) << text;
        EXPECT_EQ(setup.error().code, ErrorCode::invalid);
        EXPECT_THAT(setup.error().what, HasSubstr(why)) << text;
    }
}

TEST(ProfilesTest, EachHasAFileThatIsItsPolicyAndANumberOfItsOwn) {
    std::vector<TenantNo> numbers = {0};
    for (const ProfileEntry& entry : profiles()) {
        const auto text = embedded_file("profiles/" + std::string(entry.name) + ".toml");
        ASSERT_TRUE(text) << entry.name;
        const auto setup = read(*text);
        ASSERT_TRUE(setup) << setup.error().what;
        const auto policy = Policy::parse(setup->policy, 1, Instant{});
        ASSERT_TRUE(policy) << policy.error().what;
        EXPECT_EQ((*policy)->tenant(), entry.name);
        const auto profile = entry.make(*setup);
        EXPECT_TRUE(profile) << profile.error().what;
        EXPECT_EQ(std::ranges::count(numbers, entry.tenant), 0) << entry.name;
        numbers.push_back(entry.tenant);
        EXPECT_EQ(find_profile(entry.name), &entry);
    }
    EXPECT_EQ(find_profile("nothing"), nullptr);
}

}  // namespace
}  // namespace nostro
