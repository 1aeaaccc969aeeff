#include <gtest/gtest.h>

#include <future>
#include <string>

#include "nostro/base/json_text.hpp"
#include "tests/unit/http/api_world.hpp"

namespace nostro {
namespace {

using test::ApiWorld;
using test::Told;

constexpr std::string_view kPayment =
    R"({"debtor_account":"A","creditor_account":"B","amount":"7.00","currency":"USD"})";

class DeadLettersApiTest : public ::testing::Test {
protected:
    DeadLettersApiTest() {
        world_.open("A", "100.00");
        world_.open("B");
    }
    // Keeps a text; its URL.
    std::string keep(std::string_view text) {
        std::string body = R"({"source":"bank.csv","position":"row 7","format":"csv","why":"no amount","text":)";
        JsonWriter(body).string(text);
        const Told kept = world_.post("/v1/dead-letters", body + "}");
        EXPECT_EQ(kept.status, 201) << kept.body;
        return "/v1/dead-letters/" + kept["/dead_letter_id"];
    }
    std::string balance_of_b() { return world_.get("/v1/accounts/B/balance")["/posted"]; }

    ApiWorld world_;
};

TEST_F(DeadLettersApiTest, WhatIsKeptIsListed) {
    const Told none = world_.get("/v1/dead-letters");
    EXPECT_EQ(none.body.find("dead_letter_id"), std::string::npos);
    (void)keep("a,b,\xe2\x82\xac");
    const Told list = world_.get("/v1/dead-letters");
    EXPECT_EQ(list["/data/0/source"], "bank.csv");
    EXPECT_EQ(list["/data/0/position"], "row 7");
    EXPECT_EQ(list["/data/0/why"], "no amount");
    EXPECT_EQ(list["/data/0/text"], "a,b,\xe2\x82\xac");
    EXPECT_EQ(list["/data/0/state"], "open");
    EXPECT_EQ(list["/data/0/payment_id"], "(null)");
}

TEST_F(DeadLettersApiTest, UnderAKeyALetterIsKeptOnce) {
    constexpr std::string_view kBody = R"({"source":"s","position":"1","why":"w","text":"t"})";
    constexpr std::string_view kKey = "Idempotency-Key: letter-key-1\r\n";
    const Told first = world_.post("/v1/dead-letters", kBody, kKey);
    const Told again = world_.post("/v1/dead-letters", kBody, kKey);
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again["/dead_letter_id"], first["/dead_letter_id"]);
    EXPECT_TRUE(again.has_header("Idempotent-Replayed: true"));
    EXPECT_EQ(world_.post("/v1/dead-letters", R"({"source":"s","position":"1","why":"w","text":"u"})", kKey)["/code"],
              "idempotency_key_reused");
    EXPECT_EQ(world_.get("/v1/dead-letters")["/data/1"], "(absent)");
}

// A later version may say in other words why it cannot read the same bytes.
TEST_F(DeadLettersApiTest, TheSameBytesStayOneLetterWhateverTheReason) {
    constexpr std::string_view kKey = "Idempotency-Key: letter-key-1\r\n";
    const Told first = world_.post(
        "/v1/dead-letters", R"({"source":"s","position":"1","format":"csv","why":"no amount","text":"t"})", kKey);
    const Told again =
        world_.post("/v1/dead-letters", R"({"source":"s","position":"1","why":"amount: missing","text":"t"})", kKey);
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again["/dead_letter_id"], first["/dead_letter_id"]);
    EXPECT_EQ(again["/why"], "no amount") << "as it was kept";
    EXPECT_EQ(again["/format"], "csv");
    EXPECT_EQ(world_.get("/v1/dead-letters")["/data/1"], "(absent)");
    for (const std::string_view other : {R"({"source":"s","position":"2","why":"no amount","text":"t"})",
                                         R"({"source":"r","position":"1","why":"no amount","text":"t"})"}) {
        EXPECT_EQ(world_.post("/v1/dead-letters", other, kKey)["/code"], "idempotency_key_reused");
    }
}

