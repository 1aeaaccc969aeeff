#include "nostro/generate/upi.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <unordered_set>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/time.hpp"
#include "tests/unit/generate/json_shape.hpp"

namespace nostro::generate {
namespace {

Instant instant(std::string_view text) { return parse_rfc3339(text).value(); }
const Instant kAt = instant("2026-01-05T09:30:00.25Z");

std::string lines_of(const UpiOptions& options, int count) {
    UpiGenerator generator(options);
    std::string text;
    for (int i = 0; i < count; ++i) {
        generator.append(text, kAt + std::chrono::seconds(i));
        text += '\n';
    }
    return text;
}

// A released generator never changes for a seed: people compare runs by it.
TEST(UpiGeneratorTest, GivesTheSameBytesForASeedOnEveryMachine) {
    EXPECT_EQ(to_hex(sha256(lines_of({.seed = 1}, 5'000))),
              "53052655c300b8d5c0692771acd17888ba6e74b82e50948b02b1e75ff057c2f3");
    EXPECT_EQ(to_hex(sha256(lines_of({.seed = 1, .realistic = true}, 5'000))),
              "7e3661817d4a078b89c8296e1550efd6f652bd6a8a6476f8f9a90150199df0ac");
    EXPECT_NE(lines_of({.seed = 1}, 1), lines_of({.seed = 2}, 1));
}

TEST(UpiGeneratorTest, AMessageHasSixMembersInTheirOrder) {
    UpiGenerator generator({.seed = 3});
    for (int i = 0; i < 500; ++i) {
        std::string text;
        generator.append(text, kAt);
        EXPECT_EQ(difference(text, R"({"tx_id":"~[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                                       "payer_id":"~user_[1-5]","payee_id":"~user_[1-5]","amount":"#1..200000",
                                       "currency":"INR","created_at":null})"),
                  "")
            << text;
        EXPECT_EQ(text.find(' '), std::string::npos);
    }
}

TEST(UpiGeneratorTest, DrawsPairsAndAmountsUniformlyAndNoIdTwice) {
    constexpr int kCount = 100'000;
    UpiGenerator generator({.seed = 11});
    std::map<std::pair<std::string, std::string>, int> pairs;
    std::unordered_set<std::string> ids;
    std::int64_t sum = 0, least = 1'000'000, most = 0;
    int above = 0;
    for (int i = 0; i < kCount; ++i) {
        std::string text;
        const Made made = generator.append(text, kAt);
        const Document document(text);
        const std::int64_t amount = document.number("/amount");
        EXPECT_EQ(made.amount.minor(), amount * 100);
        ++pairs[{document.text("/payer_id"), document.text("/payee_id")}];
        ids.insert(document.text("/tx_id"));
        above += amount > 150'000 ? 1 : 0;
        sum += amount;
        least = std::min(least, amount);
        most = std::max(most, amount);
    }
    EXPECT_EQ(ids.size(), std::size_t{kCount});
    EXPECT_EQ(pairs.size(), 20u) << "each of five pays each other";
    for (const auto& [pair, count] : pairs) {
        EXPECT_NE(pair.first, pair.second);
        EXPECT_NEAR(count, 0.05 * kCount, 350) << pair.first << " " << pair.second;
    }
    EXPECT_NEAR(above, 0.25 * kCount, 700) << "a quarter exceeds 150,000";
    EXPECT_LT(std::abs(sum / kCount - 100'000), 900);
    EXPECT_LT(least, 100);
    EXPECT_GT(most, 199'900);
}

// Else a service would take one for a retry of the other.
TEST(UpiGeneratorTest, OtherOptionsGiveOtherIds) {
    const auto options = std::to_array<UpiOptions>({{.seed = 1},
                                                    {.seed = 2},
                                                    {.seed = 1, .users = 6},
                                                    {.seed = 1, .realistic = true},
                                                    {.seed = 1, .realistic = true, .start = kAt}});
    std::unordered_set<std::string> ids;
    for (const UpiOptions& each : options) {
        UpiGenerator generator(each);
        for (int i = 0; i < 2'000; ++i) {
            std::string text;
            generator.append(text, kAt);
            ids.insert(Document(text).text("/tx_id"));
        }
    }
    EXPECT_EQ(ids.size(), options.size() * 2'000);
}

TEST(UpiGeneratorTest, AsManyUsersAsAreWantedTakePart) {
    UpiGenerator generator({.seed = 1, .users = 37});
    std::set<std::string> users;
    for (int i = 0; i < 2'000; ++i) {
        std::string text;
        generator.append(text, kAt);
        const Document document(text);
        users.insert(document.text("/payer_id"));
        users.insert(document.text("/payee_id"));
    }
    EXPECT_EQ(users.size(), 37u);
    EXPECT_TRUE(users.contains("user_1") && users.contains("user_37"));
}

TEST(UpiGeneratorTest, ARealisticMessageHasVpasATimeAndHowItEnded) {
    UpiGenerator generator({.seed = 5, .realistic = true});
    for (int i = 0; i < 500; ++i) {
        std::string text;
        generator.append(text, kAt);
        EXPECT_EQ(difference(text, R"({"tx_id":"~[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                                       "payer_id":"~[a-zA-Z0-9._-]{2,256}@[a-zA-Z]{2,64}",
                                       "payee_id":"~[a-zA-Z0-9._-]{2,256}@[a-zA-Z]{2,64}","amount":"#1..200000",
                                       "currency":"INR","created_at":"2026-01-05T09:30:00.250000Z",
                                       "rrn":"~600509[0-9]{6}","response_code":"~00|[A-Z][A-Z0-9]|U[0-9]{2}"})"),
                  "")
            << text;
        const Document document(text);
        EXPECT_NE(document.text("/payer_id"), document.text("/payee_id"));
    }
}

TEST(UpiGeneratorTest, ATenthDeclinesFourInFiveForBusinessReasons) {
    constexpr int kCount = 200'000;
    const std::set<std::string_view> business = {"Z9", "ZM", "ZA", "U69", "Z8", "Z7", "XH", "U16"};
    const std::set<std::string_view> technical = {"U28", "U09", "XY", "U78", "U08"};
    UpiGenerator generator({.seed = 8, .realistic = true});
    int declined = 0, for_business = 0;
    std::string text;
    for (int i = 0; i < kCount; ++i) {
        text.clear();
        const Made made = generator.append(text, kAt);
        EXPECT_EQ(made.status == "Z8", made.amount.minor() > 150'000'00) << text;
        if (made.status == "00") continue;
        ++declined;
        for_business += business.contains(made.status) ? 1 : 0;
        EXPECT_TRUE(business.contains(made.status) || technical.contains(made.status)) << made.status;
    }
    EXPECT_GT(declined * 100, kCount * 8);
    EXPECT_LT(declined * 100, kCount * 12);
    EXPECT_NEAR(for_business * 100.0 / declined, 80.0, 1.5);
}

TEST(UpiGeneratorTest, AReferenceNumberIsMadeOfDayHourAndSequence) {
    EXPECT_EQ(rrn(instant("2025-10-05T14:59:59Z"), 7).view(), "527814000007");
    EXPECT_EQ(rrn(instant("2024-12-31T09:00:00Z"), 1).view(), "436609000001");
    EXPECT_EQ(rrn(instant("2026-11-21T09:30:00Z"), 1'000'001).view(), "632509000001");
}

}  // namespace
}  // namespace nostro::generate
