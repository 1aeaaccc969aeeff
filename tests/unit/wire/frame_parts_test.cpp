// An outcome that is read alone is the one that the whole frame gives.
#include "nostro/wire/frame_parts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/unit/wire/equal_things.hpp"
#include "tests/unit/wire/random_frame.hpp"

namespace nostro {
namespace {

using namespace test;

std::shared_ptr<std::vector<std::byte>> bytes_of(const FramePart& part, const EncodedFrame& frame) {
    auto bytes = std::make_shared<std::vector<std::byte>>();
    for (const FramePart::Range& range : {part.outcomes, part.commands}) {
        const auto some = frame.bytes().subspan(range.begin, range.bytes);
        bytes->insert(bytes->end(), some.begin(), some.end());
    }
    return bytes;
}

// The parts as they come back from where they were kept.
std::vector<FramePart> kept_parts(const EncodedFrame& frame) {
    std::vector<FramePart> parts;
    std::vector<std::byte> kept;
    const auto made = frame_parts(frame, [&](const FramePart& part) {
        const auto number = static_cast<std::uint32_t>(parts.size());
        const auto read = decode_part(encode_part(part, kept), frame.header.seq, number);
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(read->before, part.before);
        EXPECT_EQ(read->outcomes, part.outcomes);
        EXPECT_EQ(read->commands, part.commands);
        parts.push_back(*read);
    });
    EXPECT_TRUE(made) << made.error().what;
    return parts;
}

// A policy is the one thing that is not read alone.
bool same_but_policy(const Command& a, const Command& b) {
    if (!std::holds_alternative<ChangePolicy>(a.body)) return same(a, b);
    return std::holds_alternative<ChangePolicy>(b.body) && a.id == b.id && a.meaning == b.meaning &&
           std::get<ChangePolicy>(a.body).by == std::get<ChangePolicy>(b.body).by;
}

void expect_each_alone(const FramePtr& frame) {
    DecodedFrame whole;
    ASSERT_TRUE(decode_body(frame, Sections::outcomes, whole));
    const auto& outcomes = whole.changes.outcomes;
    const auto parts = kept_parts(*frame);
    ASSERT_EQ(parts.size(), (outcomes.size() + kPartOutcomes - 1) / kPartOutcomes);
    for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
        const FramePart& part = parts[i / kPartOutcomes];
        const auto alone = read_outcome(part, bytes_of(part, *frame), i);
        ASSERT_TRUE(alone) << alone.error().what;
        ASSERT_EQ((*alone)->outcome, outcomes[i]) << i;
        ASSERT_EQ((*alone)->place, (Place{whole.seq(), i}));
        ASSERT_EQ((*alone)->at, whole.time());
        const Command* command = command_of(whole, outcomes[i]);
        ASSERT_EQ((*alone)->has_command, command != nullptr) << i;
        ASSERT_TRUE(command == nullptr || same_but_policy((*alone)->command, *command)) << i;
    }
}

RC_GTEST_PROP(FramePartsTest, AnyOutcomeReadAloneIsThatOfTheWholeFrame, (std::uint64_t seed)) {
    RandomThings things(seed);
    const RandomFrame written(things, things.coin() ? 8 : 150);
    FrameBuilder builder(1 << 16);
    expect_each_alone(written.build(builder));
    RC_ASSERT(!::testing::Test::HasFailure());
}

TEST(FramePartsTest, AFrameWithoutOutcomesHasNone) {
    FrameBuilder builder(1 << 16);
    builder.begin();
    EXPECT_TRUE(kept_parts(*builder.finish(a_header(), {}, {}, {})).empty());
}

TEST(FramePartsTest, TheGoldenFramesOutcomesAreReadAlone) {
    std::ifstream file(NOSTRO_GOLDEN "/version_1.bin", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto frame = decode_frame(std::as_bytes(std::span(text)));
    ASSERT_TRUE(frame) << frame.error().what;
    expect_each_alone(*frame);
}

class OnePartTest : public ::testing::Test {
protected:
    OnePartTest() {
        FrameBuilder builder(1 << 16);
        for (std::uint64_t seed = 1; parts_.size() < 2; ++seed) {
            RandomThings things(seed);
            const RandomFrame written(things, 150);
            count_ = static_cast<std::uint32_t>(written.changes.outcomes.size());
            frame_ = written.build(builder);
            parts_ = kept_parts(*frame_);
        }
    }
    std::uint32_t count_ = 0;
    FramePtr frame_;
    std::vector<FramePart> parts_;
};

TEST_F(OnePartTest, BytesThatAreNotItsOwnAreSaid) {
    const FramePart& part = parts_[1];
    auto bytes = bytes_of(part, *frame_);
    const std::uint32_t index = part.before.index;
    ASSERT_TRUE(read_outcome(part, bytes, index));
    for (std::size_t at = 0; at < bytes->size(); at += 7) {
        (*bytes)[at] ^= std::byte{4};
        const auto read = read_outcome(part, bytes, index);
        ASSERT_FALSE(read) << at;
        EXPECT_EQ(read.error().code, ErrorCode::corrupt);
        (*bytes)[at] ^= std::byte{4};
    }
    bytes->pop_back();
    EXPECT_FALSE(read_outcome(part, bytes, index));
}

TEST_F(OnePartTest, AnOutcomeThatIsNotThereIsSaid) {
    const FramePart& last = parts_.back();
    const auto bytes = bytes_of(last, *frame_);
    EXPECT_TRUE(read_outcome(last, bytes, count_ - 1));
    const auto beyond = read_outcome(last, bytes, count_);
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, ErrorCode::corrupt);
}

TEST_F(OnePartTest, AKeptPartThatIsCutOffIsSaid) {
    std::vector<std::byte> into;
    const std::string kept(encode_part(parts_[0], into));
    for (std::size_t size = 0; size < kept.size(); ++size) {
        EXPECT_FALSE(decode_part(std::string_view(kept).substr(0, size), 1, 0)) << size;
    }
    EXPECT_FALSE(decode_part(kept + "x", 1, 0));
}

}  // namespace
}  // namespace nostro
