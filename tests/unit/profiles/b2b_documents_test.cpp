#include "nostro/profiles/b2b_documents.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "nostro/base/time.hpp"

namespace nostro::b2b {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::string_view kDocument =
    R"({"payment_id":"ACH-1","created_at":"2026-01-05T10:11:12.5","status":"PENDING",)"
    R"("originator":{"party_id":"CUST1","name":"Ann \"A\" Inc"},"beneficiary":{"party_id":"CUST2","name":"Bea"}})";

Payment a_payment(std::string_view document = kDocument) {
    Payment payment;
    payment.key = "ACH-1";
    payment.type = "ACH";
    payment.amount = Money(90'089'806, *Currency::parse("USD"));
    payment.debtor_name = "party:CUST1:USD";
    payment.creditor_name = "party:CUST2:USD";
    payment.requested_at = parse_rfc3339("2026-01-05T10:11:12.5Z").value();
    payment.attachment = document;
    return payment;
}

TEST(B2bDocumentsTest, RowsOfTheWideStoreAreText) {
    const Row row = row_of(a_payment(), Status::settled);
    EXPECT_EQ(RowKey::parse(kRowKey)->of(row), "20260105101112_ACH_CUST1_ACH-1");
    EXPECT_EQ(RowKey::parse("{timestamp}_{payment_type}_{originator_id}")->of(row), "20260105101112_ACH_CUST1");
    EXPECT_EQ(RowKey::parse("a{payment_id}b")->of(row), "aACH-1b");
    EXPECT_THAT(wide_columns(row),
                ElementsAre(Pair("cf:payment_id", "ACH-1"), Pair("cf:payment_type", "ACH"),
                            Pair("cf:amount_value", "900898.06"), Pair("cf:amount_currency", "USD"),
                            Pair("cf:originator_id", "CUST1"), Pair("cf:originator_name", "Ann \"A\" Inc"),
                            Pair("cf:beneficiary_id", "CUST2"), Pair("cf:beneficiary_name", "Bea"),
                            Pair("cf:created_at", "2026-01-05T10:11:12.5"), Pair("cf:status", "COMPLETED")));
}

TEST(B2bDocumentsTest, AHundredPaymentsOfOneSecondHaveAHundredKeys) {
    const RowKey ours = RowKey::parse(kRowKey).value();
    const RowKey theirs = RowKey::parse("{timestamp}_{payment_type}_{originator_id}").value();
    std::set<std::string> keys, colliding;
    Row row = row_of(a_payment(), Status::settled);
    for (int i = 0; i < 100; ++i) {
        row.payment_id = fmt::format("ACH-{:08X}", i);
        keys.insert(ours.of(row));
        colliding.insert(theirs.of(row));
        EXPECT_TRUE(ours.of(row).starts_with(theirs.of(row))) << "scans by the shorter key go on working";
    }
    EXPECT_EQ(keys.size(), 100u);
    EXPECT_EQ(colliding.size(), 1u);
    EXPECT_TRUE(ours.is_unique());
    EXPECT_FALSE(theirs.is_unique());
}

TEST(B2bDocumentsTest, RowsOfTheTableHaveTheSameColumns) {
    const auto columns = sql_columns(
        row_of(a_payment(R"({"originator":{"party_id":"CUST1","name":"A"},"created_at":"x"})"), Status::rejected));
    ASSERT_EQ(columns.size(), 10u);
    EXPECT_THAT(columns[0], Pair("payment_id", "ACH-1"));
    EXPECT_THAT(columns[6], Pair("beneficiary_id", std::nullopt));
    EXPECT_THAT(columns[9], Pair("status", "FAILED"));
    EXPECT_EQ(wide_columns(row_of(a_payment("{}"), Status::settled)).size(), 8u) << "no cell for what is not there";
}

TEST(B2bDocumentsTest, TheStoredDocumentHoldsTheOneThatCame) {
    const Payment payment = a_payment();
    EXPECT_EQ(store_document(row_of(payment, Status::in_review), payment),
              R"({"_id":"ACH-1","payment_id":"ACH-1","payment_type":"ACH","amount_value":"900898.06",)"
              R"("amount_currency":"USD","originator_id":"CUST1","originator_name":"Ann \"A\" Inc",)"
              R"("beneficiary_id":"CUST2","beneficiary_name":"Bea","created_at":"2026-01-05T10:11:12.5",)"
              R"("status":"PENDING","document":)" +
                  std::string(kDocument) + "}");
}

TEST(B2bDocumentsTest, MessageKeysFollowTheStrategy) {
    const Row row = row_of(a_payment(), Status::settled);
    EXPECT_EQ(message_key(parse_message_key("none").value(), row), std::nullopt);
    EXPECT_EQ(message_key(parse_message_key("originator_id").value(), row), "CUST1");
    EXPECT_EQ(message_key(parse_message_key("payment_id").value(), row), "ACH-1");
    EXPECT_EQ(message_key(parse_message_key("payment_type").value(), row), "ACH");
    EXPECT_FALSE(parse_message_key(""));
}

TEST(B2bDocumentsTest, AnswersAreTextsInTheirOrder) {
    std::string text;
    JsonWriter json(text);
    write_answer(json,
                 row_of(a_payment(R"({"originator":{"party_id":"CUST1","name":"A"},"created_at":"x"})"), Status::held));
    EXPECT_EQ(text, R"({"payment_id":"ACH-1","payment_type":"ACH","amount":"900898.06","currency":"USD",)"
                    R"("status":"VALIDATED","originator_id":"CUST1","originator_name":"A","beneficiary_id":"",)"
                    R"("beneficiary_name":"","created_at":"x"})");
}

TEST(B2bDocumentsTest, StatusesAreSixWords) {
    const std::pair<Status, std::string_view> words[] = {
        {Status::accepted, "RECEIVED"}, {Status::in_review, "PENDING"}, {Status::held, "VALIDATED"},
        {Status::settled, "COMPLETED"}, {Status::rejected, "FAILED"},   {Status::expired, "FAILED"},
        {Status::voided, "FAILED"},     {Status::quarantined, "FAILED"}};
    for (const auto& [status, word] : words) EXPECT_EQ(status_name(status), word);
}

TEST(B2bDocumentsTest, IndexRowsAreByTimeAndByTypeAndOriginator) {
    std::vector<IndexRow> rows;
    index_rows(a_payment(), rows);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].group, kAllGroup);
    EXPECT_EQ(rows[0].row, "20260105101112_ACH_CUST1_ACH-1");
    EXPECT_EQ(rows[1].group, party_group("ACH", "CUST1"));
    EXPECT_EQ(rows[1].row, "20260105101112_ACH-1");
    EXPECT_NE(party_group("ACH", "1"), party_group("ACH1", ""));
}

}  // namespace
}  // namespace nostro::b2b
