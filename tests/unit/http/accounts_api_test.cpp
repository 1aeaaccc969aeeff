#include <gtest/gtest.h>

#include "tests/unit/http/api_world.hpp"

namespace nostro {
namespace {

using test::ApiWorld;
using test::RawClient;
using test::Told;

class AccountsApiTest : public ::testing::Test {
protected:
    ApiWorld world_;
};

TEST_F(AccountsApiTest, AnAccountIsOpenedOnceWhateverIsSentAgain) {
    const std::string body =
        R"({"account_id":"ACC001","currency":"USD","holder":"Ada","kind":"merchant","opening_balance":"50.5","metadata":{"a":"b"}})";
    const Told opened = world_.post("/v1/accounts", body);
    ASSERT_EQ(opened.status, 201);
    EXPECT_TRUE(opened.has_header("Location: /v1/accounts/ACC001\r\n"));
    EXPECT_EQ(opened["/holder"], "Ada");
    EXPECT_EQ(opened["/balance/posted"], "50.50");
    const Told again = world_.post("/v1/accounts", body);
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again["/kind"], "merchant");
    const Told other = world_.post("/v1/accounts", R"({"account_id":"ACC001","currency":"USD"})");
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(other["/code"], "account_exists");
    const Told read = world_.get("/v1/accounts/ACC001");
    EXPECT_EQ(read.status, 200);
    EXPECT_EQ(read["/metadata/a"], "b");
    EXPECT_EQ(world_.get("/v1/accounts/NONE").status, 404);
    EXPECT_EQ(world_.get("/v1/accounts/NONE/balance")["/code"], "account_not_found");
    EXPECT_EQ(world_.get("/v1/accounts/NONE/entries").status, 404);
    EXPECT_EQ(world_.get("/v1/accounts/NONE/statement").status, 404);
    EXPECT_EQ(world_.get("/v1/accounts/house:equity:USD")["/balance/posted"], "-50.50");
}

TEST_F(AccountsApiTest, WhatCannotBeOpenedSaysWhy) {
    EXPECT_EQ(world_.post("/v1/accounts", "{}")["/errors/0/pointer"], "/account_id");
    EXPECT_EQ(world_.post("/v1/accounts", R"({"account_id":"a/b","currency":"USD"})").status, 422);
    EXPECT_EQ(world_.post("/v1/accounts", R"({"account_id":"A","currency":"usd"})").status, 422);
    EXPECT_EQ(world_.post("/v1/accounts", R"({"account_id":"house:cash:USD","currency":"USD"})").status, 422);
    EXPECT_EQ(world_.post("/v1/accounts", R"({"account_id":"A","currency":"USD","limits":{"none":"1"}})").status, 422);
}

TEST_F(AccountsApiTest, ChangesKeepWhatTheyDoNotName) {
    world_.open("A", "100.00");
    world_.open("B");
    Told told = world_.send("PATCH", "/v1/accounts/A", R"({"status":"frozen_debit","limits":{"daily_debit_sum":"10"}})",
                            "Idempotency-Key: change-01\r\n");
    ASSERT_EQ(told.status, 200);
    EXPECT_EQ(told["/status"], "frozen_debit");
    EXPECT_EQ(told["/limits/daily_debit_sum"], "10.00");
    EXPECT_EQ(told["/balance/posted"], "100.00");
    EXPECT_EQ(world_.pay("frozen-key", "1")["/reason"], "account_frozen");
    told = world_.send("PATCH", "/v1/accounts/A", R"({"status":"active","floor":"-20.00"})");
    EXPECT_EQ(told["/floor"], "-20.00");
    EXPECT_EQ(world_.pay("limit-key1", "11")["/reason"], "limit_exceeded");
    told = world_.send("PATCH", "/v1/accounts/A", R"({"limits":{"daily_debit_sum":null}})");
    EXPECT_EQ(told["/limits/daily_debit_sum"], "(absent)");
    EXPECT_EQ(world_.pay("limit-key2", "110")["/status"], "settled");
    EXPECT_EQ(world_.send("PATCH", "/v1/accounts/A", R"({"status":"closed"})").status, 409);
    EXPECT_EQ(world_.send("PATCH", "/v1/accounts/A", "{}").status, 422);
    EXPECT_EQ(world_.send("PATCH", "/v1/accounts/A", R"({"currency":"EUR"})").status, 422);
    EXPECT_EQ(world_.send("PATCH", "/v1/accounts/NONE", R"({"status":"frozen"})").status, 404);
}

TEST_F(AccountsApiTest, BatchesOpenWhatTheyCan) {
    Told told = world_.post(
        "/v1/accounts/batch",
        R"({"accounts":[{"account_id":"A","currency":"USD"},{"account_id":"B"},{"account_id":"A","currency":"USD"}]})");
    EXPECT_EQ(told.status, 201);
    EXPECT_EQ(told["/opened"], "1");
    EXPECT_EQ(told["/existed"], "1");
    EXPECT_EQ(told["/data/1/error/errors/0/pointer"], "/currency");
    EXPECT_EQ(told["/data/2/result"], "existed");
    told = world_.send("POST", "/v1/accounts/batch", "{\"account_id\":\"A\",\"currency\":\"USD\"}\n", {},
                       "application/x-ndjson");
    EXPECT_EQ(told.status, 200);
    told = world_.post("/v1/accounts/batch", R"({"accounts":[{"account_id":"A","currency":"EUR"}]})");
    EXPECT_EQ(told.status, 422);
    EXPECT_EQ(told["/data/0/error/code"], "account_exists");
    const Told list = world_.get("/v1/accounts?limit=1000");
    EXPECT_EQ(list.status, 200);
    EXPECT_NE(list.body.find("\"account_id\":\"A\""), std::string::npos);
}

TEST_F(AccountsApiTest, BalancesEntriesAndStatementsAgree) {
    world_.open("A", "100.00");
    world_.open("B");
    const std::string before = world_.get("/v1/accounts/A/balance")["/as_of/seq"];
    world_.pay("entry-key1", "30");
    world_.pay("entry-key2", "20");
    EXPECT_EQ(world_.get("/v1/accounts/A/balance")["/posted"], "50.00");
    EXPECT_EQ(world_.get("/v1/accounts/A/balance?as_of=seq:" + before)["/posted"], "100.00");
    EXPECT_EQ(world_.get("/v1/accounts/A/balance?as_of=seq:" + before)["/as_of/seq"], before);
    const Told ahead = world_.get("/v1/accounts/A/balance?as_of=seq:99999");
    EXPECT_EQ(ahead.status, 400);
    EXPECT_TRUE(ahead["/detail"].starts_with("as_of: the newest frame is seq:")) << ahead["/detail"];
    EXPECT_EQ(world_.get("/v1/accounts/A/balance?as_of=2020-01-01T00:00:00Z").status, 404);
    EXPECT_EQ(world_.get("/v1/accounts/A/balance?as_of=soon").status, 400);
    EXPECT_EQ(world_.get("/v1/accounts/A/balance?as_of=2100-01-01T00:00:00Z")["/posted"], "50.00");

    const Told entries = world_.get("/v1/accounts/A/entries?limit=2");
    EXPECT_EQ(entries["/data/0/balance_after"], "50.00");
    EXPECT_EQ(entries["/data/0/counterparty"], "B");
    EXPECT_EQ(entries["/data/1/balance_after"], "70.00");
    const Told opening = world_.get("/v1/accounts/A/entries?order=oldest_first&limit=1");
    EXPECT_EQ(opening["/data/0/direction"], "credit");
    EXPECT_EQ(opening["/data/0/counterparty"], "house:equity:USD");
    EXPECT_EQ(world_.get("/v1/accounts/house:equity:USD/entries")["/data/0/counterparty"], "A");

    const Told statement = world_.get("/v1/accounts/A/statement");
    EXPECT_EQ(statement["/opening_balance"], "0.00");
    EXPECT_EQ(statement["/closing_balance"], "50.00");
    EXPECT_EQ(statement["/total_debits"], "50.00");
    EXPECT_EQ(statement["/total_credits"], "100.00");
    EXPECT_EQ(statement["/count"], "3");
    const Told later = world_.get("/v1/accounts/A/statement?from=2100-01-01T00:00:00Z");
    EXPECT_EQ(later["/opening_balance"], "50.00");
    EXPECT_EQ(later["/closing_balance"], "50.00");
    const Told csv = world_.get("/v1/accounts/A/statement?format=csv");
    EXPECT_TRUE(csv.has_header("Content-Type: text/csv; charset=utf-8\r\n"));
    EXPECT_TRUE(csv.body.starts_with("at,payment_id,")) << csv.body;
    EXPECT_NE(csv.body.find(",B,30.00,,70.00,USD,"), std::string::npos) << csv.body;
    EXPECT_NE(csv.body.find("Z,,account_opened,house:equity:USD,,100.00,100.00,USD,"), std::string::npos) << csv.body;
    EXPECT_NE(csv.body.find(",,closing_balance,,,,50.00,USD,,\r\n"), std::string::npos) << csv.body;

    const Told totals = world_.get("/v1/ledger/trial-balance");
    EXPECT_EQ(totals["/balanced"], "true");
    EXPECT_EQ(totals["/currencies/0/sum"], "0.00");
    EXPECT_EQ(world_.get("/v1/ledger/trial-balance?as_of=seq:" + before)["/balanced"], "true");
}

TEST_F(AccountsApiTest, PoliciesAreVersionedAndCheckedBeforeTheyCount) {
    const Told before = world_.get("/v1/policies");
    EXPECT_EQ(before["/data/0/version"], "1");
    EXPECT_EQ(before["/data/0/in_force"], "true");
    const std::string toml = "tenant = \"nostro\"\nunknown_accounts = \"open\"\n";
    Told told = world_.send("PUT", "/v1/policies/nostro", toml, {}, "application/toml");
    ASSERT_EQ(told.status, 202);
    EXPECT_EQ(told["/version"], "2");
    told = world_.send("PUT", "/v1/policies/nostro", R"({"policy":"tenant = \"nostro\"\n","by":"me"})");
    EXPECT_EQ(told["/version"], "3");
    const Told after = world_.get("/v1/policies");
    EXPECT_EQ(after["/data/2/in_force"], "true");
    EXPECT_EQ(after["/data/0/in_force"], "false");
    told = world_.send("PUT", "/v1/policies/nostro", "tenant = ", {}, "application/toml");
    EXPECT_EQ(told.status, 422);
    EXPECT_EQ(told["/errors/0/pointer"], "/policy");
    EXPECT_EQ(world_.send("PUT", "/v1/policies/nostro", "tenant = \"x\"\n", {}, "application/toml").status, 422);
    EXPECT_EQ(world_.send("PUT", "/v1/policies/nobody", toml, {}, "application/toml").status, 404);
}

