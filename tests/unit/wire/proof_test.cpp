#include "nostro/wire/proof.hpp"

#include <gtest/gtest.h>

#include "nostro/base/base64.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/time.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro {
namespace {

using test::FrameChain;
using test::numbered_payment;

constexpr Instant kNow{std::chrono::seconds{1'795'253'400}};

// A chain whose third frame rejects payment 7; the proof of that against a checkpoint of the sixth.
class ProofTest : public ::testing::Test {
protected:
    ProofTest() {
        for (int i = 0; i < 6; ++i) {
            Changes changes;
            if (i == 2) {
                Outcome outcome;
                outcome.event = Event::submitted;
                outcome.status = Status::rejected;
                outcome.reason = Reason::insufficient_funds;
                outcome.payment = numbered_payment(7);
                outcome.accepted_at = kNow;
                changes.outcomes.push_back(outcome);
            }
            frames_.push_back(chain_.next(0, 100, changes));
        }
    }
    ProofPart part() const {
        ProofPart part{0, frames_[2], {}, sign_checkpoint(6, frames_[5]->digest, kNow, key_)};
        for (std::size_t i = 3; i < 6; ++i) {
            const auto header = frames_[i]->bytes().first(kFrameHeaderBytes);
            part.headers.insert(part.headers.end(), header.begin(), header.end());
        }
        return part;
    }
    static std::string document(const ProofPart& part, PaymentId payment = numbered_payment(7)) {
        std::string text;
        write_proof(text, payment, {&part, 1});
        return text;
    }
    static std::string refusal(const std::string& text) {
        const auto checked = check_proof(text);
        return checked ? "accepted" : checked.error().what;
    }

    SigningKey key_ = SigningKey::random();
    FrameChain chain_{Head{0, {}, 1, kNow, {}}};
    std::vector<FramePtr> frames_;
};

TEST_F(ProofTest, AnHonestProofIsAccepted) {
    const auto proved = check_proof(document(part()));
    ASSERT_TRUE(proved) << proved.error().what;
    EXPECT_EQ(proved->payment, numbered_payment(7));
    ASSERT_EQ(proved->outcomes.size(), 1u);
    EXPECT_EQ(proved->outcomes[0].outcome().reason, Reason::insufficient_funds);
    EXPECT_EQ(proved->outcomes[0].frame->seq(), 3u);
    EXPECT_EQ(proved->outcomes[0].checkpoint.key, key_.public_key());
}

TEST_F(ProofTest, ARecordIsProvedToo) {
    Outcome record;
    record.event = Event::record_kept;
    record.status = Status::quarantined;
    record.payment = numbered_payment(9);
    Changes changes;
    changes.outcomes.push_back(record);
    const FramePtr frame = chain_.next(0, 100, changes);
    const ProofPart own{0, frame, {}, sign_checkpoint(7, frame->digest, kNow, key_)};
    EXPECT_EQ(refusal(document(own, record.payment)), "accepted");
}

TEST_F(ProofTest, AFrameMayBeItsOwnCheckpoint) {
    ProofPart own{0, frames_[2], {}, sign_checkpoint(3, frames_[2]->digest, kNow, key_)};
    EXPECT_EQ(refusal(document(own)), "accepted");
}

TEST_F(ProofTest, WhatDoesNotProveIsRefused) {
    EXPECT_NE(refusal(document(part(), numbered_payment(8))).find("is not of this payment"), std::string::npos);

    ProofPart other_index = part();
    other_index.index = 1;
    EXPECT_NE(refusal(document(other_index)).find("is not of this payment"), std::string::npos);

    ProofPart gap = part();
    gap.headers.erase(gap.headers.begin(), gap.headers.begin() + kFrameHeaderBytes);
    EXPECT_NE(refusal(document(gap)).find("does not continue it"), std::string::npos);

    ProofPart short_path = part();
    short_path.headers.resize(2 * kFrameHeaderBytes);
    EXPECT_NE(refusal(document(short_path)).find("not at the checkpoint's frame"), std::string::npos);

    ProofPart forged = part();
    forged.checkpoint.key = SigningKey::random().public_key();
    EXPECT_NE(refusal(document(forged)).find("signature"), std::string::npos);

    ProofPart later = part();
    later.checkpoint.time += std::chrono::microseconds(1);
    EXPECT_NE(refusal(document(later)).find("signature"), std::string::npos);

    for (const char* text : {"", "[]", "{}", R"({"version":2})", R"({"version":1,"payment_id":"x"})",
                             R"({"version":1,"payment_id":"00000000000000000000000000000001","outcomes":[]})",
                             R"({"version":1,"payment_id":"00000000000000000000000000000001","outcomes":[{}]})"}) {
        EXPECT_NE(refusal(text), "accepted") << text;
    }
}

// One bit of the frame, of a header or of the checkpoint: never unnoticed.
TEST_F(ProofTest, EveryFlippedBitIsNoticed) {
    const ProofPart honest = part();
    const auto with = [&](const std::vector<std::byte>& frame, const std::vector<std::byte>& headers) {
        std::string text = document(honest);
        const auto put = [&](std::string_view member, const std::vector<std::byte>& bytes) {
            const std::string key = "\"" + std::string(member) + "\":\"";
            const std::size_t at = text.find(key) + key.size();
            text.replace(at, text.find('"', at) - at, to_base64(std::span<const std::byte>(bytes)));
        };
        put("frame", frame);
        put("headers", headers);
        return refusal(text);
    };
    const auto bytes = honest.frame->bytes().first(kFrameHeaderBytes + honest.frame->header.body_bytes);
    std::vector<std::byte> frame(bytes.begin(), bytes.end());
    ASSERT_EQ(with(frame, honest.headers), "accepted");
    for (std::size_t i = 0; i < frame.size(); ++i) {
        frame[i] ^= std::byte{static_cast<unsigned char>(1u << i % 8)};
        EXPECT_NE(with(frame, honest.headers), "accepted") << "byte " << i << " of the frame";
        frame[i] ^= std::byte{static_cast<unsigned char>(1u << i % 8)};
    }
    std::vector<std::byte> headers = honest.headers;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        headers[i] ^= std::byte{static_cast<unsigned char>(1u << i % 8)};
        EXPECT_NE(with(frame, headers), "accepted") << "byte " << i << " of the headers";
        headers[i] ^= std::byte{static_cast<unsigned char>(1u << i % 8)};
    }
}

TEST_F(ProofTest, WhereTheDocumentSaysThatTheFrameStandsIsChecked) {
    for (const auto& [member, other] : {std::pair(R"("seq":3,"index")", R"("seq":4,"index")"),
                                        std::pair(R"("at":"2026)", R"("at":"2025)"), std::pair(R"("at")", R"("_t")")}) {
        std::string text = document(part());
        ASSERT_NE(text.find(member), std::string::npos) << text;
        text.replace(text.find(member), std::string_view(member).size(), other);
        EXPECT_NE(refusal(text).find("not those of the frame, 3 and 2026"), std::string::npos) << refusal(text);
    }
}

// A payment that was in review, held and captured, each in a frame of its own.
class ProofOrderTest : public ::testing::Test {
protected:
    static Outcome outcome(Event event, Status status, Reason reason = Reason::none) {
        Outcome outcome;
        outcome.event = event;
        outcome.status = status;
        outcome.reason = reason;
        outcome.payment = numbered_payment(7);
        outcome.origin = {1, 0};
        return outcome;
    }
    // Each under a checkpoint of its own.
    ProofPart next(const Outcome& outcome) {
        Changes changes;
        changes.outcomes.push_back(outcome);
        const FramePtr frame = chain_.next(0, 100, changes);
        return {0, frame, {}, sign_checkpoint(frame->header.seq, frame->digest, kNow, key_)};
    }
    static Result<ProvedPayment> checked(const std::vector<ProofPart>& parts) {
        std::string text;
        write_proof(text, numbered_payment(7), parts);
        return check_proof(text);
    }
    static std::string refusal(const std::vector<ProofPart>& parts) {
        const auto proved = checked(parts);
        return proved ? "accepted" : proved.error().what;
    }

    SigningKey key_ = SigningKey::random();
    FrameChain chain_{Head{0, {}, 1, kNow, {}}};
    ProofPart review_ = next(outcome(Event::submitted, Status::in_review));
    ProofPart held_ = next(outcome(Event::approved, Status::held));
    ProofPart settled_ = next(outcome(Event::captured, Status::settled));
};

TEST_F(ProofOrderTest, AllOutcomesInTheirOrderAreAccepted) {
    const auto proved = checked({review_, held_, settled_});
    ASSERT_TRUE(proved) << proved.error().what;
    EXPECT_EQ(proved->as_of(), 3u);
    EXPECT_TRUE(proved->has_ended());
}

TEST_F(ProofOrderTest, AnotherOrderIsRefused) {
    EXPECT_NE(refusal({review_, settled_, held_}).find("2 and 3 are not in the order"), std::string::npos);
    EXPECT_NE(refusal({settled_, held_, review_}).find("1 and 2 are not in the order"), std::string::npos);
    EXPECT_NE(refusal({review_, review_}).find("1 and 2 are not in the order"), std::string::npos);
}

TEST_F(ProofOrderTest, AnOutcomeThatIsLeftOutBeforeTheLastIsNoticed) {
    EXPECT_NE(refusal({held_, settled_}).find("an earlier one is left out"), std::string::npos);
    EXPECT_NE(refusal({settled_}).find("an earlier one is left out"), std::string::npos);
    EXPECT_NE(refusal({review_, settled_}).find("outcome 2, captured, does not follow on in_review"),
              std::string::npos);

    const ProofPart hold_expired = next(outcome(Event::expired, Status::expired, Reason::hold_expired));
    EXPECT_NE(refusal({review_, hold_expired}).find("one between them is left out"), std::string::npos);
    EXPECT_EQ(refusal({review_, held_, hold_expired}), "accepted");
    const ProofPart review_expired = next(outcome(Event::expired, Status::expired, Reason::review_expired));
    EXPECT_EQ(refusal({review_, review_expired}), "accepted");
    const ProofPart refused = next(outcome(Event::refused, Status::rejected, Reason::review_rejected));
    EXPECT_EQ(refusal({review_, refused}), "accepted");
    EXPECT_NE(refusal({review_, refused, held_}).find("not in the order"), std::string::npos);

    Outcome elsewhere = outcome(Event::captured, Status::settled);
    elsewhere.origin = {2, 0};
    EXPECT_NE(refusal({review_, held_, next(elsewhere)}).find("one between them is left out"), std::string::npos);
    EXPECT_NE(refusal({review_, refused, next(outcome(Event::captured, Status::settled))}).find("on rejected"),
              std::string::npos);
}

// What came after the last that is told cannot be seen: the proof says of when it is.
TEST_F(ProofOrderTest, OneThatIsLeftOutAtTheEndOnlyMakesTheProofOlder) {
    const auto proved = checked({review_, held_});
    ASSERT_TRUE(proved) << proved.error().what;
    EXPECT_EQ(proved->as_of(), 2u);
    EXPECT_FALSE(proved->has_ended());
}

TEST(CheckpointTest, IsReadBackAsItWasWritten) {
    const SigningKey key = SigningKey::random();
    const Checkpoint checkpoint = sign_checkpoint(17'000, sha256(std::string_view("x")), kNow, key);
    std::string text;
    JsonWriter json(text);
    write_checkpoint(json, checkpoint);
    const auto read = read_checkpoint(text);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->seq, checkpoint.seq);
    EXPECT_EQ(read->digest, checkpoint.digest);
    EXPECT_EQ(read->time, checkpoint.time);
    EXPECT_EQ(read->signature, checkpoint.signature);
    EXPECT_TRUE(is_genuine(*read));
    for (const char* member : {"seq", "digest", "time", "key", "signature"}) {
        std::string without = text;
        without.replace(without.find(std::string("\"") + member), 2, "\"_");
        const auto refused = read_checkpoint(without);
        ASSERT_FALSE(refused) << member;
        EXPECT_NE(refused.error().what.find(member), std::string::npos) << refused.error().what;
    }
}

}  // namespace
}  // namespace nostro
