#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/section.hpp"
#include "tests/unit/wire/equal_things.hpp"
#include "tests/unit/wire/random_things.hpp"

namespace nostro {
namespace {

using test::RandomThings;

Changes random_changes(RandomThings& things) {
    Changes changes;
    for (auto n = things.below(6); n > 0; --n) changes.outcomes.push_back(things.outcome());
    things.add_images(changes);
    return changes;
}

RC_GTEST_PROP(ChangesCodecTest, ReadsBackAnyChangesAsTheyWereWritten, (std::uint64_t seed)) {
    RandomThings things(seed);
    const Changes changes = random_changes(things);
    std::vector<std::byte> bytes;
    encode_changes(changes, bytes);
    Changes read;
    RC_ASSERT(decode_changes(bytes, read).has_value());
    RC_ASSERT(test::same(changes, read));
    std::vector<std::byte> again;
    encode_changes(read, again);
    RC_ASSERT(again == bytes);
}

RC_GTEST_PROP(ChangesCodecTest, NoticesEveryChangedByte, (std::uint64_t seed)) {
    RandomThings things(seed);
    const Changes changes = random_changes(things);
    std::vector<std::byte> bytes;
    encode_changes(changes, bytes);
    RC_PRE(!bytes.empty());
    const auto at = things.below(bytes.size());
    bytes[at] ^= std::byte{static_cast<std::uint8_t>(1 + things.below(255))};
    Changes read;
    const auto result = decode_changes(bytes, read);
    RC_ASSERT(!result.has_value());
    RC_ASSERT(result.error().code == ErrorCode::corrupt);
}

// What decoding says of changes that are one section with one entry.
template <class Write>
std::string refusal_of_section(SectionKind kind, Write write) {
    std::vector<std::byte> bytes;
    ByteWriter out(bytes);
    auto raw = out.claim(64);
    SectionWriter section(raw);
    section.begin(kind, 1);
    write(raw);
    section.end();
    out.commit(raw);
    out.finish();
    Changes read;
    const auto result = decode_changes(bytes, read);
    return result ? "nothing" : result.error().what;
}

TEST(ChangesCodecTest, NothingIsNoBytes) {
    std::vector<std::byte> bytes;
    encode_changes({}, bytes);
    EXPECT_TRUE(bytes.empty());
    Changes read;
    read.tenants.push_back({1, 2, 3});
    EXPECT_TRUE(decode_changes(bytes, read));
    EXPECT_TRUE(read.tenants.empty());
}

TEST(ChangesCodecTest, RefusesWhatIsCutOff) {
    RandomThings things(7);
    const Changes changes = random_changes(things);
    std::vector<std::byte> bytes;
    encode_changes(changes, bytes);
    std::size_t refused = 0;
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        Changes read;
        refused += decode_changes(std::span(bytes).first(size), read) ? 0 : 1;
    }
    // Only where a section ends it could be shorter changes.
    EXPECT_GE(refused + 9, bytes.size() - 1);
}

TEST(ChangesCodecTest, RefusesAFramesOwnSections) {
    // kind 1 (commands), one entry, one byte, and the checksum of the 13 bytes
    EXPECT_EQ(refusal_of_section(SectionKind::commands, [](RawWriter& raw) { raw.u8(0); }),
              "commands: byte 0: a section that holds no changes");
}

TEST(ChangesCodecTest, RefusesAPolicyOfNoBytes) {
    EXPECT_EQ(refusal_of_section(SectionKind::policies, [](RawWriter& raw) { raw.string(""); }),
              "policies: byte 1: no policy");
}

TEST(ChangesCodecTest, NumbersMoreLimitsThanItRemembers) {
    Changes changes;
    for (std::uint32_t i = 0; i < 500; ++i) changes.counters.push_back({{1, i}, i % 130, i / 100, 1, i});
    std::vector<std::byte> bytes;
    encode_changes(changes, bytes);
    Changes read;
    ASSERT_TRUE(decode_changes(bytes, read));
    EXPECT_TRUE(test::same(changes, read));
}

}  // namespace
}  // namespace nostro