TEST_F(AccountsApiTest, TheStreamTellsOutcomesInOrderAndResumesWithoutAGap) {
    world_.open("A", "1000.00");
    world_.open("B");
    RawClient live(world_.server().port());
    ASSERT_TRUE(live.send("GET /v1/stream?status=settled HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    ASSERT_TRUE(live.read_until("retry: 1000\n"));
    EXPECT_NE(live.seen().find("Content-Type: text/event-stream\r\n"), std::string::npos);
    world_.pay("stream-k1", "1");
    world_.pay("stream-k2", "99999");  // rejected: filtered out
    world_.pay("stream-k3", "3");
    ASSERT_TRUE(live.read_until("\"amount\":\"3.00\""));
    EXPECT_EQ(live.seen().find("99999"), std::string::npos);
    const std::size_t first = live.seen().find("id: ");
    const std::string id = live.seen().substr(first + 4, live.seen().find('\n', first) - first - 4);

    RawClient resumed(world_.server().port());
    ASSERT_TRUE(resumed.send("GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + id + "\r\n\r\n"));
    ASSERT_TRUE(resumed.read_until("\"amount\":\"3.00\""));
    EXPECT_EQ(resumed.seen().find("\"amount\":\"1.00\""), std::string::npos);
    EXPECT_NE(resumed.seen().find("99999.00"), std::string::npos);

    EXPECT_EQ(world_.send("GET", "/v1/stream", {}, "Last-Event-ID: 999999.0\r\n").status, 400);
    EXPECT_EQ(world_.send("GET", "/v1/stream", {}, "Last-Event-ID: x\r\n").status, 400);
}

}  // namespace
}  // namespace nostro
