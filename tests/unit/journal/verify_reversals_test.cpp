// A reversal says what it read of its original, and the Book believes it; whoever proves the books does not.
#include <gtest/gtest.h>

#include "nostro/base/hex.hpp"
#include "tests/unit/journal/busy_journal.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;
using test::a_command;
using test::a_payment;
using test::BusyJournal;
using test::payment_id_of;

class VerifyReversalsTest : public ::testing::Test {
protected:
    // One that settled at once, one that was captured in part two frames later, one that was refused.
    VerifyReversalsTest() {
        auto& writer = *busy_.writer;
        writer.write({a_payment().id(901).of("EUR", 500).from("ann").to("ben").opening(90'000, 0).command(),
                      a_payment().id(902).of("EUR", 600).from("ann").to("ben").manual().command(),
                      a_payment().id(903).of("EUR", 60'000'000).from("ann").to("ben").command()});
        for (std::uint32_t i = 0; i < writer.changes().outcomes.size(); ++i) {
            places_[writer.changes().outcomes[i].payment] = {writer.head().seq, i};
        }
        first_at_ = writer.now();
        writer.pass(1min);
        writer.write({a_payment().id(910).of("EUR", 1).from("ann").to("ben").command()});
        writer.pass(1min);
        writer.write({a_command(CapturePayment{payment_id_of(902), 450})});
        captured_at_ = writer.now();
        writer.pass(1min);
    }
    ReversePayment reversal(std::uint64_t of, std::int64_t settled_minor, Instant settled_at) {
        ReversePayment reverse;
        reverse.payment = a_payment().id(of + 50).of("EUR", 10).from("ben").to("ann").payment();
        reverse.original = payment_id_of(of);
        reverse.original_at = places_.at(reverse.original);
        reverse.original_minor = settled_minor;
        reverse.original_settled_at = settled_at;
        return reverse;
    }
    // What is said of the journal once the reversal stands in it; later frames come after.
    std::string says(const ReversePayment& reverse) {
        busy_.writer->write({{0, reverse.payment.id, 0, reverse}});
        EXPECT_EQ(busy_.writer->answers()[0].kind, Answer::Kind::recorded) << name(busy_.writer->answers()[0].reason);
        busy_.writer->write(test::busy_commands(50));
        const auto report = *verify(*busy_.disk);
        EXPECT_EQ(report.reversals, 1u);
        return report.proved() ? "proved" : describe(report.findings.front());
    }

    BusyJournal busy_{5, false};
    std::map<PaymentId, Place> places_;
    Instant first_at_, captured_at_;
};

TEST_F(VerifyReversalsTest, WhatIsTrueIsProved) { EXPECT_EQ(says(reversal(901, 500, first_at_)), "proved"); }
TEST_F(VerifyReversalsTest, WhatWasCapturedLaterIsFoundWhereItWas) {
    EXPECT_EQ(says(reversal(902, 450, captured_at_)), "proved");
}
TEST_F(VerifyReversalsTest, AnotherAmountIsFound) {
    const std::string text = says(reversal(901, 501, first_at_));
    EXPECT_NE(text.find("it settled 500"), std::string::npos) << text;
    EXPECT_NE(text.find("payment " + to_hex(payment_id_of(951))), std::string::npos) << text;
}
TEST_F(VerifyReversalsTest, AnotherTimeIsFound) {
    EXPECT_NE(says(reversal(901, 500, first_at_ + 1s)).find("it settled"), std::string::npos);
}
TEST_F(VerifyReversalsTest, WhatWasReservedAndNotCapturedIsNoSettledAmount) {
    EXPECT_NE(says(reversal(902, 600, captured_at_)).find("did not settle so"), std::string::npos);
}
TEST_F(VerifyReversalsTest, ACaptureAtAnotherTimeIsFound) {
    EXPECT_NE(says(reversal(902, 450, captured_at_ - 1min)).find("did not settle so"), std::string::npos);
}
TEST_F(VerifyReversalsTest, ARejectedOriginalThatIsCalledSettledIsFound) {
    EXPECT_NE(says(reversal(903, 60'000'000, first_at_)).find("it was rejected"), std::string::npos);
}
TEST_F(VerifyReversalsTest, AnOriginalThatIsAReversalItselfIsFound) {
    auto reverse = reversal(901, 500, first_at_);
    reverse.original_is_reversal = true;
    EXPECT_NE(says(reverse).find("whether it is a reversal"), std::string::npos);
}

}  // namespace
}  // namespace nostro
