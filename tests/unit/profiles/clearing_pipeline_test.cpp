// What capture and clearance say of a row, beside what the Book says of it when it decides.
#include "nostro/profiles/clearing_pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/base/time.hpp"
#include "tests/unit/profiles/clearing_world.hpp"

namespace nostro::clearing {
namespace {

using ::testing::HasSubstr;

class PipelineTest : public ClearingWorld {
protected:
    PipelineTest() {
        open("LOW", "LOW", "1000000.00", "Ann");
        open("MEDIUM", "MEDIUM", "1000000.00", "Bea", "SAVINGS");
        open("HIGH", "HIGH", "1000000.00", "Cid");
    }
    const Profile& profile() { return *world().profile; }
    static std::optional<ListedAccount> listed(std::string_view number) {
        if (number == "LOW") return ListedAccount{"Ann", "LOW", "CHECKING", "1000000.00"};
        if (number == "MEDIUM") return ListedAccount{"Bea", "MEDIUM", "SAVINGS", "1000000.00"};
        if (number == "HIGH") return ListedAccount{"Cid", "HIGH", "CHECKING", "1000000.00"};
        return std::nullopt;
    }
    std::string captured(const std::string& row) {
        const auto named = named_accounts(profile(), row);
        if (!named) return captured_message(profile(), *world().policy(), row, {}, {}, at);
        return captured_message(profile(), *world().policy(), row, listed(named->from), listed(named->to), at);
    }
    std::string judged(const std::string& row) {
        return judged_message(profile(), *world().policy(), captured(row), at);
    }

    const Instant at = parse_rfc3339("2026-01-05T10:11:12.5Z").value();
};

// Status, notes and score of a message.
std::string said(std::string_view message) {
    return message_member(message, "status") + "; " + message_member(message, "clearance_notes");
}

TEST_F(PipelineTest, SaysWhatTheBookSaysWhereFundsAreThere) {
    int number = 0;
    for (const char* amount : {"0.01", "5000.01", "10000.01", "100000.00", "100000.01", "0.00", "-1.00"}) {
        for (const char* from : {"LOW", "MEDIUM", "HIGH", "NOBODY"}) {
            for (const char* to : {"LOW", "HIGH", "NOBODY"}) {
                const std::string row = a_row(fmt::format("T{}", ++number), amount, from, to);
                const std::string mine = judged(row);
                const std::string books = cleared_message(sent(row));
                EXPECT_EQ(said(mine), said(books)) << row;
                EXPECT_EQ(mine.substr(mine.find("\"risk_score\":"), 16),
                          books.substr(books.find("\"risk_score\":"), 16))
                    << row;
            }
        }
    }
}

TEST_F(PipelineTest, AMessageMeansWhatItsRowMeans) {
    const std::string row =
        R"({"table":"transactions","id":7,"transaction_id":"T1","amount":12.50,"from_account":"LOW","to_account":"HIGH",)"
        R"("transaction_type":"TRANSFER","description":null,"created_at":"2026-01-05T10:11:12.123456","status":"pending"})";
    EXPECT_EQ(sent(row).outcome->status, Status::settled);
    for (const std::string& message : {captured(row), judged(row)}) {
        const auto told = world().send(message);
        EXPECT_EQ(told.receipt.answer.kind, Answer::Kind::replayed) << message;
    }
    EXPECT_THAT(captured(row), HasSubstr(R"("id":7,"transaction_id":"T1","amount":12.50)"));
    EXPECT_THAT(captured(row), HasSubstr(R"("timestamp":"2026-01-05T10:11:12.123456Z","status":"pending")"));
}

TEST_F(PipelineTest, ARowThatIsRefusedMeansTheSameAllTheWay) {
    const std::string row = a_row("T1", "0.00", "LOW", "HIGH");
    sent(row);
    EXPECT_EQ(world().send(judged(row)).receipt.answer.kind, Answer::Kind::replayed);
}

TEST_F(PipelineTest, FundsAreSettlementsToJudge) {
    const std::string row = a_row("T1", "1000000.01", "MEDIUM", "MEDIUM2");
    open("MEDIUM2", "MEDIUM", "0.00");
    const ListedAccount poor{"Bea", "MEDIUM", "SAVINGS", "5.00"};
    const std::string captured = captured_message(profile(), *world().policy(), row, poor, poor, at);
    const std::string judged = judged_message(profile(), *world().policy(), captured, at);
    EXPECT_EQ(message_member(judged, "status"), "requires_manual_review");
    EXPECT_THAT(judged, HasSubstr(R"("available_balance":5.00)"));
}

TEST_F(PipelineTest, OtherRowsAndWhatNobodyCanReadArePassedOnAsTheyAre) {
    for (const std::string row :
         {R"({"table":"accounts","account_number":"NEW","customer_id":"C9","account_type":"CHECKING"})",
          R"({"table":"customers","customer_id":"C9","name":"Mo"})", R"({"transaction_id":"T","amount":"NaN"})",
          "no JSON", ""}) {
        EXPECT_EQ(named_accounts(profile(), row), std::nullopt) << row;
        EXPECT_EQ(captured(row), row);
        EXPECT_EQ(judged_message(profile(), *world().policy(), row, at), row);
    }
}

TEST_F(PipelineTest, WhatAMessageClaimsOfRiskIsOnlySaid) {
    const std::string message = captured(a_row("T1", "20000.00", "HIGH", "LOW"));
    std::string forged = message;
    replace(forged, R"("risk_level":"HIGH")", R"("risk_level":"LOW")");
    EXPECT_EQ(said(judged_message(profile(), *world().policy(), forged, at)), "cleared; All validations passed");
    EXPECT_EQ(clearance_status(sent(forged)), "cleared_with_conditions") << "the Book knows better";
}

}  // namespace
}  // namespace nostro::clearing
