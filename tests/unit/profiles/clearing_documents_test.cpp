#include "nostro/profiles/clearing_documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/base/time.hpp"
#include "tests/unit/profiles/clearing_world.hpp"

namespace nostro::clearing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClearingDocumentsTest : public ClearingWorld {
protected:
    static std::string field(const Hash& hash, std::string_view name) {
        for (const auto& [field_name, value] : hash.fields) {
            if (field_name == name) return value;
        }
        return "(none)";
    }
    static std::vector<std::string> names(const Hash& hash) {
        std::vector<std::string> all;
        for (const auto& [name, value] : hash.fields) all.push_back(name);
        return all;
    }
    static std::vector<std::string> audit(const Step& step) {
        std::vector<std::string> all;
        for (const AuditRow& row : audit_rows(step)) {
            EXPECT_EQ(row.changed_at, step.at);
            all.push_back(row.transaction_id + ": " + row.old_status + " -> " + row.new_status + " by " +
                          row.changed_by);
        }
        return all;
    }
    Step in_review() {
        open("RICH", "LOW", "150000.00", "Rita Rich");
        open("B", "MEDIUM", "0.00", "Bo", "SAVINGS");
        return sent("R1", "100000.01", "RICH", "B");
    }
};

TEST_F(ClearingDocumentsTest, TheMessageOfATransactionShowsBothCustomersAsTheyWere) {
    sample();
    const Step step = sent("TXN002", "2500.5", "ACC003", "ACC004");
    const std::string time = to_rfc3339(step.first->accepted_at);
    EXPECT_EQ(financial_message(step),
              R"({"id":1,"transaction_id":"TXN002","amount":2500.50,"from_account":"ACC003","to_account":"ACC004",)"
              R"("transaction_type":"TRANSFER","description":"a transfer","timestamp":")" +
                  time +
                  R"(","status":"pending","from_customer":{"name":"Bob Johnson","risk_level":"HIGH",)"
                  R"("account_type":"CHECKING","balance":75000.00},"to_customer":{"name":"Alice Brown",)"
                  R"("risk_level":"LOW","account_type":"SAVINGS","balance":30000.00},"risk_score":40})");
    EXPECT_EQ(cleared_message(step),
              R"({"id":1,"transaction_id":"TXN002","amount":2500.50,"from_account":"ACC003","to_account":"ACC004",)"
              R"("transaction_type":"TRANSFER","description":"a transfer","timestamp":")" +
                  time +
                  R"(","status":"cleared_with_conditions","from_customer":{"name":"Bob Johnson","risk_level":"HIGH",)"
                  R"("account_type":"CHECKING","balance":75000.00},"to_customer":{"name":"Alice Brown",)"
                  R"("risk_level":"LOW","account_type":"SAVINGS","balance":30000.00},"risk_score":40,)"
                  R"("clearance_notes":"Medium risk - additional monitoring","clearance_time":")" +
                  time + R"(","cleared_by":"automated_system","available_balance":75000.00})");
}

TEST_F(ClearingDocumentsTest, AMessageIsReadBackAsTheSameTransaction) {
    sample();
    const Step step = sent("TXN001", "1000.00", "ACC001", "ACC002");
    for (const std::string& message : {financial_message(step), cleared_message(step)}) {
        EXPECT_EQ(world().send(message).receipt.answer.kind, Answer::Kind::replayed) << message;
    }
}

TEST_F(ClearingDocumentsTest, WhatIsMissingIsNullAndZero) {
    open("A", "LOW", "10.00");
    const Step step =
        sent(R"({"transaction_id":"T1","amount":"20000.00","from_account":"NOBODY","to_account":"A","description":null,
                 "created_at":"2024-01-01T00:00:00Z"})");
    EXPECT_THAT(financial_message(step),
                HasSubstr(R"("description":null,"timestamp":"2024-01-01T00:00:00.000000Z","status":"pending",)"
                          R"("from_customer":{"name":null,"risk_level":null,"account_type":null,"balance":0})"));
    EXPECT_THAT(cleared_message(step), HasSubstr(R"("risk_score":30,"clearance_notes":"From account not found")"))
        << "the score is told though nobody had to look at it";
    EXPECT_THAT(cleared_message(step), HasSubstr(R"("cleared_by":"automated_system","available_balance":0.00})"));
    const auto change = hash_change(step, false);
    EXPECT_EQ(field(*change.written, "description"), "");
    EXPECT_EQ(field(*change.written, "from_customer_name"), "");
}

