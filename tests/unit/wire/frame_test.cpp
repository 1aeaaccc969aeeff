#include "nostro/wire/frame.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <set>
#include <thread>

#include "nostro/base/sha256.hpp"
#include "tests/unit/wire/equal_things.hpp"
#include "tests/unit/wire/random_frame.hpp"

namespace nostro {
namespace {

using namespace test;

RC_GTEST_PROP(FrameTest, ReadsBackAnyFrameAsItWasWritten, (std::uint64_t seed)) {
    RandomThings things(seed);
    const RandomFrame written(things);
    FrameBuilder builder(1 << 16);
    const FramePtr built = written.build(builder);
    RC_ASSERT(built->bytes().size() % kFrameAlign == 0u);
    RC_ASSERT(reinterpret_cast<std::uintptr_t>(built->bytes().data()) % kFrameAlign == 0u);

    const auto copy = decode_frame(built->bytes());
    RC_ASSERT(copy.has_value());
    RC_ASSERT(std::ranges::equal((*copy)->bytes(), built->bytes()));
    RC_ASSERT((*copy)->digest == built->digest);
    RC_ASSERT((*copy)->header.seq == written.header.seq);
    RC_ASSERT((*copy)->header.time == written.header.time);

    DecodedFrame read;
    const auto result = decode_body(*copy, Sections::all, read);
    RC_ASSERT(result.has_value());
    RC_ASSERT(std::ranges::equal(read.commands, written.commands,
                                 [](const Command& a, const Command& b) { return test::same(a, b); }));
    RC_ASSERT(test::same(read.changes, written.changes));
    RC_ASSERT(read.first == written.first);
    RC_ASSERT(read.last == written.last);
}

RC_GTEST_PROP(FrameTest, ReadsTheSectionsThatAreAskedFor, (std::uint64_t seed)) {
    RandomThings things(seed);
    const RandomFrame written(things);
    FrameBuilder builder(1 << 16);
    const FramePtr built = written.build(builder);
    DecodedFrame read;
    RC_ASSERT(decode_body(built, Sections::images, read).has_value());
    RC_ASSERT(read.commands.empty());
    RC_ASSERT(test::same(read.changes, written.changes));

    RC_ASSERT(decode_body(built, Sections::outcomes, read).has_value());  // the same object again
    RC_ASSERT(read.commands.size() == written.commands.size());
    RC_ASSERT(read.changes.outcomes == written.changes.outcomes);
    RC_ASSERT(read.changes.accounts.empty() && read.changes.known.empty());

    std::vector<Cursor> first, last;
    RC_ASSERT(decode_cursors(*built, first, last).has_value());
    RC_ASSERT(first == written.first);
    RC_ASSERT(last == written.last);
}

TEST(FrameTest, EveryChangedByteIsNoticed) {
    RandomThings things(3);
    const RandomFrame written(things);
    FrameBuilder builder(1 << 16);
    const FramePtr built = written.build(builder);
    ASSERT_GT(built->header.body_bytes, 1000u);
    std::vector<std::byte> bytes(built->bytes().begin(), built->bytes().end());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const int flip : {0x01, 0x80, 0xff}) {
            bytes[at] ^= static_cast<std::byte>(flip);
            const auto read = decode_frame(bytes);
            ASSERT_FALSE(read) << "byte " << at << " xor " << flip;
            ASSERT_EQ(read.error().code, ErrorCode::corrupt);
            bytes[at] ^= static_cast<std::byte>(flip);
        }
    }
    EXPECT_TRUE(decode_frame(bytes));
}

TEST(FrameTest, AFrameCutOffAnywhereIsNoticed) {
    RandomThings things(4);
    FrameBuilder builder(1 << 16);
    const FramePtr built = RandomFrame(things).build(builder);
    for (std::size_t size = 0; size < built->bytes().size(); size += 61) {
        ASSERT_FALSE(decode_frame(built->bytes().first(size))) << size;
    }
}

TEST(FrameTest, BytesBehindAFrameAreNoneOfItsBusiness) {
    RandomThings things(5);
    FrameBuilder builder(1 << 16);
    const FramePtr built = RandomFrame(things).build(builder);
    std::vector<std::byte> bytes(built->bytes().begin(), built->bytes().end());
    bytes.insert(bytes.end(), 100, std::byte{0xee});
    const auto read = decode_frame(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ((*read)->bytes().size(), built->bytes().size());
}

TEST(FrameTest, AnEmptyFrameIsOneBlock) {
    FrameBuilder builder(1 << 16);
    builder.begin();
    const FramePtr frame = builder.finish(a_header(), {}, {}, {});
    EXPECT_EQ(frame->bytes().size(), kFrameAlign);
    EXPECT_EQ(frame->header.body_bytes, 0u);
    DecodedFrame read;
    ASSERT_TRUE(decode_body(frame, Sections::all, read));
    EXPECT_TRUE(read.commands.empty());
    EXPECT_EQ(read.seq(), 17u);
}

TEST(FrameTest, TheHeaderIsReadByItself) {
    FrameBuilder builder(1 << 16);
    builder.begin();
    const FramePtr frame = builder.finish(a_header(), {}, {}, {});
    const auto header = decode_frame_header(frame->bytes().first(kFrameHeaderBytes));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->seq, 17u);
    EXPECT_EQ(header->epoch, 3u);
    EXPECT_EQ(header->nonce, 0x0123456789abcdefu);
    EXPECT_EQ(header->time, a_header().time);
    EXPECT_EQ(header->previous, a_header().previous);
    EXPECT_EQ(header->accepted, 15u);
    EXPECT_EQ(frame_size(*header), kFrameAlign);
}

