#include "nostro/profiles/bearer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "nostro/base/base64.hpp"
#include "nostro/base/hmac.hpp"
#include "nostro/base/time.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSecret = "a secret of some forty bytes, or so it is";
constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
const Instant kNow = parse_rfc3339("2026-11-21T09:30:00.5Z").value();
const std::int64_t kNow_s = std::chrono::floor<std::chrono::seconds>(kNow.time_since_epoch()).count();

std::string url_text(std::string_view bytes) {
    std::string text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    text.erase(std::min(text.find('='), text.size()));
    return text;
}

std::string a_token(std::string_view claims, std::string_view header = kHeader, std::string_view secret = kSecret) {
    std::string token = url_text(header) + "." + url_text(claims);
    const Digest digest = hmac_sha256(secret, token);
    return token + "." + url_text({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string fault_of(std::string_view token) {
    return std::string(BearerTokens(std::string(kSecret)).fault("Bearer " + std::string(token), kNow).value_or("none"));
}

TEST(BearerTest, TakesWhatWasSignedAndHasNotExpired) {
    EXPECT_EQ(fault_of(a_token("{}")), "none");
    EXPECT_EQ(fault_of(a_token(fmt::format(R"({{"sub":"ann","exp":{}}})", kNow_s + 1))), "none");
    EXPECT_EQ(fault_of(a_token(fmt::format(R"({{"exp":{}.9,"nbf":{}}})", kNow_s + 1, kNow_s))), "none");
    EXPECT_EQ(fault_of(a_token(R"({"exp":99999999999999999999999})")), "none");
    const BearerTokens tokens{std::string(kSecret)};
    EXPECT_EQ(tokens.fault("bearer  " + a_token("{}"), kNow), std::nullopt);
}

TEST(BearerTest, TellsExpiredFromBad) {
    EXPECT_EQ(fault_of(a_token(fmt::format(R"({{"exp":{}}})", kNow_s))), "Token expired");
    EXPECT_EQ(fault_of(a_token(fmt::format(R"({{"exp":{}.9}})", kNow_s))), "Token expired");
    EXPECT_EQ(fault_of(a_token(R"({"exp":-1})")), "Token expired");
    const std::string expired_of_others = a_token(R"({"exp":1})", kHeader, "another secret, of some forty bytes too");
    EXPECT_EQ(fault_of(expired_of_others), "Invalid token") << "the signature is looked at first";
}

TEST(BearerTest, TakesNoOtherTokens) {
    const std::string good = a_token("{}");
    std::string changed = good;
    changed[changed.size() - 2] = changed[changed.size() - 2] == 'A' ? 'B' : 'A';
    const std::string none = url_text(R"({"alg":"none"})") + "." + url_text("{}") + ".";
    const std::string cases[] = {
        "",
        "x",
        "a.b.c",
        "..",
        changed,
        good + "=",
        good + ".",
        good.substr(0, good.size() - 1),
        none,
        a_token("{}", R"({"alg":"none"})"),
        a_token("{}", R"({"alg":"HS512"})"),
        a_token("{}", R"({"alg":"hs256"})"),
        a_token("{}", R"({"alg":7})"),
        a_token("{}", R"({"alg":"HS256","crit":["x"]})"),
        a_token("{}", "{}"),
        a_token("no json"),
        a_token("[]"),
        a_token(R"({"exp":"soon"})"),
        a_token(R"({"exp":1e99})"),
        a_token(R"({"exp":null})"),
        a_token(fmt::format(R"({{"nbf":{}}})", kNow_s + 1)),
        a_token(R"({"nbf":true})"),
        a_token("{}", kHeader, ""),
    };
    for (const std::string& token : cases) EXPECT_EQ(fault_of(token), "Invalid token") << token;
    const BearerTokens tokens{std::string(kSecret)};
    for (const char* header : {"", "Basic YTpi", "Bearerx"}) {
        EXPECT_EQ(tokens.fault(header, kNow), "Not authenticated") << header;
    }
}

TEST(BearerTest, TheSecretComesFromAFileAndIsLong) {
    const test::TemporaryFolder folder;
    const std::string path = folder.path() + "/secret";
    EXPECT_THAT(BearerTokens::from_file(path).error().what, HasSubstr("cannot be read"));
    std::ofstream(path) << std::string(31, 'x') << "\n";
    EXPECT_THAT(BearerTokens::from_file(path).error().what, HasSubstr("a secret of 31 bytes"));
    std::ofstream(path) << kSecret << "\n";
    const auto tokens = BearerTokens::from_file(path);
    ASSERT_TRUE(tokens);
    EXPECT_EQ(tokens->fault("Bearer " + a_token("{}"), kNow), std::nullopt);
}

}  // namespace
}  // namespace nostro
