#include "nostro/base/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <string>

namespace nostro {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
    std::vector<std::byte> result;
    for (const int value : values) result.push_back(static_cast<std::byte>(value));
    return result;
}

// Every way of writing, chosen by the tests below.
template <class Writer>
void write_one_of_each(Writer& writer) {
    writer.u8(0x01);
    writer.u16(0x0203);
    writer.u32(0x04050607);
    writer.u64(0x08090a0b0c0d0e0f);
    writer.i64(-2);
    writer.varint(300);
    writer.zigzag(-3);
    writer.string("hi");
    writer.text("!");
}

const auto kOneOfEach =
    bytes({0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08,
           0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xac, 0x02, 0x05, 0x02, 'h',  'i',  '!'});

TEST(ByteWriterTest, WritesLittleEndianIntoEveryTarget) {
    std::vector<std::byte> vector;
    {
        ByteWriter writer(vector);
        write_one_of_each(writer);
    }
    EXPECT_EQ(vector, kOneOfEach);

    ByteBuffer buffer;
    {
        ByteWriter writer(buffer);
        write_one_of_each(writer);
    }
    EXPECT_TRUE(std::equal(kOneOfEach.begin(), kOneOfEach.end(), buffer.view().begin(), buffer.view().end()));

    std::array<std::byte, 30> fixed;
    ByteWriter writer(fixed);
    write_one_of_each(writer);
    EXPECT_TRUE(writer.ok());
    EXPECT_TRUE(std::equal(kOneOfEach.begin(), kOneOfEach.end(), writer.view().begin(), writer.view().end()));
}

TEST(ByteWriterTest, ManyShortAppendsToABufferMoveItSeldom) {
    ByteBuffer buffer;
    int moves = 0;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        const std::byte* before = buffer.data();
        ByteWriter(buffer).u32(i);
        moves += buffer.data() != before ? 1 : 0;
    }
    ASSERT_EQ(buffer.size(), 40'000u);
    EXPECT_LE(moves, 16);
    ByteReader reader(buffer.view());
    for (std::uint32_t i = 0; i < 10'000; ++i) ASSERT_EQ(reader.u32(), i);
}

TEST(ByteWriterTest, ClaimedRoomIsWrittenWithoutChecks) {
    std::vector<std::byte> vector;
    ByteWriter writer(vector);
    RawWriter raw = writer.claim(100);
    write_one_of_each(raw);
    writer.commit(raw);
    writer.finish();
    EXPECT_EQ(vector, kOneOfEach);
}

TEST(ByteWriterTest, AppendsBehindWhatIsThere) {
    auto vector = bytes({9});
    ByteWriter writer(vector);
    writer.u8(7);
    EXPECT_EQ(writer.size(), 2u);
    writer.finish();
    EXPECT_EQ(vector, bytes({9, 7}));
    writer.u8(8);  // usable after finish()
    writer.finish();
    EXPECT_EQ(vector, bytes({9, 7, 8}));
}

TEST(ByteWriterTest, AFixedBufferThatIsTooSmallIsToldAndNeverOverrun) {
    std::array<std::byte, 8> memory{};
    memory.back() = std::byte{0x55};
    ByteWriter writer{std::span(memory).first(7)};
    writer.u32(1);
    EXPECT_TRUE(writer.ok());
    writer.u32(2);
    EXPECT_FALSE(writer.ok());
    writer.u8(3);  // fits, but the writer stays failed
    EXPECT_FALSE(writer.ok());
    EXPECT_EQ(memory.back(), std::byte{0x55});
}

TEST(ByteWriterTest, LengthsArePatchedAfterwards) {
    std::vector<std::byte> vector;
    ByteWriter writer(vector);
    writer.u32(0);
    writer.string("body");
    writer.patch_u32(0, static_cast<std::uint32_t>(writer.size()));
    writer.finish();
    ByteReader reader(vector);
    EXPECT_EQ(reader.u32(), vector.size());
}

TEST(ByteWriterDeathTest, AClaimBeyondAFixedBufferOrAPatchBehindTheEndIsABug) {
    std::array<std::byte, 4> memory;
    ByteWriter writer(memory);
    EXPECT_DEATH(static_cast<void>(writer.claim(5)), "too small");
    EXPECT_DEATH(writer.patch_u32(0, 1), "behind the end");
}

TEST(ByteBufferTest, KeepsItsMemoryWhenCleared) {
    ByteBuffer buffer(64);
    {
        ByteWriter(buffer).u64(1);
    }
    EXPECT_EQ(buffer.size(), 8u);
    const std::byte* before = buffer.data();
    buffer.clear();
    EXPECT_TRUE(buffer.empty());
    {
        ByteWriter(buffer).u64(2);
    }
    EXPECT_EQ(buffer.data(), before);
    EXPECT_EQ(buffer.size(), 8u);
}

// --- Reading ---

TEST(ByteReaderTest, ReadsWhatWasWritten) {
    ByteReader reader(kOneOfEach);
    EXPECT_EQ(reader.u8(), 0x01);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u32(), 0x04050607u);
    EXPECT_EQ(reader.u64(), 0x08090a0b0c0d0e0fu);
    EXPECT_EQ(reader.i64(), -2);
    EXPECT_EQ(reader.varint(), 300u);
    EXPECT_EQ(reader.zigzag(), -3);
    EXPECT_EQ(reader.string(), "hi");
    EXPECT_FALSE(reader.done());
    EXPECT_EQ(reader.text(1), "!");
    EXPECT_TRUE(reader.done());
}

