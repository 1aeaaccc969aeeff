// What a payment takes in the journal, which every byte of is written, hashed, copied and kept.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/wire/bulk_payments.hpp"
#include "tests/unit/wire/equal_things.hpp"

namespace nostro {
namespace {

TEST(FrameSizeTest, ABulkPaymentTakesAtMost220Bytes) {
    test::BulkPayments bulk;
    ASSERT_NE(bulk.policy(), nullptr);
    constexpr std::size_t kPayments = 4096;
    const auto frame = bulk.frame(kPayments);
    const auto& outcomes = frame->changes.outcomes;
    ASSERT_EQ(outcomes.size(), kPayments);
    ASSERT_TRUE(std::ranges::all_of(outcomes, [](const Outcome& o) { return o.status == Status::settled; }));
    ASSERT_TRUE(std::ranges::all_of(outcomes, [](const Outcome& o) { return o.why.hit_count == 2; }))
        << "two limits are looked at, and no rule fires";

    FrameBuilder builder(8 << 20);
    const FramePtr built = test::BulkPayments::build(builder, *frame);
    const double bytes_each = static_cast<double>(built->bytes().size()) / kPayments;
    RecordProperty("bytes_a_payment", std::to_string(bytes_each));
    std::printf("journal bytes a payment: %.1f\n", bytes_each);
    EXPECT_LE(bytes_each, 220);

    DecodedFrame read;
    ASSERT_TRUE(decode_body(decode_frame(built->bytes()).value(), Sections::all, read));
    EXPECT_TRUE(test::same(read.changes, frame->changes));
}

}  // namespace
}  // namespace nostro
