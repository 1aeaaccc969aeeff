#include "nostro/profiles/b2b.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/unit/profiles/profile_world.hpp"

namespace nostro::b2b {
namespace {

using test::ProfileWorld;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// As the original writes it; `changes` are (text that stands there, text instead).
std::string a_document(const std::vector<std::pair<std::string, std::string>>& changes = {}) {
    std::string text =
        R"({"payment_id": "ACH-1", "payment_type": "ACH", "version": "1.0", "created_at": "2026-01-05T10:11:12.123456",)"
        R"( "status": "PENDING", "amount": {"value": 900898.06, "currency": "USD", "exchange_info": null},)"
        R"( "originator": {"party_type": "CORPORATE", "party_id": "CUST1", "name": "Ann Inc"},)"
        R"( "beneficiary": {"party_type": "CORPORATE", "party_id": "CUST2", "name": "Bea \u0026 S\u00f6hne"},)"
        R"( "type_specific_data": {"batch_data": {}, "addenda": []}})";
    for (const auto& [from, to] : changes) {
        const auto at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        if (at != std::string::npos) text.replace(at, from.size(), to);
    }
    return text;
}

class B2bTest : public testing::Test {
protected:
    Row sent(std::string_view message) {
        told = world.send(message);
        EXPECT_EQ(told.dead_letter, "");
        return row_of(told.payment, told.outcome.status);
    }
    ProfileWorld world{*find_profile("b2b")};
    ProfileWorld::Told told;
};

TEST_F(B2bTest, APaymentMovesItsMoneyBetweenTheParties) {
    const Row row = sent(a_document());
    EXPECT_EQ(row.status, "COMPLETED") << "what the document claims stays a claim";
    EXPECT_EQ(world.balance("party:CUST1:USD"), -90'089'806) << "parties have no floor";
    EXPECT_EQ(world.balance("party:CUST2:USD"), 90'089'806);
    EXPECT_EQ(to_rfc3339(told.payment.requested_at), "2026-01-05T10:11:12.123456Z");
    EXPECT_EQ(row.created_at, "2026-01-05T10:11:12.123456") << "as it was given";
    EXPECT_EQ(row.beneficiary_name, "Bea & Söhne");
    EXPECT_EQ(world.policy()->rail("ach").value(), told.payment.rail);
}

TEST_F(B2bTest, TheWholeDocumentIsKept) {
    sent(a_document());
    EXPECT_EQ(told.payment.attachment,
              R"({"payment_id":"ACH-1","payment_type":"ACH","version":"1.0","created_at":"2026-01-05T10:11:12.123456",)"
              R"("status":"PENDING","amount":{"value":900898.06,"currency":"USD","exchange_info":null},)"
              R"("originator":{"party_type":"CORPORATE","party_id":"CUST1","name":"Ann Inc"},)"
              R"("beneficiary":{"party_type":"CORPORATE","party_id":"CUST2","name":"Bea & Söhne"},)"
              R"("type_specific_data":{"batch_data":{},"addenda":[]}})");
}

TEST_F(B2bTest, TheSamePaymentThreeTimesIsOne) {
    for (int i = 0; i < 3; ++i) sent(a_document());
    EXPECT_EQ(told.receipt.answer.kind, Answer::Kind::replayed);
    EXPECT_EQ(world.balance("party:CUST2:USD"), 90'089'806);
    EXPECT_EQ(world.send(a_document({{"900898.06", "1"}})).receipt.answer.kind, Answer::Kind::reused);
}

TEST_F(B2bTest, WithoutABeneficiaryTheMoneyWaitsInSuspense) {
    const std::string whole = a_document();
    const auto begin = whole.find(R"("beneficiary")"), end = whole.find(R"("type_specific_data")");
    const std::string party = whole.substr(begin, end - begin);
    const char* none[] = {"", R"("beneficiary":null,)", R"("beneficiary":{},)", R"("beneficiary":{"party_id":""},)",
                          R"("beneficiary":{"party_id":null,"name":"Bea"},)"};
    int number = 0;
    for (const char* each : none) {
        const Row row = sent(a_document({{party, each}, {"ACH-1", fmt::format("ACH-{}", ++number)}}));
        EXPECT_EQ(row.beneficiary_id, std::nullopt) << each;
        EXPECT_EQ(told.payment.creditor_name, "house:suspense:USD") << each;
    }
    EXPECT_EQ(world.balance("house:suspense:USD"), 90'089'806 * 5);
}

struct Fault {
    std::string from, to, why;
};

TEST_F(B2bTest, WhatNobodyCanReadNamesItsMember) {
    const Fault faults[] = {
        {R"("payment_id": "ACH-1", )", "", "payment_id: is missing"},
        {R"("ACH-1")", R"("")", "payment_id: "},
        {R"("ACH")", "null", "payment_type: is null"},
        {R"("ACH")", R"("123456789012345678901234567890123")", "payment_type: "},
        {"900898.06", "0", "amount.value: 0 is not positive"},
        {"900898.06", "0.00", "amount.value: 0.00 is not positive"},
        {"900898.06", "-5", "amount.value: -5 is not positive"},
        {"900898.06", "1.234", "amount.value: "},
        {"900898.06", "1e3", "amount.value: "},
        {"900898.06", "92233720368547758.08", "amount.value: "},
        {"900898.06", R"("12.50")", "amount.value: is no number"},
        {"900898.06", "true", "amount.value: is no number"},
        {"900898.06", "NaN", "no JSON"},
        {R"("value": 900898.06, )", "", "amount.value: is missing"},
        {R"("currency": "USD", )", "", "amount.currency: is missing"},
        {R"("USD")", R"("")", "amount.currency: "},
        {R"("USD")", R"("XXX")", "amount.currency: "},
        {R"("CUST1")", R"("")", "originator.party_id: "},
        {R"("party_id": "CUST1", )", "", "originator.party_id: is missing"},
        {R"({"party_type": "CORPORATE", "party_id": "CUST1", "name": "Ann Inc"})", R"("CUST1")",
         "originator.party_id: is missing"},
        {R"("Ann Inc")", "7", "originator.name: is no text"},
        {R"("2026-01-05T10:11:12.123456")", "1767607872", "created_at: is no text"},
        {"2026-01-05T10:11:12.123456", "2026-01-05", "created_at: 2026-01-05 is no date-time"},
        {"2026-01-05T10:11:12.123456", "2026-02-30T10:11:12", "created_at: "},
        {R"("CUST2")", "2", "beneficiary.party_id: is no text"},
        {R"({"party_type": "CORPORATE", "party_id": "CUST2", "name": "Bea \u0026 S\u00f6hne"})", R"("CUST2")",
         "beneficiary: is no object"},
        {R"("addenda": [])", R"("addenda": [01])", "no JSON"},
        {R"("addenda": []}})", R"("addenda": []})", "no JSON"},
    };
    for (const auto& [from, to, why] : faults) {
        const auto read = world.send(a_document({{from, to}}));
        EXPECT_THAT(read.dead_letter, HasSubstr(why)) << from << " -> " << to;
    }
    EXPECT_THAT(world.send("nonsense").dead_letter, HasSubstr("no JSON"));
    EXPECT_THAT(world.send("[]").dead_letter, HasSubstr("no JSON object"));
}

TEST_F(B2bTest, TimesHaveAnyZoneOrNone) {
    const std::pair<const char*, const char*> times[] = {{"2026-01-05T10:11:12", "20260105101112"},
                                                         {"2026-01-05T10:11:12Z", "20260105101112"},
                                                         {"2026-01-05T23:11:12.5-05:00", "20260106041112"},
                                                         {"2026-01-01T00:30:00+01:00", "20251231233000"}};
    int number = 0;
    for (const auto& [given, timestamp] : times) {
        const Row row =
            sent(a_document({{"2026-01-05T10:11:12.123456", given}, {"ACH-1", fmt::format("A{}", ++number)}}));
        EXPECT_EQ(row.created_at, given);
        EXPECT_EQ(timestamp_of(row.at), timestamp);
    }
}

TEST_F(B2bTest, OtherTypesAndAnyTextAsPartyAreTaken) {
    const std::string odd = "O'Hara + Söhne/" + std::string(90, 'x');
    const Row row = sent(a_document({{R"("ACH")", R"("BARTER")"}, {R"("CUST1")", "\"" + odd + "\""}}));
    EXPECT_EQ(row.payment_type, "BARTER");
    EXPECT_EQ(world.policy()->rail("other").value(), told.payment.rail);
    EXPECT_EQ(row.originator_id, odd);
    std::vector<IndexRow> rows;
    index_rows(told.payment, rows);
    EXPECT_EQ(rows.at(1).group, party_group("BARTER", odd)) << "also of an account whose name was cut";
}

TEST_F(B2bTest, AReversalHasNoDocumentAndIsNotFound) {
    sent(a_document());
    const auto back = world.reverse(told);
    EXPECT_EQ(back.outcome.status, Status::settled);
    EXPECT_EQ(back.payment.amount.decimal(), "900898.06");
    std::vector<IndexRow> rows;
    index_rows(back.payment, rows);
    EXPECT_TRUE(rows.empty());
    index_rows(told.payment, rows);
    EXPECT_EQ(rows.size(), 2u);
}

TEST_F(B2bTest, NobodyPaysThemselves) { EXPECT_EQ(sent(a_document({{"CUST2", "CUST1"}})).status, "FAILED"); }

TEST_F(B2bTest, KeysThatCollideAreRemarkedOn) {
    EXPECT_TRUE(world.profile->remarks().empty());
    ProfileSetup setup = world.setup;
    setup.settings["row_key"] = "{timestamp}_{payment_type}_{originator_id}";
    EXPECT_THAT(make_b2b(setup).value()->remarks(), ElementsAre(HasSubstr("row_key: without {payment_id}")));
}

TEST_F(B2bTest, SettingsThatCannotBeAreTold) {
    const Fault faults[] = {{"row_key", "{stamp}", "profile.row_key: there is no {stamp}"},
                            {"row_key", "{timestamp", "profile.row_key: a brace has no other half"},
                            {"row_key", "timestamp}", "profile.row_key: a brace has no other half"},
                            {"row_key", "key", "profile.row_key: every payment has the same"},
                            {"message_key", "party", "profile.message_key: 'party' is none of none, originator_id"}};
    for (const auto& [key, value, why] : faults) {
        ProfileSetup setup = world.setup;
        setup.settings[key] = value;
        const auto made = make_b2b(setup);
        ASSERT_FALSE(made) << value;
        EXPECT_THAT(made.error().what, HasSubstr(why));
    }
}

}  // namespace
}  // namespace nostro::b2b