TEST(FrameTest, TheDigestIsOfTheHeaderWhichHoldsTheBodys) {
    RandomThings things(6);
    FrameBuilder builder(1 << 16);
    const FramePtr frame = RandomFrame(things).build(builder);
    EXPECT_EQ(frame->header.body_digest, sha256(frame->body()));
    EXPECT_EQ(frame->digest, sha256(frame->bytes().first(kFrameHeaderBytes)));
}

TEST(FrameTest, AnotherVersionIsNamedAndNotRead) {
    FrameBuilder builder(1 << 16);
    builder.begin();
    const FramePtr frame = builder.finish(a_header(), {}, {}, {});
    std::vector<std::byte> bytes(frame->bytes().begin(), frame->bytes().end());
    bytes[8] = std::byte{2};
    const auto read = decode_frame(bytes);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().what, "frame: header: byte 8: version 2; this program reads 1");
}

TEST(FrameTest, EqualFramesAreEqualBytes) {
    const auto built = [] {
        RandomThings things(8);
        FrameBuilder builder(1 << 16);
        return RandomFrame(things).build(builder);
    };
    EXPECT_TRUE(std::ranges::equal(built()->bytes(), built()->bytes()));
}

TEST(FrameBuilderTest, AFrameThatWasNotFinishedLeavesNoTrace) {
    FrameBuilder builder(1 << 16);
    builder.begin();
    builder.add_command(encoded({0, {}, 0, VoidPayment{{1, 2}}}));
    builder.begin();
    EXPECT_EQ(builder.commands(), 0u);
    EXPECT_EQ(builder.finish(a_header(), {}, {}, {})->header.body_bytes, 0u);
}

TEST(FrameBuilderTest, NumbersItsCommandsFromZero) {
    FrameBuilder builder(1 << 16);
    builder.begin();
    const auto bytes = encoded({0, {}, 0, VoidPayment{{1, 2}}});
    EXPECT_EQ(builder.add_command(bytes), 0u);
    EXPECT_EQ(builder.add_command(bytes), 1u);
    EXPECT_EQ(builder.commands(), 2u);
    const FramePtr frame = builder.finish(a_header(), {}, {}, {});
    builder.begin();
    EXPECT_EQ(builder.add_command(bytes), 0u);
}

TEST(FrameBuilderTest, GrowsBeyondTheUsualSize) {
    FrameBuilder builder(4096);
    const std::string document(100'000, 'x');
    builder.begin();
    for (int i = 0; i < 5; ++i) builder.add_command(encoded({0, {}, 0, KeepDeadLetter{"s", "1", "f", "w", document}}));
    const FramePtr frame = builder.finish(a_header(), {}, {}, {});
    DecodedFrame read;
    ASSERT_TRUE(decode_body(decode_frame(frame->bytes()).value(), Sections::all, read));
    ASSERT_EQ(read.commands.size(), 5u);
    EXPECT_EQ(std::get<KeepDeadLetter>(read.commands[4].body).bytes, document);
}

TEST(FrameBuilderTest, UsesTheMemoryOfFramesThatAreGone) {
    FrameBuilder builder(1 << 16);
    const auto build = [&] {
        builder.begin();
        return builder.finish(a_header(), {}, {}, {});
    };
    FramePtr first = build();
    const auto* first_bytes = first->bytes().data();
    FramePtr second = build();
    EXPECT_NE(second->bytes().data(), first_bytes) << "the first is still held";
    first.reset();
    const FramePtr third = build();
    EXPECT_EQ(third->bytes().data(), first_bytes);
}

TEST(FrameBuilderTest, SmallFramesThatAreKeptLieCloseTogether) {
    FrameBuilder builder(8u << 20);
    std::vector<FramePtr> kept;
    std::set<const std::byte*> places;
    for (int i = 0; i < 64; ++i) {
        builder.begin();
        kept.push_back(builder.finish(a_header(), {}, {}, {}));
        places.insert(kept.back()->bytes().data());
    }
    ASSERT_EQ(places.size(), kept.size());
    EXPECT_EQ(*places.rbegin() - *places.begin(), std::ptrdiff_t{63 * kFrameAlign}) << "not 8 MiB for each";
}

TEST(FrameBuilderTest, FramesMayOutliveItAndEndOnAnyThread) {
    std::vector<FramePtr> frames;
    {
        FrameBuilder builder(1 << 16);
        std::vector<std::thread> threads;
        for (int i = 0; i < 50; ++i) {
            builder.begin();
            FramePtr frame = builder.finish(a_header(), {}, {}, {});
            if (i % 10 == 0) frames.push_back(frame);
            threads.emplace_back([held = std::move(frame)] { EXPECT_EQ(held->header.seq, 17u); });
        }
        for (auto& thread : threads) thread.join();
    }
    for (const auto& frame : frames) EXPECT_TRUE(decode_frame(frame->bytes()));
}

}  // namespace
}  // namespace nostro