// Cut anywhere, a reader ends with a failure and zeros, never beyond the end (the sanitizers look on).
TEST(ByteReaderTest, EveryTruncationIsFound) {
    for (std::size_t size = 0; size < kOneOfEach.size(); ++size) {
        const std::vector<std::byte> cut(kOneOfEach.begin(), kOneOfEach.begin() + static_cast<std::ptrdiff_t>(size));
        ByteReader reader(cut);
        reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.i64(), reader.varint(), reader.zigzag();
        reader.string(), reader.text(1);
        EXPECT_FALSE(reader.ok()) << size;
        EXPECT_TRUE(reader.at_end()) << size;
        EXPECT_EQ(reader.u64(), 0u);
        EXPECT_TRUE(reader.string().empty());
    }
}

TEST(ByteReaderTest, VarintsHaveOneEncoding) {
    const std::pair<std::vector<std::byte>, std::uint64_t> good[] = {
        {bytes({0}), 0},
        {bytes({0x7f}), 127},
        {bytes({0x80, 1}), 128},
        {bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}), UINT64_MAX},
    };
    for (const auto& [encoded, value] : good) {
        ByteReader reader(encoded);
        EXPECT_EQ(reader.varint(), value);
        EXPECT_TRUE(reader.done());
    }
    const std::vector<std::byte> bad[] = {
        bytes({0x80, 0}),                                                        // padded
        bytes({0xff, 0x80, 0x00}),                                               // padded
        bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}),        // 65 bits
        bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}),  // 11 bytes
        bytes({0x80}),                                                           // cut off
        {},
    };
    for (const auto& encoded : bad) {
        ByteReader reader(encoded);
        EXPECT_EQ(reader.varint(), 0u);
        EXPECT_FALSE(reader.ok());
    }
}

TEST(ByteReaderTest, ALengthThatLiesIsRefusedBeforeAnythingIsTaken) {
    const auto lying = bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 'x'});
    ByteReader reader(lying);
    EXPECT_TRUE(reader.string().empty());
    EXPECT_FALSE(reader.ok());

    ByteReader counted(lying);
    EXPECT_EQ(counted.varint_at_most(10'000), 0u);
    EXPECT_FALSE(counted.ok());
}

RC_GTEST_PROP(ByteCodecTest, IntegersReadBack, (std::uint64_t a, std::int64_t b, std::uint32_t c, std::uint16_t d)) {
    const auto shift = *rc::gen::inRange(0, 64);
    std::vector<std::byte> vector;
    ByteWriter writer(vector);
    writer.varint(a >> shift), writer.zigzag(b >> shift), writer.u64(a), writer.i64(b), writer.u32(c), writer.u16(d);
    writer.finish();
    RC_ASSERT(varint_size(a >> shift) + varint_size(zigzag_encode(b >> shift)) + 22 == vector.size());

    ByteReader reader(vector);
    RC_ASSERT(reader.varint() == a >> shift);
    RC_ASSERT(reader.zigzag() == b >> shift);
    RC_ASSERT(reader.u64() == a);
    RC_ASSERT(reader.i64() == b);
    RC_ASSERT(reader.u32() == c);
    RC_ASSERT(reader.u16() == d);
    RC_ASSERT(reader.done());
}

RC_GTEST_PROP(ByteCodecTest, TextsReadBack, (const std::vector<std::string>& texts)) {
    std::vector<std::byte> vector;
    {
        ByteWriter writer(vector);
        writer.varint(texts.size());
        for (const auto& text : texts) writer.string(text);
    }
    ByteReader reader(vector);
    RC_ASSERT(reader.varint() == texts.size());
    for (const auto& text : texts) RC_ASSERT(reader.string() == text);
    RC_ASSERT(reader.done());
}

RC_GTEST_PROP(ByteCodecTest, NoBytesHarmAReader, (const std::vector<std::uint8_t>& noise)) {
    ByteReader reader(std::as_bytes(std::span(noise)));
    std::size_t taken = 0;
    while (reader.ok() && !reader.at_end()) {
        taken += reader.string().size() + varint_size(reader.varint());
        static_cast<void>(reader.zigzag());
    }
    RC_ASSERT(taken <= noise.size() + 10);
}

}  // namespace
}  // namespace nostro
