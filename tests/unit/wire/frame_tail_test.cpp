#include "nostro/wire/frame_tail.hpp"

#include <gtest/gtest.h>

#include "tests/support/frame_chain.hpp"

namespace nostro {
namespace {

TEST(FrameTailTest, KeepsTheNewestFramesUpToItsBoundAndTheLastOneAlways) {
    test::FrameChain chain(Head{});
    const FramePtr first = chain.next(0, 100);
    FrameTail tail(3 * first->bytes().size());
    EXPECT_EQ(tail.first(), 0u);
    tail.add(first);
    for (int i = 0; i < 4; ++i) tail.add(chain.next(0, 100));
    EXPECT_EQ(tail.first(), 3u);
    std::vector<FramePtr> frames;
    EXPECT_FALSE(tail.get(2, 5, 10, frames));
    ASSERT_TRUE(tail.get(4, 5, 10, frames));
    EXPECT_EQ(frames.size(), 2u);

    FrameTail none(0);
    none.add(first);
    EXPECT_EQ(none.first(), 1u);
}

TEST(FrameTailTest, GoesOnFromTheNewestWhenTheOthersWereLetGo) {
    test::FrameChain chain(Head{});
    const FramePtr first = chain.next(0, 100);
    FrameTail tail(3 * first->bytes().size());
    tail.let_go();
    tail.add(first);
    for (int i = 0; i < 2; ++i) tail.add(chain.next(0, 100));
    tail.let_go();
    EXPECT_EQ(tail.first(), 3u);
    for (int i = 0; i < 3; ++i) tail.add(chain.next(0, 100));
    EXPECT_EQ(tail.first(), 4u) << "what was let go counts no longer";
    std::vector<FramePtr> frames;
    ASSERT_TRUE(tail.get(4, 6, 10, frames));
    EXPECT_EQ(frames.size(), 3u);
}

}  // namespace
}  // namespace nostro
