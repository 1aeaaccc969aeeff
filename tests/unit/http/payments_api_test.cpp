#include <gtest/gtest.h>

#include "tests/unit/http/api_world.hpp"

namespace nostro {
namespace {

using test::ApiWorld;
using test::Told;

class PaymentsApiTest : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(world_.open("A", "10000.00").status, 201);
        ASSERT_EQ(world_.open("B").status, 201);
    }
    std::string posted(std::string_view account) {
        return world_.get("/v1/accounts/" + std::string(account) + "/balance")["/posted"];
    }
    Told get(std::string_view id) { return world_.get("/v1/payments/" + std::string(id)); }
    ApiWorld world_;
};

TEST_F(PaymentsApiTest, APaymentIsTakenSettledAndRead) {
    const Told told = world_.pay("first-key", "12.5", R"(,"reference":"INV-7","metadata":{"order":"17"})");
    ASSERT_EQ(told.status, 202);
    EXPECT_EQ(told["/status"], "settled");
    EXPECT_EQ(told["/reason"], "(null)");
    EXPECT_TRUE(told.has_header("Location: " + told["/status_url"] + "\r\n"));
    EXPECT_FALSE(told.has_header("Idempotent-Replayed"));
    const Told whole = world_.get(told["/status_url"]);
    ASSERT_EQ(whole.status, 200);
    EXPECT_EQ(whole["/amount"], "12.50");
    EXPECT_EQ(whole["/reference"], "INV-7");
    EXPECT_EQ(whole["/metadata/order"], "17");
    EXPECT_EQ(whole["/idempotency_key"], "first-key");
    EXPECT_EQ(whole["/balances/debtor/after"], "9987.50");
    EXPECT_EQ(posted("A"), "9987.50");
    EXPECT_EQ(posted("B"), "12.50");
}

TEST_F(PaymentsApiTest, TheSameKeyAgainGetsTheFirstAnswer) {
    const Told first = world_.pay("same-key-1", "10");
    const Told again = world_.pay("same-key-1", "10.00", {}, {});
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again.body, first.body);
    EXPECT_TRUE(again.has_header("Idempotent-Replayed: true\r\n"));
    const Told quoted = world_.pay("\"same-key-1\"", "10");
    EXPECT_EQ(quoted.body, first.body);
    const Told other = world_.pay("same-key-1", "11");
    EXPECT_EQ(other.status, 422);
    EXPECT_EQ(other["/code"], "idempotency_key_reused");
    EXPECT_EQ(posted("B"), "10.00");
}

TEST_F(PaymentsApiTest, ADeclinedPaymentIsTakenWithItsReason) {
    const Told told =
        world_.post("/v1/payments", R"({"debtor_account":"B","creditor_account":"A","currency":"USD","amount":"5"})",
                    "Idempotency-Key: no-funds-1\r\n");
    EXPECT_EQ(told.status, 202);
    EXPECT_EQ(told["/status"], "rejected");
    EXPECT_EQ(told["/reason"], "insufficient_funds");
    EXPECT_EQ(told["/reason_class"], "retry_later");
}

TEST_F(PaymentsApiTest, PreferWaitAnswersWithThePaymentItself) {
    const Told told = world_.pay("wait-key-1", "10", {}, "Prefer: respond-async, wait=5\r\n");
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told["/status"], "settled");
    EXPECT_EQ(told["/amount"], "10.00");
    EXPECT_TRUE(told.has_header("Preference-Applied: wait=5\r\n"));
    const Told again = world_.pay("wait-key-1", "10", {}, "Prefer: wait=100\r\n");
    EXPECT_EQ(again.status, 200);
    EXPECT_TRUE(again.has_header("Idempotent-Replayed: true\r\n"));
    EXPECT_TRUE(again.has_header("Preference-Applied: wait=30\r\n"));
    EXPECT_EQ(world_.pay("wait-key-2", "10", {}, "Prefer: wait=soon\r\n").status, 202);
    EXPECT_EQ(world_.pay("wait-key-3", "10", {}, "Prefer: wait=0\r\n").status, 202);
    EXPECT_EQ(world_.pay("wait-key-1", "11", {}, "Prefer: wait=5\r\n").status, 422);
}

struct Refused {
    std::string body, headers;
    int status;
    std::string_view code, pointer;
};