TEST_F(ClearingDocumentsTest, ASettlementInTheCacheTracksBothBalances) {
    sample();
    const Step step = sent("TXN001", "1000.00", "ACC001", "ACC002");
    const auto [removed, written] = hash_change(step, false);
    EXPECT_EQ(removed, "");
    ASSERT_TRUE(written);
    EXPECT_EQ(written->key, "settlement:TXN001");
    EXPECT_THAT(names(*written),
                ElementsAre("transaction_id", "status", "settlement_time", "amount", "from_account", "to_account",
                            "transaction_type", "description", "risk_score", "from_customer_name", "from_customer_risk",
                            "from_account_type", "from_account_balance", "to_customer_name", "to_customer_risk",
                            "to_account_type", "to_account_balance", "balance_updated", "balance_update_notes",
                            "from_balance_before", "from_balance_after", "to_balance_before", "to_balance_after"));
    EXPECT_EQ(field(*written, "status"), "settled");
    EXPECT_EQ(field(*written, "amount"), "1000.00");
    EXPECT_EQ(field(*written, "risk_score"), "20");
    EXPECT_EQ(field(*written, "from_customer_name"), "John Doe");
    EXPECT_EQ(field(*written, "to_customer_risk"), "MEDIUM");
    EXPECT_EQ(field(*written, "to_account_type"), "SAVINGS");
    EXPECT_EQ(field(*written, "from_account_balance"), "50000.00");
    EXPECT_EQ(field(*written, "balance_updated"), "True");
    EXPECT_EQ(field(*written, "from_balance_before"), "50000.00");
    EXPECT_EQ(field(*written, "from_balance_after"), "49000.00");
    EXPECT_EQ(field(*written, "to_balance_before"), "25000.00");
    EXPECT_EQ(field(*written, "to_balance_after"), "26000.00");
    EXPECT_EQ(field(*written, "settlement_time"), to_rfc3339(step.at));
}

TEST_F(ClearingDocumentsTest, ARejectionInTheCacheSaysWhyAndWhatThereWas) {
    sample();
    const Step step = sent("T1", "15000.01", "ACC006", "ACC001");
    const auto [removed, written] = hash_change(step, false);
    ASSERT_TRUE(written);
    EXPECT_EQ(written->key, "rejected:T1");
    EXPECT_THAT(names(*written),
                ElementsAre("transaction_id", "status", "rejection_time", "rejection_reason", "amount", "from_account",
                            "to_account", "transaction_type", "description", "risk_score", "available_balance",
                            "from_customer_name", "from_customer_risk"));
    EXPECT_EQ(field(*written, "rejection_reason"), "Insufficient funds. Available: 15000.00, Required: 15000.01");
    EXPECT_EQ(field(*written, "available_balance"), "15000.00");
    EXPECT_EQ(field(*written, "risk_score"), "50");
}

TEST_F(ClearingDocumentsTest, AReviewStandsInTheCacheUntilItIsDecided) {
    const Step step = in_review();
    const auto [removed, written] = hash_change(step, false);
    ASSERT_TRUE(written);
    EXPECT_EQ(written->key, "review:R1");
    EXPECT_EQ(field(*written, "status"), "requires_manual_review");
    EXPECT_EQ(field(*written, "review_reason"), "Amount exceeds daily limit");
    EXPECT_EQ(field(*written, "review_time"), to_rfc3339(step.at));
    EXPECT_EQ(field(*written, "available_balance"), "150000.00");
    EXPECT_EQ(hash_change(step, true).written->key, "rejected:R1");

    const auto approved = hash_change(decided(true, "ann", "known customer"), false);
    EXPECT_EQ(approved.removed, "review:R1");
    EXPECT_EQ(approved.written->key, "settlement:R1");
    EXPECT_EQ(field(*approved.written, "from_balance_after"), "49999.99");
}

