#include "nostro/profiles/clearing.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/profiles/clearing_documents.hpp"
#include "tests/unit/profiles/clearing_world.hpp"

namespace nostro::clearing {
namespace {

using ::testing::HasSubstr;

class ClearingTest : public ClearingWorld {};

struct Case {
    const char* what;
    const char* amount;
    const char* from;
    const char* to;
    int score;
    const char* clearance;
    const char* notes;
};
constexpr const char* kPassed = "All validations passed";
constexpr const char* kMonitor = "Medium risk - additional monitoring";
constexpr const char* kLimit = "Amount exceeds daily limit";

TEST_F(ClearingTest, ScoresAndBandsWithTheirBounds) {
    for (const auto& [number, level] :
         {std::pair("LOW", "LOW"), {"LOW2", "LOW"}, {"MEDIUM", "MEDIUM"}, {"HIGH", "HIGH"}, {"HIGH2", "HIGH"}}) {
        open(number, level, "1000000.00");
    }
    const Case cases[] = {
        {"at the lower band", "5000.00", "LOW", "LOW2", 0, "cleared", kPassed},
        {"above it", "5000.01", "LOW", "LOW2", 15, "cleared", kPassed},
        {"at the upper band", "10000.00", "LOW", "LOW2", 15, "cleared", kPassed},
        {"above it", "10000.01", "LOW", "LOW2", 30, "cleared", kPassed},
        {"at the limit", "100000.00", "LOW", "LOW2", 30, "cleared", kPassed},
        {"above it", "100000.01", "LOW", "LOW2", 30, "requires_manual_review", kLimit},
        {"any medium", "5000.00", "LOW", "MEDIUM", 20, "cleared", kPassed},
        {"any medium", "5000.01", "MEDIUM", "LOW", 35, "cleared", kPassed},
        {"any medium", "10000.01", "LOW", "MEDIUM", 50, "cleared_with_conditions", kMonitor},
        {"any high", "0.01", "LOW", "HIGH", 40, "cleared_with_conditions", kMonitor},
        {"any high", "5000.01", "HIGH", "LOW", 55, "cleared_with_conditions", kMonitor},
        {"any high", "10000.01", "HIGH", "HIGH2", 70, "cleared_with_conditions", kMonitor},
        {"high and medium are no sum", "0.01", "HIGH", "MEDIUM", 40, "cleared_with_conditions", kMonitor},
        {"both ways to a review: the amount tells", "100000.01", "HIGH", "LOW", 70, "requires_manual_review", kLimit},
    };
    int number = 0;
    for (const Case& each : cases) {
        const Step step = sent(fmt::format("T{}", ++number), each.amount, each.from, each.to);
        EXPECT_EQ(risk_score(step), each.score) << each.what << ' ' << each.amount;
        EXPECT_EQ(clearance_status(step), each.clearance) << each.what << ' ' << each.amount;
        EXPECT_EQ(clearance_notes(step), each.notes) << each.what << ' ' << each.amount;
        const bool is_review = each.clearance == std::string_view("requires_manual_review");
        EXPECT_EQ(status_of(step), is_review ? "requires_manual_review" : "settled") << each.what;
    }
}

TEST_F(ClearingTest, AScoreAboveSeventyIsReviewedAndCapped) {
    std::string text = original_policy;
    replace(text, "points = 40", "points = 41");
    begin(text);
    open("LOW", "LOW", "1000000.00");
    open("HIGH", "HIGH", "1000000.00");
    EXPECT_EQ(risk_score(sent("T1", "5000.01", "HIGH", "LOW")), 56);
    const Step step = sent("T2", "10000.01", "HIGH", "LOW");
    EXPECT_EQ(risk_score(step), 71);
    EXPECT_EQ(clearance_status(step), "requires_manual_review");
    EXPECT_EQ(clearance_notes(step), "High risk - manual review required");

    replace(text, "points = 41", "points = 90");
    begin(text);
    open("LOW", "LOW", "1000000.00");
    open("HIGH", "HIGH", "1000000.00");
    EXPECT_EQ(risk_score(sent("T1", "10000.01", "HIGH", "LOW")), 100);
}

TEST_F(ClearingTest, ThirtyNineIsClearedAndFortyHasConditions) {
    for (const auto& [points, clearance] : {std::pair("39", "cleared"), {"40", "cleared_with_conditions"}}) {
        std::string text = original_policy;
        replace(text, "points = 15", fmt::format("points = {}", points));
        begin(text);
        open("A", "LOW", "10000.00");
        open("B", "LOW", "0.00");
        EXPECT_EQ(clearance_status(sent("T1", "5000.01", "A", "B")), clearance) << points;
    }
}

TEST_F(ClearingTest, WeightsBandsAndLimitAreConfiguration) {
    std::string text = original_policy;
    replace(text, "above = { USD = \"100000.00\" }", "above = { USD = \"500.00\" }");
    replace(text, "above = { USD = \"5000.00\" }", "above = { USD = \"50.00\" }");
    replace(text, "points = 15", "points = 7");
    begin(text);
    open("A", "LOW", "10000.00");
    open("B", "LOW", "0.00");
    EXPECT_EQ(risk_score(sent("T1", "50.00", "A", "B")), 0);
    EXPECT_EQ(risk_score(sent("T2", "50.01", "A", "B")), 7);
    EXPECT_EQ(clearance_status(sent("T3", "500.00", "A", "B")), "cleared");
    EXPECT_EQ(clearance_notes(sent("T4", "500.01", "A", "B")), kLimit);
}

struct Refusal {
    const char* what;
    const char* amount;
    const char* from;
    const char* to;
    const char* notes;
};

TEST_F(ClearingTest, ChecksAreMadeInTheirOrder) {
    open("RICH", "LOW", "200000.01");
    open("POOR", "HIGH", "100.00");
    open("FROZEN", "LOW", "100.00");
    open("CLOSED", "LOW", "0.00");
    change("FROZEN", AccountStatus::frozen);
    change("CLOSED", AccountStatus::closed);
    const Refusal cases[] = {
        {"an unknown payer comes first", "999999.00", "NOBODY", "NEITHER", "From account not found"},
        {"then an unknown payee", "999999.00", "POOR", "NOBODY", "To account not found"},
        {"then both the same", "999999.00", "POOR", "POOR", "From account and to account are the same"},
        {"then a frozen payer", "999999.00", "FROZEN", "POOR", "Account is frozen"},
        {"a frozen payee", "1.00", "POOR", "FROZEN", "Account is frozen"},
        {"a closed payee", "1.00", "POOR", "CLOSED", "Account is closed"},
        {"funds before the limit and the score", "100000.01", "POOR", "RICH",
         "Insufficient funds. Available: 100.00, Required: 100000.01"},
        {"a cent too much", "100.01", "POOR", "RICH", "Insufficient funds. Available: 100.00, Required: 100.01"},
        {"what is left after the limit's review", "100000.01", "RICH", "POOR", kLimit},
        {"which is reserved", "100000.01", "RICH", "POOR",
         "Insufficient funds. Available: 100000.00, Required: 100000.01"},
        {"exactly what is left", "100000.00", "RICH", "POOR", kMonitor},
    };
    int number = 0;
    for (const Refusal& each : cases) {
        const Step step = sent(fmt::format("T{}", ++number), each.amount, each.from, each.to);
        EXPECT_EQ(clearance_notes(step), each.notes) << each.what;
    }
    EXPECT_EQ(world().balance("RICH"), 100000'01) << "only what waits for review is left";
    EXPECT_EQ(world().balance("POOR"), 100100'00);
}

TEST_F(ClearingTest, AllOfABalanceMayGo) {
    open("A", "LOW", "250.00");
    open("B", "LOW", "0.00");
    EXPECT_EQ(clearance_status(sent("T1", "250.00", "A", "B")), "cleared");
    EXPECT_EQ(world().balance("A"), 0);
}

TEST_F(ClearingTest, TheSampleRunEndsWithItsBalances) {
    sample();
    struct Row {
        const char* id;
        const char* amount;
        const char* from;
        const char* to;
        int score;
        const char* clearance;
    };
    const Row rows[] = {{"TXN001", "1000.00", "ACC001", "ACC002", 20, "cleared"},
                        {"TXN002", "2500.50", "ACC003", "ACC004", 40, "cleared_with_conditions"},
                        {"TXN003", "750.25", "ACC005", "ACC006", 20, "cleared"}};
    for (const Row& row : rows) {
        const Step step = sent(row.id, row.amount, row.from, row.to);
        EXPECT_EQ(risk_score(step), row.score) << row.id;
        EXPECT_EQ(clearance_status(step), row.clearance) << row.id;
        EXPECT_EQ(status_of(step), "settled") << row.id;
    }
    EXPECT_EQ(balances(), (std::vector<std::int64_t>{4900000, 2600000, 7249950, 3250050, 9924975, 1575025}));
    sent("TEST001", "1500.00", "ACC001", "ACC002");
    EXPECT_EQ(balances(), (std::vector<std::int64_t>{4750000, 2750000, 7249950, 3250050, 9924975, 1575025}));
}

// Funds are part of the settlement: nobody spends the same money twice.
TEST_F(ClearingTest, ExactlyAsManySettleAsThereIsMoneyFor) {
    open("ACC001", "LOW", "47510.00");
    open("ACC002", "MEDIUM", "0.00");
    std::vector<std::string> messages;
    for (int i = 0; i < 120; ++i) messages.push_back(a_row(fmt::format("W{}", i), "1000.00", "ACC001", "ACC002"));
    int settled = 0, rejected = 0;
    for (const std::string& message : messages) {
        const Step step = sent(message);
        settled += status_of(step) == "settled" ? 1 : 0;
        if (status_of(step) != "rejected") continue;
        ++rejected;
        EXPECT_EQ(rejection_reason(step), "Insufficient funds. Available: 510.00, Required: 1000.00");
    }
    EXPECT_EQ(settled, 47);
    EXPECT_EQ(rejected, 73);
    EXPECT_EQ(world().balance("ACC001"), 510'00);
    for (const std::string& message : messages) {
        EXPECT_EQ(world().send(message).receipt.answer.kind, Answer::Kind::replayed);
    }
    EXPECT_EQ(world().balance("ACC001"), 510'00) << "everything again, and nothing moves";
}

TEST_F(ClearingTest, AKnownTransactionIsNeverDecidedAgain) {
    sample();
    sent("TXN001", "1000.00", "ACC001", "ACC002");
    const auto deliver = [&](std::string_view message) { return world().send(message).receipt.answer.kind; };
    EXPECT_EQ(deliver(R"({"status":"pending","description":"a transfer","to_account":"ACC002","amount":"1000.0",
        "transaction_id":"TXN001","id":99,"from_account":"ACC001","transaction_type":"TRANSFER",
        "created_at":"2024-01-01T00:00:00Z"})"),
              Answer::Kind::replayed)
        << "set back to pending, or inserted again";
    EXPECT_EQ(deliver(R"({"transaction_id":"TXN001","amount":9000,"from_account":"ACC001","to_account":"ACC002",
        "transaction_type":"TRANSFER","description":"a transfer","status":"cleared","risk_score":0})"),
              Answer::Kind::reused)
        << "a claim that it was cleared, and for more";
    EXPECT_EQ(world().balance("ACC001"), 49000'00);
}

TEST_F(ClearingTest, WhatAMessageClaimsOfItselfIsNotBelieved) {
    open("A", "HIGH", "200000.00");
    open("B", "LOW", "0.00");
    const Step step = sent(
        R"({"transaction_id":"T1","amount":100000.01,"from_account":"A","to_account":"B","transaction_type":"TRANSFER",
            "description":null,"timestamp":"2024-01-01T12:00:00","status":"cleared","risk_score":0,"available_balance":1,
            "from_customer":{"name":"X","risk_level":"LOW","account_type":"CHECKING","balance":1e9},
            "clearance_notes":"All validations passed","cleared_by":"automated_system"})");
    EXPECT_EQ(risk_score(step), 70);
    EXPECT_EQ(status_of(step), "requires_manual_review");
    EXPECT_EQ(transaction_row(step).description, "");
}

TEST_F(ClearingTest, AnAmountThatIsNotPositiveIsRejectedOnRecord) {
    sample();
    for (const char* amount : {"0", "-1000.00"}) {
        const Step step = sent(fmt::format("T{}", amount), amount, "ACC001", "ACC002");
        EXPECT_EQ(status_of(step), "rejected");
        EXPECT_EQ(rejection_reason(step), "Invalid amount");
        EXPECT_EQ(world().send(a_row(fmt::format("T{}", amount), amount, "ACC001", "ACC002")).receipt.answer.kind,
                  Answer::Kind::replayed);
    }
    const Step nobody = sent(R"({"transaction_id":"N1","amount":"5","from_account":null,"to_account":"ACC001"})");
    EXPECT_EQ(rejection_reason(nobody), "From account not found");
    EXPECT_EQ(transaction_row(nobody).from_account, "");
    EXPECT_EQ(world().balance("ACC001"), 50000'00);
}

TEST_F(ClearingTest, AReversalShowsWhatItMoves) {
    sample();
    sent("T1", "250.50", "ACC001", "ACC002");
    const Step step = reversed();
    EXPECT_EQ(status_of(step), "settled");
    EXPECT_EQ(transaction_row(step).amount, "250.50");
    EXPECT_EQ(transaction_row(step).from_account, "ACC002");
    EXPECT_EQ(transaction_row(step).to_account, "ACC001");
    EXPECT_THAT(cleared_message(step), HasSubstr(R"("amount":250.50,)"));
}

TEST_F(ClearingTest, AHouseAccountIsNobodysPayer) {
    sample();
    const Step step = sent("T1", "5.00", "house:cash:USD", "ACC001");
    EXPECT_EQ(rejection_reason(step), "From account not found");
    EXPECT_EQ(transaction_row(step).from_account, "house:cash:USD");
    EXPECT_EQ(world().balance("ACC001"), 50000'00);
}

struct Unreadable {
    const char* message;
    const char* why;
};

TEST_F(ClearingTest, WhatNobodyCanReadSaysWhy) {
    const Unreadable cases[] = {
        {"nonsense", "no JSON"},
        {"{}", "transaction_id: is missing"},
        {R"({"table":"others"})", "table: 'others' is not"},
        {R"({"transaction_id":7,"amount":1,"from_account":"A","to_account":"B"})", "transaction_id: is no text"},
        {R"({"transaction_id":"","amount":1,"from_account":"A","to_account":"B"})", "transaction_id: "},
        {R"({"transaction_id":"123456789012345678901234567890123456789012345678901","amount":1,"from_account":"A",
             "to_account":"B"})",
         "transaction_id: "},
        {R"({"transaction_id":"T","amount":1,"to_account":"B"})", "from_account: is missing"},
        {R"({"transaction_id":"T","amount":1,"from_account":"A","to_account":7})", "to_account: is no text"},
        {R"({"transaction_id":"T","from_account":"A","to_account":"B"})", "amount: is missing"},
        {R"({"transaction_id":"T","amount":null,"from_account":"A","to_account":"B"})", "amount: is no number"},
        {R"({"transaction_id":"T","amount":1.005,"from_account":"A","to_account":"B"})", "amount: "},
        {R"({"transaction_id":"T","amount":1e3,"from_account":"A","to_account":"B"})", "amount: "},
        {R"({"transaction_id":"T","amount":NaN,"from_account":"A","to_account":"B"})", "no JSON"},
        {R"({"transaction_id":"T","amount":10000000000000.00,"from_account":"A","to_account":"B"})", "15 digits"},
        {R"({"transaction_id":"T","amount":1,"from_account":"A","to_account":"B","description":7})", "description: "},
        {R"({"transaction_id":"T","amount":1,"from_account":"A","to_account":"B","transaction_type":"123456789012345678901"})",
         "transaction_type: "},
        {R"({"account_number":"A9","customer_id":"CUST009","account_type":"CHECKING"})", "'CUST009' is none of"},
        {R"({"account_number":"A9","customer_id":"CUST009","customer_name":"X","account_type":"CHECKING"})",
         "risk_level: is missing"},
        {R"({"account_number":"A9","customer_id":"CUST001","account_type":"CHECKING","status":"FROZEN"})", "status: "},
        {R"({"account_number":"A9","customer_id":"CUST001","account_type":"CHECKING","balance":"-1"})", "below 0"},
        {R"({"account_number":"A9","customer_id":"CUST001"})", "account_type: is missing"},
        {R"({"customer_id":"CUST009"})", "name: is missing"},
        {R"({"customer_id":"CUST009","name":"X","risk_level":"SEVERE"})", "risk_level: 'SEVERE' is not"}};
    for (const auto& [message, why] : cases) EXPECT_THAT(world().send(message).dead_letter, HasSubstr(why)) << message;
}

TEST_F(ClearingTest, RowsOfCustomersAndAccountsAreTakenOnce) {
    const char* customer = R"({"table":"customers","customer_id":"CUST007","name":"Mo","risk_level":"MEDIUM"})";
    const char* account =
        R"({"table":"accounts","account_number":"ACC007","customer_id":"CUST007","customer_name":"Mo","risk_level":"MEDIUM","account_type":"SAVINGS","balance":12.50})";
    const auto kept = world().send(customer);
    EXPECT_EQ(kept.outcome.event, Event::record_kept);
    EXPECT_EQ(customer_row(kept.payment)->risk_level, "MEDIUM");
    const auto opened = world().send(account);
    EXPECT_EQ(opened.dead_letter, "");
    EXPECT_EQ(opened.outcome.event, Event::account_opened);
    EXPECT_EQ(world().balance("ACC007"), 12'50);
    EXPECT_EQ(image("ACC007").risk_level, RiskLevel::medium);
    EXPECT_EQ(world().send(account).receipt.answer.kind, Answer::Kind::replayed);
    EXPECT_EQ(world().send(customer).receipt.answer.kind, Answer::Kind::replayed);
    world().send(R"({"account_number":"ACC008","customer_id":"CUST008","customer_name":"Ann","risk_level":"HIGH",
                   "account_type":"CHECKING","balance":"0.00","status":"ACTIVE"})");
    EXPECT_EQ(image("ACC008").risk_level, RiskLevel::high) << "a row that has its customer's columns needs no other";
    EXPECT_EQ(world().balance("ACC007"), 12'50);
}

TEST_F(ClearingTest, ARowMeansTheSameBeforeAndBehindTheRowOfItsCustomer) {
    const char* account = R"({"account_number":"ACC007","customer_id":"CUST007","account_type":"SAVINGS"})";
    const std::string before = world().send(account).dead_letter;
    world().send(R"({"table":"customers","customer_id":"CUST007","name":"Mo","risk_level":"HIGH"})");
    EXPECT_EQ(world().send(account).dead_letter, before) << "what only this process knows counts for nothing";
    EXPECT_THAT(before, HasSubstr("send customer_name and risk_level in this row"));
    world().send(R"({"table":"customers","customer_id":"CUST001","name":"X","risk_level":"HIGH"})");
    world().send(R"({"account_number":"ACC008","customer_id":"CUST001","account_type":"SAVINGS"})");
    EXPECT_EQ(image("ACC008").risk_level, RiskLevel::low) << "as the sample data says";
}

TEST_F(ClearingTest, TimesWithoutAZoneAreUtc) {
    sample();
    const auto created_at = [&](std::string_view id, std::string_view member) {
        return to_rfc3339(
            transaction_row(
                sent(fmt::format(
                    R"({{"transaction_id":"{}","amount":1,"from_account":"ACC001","to_account":"ACC002",{}}})", id,
                    member)))
                .created_at);
    };
    EXPECT_EQ(created_at("T1", R"("created_at":"2024-01-01T12:00:00")"), "2024-01-01T12:00:00.000000Z");
    EXPECT_EQ(created_at("T2", R"("timestamp":"2024-01-01T12:00:00.5")"), "2024-01-01T12:00:00.500000Z");
    EXPECT_EQ(created_at("T3", R"("created_at":"2024-01-01T12:00:00+02:00")"), "2024-01-01T10:00:00.000000Z");
}

TEST_F(ClearingTest, AnyTextIsAnAccountNumber) {
    const std::string odd = "Kölner Straße/" + std::string(34, 'x');
    open(odd, "LOW", "10.00");
    open("B", "LOW", "0.00");
    const Step step = sent("T1", "1.00", odd, "B");
    EXPECT_EQ(status_of(step), "settled");
    EXPECT_EQ(transaction_row(step).from_account, odd);
}

TEST_F(ClearingTest, ALongDescriptionIsKeptWhole) {
    sample();
    std::string text;
    for (int i = 0; i < 600; ++i) text += "ä";
    const Step step = sent(fmt::format(
        R"({{"transaction_id":"T1","amount":1,"from_account":"ACC001","to_account":"ACC002","description":"{}"}})",
        text));
    EXPECT_EQ(transaction_row(step).description, text);
}

}  // namespace
}  // namespace nostro::clearing