TEST_F(PaymentsApiTest, WhatCannotBeTakenSaysWhereAndWhy) {
    const std::string good = R"({"debtor_account":"A","creditor_account":"B","currency":"USD","amount":"5"})";
    const std::string key = "Idempotency-Key: refused-1\r\n";
    const std::vector<Refused> cases{
        {good, "", 400, "idempotency_key_missing", ""},
        {good, "Idempotency-Key: short\r\n", 400, "idempotency_key_malformed", ""},
        {good, "Idempotency-Key: white space\r\n", 400, "idempotency_key_malformed", ""},
        {good, key + key, 400, "idempotency_key_malformed", ""},
        {"{", key, 400, "json_invalid", ""},
        {good + "x", key, 400, "json_invalid", ""},
        {"[]", key, 422, "invalid_fields", ""},
        {"{}", key, 422, "invalid_fields", "/debtor_account"},
        {R"({"debtor_account":"A","creditor_account":"B","currency":"USD","amount":"5.001"})", key, 422,
         "invalid_fields", "/amount"},
        {R"({"debtor_account":"A","creditor_account":"B","currency":"USD","amount":"0"})", key, 422, "invalid_fields",
         "/amount"},
        {R"({"debtor_account":"A","creditor_account":"B","currency":"XYZ","amount":"5"})", key, 422, "invalid_fields",
         "/currency"},
        {R"({"debtor_account":"A","creditor_account":"B","currency":"USD","amount":"5","rail":"nowhere"})", key, 422,
         "invalid_fields", "/rail"},
        {R"({"debtor_account":"A","creditor_account":"B","currency":"USD","amount":"5","amout":"6"})", key, 422,
         "invalid_fields", "/amout"},
    };
    for (const Refused& refused : cases) {
        const Told told = world_.post("/v1/payments", refused.body, refused.headers);
        EXPECT_EQ(told.status, refused.status) << refused.body << refused.headers;
        EXPECT_EQ(told["/code"], refused.code) << told.body;
        if (!refused.pointer.empty()) {
            EXPECT_EQ(told["/errors/0/pointer"], refused.pointer) << told.body;
        }
    }
    EXPECT_EQ(world_.post("/v1/payments", good, key)["/status"], "settled") << "a refusal spent the key";
}

TEST_F(PaymentsApiTest, AHeldPaymentIsCapturedInPartOrVoided) {
    const Told held = world_.pay("held-key-1", "100", R"(,"capture":"manual")");
    EXPECT_EQ(held["/status"], "held");
    EXPECT_EQ(world_.get("/v1/accounts/A/balance")["/available"], "9900.00");
    const std::string url = held["/status_url"];
    EXPECT_EQ(world_.post(url + "/capture", R"({"amount":"100.01"})")["/code"], "amount_exceeds_held");
    EXPECT_EQ(world_.post(url + "/capture", R"({"amount":"1.001"})")["/errors/0/pointer"], "/amount");
    const Told captured = world_.post(url + "/capture", R"({"amount":"60"})", "Idempotency-Key: capture-1\r\n");
    EXPECT_EQ(captured.status, 202);
    EXPECT_EQ(captured["/status"], "settled");
    EXPECT_EQ(world_.get("/v1/accounts/A/balance")["/available"], "9940.00");
    const Told again = world_.post(url + "/capture", R"({"amount":"60"})", "Idempotency-Key: capture-1\r\n");
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again.body, captured.body);
    EXPECT_TRUE(again.has_header("Idempotent-Replayed: true\r\n"));
    const Told late = world_.post(url + "/void");
    EXPECT_EQ(late.status, 409);
    EXPECT_EQ(late["/code"], "not_open");
    EXPECT_EQ(late["/state"], "settled");
    EXPECT_EQ(get(held["/payment_id"])["/captured_amount"], "60.00");

    const Told other = world_.pay("held-key-2", "100", R"(,"capture":"manual")");
    EXPECT_EQ(world_.post(other["/status_url"] + "/void")["/status"], "voided");
    const Told whole = world_.pay("held-key-3", "7", R"(,"capture":"manual")");
    EXPECT_EQ(world_.post(whole["/status_url"] + "/capture")["/status"], "settled");
    const std::string unknown = "/v1/payments/" + std::string(32, '0');
    EXPECT_EQ(world_.post(unknown + "/void").status, 404);
    EXPECT_EQ(world_.post(unknown + "/capture", R"({"amount":"1"})").status, 404);
    EXPECT_EQ(world_.post(unknown + "/reverse").status, 404);
    EXPECT_EQ(world_.get("/v1/payments/nothing").status, 404);
    EXPECT_EQ(world_.get(unknown)["/code"], "payment_not_found");
}