// A source of another process may have brought what is no text.
TEST_F(DeadLettersApiTest, BytesThatAreNoTextAreShownAsBase64) {
    const auto arena = std::make_shared<Arena>();
    SubmissionBuilder builder = world_.service().build(arena);
    ASSERT_TRUE(builder.keep_dead_letter({"file", "7", "csv", "no amount", "a\xff"}, {}));
    std::promise<bool> kept;
    world_.service().submit(builder.take([&kept](const auto& receipts) { kept.set_value(bool(receipts)); }));
    ASSERT_TRUE(kept.get_future().get());
    const Told list = world_.get("/v1/dead-letters");
    EXPECT_EQ(list["/data/0/text"], "(null)");
    EXPECT_EQ(list["/data/0/bytes_base64"], "Yf8=");
}

TEST_F(DeadLettersApiTest, ADiscardedLetterIsDiscardedForEver) {
    const std::string url = keep("rubbish");
    for (int round = 0; round < 2; ++round) {
        const Told discarded = world_.post(url + "/discard", R"({"by":"me","note":"test row"})");
        EXPECT_EQ(discarded.status, 200) << discarded.body;
        EXPECT_EQ(discarded["/state"], "discarded");
    }
    EXPECT_EQ(world_.get("/v1/dead-letters")["/data/0/state"], "discarded");
    const Told redriven = world_.post(url + "/redrive", R"({"payment":)" + std::string(kPayment) + "}");
    EXPECT_EQ(redriven.status, 409);
    EXPECT_EQ(redriven["/code"], "already_decided");
    EXPECT_EQ(balance_of_b(), "0.00");
}

TEST_F(DeadLettersApiTest, ALetterThatIsAPaymentNowIsPaidOnce) {
    const std::string url = keep(kPayment);
    const Told redriven = world_.post(url + "/redrive");
    ASSERT_EQ(redriven.status, 200) << redriven.body;
    EXPECT_EQ(redriven["/state"], "redriven");
    EXPECT_TRUE(redriven.has_header("Location: /v1/payments/" + redriven["/payment_id"]));
    EXPECT_EQ(balance_of_b(), "7.00");
    const Told again = world_.post(url + "/redrive");
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again["/payment_id"], redriven["/payment_id"]);
    EXPECT_TRUE(again.has_header("Idempotent-Replayed: true"));
    EXPECT_EQ(world_.post(url + "/discard").status, 409);
    EXPECT_EQ(balance_of_b(), "7.00");
    EXPECT_EQ(world_.get("/v1/dead-letters")["/data/0/payment_id"], redriven["/payment_id"]);
    EXPECT_EQ(world_.get("/v1/payments/" + redriven["/payment_id"])["/status"], "settled");
}

TEST_F(DeadLettersApiTest, AMendedPaymentTakesTheLettersPlace) {
    const std::string url = keep("A,B,x");
    const Told refused = world_.post(url + "/redrive");
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(refused["/code"], "still_unreadable");
    EXPECT_EQ(world_.get("/v1/dead-letters")["/data/0/state"], "open");

    const Told bad = world_.post(url + "/redrive", R"({"payment":{"debtor_account":"A","amount":"0"}})");
    EXPECT_EQ(bad.status, 422);
    EXPECT_EQ(bad["/errors/0/pointer"].substr(0, 9), "/payment/") << bad.body;
    EXPECT_EQ(world_.get("/v1/dead-letters")["/data/0/state"], "open");

    const std::string mended = R"({"by":"ada","payment":)" + std::string(kPayment) + "}";
    EXPECT_EQ(world_.post(url + "/redrive", mended).status, 200);
    EXPECT_EQ(balance_of_b(), "7.00");
    // The same letter with another payment: the first one stands.
    std::string other = mended;
    other.replace(other.find("7.00"), 4, "8.00");
    EXPECT_EQ(world_.post(url + "/redrive", other)["/code"], "idempotency_key_reused");
    EXPECT_EQ(balance_of_b(), "7.00");
}

TEST_F(DeadLettersApiTest, ALetterThatIsNotThereIsNotFound) {
    EXPECT_EQ(world_.post("/v1/dead-letters/9999.0/redrive").status, 404);
    EXPECT_EQ(world_.post("/v1/dead-letters/rubbish/redrive").status, 404);
    EXPECT_EQ(world_.post("/v1/dead-letters/9999.0/discard").status, 404);
}

}  // namespace
}  // namespace nostro
