#include "nostro/generate/clearing.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <unordered_set>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "tests/unit/generate/json_shape.hpp"

namespace nostro::generate {
namespace {

std::string lines_of(const ClearingOptions& options, int count) {
    ClearingGenerator generator(options);
    std::string text;
    for (int i = 0; i < count; ++i) {
        generator.append(text);
        text += '\n';
    }
    return text;
}

TEST(ClearingGeneratorTest, GivesTheSameBytesForASeedOnEveryMachine) {
    EXPECT_EQ(to_hex(sha256(lines_of({.seed = 1}, 5'000))),
              "443cfb1c4066400e2b4ecdda40984f5cf531da63bf2d267e24cd7fadc7d99567");
    EXPECT_EQ(to_hex(sha256(lines_of({.seed = 1, .realistic = true}, 5'000))),
              "27ead061649a6a262275f8f0359bbc53a79fda3706a807d04f4177f99b6da199");
    EXPECT_NE(lines_of({.seed = 1}, 4), lines_of({.seed = 2}, 4));
}

TEST(ClearingGeneratorTest, BeginsWithTheThreeSamplesForEverySeed) {
    const std::string three =
        R"({"transaction_id":"TXN001","amount":1000.00,"from_account":"ACC001","to_account":"ACC002",)"
        R"("transaction_type":"TRANSFER","description":"Deposit for the flat"})"
        "\n"
        R"({"transaction_id":"TXN002","amount":2500.50,"from_account":"ACC003","to_account":"ACC004",)"
        R"("transaction_type":"TRANSFER","description":"Share of the car"})"
        "\n"
        R"({"transaction_id":"TXN003","amount":750.25,"from_account":"ACC005","to_account":"ACC006",)"
        R"("transaction_type":"TRANSFER","description":"Holiday together"})"
        "\n";
    EXPECT_EQ(lines_of({.seed = 1}, 3), three);
    EXPECT_EQ(lines_of({.seed = 99, .realistic = true}, 3), three);
}

TEST(ClearingGeneratorTest, SampleAccountsBelongToSampleCustomersAndSumUp) {
    std::set<std::string_view> customers;
    for (const auto& each : kClearingCustomers) customers.insert(each.customer_id);
    std::int64_t sum = 0;
    for (const auto& each : kClearingAccounts) {
        EXPECT_TRUE(customers.contains(each.customer_id)) << each.account_number;
        sum += each.balance_minor;
    }
    EXPECT_EQ(sum, 295'000'00);
    std::string text;
    append_json(text, kClearingAccounts[5]);
    EXPECT_EQ(text, R"({"account_number":"ACC006","customer_id":"CUST002","account_type":"CHECKING",)"
                    R"("balance":15000.00,"status":"ACTIVE"})");
    text.clear();
    append_json(text, kClearingCustomers[2]);
    EXPECT_EQ(text, R"({"customer_id":"CUST003","name":"Bob Johnson","email":"bob.johnson@example.com",)"
                    R"("risk_level":"HIGH"})");
}

constexpr std::string_view kRow = R"({"transaction_id":"~TXN-[0-9A-F]{16}","amount":"$","from_account":"~ACC00[1-6]",
    "to_account":"~ACC00[1-6]","transaction_type":"~TRANSFER|PAYMENT","description":"~[A-Za-z ]{4,40}"})";

TEST(ClearingGeneratorTest, RandomRowsLieOnBothSidesOfTheBoundsAndNoIdComesTwice) {
    for (const bool realistic : {false, true}) {
        ClearingGenerator generator({.seed = 4, .realistic = realistic});
        std::unordered_set<std::string> ids;
        std::set<std::string> pairs;
        std::map<int, int> bands;
        std::string text;
        for (int i = 0; i < 50'000; ++i) {
            text.clear();
            const Made made = generator.append(text);
            if (i < 3) continue;
            const Document document(text);
            if (i < 500) {
                EXPECT_EQ(difference(text, kRow), "") << text;
            }
            ids.insert(document.text("/transaction_id"));
            pairs.insert(document.text("/from_account") + document.text("/to_account"));
            EXPECT_NE(document.text("/from_account"), document.text("/to_account"));
            EXPECT_GE(made.amount.minor(), 1);
            EXPECT_LE(made.amount.minor(), 20'000'00);
            EXPECT_NE(text.find("\"amount\":" + made.amount.decimal() + ","), std::string::npos) << text;
            ++bands[made.amount.minor() > 10'000'00 ? 2 : made.amount.minor() > 5'000'00 ? 1 : 0];
        }
        EXPECT_EQ(ids.size(), 49'997u);
        EXPECT_EQ(bands.size(), 3u) << "all three scores by amount";
        if (!realistic) {
            EXPECT_EQ(pairs.size(), 30u);
        }
    }
}

}  // namespace
}  // namespace nostro::generate
