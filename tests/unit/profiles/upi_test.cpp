#include "nostro/profiles/upi.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/profile_world.hpp"

namespace nostro::upi {
namespace {

using test::ProfileWorld;
using ::testing::HasSubstr;

std::string a_message(std::string_view id, std::string_view payer, std::string_view payee, std::string_view amount) {
    return fmt::format(
        R"({{"tx_id": "{}", "payer_id": "{}", "payee_id": "{}", "amount": {}, "currency": "INR", "created_at": null}})",
        id, payer, payee, amount);
}

class UpiTest : public testing::Test {
protected:
    Transaction sent(std::string_view message) {
        told = world.send(message);
        EXPECT_EQ(told.dead_letter, "");
        return transaction_of(told.outcome, told.payment, *world.policy());
    }
    ProfileWorld world{*find_profile("upi")};
    ProfileWorld::Told told;
};

TEST_F(UpiTest, ASuccessMovesTheMoneyOnceHoweverOftenItIsDelivered) {
    const std::string message = a_message("t1", "ann", "bea", "250");
    const Transaction row = sent(message);
    EXPECT_EQ(row.tx_id, "t1");
    EXPECT_EQ(row.payer_id, "ann");
    EXPECT_EQ(row.payee_id, "bea");
    EXPECT_EQ(row.amount, 250);
    EXPECT_EQ(row.status, "SUCCESS");
    EXPECT_EQ(row.reason, "");
    EXPECT_EQ(world.balance("user:ann"), 999'750'00);
    EXPECT_EQ(world.balance("user:bea"), 250'00) << "a payee who was not known begins with nothing";
    sent(message);
    EXPECT_EQ(told.receipt.answer.kind, Answer::Kind::replayed);
    EXPECT_EQ(world.balance("user:ann"), 999'750'00);
    EXPECT_EQ(world.send(a_message("t1", "ann", "bea", "251")).receipt.answer.kind, Answer::Kind::reused);
}

struct Rule {
    const char* what;
    const char* amount;
    const char* status;
    const char* reason;
};

TEST_F(UpiTest, RulesInTheirOrderWithTheirBounds) {
    const Rule rules[] = {
        {"at the bound of one payment", "150000", "SUCCESS", ""},
        {"above it", "150001", "FAILED", "Amount exceeds single transaction limit of 150000"},
        {"again at it", "150000", "SUCCESS", ""},
        {"and again", "150000", "SUCCESS", ""},
        {"above what is left of the day", "50001", "FAILED", "Daily limit exceeded: current 450000 + 50001 > 500000"},
        {"too large in both ways: the first rule tells", "150001", "FAILED",
         "Amount exceeds single transaction limit of 150000"},
        {"exactly what is left", "50000", "SUCCESS", ""},
        {"one more", "1", "FAILED", "Daily limit exceeded: current 500000 + 1 > 500000"},
    };
    int number = 0;
    for (const Rule& rule : rules) {
        const Transaction row = sent(a_message(fmt::format("t{}", ++number), "ann", "bea", rule.amount));
        EXPECT_EQ(row.status, rule.status) << rule.what;
        EXPECT_EQ(row.reason, rule.reason) << rule.what;
    }
    EXPECT_EQ(world.balance("user:ann"), 500'000'00) << "failures move nothing";
}

TEST_F(UpiTest, TheBalanceIsTheLastRule) {
    EXPECT_EQ(sent(a_message("t1", "ann", "bea", "1000")).status, "SUCCESS");
    EXPECT_EQ(sent(a_message("t2", "bea", "ann", "1001")).reason, "Insufficient balance");
    EXPECT_EQ(sent(a_message("t3", "bea", "ann", "1000")).status, "SUCCESS") << "all of it may go";
    EXPECT_EQ(world.balance("user:bea"), 0);
}

TEST_F(UpiTest, WhatIsNotPositiveIsAFailureOnRecord) {
    for (const char* amount : {"0", "-500"}) {
        const Transaction row = sent(a_message(fmt::format("t{}", amount), "ann", "bea", amount));
        EXPECT_EQ(row.status, "FAILED");
        EXPECT_EQ(row.reason, "Amount must be positive");
        EXPECT_EQ(row.payer_id, "ann");
        EXPECT_EQ(std::to_string(row.amount), amount);
    }
    EXPECT_EQ(world.balance("user:ann"), std::nullopt);
}

TEST_F(UpiTest, AReversalIsARowOfItsOwnAndNoPaymentInTheMetrics) {
    sent(a_message("t1", "ann", "bea", "250"));
    const auto back = world.reverse(told);
    const Transaction row = transaction_of(back.outcome, back.payment, *world.policy());
    EXPECT_EQ(row.tx_id.size(), 32u) << "the payment's, where nobody gave it one";
    EXPECT_EQ(row.payer_id, "bea");
    EXPECT_EQ(row.payee_id, "ann");
    EXPECT_EQ(row.amount, 250);
    EXPECT_EQ(row.status, "SUCCESS");
    const std::string metrics = world.metrics.prometheus_text();
    EXPECT_THAT(metrics, HasSubstr("\nupi_transactions_total{status=\"SUCCESS\"} 1\n"));
    EXPECT_THAT(metrics, HasSubstr("\ntransaction_amount_count 1\n"));
}

TEST_F(UpiTest, NobodyPaysThemselves) {
    const Transaction row = sent(a_message("t1", "ann", "ann", "10"));
    EXPECT_EQ(row.status, "FAILED");
    EXPECT_EQ(row.reason, "Payer and payee are the same");
    EXPECT_TRUE(cache_of(told.outcome, told.payment, *world.policy()).empty()) << "nothing of the day is used up";
}

TEST_F(UpiTest, TheBoundsComeFromTheEnvironment) {
    ProfileWorld small(*find_profile("upi"), {{"MAX_TXN_AMOUNT", "100"}, {"DAILY_TXN_LIMIT", "150"}});
    auto fate = [&](const char* id, const char* amount) {
        const auto fated = small.send(a_message(id, "ann", "bea", amount));
        return transaction_of(fated.outcome, fated.payment, *small.policy()).reason;
    };
    EXPECT_EQ(fate("t1", "101"), "Amount exceeds single transaction limit of 100");
    EXPECT_EQ(fate("t2", "100"), "");
    EXPECT_EQ(fate("t3", "51"), "Daily limit exceeded: current 100 + 51 > 150");
}

struct Unreadable {
    const char* message;
    const char* why;
};

TEST_F(UpiTest, WhatNobodyCanReadSaysWhy) {
    const Unreadable cases[] = {
        {"nonsense", "no JSON"},
        {"[]", "no JSON object"},
        {R"({"payer_id":"a","payee_id":"b","amount":1})", "tx_id: is missing"},
        {R"({"tx_id":"","payer_id":"a","payee_id":"b","amount":1})", "tx_id: "},
        {R"({"tx_id":"t","payee_id":"b","amount":1})", "payer_id: is missing"},
        {R"({"tx_id":"t","payer_id":null,"payee_id":"b","amount":1})", "payer_id: is null"},
        {R"({"tx_id":"t","payer_id":"a","payee_id":7,"amount":1})", "payee_id: is no text"},
        {R"({"tx_id":"t","payer_id":"a","payee_id":"b"})", "amount: is missing"},
        {R"({"tx_id":"t","payer_id":"a","payee_id":"b","amount":99.9})", "amount: 99.90 is no whole number of rupees"},
        {R"({"tx_id":"t","payer_id":"a","payee_id":"b","amount":1e3})", "amount: "},
        {R"({"tx_id":"t","payer_id":"a","payee_id":"b","amount":NaN})", "no JSON"},
        {R"({"tx_id":"t","payer_id":"a","payee_id":"b","amount":99999999999999999999})", "amount: "},
        {R"({"tx_id":"t","payer_id":"a","payee_id":"b","amount":true})", "amount: is no number"}};
    for (const auto& [message, why] : cases) EXPECT_THAT(world.send(message).dead_letter, HasSubstr(why)) << message;
}

TEST_F(UpiTest, ReadsOtherNamesAndWhateverOrder) {
    const Transaction row = sent(
        "{ \"extra\": [1,{\"a\":\"b\"}], \"amount\" : 7.00, \"user_to\":\"\\u0062ea\",\n\"user_from\":\"ann\", "
        "\"tx_id\":\"t1\" }");
    EXPECT_EQ(row.payer_id, "ann");
    EXPECT_EQ(row.payee_id, "bea");
    EXPECT_EQ(row.amount, 7);
}

TEST_F(UpiTest, CacheEntriesAreTheBalancesAndTheDay) {
    const auto first = sent(a_message("t1", "ann", "bea", "100"));
    sent(a_message("t2", "ann", "bea", "50"));
    const auto entries = cache_of(told.outcome, told.payment, *world.policy());
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[0].key, "balance:ann");
    EXPECT_EQ(entries[0].value, "999850");
    EXPECT_EQ(entries[1].key, "balance:bea");
    EXPECT_EQ(entries[1].value, "150");
    EXPECT_EQ(entries[2].key, "daily:ann:" + to_date(first.created_at));
    EXPECT_EQ(entries[2].value, "150");
    EXPECT_EQ(entries[2].expires_s, 48 * 3600);
}

TEST_F(UpiTest, AnyTextIsAUser) {
    const std::string odd = "O'Hara + Söhne/" + std::string(90, 'x');
    const Transaction row = sent(a_message("t1", odd, "bea", "1"));
    EXPECT_EQ(row.status, "SUCCESS");
    EXPECT_EQ(row.payer_id, odd);
    EXPECT_EQ(balances_of(told.outcome, told.payment).at(0).user_id, odd);
}

}  // namespace
}  // namespace nostro::upi