TEST_F(PaymentsApiTest, ReversalsArePaymentsOfTheirOwn) {
    const Told paid = world_.pay("reverse-me", "100");
    const std::string url = paid["/status_url"];
    const Told part =
        world_.post(url + "/reverse", R"({"amount":"40","reference":"R-1"})", "Idempotency-Key: back-0001\r\n");
    EXPECT_EQ(part.status, 202);
    EXPECT_EQ(part["/status"], "settled");
    EXPECT_NE(part["/payment_id"], paid["/payment_id"]);
    const Told reversal = get(part["/payment_id"]);
    EXPECT_EQ(reversal["/reverses"], paid["/payment_id"]);
    EXPECT_EQ(reversal["/debtor_account"], "B");
    EXPECT_EQ(reversal["/amount"], "40.00");
    EXPECT_EQ(get(paid["/payment_id"])["/reversed_amount"], "40.00");
    EXPECT_EQ(world_.post(url + "/reverse", R"({"amount":"60.01"})")["/reason"], "reversal_exceeds_original");
    EXPECT_EQ(world_.post(url + "/reverse")["/status"], "settled");
    EXPECT_EQ(posted("A"), "10000.00");
    EXPECT_EQ(world_.post(part["/status_url"] + "/reverse")["/reason"], "reversal_of_reversal");
    const Told again =
        world_.post(url + "/reverse", R"({"amount":"40","reference":"R-1"})", "Idempotency-Key: back-0001\r\n");
    EXPECT_EQ(again["/payment_id"], part["/payment_id"]);
}

TEST_F(PaymentsApiTest, SimulatingMovesNothing) {
    const std::string body = R"({"debtor_account":"A","creditor_account":"B","currency":"USD","amount":"600"})";
    const Told told = world_.post("/v1/payments/simulate", body);
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told["/status"], "in_review");
    EXPECT_EQ(told["/why/rules/0/rule"], "large");
    EXPECT_EQ(posted("A"), "10000.00");
    EXPECT_EQ(world_.post("/v1/payments/simulate", "{}").status, 422);
}

TEST_F(PaymentsApiTest, ListsAreFilteredBoundedAndPaged) {
    for (int i = 0; i < 5; ++i)
        world_.pay("list-key-" + std::to_string(i), std::to_string(10 + i), R"(,"reference":"LOT")");
    Told page = world_.get("/v1/payments?account=A&limit=2");
    ASSERT_EQ(page.status, 200);
    EXPECT_EQ(page["/data/0/amount"], "14.00");
    EXPECT_EQ(page["/data/1/amount"], "13.00");
    world_.pay("list-key-9", "99");
    page = world_.get("/v1/payments?account=A&limit=2&cursor=" + page["/next_cursor"]);
    EXPECT_EQ(page["/data/0/amount"], "12.00");
    EXPECT_EQ(page["/data/1/amount"], "11.00");
    page = world_.get("/v1/payments?reference=LOT&currency=USD&min_amount=11&max_amount=12.00");
    EXPECT_EQ(page["/data/0/amount"], "12.00");
    EXPECT_EQ(page["/data/1/amount"], "11.00");
    EXPECT_EQ(page["/data/2"], "(absent)");
    EXPECT_EQ(page["/next_cursor"], "(null)");
    EXPECT_EQ(world_.get("/v1/payments?rail=internal&status=rejected")["/data/0"], "(absent)");
    EXPECT_EQ(world_.get("/v1/payments?from=2020-01-01T00:00:00Z&to=2020-01-20T00:00:00Z").status, 200);
    for (const std::string_view unbounded :
         {"", "?currency=USD", "?status=settled", "?from=2020-01-01T00:00:00Z", "?to=2020-01-01T00:00:00Z",
          "?from=2020-01-01T00:00:00Z&to=2020-03-01T00:00:00Z"}) {
        const Told told = world_.get("/v1/payments" + std::string(unbounded));
        EXPECT_EQ(told.status, 422) << unbounded;
        EXPECT_EQ(told["/code"], "search_not_bounded");
    }
    for (const std::string_view wrong :
         {"?acount=A", "?account=", "?account=A&limit=0", "?account=A&limit=1001", "?account=A&status=lost",
          "?account=A&rail=nowhere", "?account=A&currency=usd", "?account=A&currency=XYZ", "?account=A&min_amount=5",
          "?account=A&currency=USD&min_amount=5.001", "?account=A&from=yesterday", "?account=A&cursor=rubbish",
          "?account=A&account=B"}) {
        EXPECT_EQ(world_.get("/v1/payments" + std::string(wrong)).status, 400) << wrong;
    }
}