TEST_F(ClearingDocumentsTest, AReviewThatIsRejectedSaysWhy) {
    in_review();
    const Step step = decided(false, "ann", "no such contract");
    const auto [removed, written] = hash_change(step, true);
    EXPECT_EQ(removed, "rejected:R1") << "the original's place: old fields go first";
    EXPECT_EQ(written->key, "rejected:R1");
    EXPECT_EQ(field(*written, "rejection_reason"), "Rejected in review: no such contract");
    EXPECT_EQ(transaction_row(step).status, "rejected");
    EXPECT_EQ(image("RICH").held, 0);
    EXPECT_EQ(world().balance("RICH"), 150000'00);
}

TEST_F(ClearingDocumentsTest, AReviewThatNobodyDecidedIsRejectedByTheClearance) {
    Step step = in_review();
    Outcome expired = *step.outcome;
    expired.event = Event::expired;
    expired.status = Status::expired;
    expired.reason = Reason::review_expired;
    step.outcome = &expired;
    EXPECT_THAT(audit(step), ElementsAre("R1: requires_manual_review -> rejected by clearance_system"));
    EXPECT_EQ(rejection_reason(step), "Nobody decided the review in time");
    EXPECT_EQ(hash_change(step, false).removed, "review:R1");
    EXPECT_EQ(hash_change(step, false).written->key, "rejected:R1");
}

TEST_F(ClearingDocumentsTest, TheAuditTellsEveryStepAndWhoMadeIt) {
    sample();
    EXPECT_THAT(
        audit(sent("S1", "1.00", "ACC001", "ACC004")),
        ElementsAre("S1: pending -> cleared by clearance_system", "S1: cleared -> settled by settlement_system"));
    EXPECT_THAT(audit(sent("S2", "1.00", "ACC003", "ACC004")),
                ElementsAre("S2: pending -> cleared_with_conditions by clearance_system",
                            "S2: cleared_with_conditions -> settled by settlement_system"));
    EXPECT_THAT(audit(sent("S3", "99999.00", "ACC001", "ACC004")),
                ElementsAre("S3: pending -> rejected by clearance_system"));
    EXPECT_THAT(audit(sent("S4", "-1.00", "ACC001", "ACC004")),
                ElementsAre("S4: pending -> rejected by clearance_system"));
}

TEST_F(ClearingDocumentsTest, TheAuditOfAReviewNamesThePerson) {
    EXPECT_THAT(audit(in_review()), ElementsAre("R1: pending -> requires_manual_review by clearance_system"));
    EXPECT_EQ(image("RICH").held, 100000'01);
    EXPECT_EQ(world().balance("RICH"), 150000'00) << "nothing moves before somebody decided";
    EXPECT_THAT(audit(decided(true, "r.novak", "fine")),
                ElementsAre("R1: requires_manual_review -> settled by r.novak"));
    EXPECT_EQ(world().balance("B"), 100000'01);
}

TEST_F(ClearingDocumentsTest, LogLinesSaySentClearedAndHowItEnded) {
    sample();
    EXPECT_THAT(log_lines(sent("S1", "1000.00", "ACC001", "ACC002")),
                ElementsAre("Sent S1: 1000.00 from ACC001 to ACC002, risk score 20",
                            "Clearance of S1: cleared (All validations passed)",
                            "Settled S1: ACC001 50000.00 -> 49000.00, ACC002 25000.00 -> 26000.00"));
    EXPECT_THAT(log_lines(sent("S2", "1.00", "ACC001", "ACC009")),
                ElementsAre("Sent S2: 1.00 from ACC001 to ACC009, risk score 0",
                            "Clearance of S2: rejected (To account not found)", "Rejected S2: To account not found"));
}

TEST_F(ClearingDocumentsTest, RowsHoldWhatTheTablesHold) {
    sample();
    const TransactionRow row = transaction_row(sent("TXN003", "750.25", "ACC005", "ACC006"));
    EXPECT_EQ(row.id, 1u);
    EXPECT_EQ(row.transaction_id, "TXN003");
    EXPECT_EQ(row.amount, "750.25");
    EXPECT_EQ(row.from_account, "ACC005");
    EXPECT_EQ(row.to_account, "ACC006");
    EXPECT_EQ(row.transaction_type, "TRANSFER");
    EXPECT_EQ(row.status, "settled");

    AccountRecord record;
    record.name = "ACC005";
    record.holder = "John Doe";
    record.metadata = R"({"account_type":"SAVINGS","customer_id":"CUST001"})";
    record.image = image("ACC005");
    EXPECT_EQ(account_row(record)->balance, "99249.75");
    EXPECT_EQ(account_row(record)->customer_id, "CUST001");
    EXPECT_EQ(account_row(record)->status, "ACTIVE");
    EXPECT_EQ(customer_row(record)->name, "John Doe");
    EXPECT_EQ(customer_row(record)->risk_level, "LOW");
    record.image.status = AccountStatus::frozen_debit;
    EXPECT_EQ(account_row(record)->status, "FROZEN");
    record.image.kind = AccountKind::house;
    EXPECT_FALSE(account_row(record)) << "the other side of openings is nobody's account";
}

TEST_F(ClearingDocumentsTest, ARecordOfACustomerIsNoTransaction) {
    const auto told = world().send(R"({"customer_id":"CUST007","name":"Mo","email":"mo@example.org"})");
    Recorded recorded;
    add_outcome(recorded, told.frame, told.receipt.place.index);
    EXPECT_FALSE(step_of(recorded, 0, *world().policy(), nullptr, nullptr));
    EXPECT_EQ(customer_row(recorded.payment)->email, "mo@example.org");
}

}  // namespace
}  // namespace nostro::clearing
