// A frame of format version 1, as the first program wrote it, means the same to every program for ever.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/unit/wire/equal_things.hpp"
#include "tests/unit/wire/golden_frame.hpp"

namespace nostro {
namespace {

std::vector<std::byte> golden_bytes() {
    std::ifstream file(NOSTRO_GOLDEN "/version_1.bin", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

class FrameGoldenTest : public ::testing::Test {
protected:
    void SetUp() override {
        bytes_ = golden_bytes();
        ASSERT_FALSE(bytes_.empty());
        auto frame = decode_frame(bytes_);
        ASSERT_TRUE(frame) << frame.error().what;
        const auto read = decode_body(*frame, Sections::all, read_);
        ASSERT_TRUE(read) << read.error().what;
        ASSERT_EQ(read_.changes.policies.size(), 1u);
    }
    std::vector<std::byte> bytes_;
    DecodedFrame read_;
};

TEST_F(FrameGoldenTest, StillMeansTheSame) {
    const test::GoldenFrame golden(read_.changes.policies[0]);
    EXPECT_EQ(read_.frame->header.seq, 1042u);
    EXPECT_EQ(read_.frame->header.epoch, 3u);
    EXPECT_EQ(read_.frame->header.nonce, 0x0123456789abcdefu);
    EXPECT_EQ(read_.frame->header.time, golden.header.time);
    EXPECT_EQ(read_.frame->header.previous, golden.header.previous);
    EXPECT_EQ(read_.frame->header.accepted, 1040u);
    EXPECT_EQ(read_.first, golden.first);
    EXPECT_EQ(read_.last, golden.last);
    ASSERT_EQ(read_.commands.size(), golden.commands.size());
    for (std::size_t i = 0; i < golden.commands.size(); ++i) {
        EXPECT_TRUE(test::same(read_.commands[i], golden.commands[i])) << "command " << i;
    }
    ASSERT_EQ(read_.changes.outcomes.size(), golden.changes.outcomes.size());
    for (std::size_t i = 0; i < golden.changes.outcomes.size(); ++i) {
        EXPECT_EQ(read_.changes.outcomes[i], golden.changes.outcomes[i]) << "outcome " << i;
    }
    EXPECT_TRUE(test::same_images(read_.changes, golden.changes));
    EXPECT_EQ(read_.changes.policies[0]->version(), 5u);
    EXPECT_EQ(read_.changes.policies[0]->tenant(), "nostro");
}

TEST_F(FrameGoldenTest, IsStillWrittenByteForByte) {
    const test::GoldenFrame golden(read_.changes.policies[0]);
    const FramePtr again = golden.build();
    EXPECT_TRUE(std::ranges::equal(again->bytes(), bytes_));
}

}  // namespace
}  // namespace nostro