TEST_F(PaymentsApiTest, ReviewsWaitForAPersonAndAreDecidedOnce) {
    const Told first = world_.pay("review-key-1", "600");
    const Told second = world_.pay("review-key-2", "700");
    EXPECT_EQ(first["/status"], "in_review");
    const Told queue = world_.get("/v1/reviews");
    EXPECT_EQ(queue["/data/0/payment_id"], first["/payment_id"]);
    EXPECT_EQ(queue["/data/1/payment_id"], second["/payment_id"]);
    EXPECT_NE(queue["/data/0/expires_at"], "(null)");
    const std::string url = "/v1/reviews/" + first["/payment_id"];
    EXPECT_EQ(world_.post(url + "/approve", "{}").status, 422);
    const std::string body = R"({"reviewer":"r.novak","reason":"called"})";
    const Told approved = world_.post(url + "/approve", body);
    EXPECT_EQ(approved.status, 202);
    EXPECT_EQ(approved["/status"], "settled");
    const Told again = world_.post(url + "/approve", body);
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(again["/status"], "settled");
    EXPECT_TRUE(again.has_header("Idempotent-Replayed: true\r\n"));
    const Told other = world_.post(url + "/reject", body);
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(other["/code"], "already_decided");
    EXPECT_EQ(world_.post("/v1/reviews/" + second["/payment_id"] + "/reject", body)["/status"], "rejected");
    EXPECT_EQ(world_.get("/v1/reviews")["/data/0"], "(absent)");
    EXPECT_EQ(world_.post("/v1/reviews/" + std::string(32, '1') + "/approve", body).status, 404);
    EXPECT_EQ(posted("B"), "600.00");
}

TEST_F(PaymentsApiTest, NoSpaceIs503AndSpendsNothing) {
    world_.journal().set_full(true);
    const Told told = world_.pay("no-space-1", "10");
    EXPECT_EQ(told.status, 503);
    EXPECT_EQ(told["/code"], "no_space");
    EXPECT_TRUE(told.has_header("Retry-After: "));
    world_.journal().set_full(false);
    EXPECT_EQ(world_.pay("no-space-1", "11")["/status"], "settled");
}

std::string item(int number, std::string_view amount, std::string_view from = "A") {
    return R"({"idempotency_key":"item-key-)" + std::to_string(number) + R"(","debtor_account":")" + std::string(from) +
           R"(","creditor_account":")" + (from == "A" ? "B" : "A") + R"(","currency":"USD","amount":")" +
           std::string(amount) + "\"}";
}

TEST_F(PaymentsApiTest, ABatchTakesWhatItCanAndTellsTheRest) {
    const Told told = world_.post("/v1/payments/batch", R"({"payments":[)" + item(1, "10") + "," + item(2, "1.234") +
                                                            "," + item(3, "99999") + "," + item(1, "10") + "," +
                                                            item(1, "11") + "," + item(4, "20") + "]}");
    ASSERT_EQ(told.status, 202);
    EXPECT_EQ(told["/mode"], "independent");
    EXPECT_EQ(told["/taken"], "4");
    EXPECT_EQ(told["/refused"], "2");
    EXPECT_EQ(told["/data/0/status"], "settled");
    EXPECT_EQ(told["/data/1/error/errors/0/code"], "amount_too_many_decimals");
    EXPECT_EQ(told["/data/1/idempotency_key"], "item-key-2");
    EXPECT_EQ(told["/data/2/status"], "rejected");
    EXPECT_EQ(told["/data/3/replayed"], "true");
    EXPECT_EQ(told["/data/3/payment_id"], told["/data/0/payment_id"]);
    EXPECT_EQ(told["/data/4/error/code"], "idempotency_key_reused");
    EXPECT_EQ(told["/data/5/index"], "5");
    EXPECT_EQ(posted("B"), "30.00");
}

