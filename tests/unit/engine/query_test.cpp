// Reads by number see what the index has not read yet.
#include "nostro/engine/query.hpp"

#include "tests/unit/engine/service_world.hpp"

namespace nostro::test {
namespace {

class QueryTest : public testing::Test {
protected:
    QueryTest() : node(log, NodeOptions{}) {
        node.start();
        node.run(two_accounts());
    }
    // One frame a payment, or each of two.
    void pay(std::uint64_t count, std::size_t each = 1) {
        for (std::uint64_t i = 0; i < count; ++i, next_ += each) node.run(payments(next_, each));
    }
    void index_through(Seq seq) {
        std::vector<DecodedPtr> frames;
        const Seq from = index.read_through() + 1;
        ASSERT_TRUE(node.frames.frames(from, seq + 1 - from, frames));
        ASSERT_TRUE(index.project(frames));
    }
    Seq newest() const { return node.frames.accepted(); }

    std::uint64_t next_ = 1;
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    Node node;
    SlowIndex index;
};

TEST_F(QueryTest, ANumberIsFoundInTheFrameThatHasItBeforeTheIndexHasReadIt) {
    pay(3, 2);
    const Seq last = newest();
    const Query query(&index, node.frames);
    for (const Seq through : {Seq{2}, last - 2, last - 1, last}) {
        index_through(through);
        for (std::uint64_t number = 1; number <= 6; ++number) {
            EXPECT_EQ(query.frame_of_number(0, number).value(), last - 2 + (number - 1) / 2) << number;
        }
        EXPECT_EQ(query.frame_of_number(0, 7).value(), std::nullopt);
        EXPECT_EQ(query.frame_of_number(1, 1).value(), std::nullopt);
    }
}

TEST_F(QueryTest, ANumberBeyondWhatIsLookedIntoIsSaidToBeBehind) {
    const Seq before = newest();
    pay(Query::kFramesMax + 1);
    index_through(before);
    const Query query(&index, node.frames);
    EXPECT_EQ(query.frame_of_number(0, Query::kFramesMax).value(), before + Query::kFramesMax);
    const auto beyond = query.frame_of_number(0, Query::kFramesMax + 1);
    ASSERT_FALSE(beyond);
    EXPECT_NE(beyond.error().what.find("index_behind"), std::string::npos);
}

TEST_F(QueryTest, AnAccountThatTheIndexHasNotReadYetIsNotSaidToBeMissing) {
    index_through(newest());
    const Query query(&index, node.frames);
    EXPECT_EQ(query.account(account_id("nostro", "carl")).value(), std::nullopt);
    node.run({an_account("carl").command()});
    const auto opened = query.account(account_id("nostro", "carl"));
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().what.find("index_behind"), std::string::npos);
    EXPECT_EQ(query.account(account_id("nostro", "dora")).value(), std::nullopt);
    EXPECT_TRUE(query.account(account_id("nostro", "ada")).value());
    pay(Query::kFramesMax);
    EXPECT_FALSE(query.account(account_id("nostro", "dora"))) << "too far behind to tell";
    index_through(newest());
    EXPECT_TRUE(query.account(account_id("nostro", "carl")).value());
    EXPECT_EQ(query.account(account_id("nostro", "dora")).value(), std::nullopt);
}

TEST_F(QueryTest, WithoutAnIndexOnlyWhatCannotBeOlderIsAnswered) {
    const Query query(nullptr, node.frames);
    pay(3);
    EXPECT_EQ(query.frame_of_number(0, 2).value(), newest() - 1);
    EXPECT_EQ(query.frame_of_number(0, 4).value(), std::nullopt);
    pay(Query::kFramesMax);
    EXPECT_EQ(query.frame_of_number(0, 5).value(), newest() + 5 - (3 + Query::kFramesMax));
    const auto older = query.frame_of_number(0, 1);
    ASSERT_FALSE(older);
    EXPECT_NE(older.error().what.find("no_index"), std::string::npos);
}

}  // namespace
}  // namespace nostro::test
