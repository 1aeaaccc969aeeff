#include "nostro/wire/ledger_proof.hpp"

#include <gtest/gtest.h>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/wire/answer_json.hpp"

namespace nostro {
namespace {

constexpr Instant kNow{std::chrono::seconds{1'795'253'400}};

// Books in two currencies, one with sums beyond the 64 bits of an amount, under a checkpoint of frame 9.
class LedgerProofTest : public ::testing::Test {
protected:
    static Book::KindTotal total(Currency currency, AccountKind kind, Total::Wide posted) {
        Book::KindTotal total;
        total.currency = currency;
        total.kind = kind;
        total.accounts = 3;
        total.posted = posted;
        return total;
    }
    std::string document(Seq seq = 9) const {
        const Currency eur = *Currency::parse("EUR"), jpy = *Currency::parse("JPY");
        const Total::Wide large = Total::Wide{INT64_MAX} * 1000 + 7;
        const std::vector<Book::KindTotal> totals{
            total(eur, AccountKind::customer, large), total(eur, AccountKind::external, -large),
            total(jpy, AccountKind::customer, 12), total(jpy, AccountKind::merchant, 30),
            total(jpy, AccountKind::house, -42)};
        std::string text;
        JsonWriter json(text);
        json.begin_object().field("version", 1).key("checkpoint");
        write_checkpoint(json, checkpoint_);
        json.key("books");
        write_totals(json, totals, AsOf{seq, kNow});
        json.key("verified").raw(verified_).end_object();
        return text;
    }
    static std::string refusal(const std::string& text) {
        const auto checked = check_ledger_proof(text);
        return checked ? "accepted" : checked.error().what;
    }
    // What is said of the document with the first `what` made `into`.
    std::string refusal_with(std::string_view what, std::string_view into) const {
        std::string text = document();
        const std::size_t at = text.find(what);
        if (at == std::string::npos) return "the document has no " + std::string(what) + ": " + text;
        return refusal(text.replace(at, what.size(), into));
    }

    SigningKey key_ = SigningKey::random();
    Digest digest_ = sha256(std::string_view("frame 9"));
    Checkpoint checkpoint_ = sign_checkpoint(9, digest_, kNow, key_);
    std::string verified_ = "null";
};

TEST_F(LedgerProofTest, BooksUnderTheirCheckpointAreAccepted) {
    ASSERT_TRUE(is_ledger_proof(document()));
    const auto checked = check_ledger_proof(document());
    ASSERT_TRUE(checked) << checked.error().what;
    EXPECT_EQ(checked->checkpoint.key, key_.public_key());
    EXPECT_EQ(checked->currencies, (std::vector<std::string>{"EUR", "JPY"}));
    EXPECT_FALSE(checked->verified);
}

TEST_F(LedgerProofTest, SumsThatAreNotZeroAreRefused) {
    EXPECT_NE(refusal_with(R"("posted":"12")", R"("posted":"13")").find("JPY sum to 1,"), std::string::npos);
    EXPECT_NE(refusal_with(R"(8070.07")", R"(8070.08")").find("EUR sum to 0.01"), std::string::npos);
    EXPECT_NE(refusal_with(R"("sum":"0.00")", R"("sum":"0.01")").find("EUR sum to 0.00, the books say 0.01"),
              std::string::npos);
    EXPECT_NE(refusal_with(R"("balanced":true)", R"("balanced":false)"), "accepted");
    EXPECT_NE(refusal_with(R"(],"balanced":true,"as_of")", R"(],"balanced":false,"as_of")").find("not balanced"),
              std::string::npos);
    EXPECT_NE(refusal_with("JPY", "EUR").find("EUR twice"), std::string::npos);
    for (const char* amount :
         {"", "-", "1.2", "1,2", "1e3", " 12", "+12", "12.", "99999999999999999999999999999999999999"}) {
        EXPECT_NE(
            refusal_with(R"("posted":"12")", R"("posted":")" + std::string(amount) + '"').find("no amount in JPY"),
            std::string::npos)
            << amount;
    }
}

TEST_F(LedgerProofTest, AnotherCheckpointIsRefused) {
    EXPECT_NE(refusal(document(8)).find("not those of frame 9"), std::string::npos);
    EXPECT_NE(refusal_with(R"("seq":9)", R"("seq":8)").find("signature of checkpoint 8 is wrong"), std::string::npos);
    checkpoint_.time += std::chrono::microseconds(1);
    EXPECT_NE(refusal(document()).find("signature of checkpoint 9 is wrong"), std::string::npos);
}

TEST_F(LedgerProofTest, WhatWasVerifiedMustBeTheSameJournal) {
    verified_ =
        R"({"at":"2026-11-21T09:30:00.000000Z","first":1,"last":9,"digest":")" + to_hex(digest_) + R"(","payments":4})";
    const auto checked = check_ledger_proof(document());
    ASSERT_TRUE(checked) << checked.error().what;
    ASSERT_TRUE(checked->verified);
    EXPECT_EQ(checked->verified->last, 9u);
    const std::string other = to_hex(sha256(std::string_view("another")));
    EXPECT_NE(refusal_with(R"("last":9,"digest":")" + to_hex(digest_), R"("last":9,"digest":")" + other)
                  .find("another journal"),
              std::string::npos);
    EXPECT_EQ(refusal_with(R"("last":9,"digest":")" + to_hex(digest_), R"("last":8,"digest":")" + other), "accepted")
        << "another frame has another digest";
    EXPECT_NE(refusal_with(R"("first":1)", R"("first":10)").find("verified is no report"), std::string::npos);
}

TEST_F(LedgerProofTest, WhatSpeaksOfAPaymentIsNoneWhateverElseItHolds) {
    for (const char* member : {"payment_id", "outcomes"}) {
        const std::string beside = "{\"" + std::string(member) + "\":0," + document().substr(1);
        EXPECT_FALSE(is_ledger_proof(beside)) << beside;
    }
}

TEST_F(LedgerProofTest, WhatLacksAMemberIsRefused) {
    for (const char* member :
         {"version", "checkpoint", "books", "verified", "as_of", "currencies", "kinds", "posted"}) {
        const std::string name = '"' + std::string(member) + '"';
        EXPECT_NE(refusal_with(name, "\"_\""), "accepted") << member;
        EXPECT_EQ(refusal_with(name, "\"_\"").find("the document has no"), std::string::npos) << member;
    }
    EXPECT_EQ(refusal_with(R"("version":1)", R"("version":2)"), "it is of version 2; this program knows version 1");
    for (const char* text : {"", "[]", "{}", "7"}) {
        EXPECT_FALSE(is_ledger_proof(text)) << text;
        EXPECT_NE(refusal(text), "accepted") << text;
    }
}

}  // namespace
}  // namespace nostro
