#include "nostro/profiles/logging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/profile_world.hpp"

namespace nostro::logging {
namespace {

using test::ProfileWorld;
using ::testing::HasSubstr;

class LoggingTest : public testing::Test {
protected:
    std::optional<Row> sent(std::string_view message, std::uint64_t position = 1) {
        told = world.send(message, {"queue", position});
        EXPECT_EQ(told.dead_letter, "");
        return row_of(told.outcome, told.payment);
    }
    ProfileWorld world{*find_profile("logging")};
    ProfileWorld::Told told;
};

TEST_F(LoggingTest, AMessageIsARowAndMovesMoneyWithoutAsking) {
    const auto row = sent(R"({"sender": "C1", "receiver": "M1", "amount": 9839.64, "currency": "EUR"})");
    ASSERT_TRUE(row);
    EXPECT_EQ(row->id, 1u);
    EXPECT_EQ(row->sender, "C1");
    EXPECT_EQ(row->receiver, "M1");
    EXPECT_EQ(row->amount.decimal(), "9839.64");
    EXPECT_EQ(row->status, "Completed");
    EXPECT_EQ(world.balance("party:C1:EUR"), -983'964);
    EXPECT_EQ(world.balance("party:M1:EUR"), 983'964);
    std::string report;
    append_report_row(report, *row);
    EXPECT_EQ(report, R"({"id":1,"sender":"C1","receiver":"M1","amount":9839.64,"status":"Completed"})");
    EXPECT_EQ(message_of(*row), R"({"sender":"C1","receiver":"M1","amount":9839.64,"currency":"EUR"})");
}

TEST_F(LoggingTest, MessagesAreKnownByTheirPlaceOrTheirId) {
    constexpr std::string_view kMessage = R"({"sender":"a","receiver":"b","amount":"1"})";
    EXPECT_EQ(sent(kMessage, 1)->id, 1u);
    EXPECT_EQ(sent(kMessage, 2)->id, 2u);
    EXPECT_EQ(sent(kMessage, 1)->id, 1u) << "delivered again";
    EXPECT_EQ(told.receipt.answer.kind, Answer::Kind::replayed);
    constexpr std::string_view kNamed = R"({"id":"x-1","sender":"a","receiver":"b","amount":"1"})";
    EXPECT_EQ(sent(kNamed, 3)->id, 3u);
    EXPECT_EQ(sent(kNamed, 4)->id, 3u) << "its id counts, wherever it stands";
    EXPECT_EQ(world.balance("party:a:USD"), -300);
}

TEST_F(LoggingTest, HistoryIsOnRecordAndMovesNothing) {
    sent(R"({"sender":"a","receiver":"b","amount":"1"})");
    const auto row = sent(R"({"sender":"C1","receiver":"M1","amount":"181.00","status":"Historical"})", 2);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->id, 2u) << "in one list with the others";
    EXPECT_EQ(row->status, "Historical");
    EXPECT_EQ(row->amount.decimal(), "181.00");
    EXPECT_EQ(world.balance("party:C1:USD"), std::nullopt);
}

TEST_F(LoggingTest, AReversalIsARowWithItsAmountFromTheReceiverBack) {
    sent(R"({"sender":"C1","receiver":"M1","amount":"181.00"})");
    const auto back = world.reverse(told);
    const auto row = row_of(back.outcome, asked_for(command_of(*back.frame, back.outcome), back.outcome));
    ASSERT_TRUE(row);
    std::string report;
    append_report_row(report, *row);
    EXPECT_EQ(report, R"({"id":2,"sender":"M1","receiver":"C1","amount":181.00,"status":"Completed"})");
}

struct Unreadable {
    const char* message;
    const char* why;
};

TEST_F(LoggingTest, WhatNobodyCanReadSaysWhy) {
    const Unreadable cases[] = {{"{", "no JSON"},
                                {R"({"receiver":"b","amount":1})", "sender: is missing"},
                                {R"({"sender":"","receiver":"b","amount":1})", "sender: "},
                                {R"({"sender":"a","receiver":["b"],"amount":1})", "receiver: is no text"},
                                {R"({"sender":"a","receiver":"a","amount":1})", "receiver: is the sender"},
                                {R"({"sender":"a","receiver":"b"})", "amount: is missing"},
                                {R"({"sender":"a","receiver":"b","amount":0})", "amount: is not above zero"},
                                {R"({"sender":"a","receiver":"b","amount":-2})", "amount: is not above zero"},
                                {R"({"sender":"a","receiver":"b","amount":1.005})", "amount: "},
                                {R"({"sender":"a","receiver":"b","amount":10000000000000000})", "16 digits before"},
                                {R"({"sender":"a","receiver":"b","amount":1,"currency":"usd"})", "currency: "}};
    for (const auto& [message, why] : cases) EXPECT_THAT(world.send(message).dead_letter, HasSubstr(why)) << message;
}

TEST_F(LoggingTest, LongNamesComeBackWhole) {
    const std::string odd = "Zoë " + std::string(120, 'x');
    const auto row = sent("{\"sender\":\"" + odd + "\",\"receiver\":\"b\",\"amount\":1}");
    EXPECT_EQ(row->sender, odd);
    EXPECT_EQ(row->receiver, "b");
}

}  // namespace
}  // namespace nostro::logging
