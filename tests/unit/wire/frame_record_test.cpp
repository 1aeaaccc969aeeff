#include "nostro/wire/frame_record.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/frame_chain.hpp"

namespace nostro {
namespace {

TEST(FrameRecord, IsTheFrameWithoutItsPadding) {
    test::FrameChain chain({});
    for (const std::size_t payload : {0, 1'000, 5'000}) {
        const FramePtr frame = chain.next(0, payload);
        const auto record = record_of(*frame);
        EXPECT_LT(record.size(), frame->bytes().size());
        const auto decoded = decode_record(record);
        ASSERT_TRUE(decoded) << decoded.error().what;
        EXPECT_TRUE(test::same_bytes(frame, *decoded));
        EXPECT_EQ((*decoded)->digest, frame->digest);
    }
}

TEST(FrameRecord, OfAnotherLengthIsCorrupt) {
    test::FrameChain chain({});
    const auto record = record_of(*chain.next(0, 100));
    std::vector<std::byte> longer(record.begin(), record.end());
    longer.push_back({});
    for (const auto& wrong : {std::span<const std::byte>(longer), record.first(record.size() - 1),
                              record.first(kFrameHeaderBytes - 1), record.first(0)}) {
        const auto decoded = decode_record(wrong);
        ASSERT_FALSE(decoded) << wrong.size();
        EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
    }
}

}  // namespace
}  // namespace nostro