TEST_F(PaymentsApiTest, ABatchMayBeLines) {
    const std::string lines = item(1, "10") + "\n\n" + item(2, "x") + "\r\nrubbish\n" + item(3, "5");
    const Told told = world_.send("POST", "/v1/payments/batch", lines, {}, "application/x-ndjson");
    ASSERT_EQ(told.status, 202);
    EXPECT_EQ(told["/taken"], "2");
    EXPECT_EQ(told["/refused"], "2");
    EXPECT_EQ(told["/data/2/error/code"], "json_invalid");
    EXPECT_EQ(told["/data/3/status"], "settled");
}

TEST_F(PaymentsApiTest, ABatchOfWhichNothingIsTakenIs422) {
    Told told = world_.post("/v1/payments/batch", R"({"payments":[)" + item(1, "x") + "," + item(2, "y") + "]}");
    EXPECT_EQ(told.status, 422);
    EXPECT_EQ(told["/taken"], "0");
    EXPECT_EQ(world_.post("/v1/payments/batch", R"({"payments":[]})").status, 422);
    EXPECT_EQ(world_.post("/v1/payments/batch", R"({"payments":[)").status, 400);
    EXPECT_EQ(world_.post("/v1/payments/batch?mode=atomic", R"({"payments":[]})")["/code"], "invalid_parameter");
    world_.pay("item-key-1", "10");
    told = world_.post("/v1/payments/batch", R"({"payments":[)" + item(1, "11") + "]}");
    EXPECT_EQ(told.status, 422);
    EXPECT_EQ(told["/data/0/error/code"], "idempotency_key_reused");
}

TEST_F(PaymentsApiTest, AnAtomicBatchSettlesWholeOrNotAtAll) {
    const auto group = [](const std::string& items) { return R"({"mode":"atomic","payments":[)" + items + "]}"; };
    const std::string key = "Idempotency-Key: group-key-1\r\n";
    EXPECT_EQ(world_.post("/v1/payments/batch", group(item(1, "10")))["/code"], "idempotency_key_missing");
    Told told = world_.post("/v1/payments/batch", group(item(1, "10") + "," + item(2, "0.001")), key);
    EXPECT_EQ(told.status, 422);
    EXPECT_EQ(told["/errors/0/pointer"], "/payments/1/amount");

    told = world_.post("/v1/payments/batch", group(item(1, "10") + "," + item(2, "10", "B")), key);
    ASSERT_EQ(told.status, 202);
    EXPECT_EQ(told["/data/0/status"], "settled");
    EXPECT_EQ(told["/data/1/status"], "settled");
    EXPECT_EQ(told["/failed_item"], "(null)");
    const Told again = world_.post("/v1/payments/batch", group(item(1, "10") + "," + item(2, "10", "B")), key);
    EXPECT_EQ(again.status, 202);
    EXPECT_TRUE(again.has_header("Idempotent-Replayed: true\r\n"));
    EXPECT_EQ(again["/data/1/payment_id"], told["/data/1/payment_id"]);
    EXPECT_EQ(world_.post("/v1/payments/batch", group(item(1, "12")), key)["/code"], "idempotency_key_reused");

    told = world_.post("/v1/payments/batch", group(item(3, "10") + "," + item(4, "10.01", "B")),
                       "Idempotency-Key: group-key-2\r\n");
    EXPECT_EQ(told.status, 202);
    EXPECT_EQ(told["/failed_item"], "1");
    EXPECT_EQ(told["/data/0/reason"], "group_refused");
    EXPECT_EQ(told["/data/1/reason"], "insufficient_funds");
    told = world_.post("/v1/payments/batch", group(item(5, "1") + "," + item(1, "10")),
                       "Idempotency-Key: group-key-3\r\n");
    EXPECT_EQ(told.status, 422);
    EXPECT_EQ(posted("B"), "0.00");

    std::string many = item(100, "1");
    for (int i = 101; i < 1101; ++i) many += "," + item(i, "1");
    told = world_.post("/v1/payments/batch", group(many), "Idempotency-Key: group-key-4\r\n");
    EXPECT_EQ(told.status, 422);
    EXPECT_EQ(told["/code"], "group_too_large");
}

}  // namespace
}  // namespace nostro
