// An outcome that is read alone is the one that the whole frame gives.
#include "nostro/wire/frame_parts.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/unit/wire/equal_things.hpp"
#include "tests/unit/wire/random_frame.hpp"

namespace nostro {
namespace {

using namespace test;

ReadRange reads_of(std::span<const std::byte> bytes) {
    return [bytes](std::uint32_t begin, std::span<std::byte> into) -> Result<> {
        std::ranges::copy(bytes.subspan(begin, into.size()), into.begin());
        return {};
    };
}

Result<std::shared_ptr<const OutcomeAlone>> read_alone(const FramePart& part, std::span<const std::byte> frame,
                                                       std::uint32_t index) {
    const auto bytes = read_part(part, reads_of(frame));
    if (!bytes) return bytes.error();
    return read_outcome(part, *bytes, reads_of(frame), index);
}

// The parts as they come back from where they were kept.
std::vector<FramePart> kept_parts(const DecodedFrame& frame) {
    std::vector<FramePart> parts;
    std::vector<std::byte> kept;
    frame_parts(frame, [&](const FramePart& part) {
        const auto number = static_cast<std::uint32_t>(parts.size());
        const auto read = decode_part(encode_part(part, kept), frame.seq(), number);
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(read->before, part.before);
        EXPECT_EQ(read->outcomes, part.outcomes);
        EXPECT_EQ(read->commands, part.commands);
        EXPECT_EQ(read->pieces, part.pieces);
        parts.push_back(*read);
    });
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
    whole.map.outcomes.resize(3);  // of a frame that was here before
    ASSERT_TRUE(decode_body(frame, Sections::outcomes, whole));
    const auto& outcomes = whole.changes.outcomes;
    const auto parts = kept_parts(whole);
    ASSERT_EQ(parts.size(), (outcomes.size() + kPartOutcomes - 1) / kPartOutcomes);
    for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
        const FramePart& part = parts[i / kPartOutcomes];
        const auto alone = read_alone(part, frame->bytes(), i);
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
    DecodedFrame whole;
    ASSERT_TRUE(decode_body(builder.finish(a_header(), {}, {}, {}), Sections::all, whole));
    EXPECT_TRUE(kept_parts(whole).empty());
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
        const auto alone = [](const FramePart& part) { return !part.pieces.empty(); };
        for (std::uint64_t seed = 1;
             parts_.size() < 2 || std::ranges::all_of(parts_, alone) || std::ranges::none_of(parts_, alone); ++seed) {
            RandomThings things(seed);
            const RandomFrame written(things, 150);
            count_ = static_cast<std::uint32_t>(written.changes.outcomes.size());
            frame_ = written.build(builder);
            DecodedFrame whole;
            EXPECT_TRUE(decode_body(frame_, Sections::all, whole));
            parts_ = kept_parts(whole);
        }
    }
    std::uint32_t count_ = 0;
    FramePtr frame_;
    std::vector<FramePart> parts_;
};

// Whatever is read of a part is checked, with commands that are read one by one and with others.
TEST_F(OnePartTest, BytesThatAreNotItsOwnAreSaid) {
    std::set<bool> kinds;
    for (const FramePart& part : parts_) {
        if (!kinds.insert(part.pieces.empty()).second) continue;
        std::vector<std::byte> frame(frame_->bytes().begin(), frame_->bytes().end());
        const std::uint32_t index = part.before.index;
        const auto whole = read_alone(part, frame, index);
        ASSERT_TRUE(whole);
        std::size_t said = 0;
        for (const FramePart::Range& range : {part.outcomes, part.commands}) {
            for (std::size_t at = range.begin; at < range.begin + range.bytes; ++at) {
                frame[at] ^= std::byte{4};
                const auto read = read_alone(part, frame, index);
                frame[at] ^= std::byte{4};
                said += read ? 0 : 1;
                EXPECT_TRUE(!read || (*read)->outcome == (*whole)->outcome);
            }
        }
        const std::size_t commands = part.pieces.empty() ? part.commands.bytes : (*whole)->bytes->size();
        EXPECT_EQ(said, part.outcomes.bytes + commands);
    }
    EXPECT_EQ(kinds.size(), 2u) << "both kinds of parts";
}

TEST_F(OnePartTest, AnOutcomeThatIsNotThereIsSaid) {
    const FramePart& last = parts_.back();
    EXPECT_TRUE(read_alone(last, frame_->bytes(), count_ - 1));
    const auto beyond = read_alone(last, frame_->bytes(), count_);
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
