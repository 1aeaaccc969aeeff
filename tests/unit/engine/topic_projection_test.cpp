// What a topic is told of: each outcome once as long as nothing fails, and never one too few.
#include "nostro/engine/topic_projection.hpp"

#include "nostro/adapters/memory/memory_topic.hpp"
#include "nostro/engine/feed.hpp"
#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

class TopicProjectionTest : public testing::Test {
protected:
    void SetUp() override {
        node = std::make_unique<Node>(std::make_shared<MemoryLog>(), NodeOptions{});
        node->start();
        node->run(two_accounts());
        open();
    }
    // As a process that has just begun.
    void open() { open(disk, {}); }
    // The same of one that may own the journal after others did.
    void open(MemoryDisk& folder, std::function<std::string()> journal) {
        projection = std::make_unique<TopicProjection>(
            "topics/pay", &folder, topic,
            [this](const DecodedPtr& frame, std::uint32_t index, std::vector<Message>& messages) -> Result<> {
                if (render_trouble) return *render_trouble;
                const Outcome& outcome = frame->changes.outcomes[index];
                if (outcome.event != Event::submitted) return {};
                Message message;
                message.key = "of bob";
                message.value = std::to_string(outcome.amount.minor());
                messages.push_back(std::move(message));
                return {};
            },
            std::move(journal));
    }
    Result<> project() {
        const auto next = projection->next();
        if (!next) return next.error();
        std::vector<DecodedPtr> frames;
        for (Seq seq = *next; seq <= node->journal_head(); ++seq) frames.push_back(node->frame(seq));
        return frames.empty() ? Result<>() : projection->project(frames);
    }
    std::vector<std::string> told() const {
        std::vector<std::string> values;
        for (const Message& message : topic.messages()) values.push_back(message.value);
        return values;
    }

    MemoryDisk disk{std::make_shared<MemoryStorage>()};
    MemoryTopic topic;
    std::optional<Error> render_trouble;
    std::unique_ptr<Node> node;
    std::unique_ptr<TopicProjection> projection;
};

TEST_F(TopicProjectionTest, TellsEachOutcomeOnceOverRestarts) {
    node->run(payments(1, 3, 5));
    ASSERT_TRUE(project());
    open();
    EXPECT_EQ(*projection->next(), node->journal_head() + 1);
    node->run(payments(4, 2, 7));
    ASSERT_TRUE(project());
    EXPECT_EQ(told(), (std::vector<std::string>{"5", "5", "5", "7", "7"}));
    const auto message = topic.messages().front();
    EXPECT_EQ(message.key, "of bob");
    ASSERT_EQ(message.headers.size(), 1u);
    EXPECT_EQ(message.headers[0].first, "nostro-id");
}

TEST_F(TopicProjectionTest, WhatTheTopicMayHaveTakenIsToldAgainUnderTheSameId) {
    node->run(payments(1, 2, 5));
    topic.trouble(Error{ErrorCode::unknown, "the answer was lost"}, true);
    ASSERT_FALSE(project());
    open();
    topic.trouble(std::nullopt);
    ASSERT_TRUE(project());
    const auto all = topic.messages();
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0].headers, all[2].headers);
    EXPECT_EQ(all[1].headers, all[3].headers);
    EXPECT_NE(all[0].headers, all[1].headers);
}

TEST_F(TopicProjectionTest, WhoeverOwnsTheJournalNextGoesOnBehindTheNewestThatTheTopicHas) {
    const auto named = [](std::string name) { return [name = std::move(name)] { return name; }; };
    open(disk, named("one"));
    constexpr std::uint64_t kPaid = 100;
    for (std::uint64_t number = 1; number <= kPaid; ++number) {
        node->run(payments(number, 1, 5));
        ASSERT_TRUE(project());
    }
    MemoryDisk other{std::make_shared<MemoryStorage>()};
    open(other, named("one"));
    // What was given with the newest may be missing, and nothing before.
    EXPECT_EQ(*projection->next(), node->journal_head() - Feed::kFramesMax + 1);
    ASSERT_TRUE(project());
    EXPECT_EQ(told().size(), kPaid + Feed::kFramesMax);
    open(disk, named("one"));
    EXPECT_EQ(*projection->next(), node->journal_head() + 1) << "it knows better itself";
    open(other, named("one"));
    topic.trouble(Error{ErrorCode::unavailable, "no broker answers"});
    EXPECT_FALSE(projection->next());
    topic.trouble(std::nullopt);
    EXPECT_EQ(*projection->next(), node->journal_head() + 1);

    MemoryDisk fresh{std::make_shared<MemoryStorage>()};
    open(fresh, named("another"));
    EXPECT_EQ(*projection->next(), 1u) << "what others told of another journal says nothing";
    open(fresh, {});
    EXPECT_EQ(*projection->next(), 1u);
}

TEST_F(TopicProjectionTest, NothingIsToldOfFramesThatCannotBeRenderedYet) {
    node->run(payments(1, 2, 5));
    render_trouble = Error{ErrorCode::unavailable, "the index is behind"};
    ASSERT_FALSE(project());
    EXPECT_TRUE(told().empty());
    render_trouble.reset();
    ASSERT_TRUE(project());
    EXPECT_EQ(told().size(), 2u);
}

TEST_F(TopicProjectionTest, ADamagedPositionIsNoBeginning) {
    ASSERT_TRUE(disk.replace("topics/pay", std::as_bytes(std::span("12x", 3))));
    open();
    const auto next = projection->next();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, ErrorCode::corrupt);
    EXPECT_TRUE(next.error().what.starts_with("topics/pay: ")) << next.error().what;
}

TEST_F(TopicProjectionTest, WithoutADiskItBeginsWithTheFirstFrame) {
    projection = std::make_unique<TopicProjection>(
        "topics/pay", nullptr, topic,
        [](const DecodedPtr&, std::uint32_t, std::vector<Message>&) -> Result<> { return {}; });
    EXPECT_EQ(*projection->next(), 1u);
    ASSERT_TRUE(project());
}

}  // namespace
}  // namespace nostro::test
