// Messages from topic to topic, through everything that goes wrong on the way.
#include "nostro/engine/relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/adapters/memory/memory_topic.hpp"
#include "nostro/adapters/memory/memory_topic_reader.hpp"

namespace nostro {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class RelayTest : public testing::Test {
protected:
    Result<> transform(const std::vector<TopicMessage>& messages, std::vector<Message>& into) {
        if (refusal) return *refusal;
        for (const TopicMessage& message : messages) {
            into.push_back({.key = {}, .value = std::string(message.value) + "!", .from = {0, message.part, 0}});
        }
        return {};
    }
    Relay relay_of(std::size_t remembered = 100) {
        return Relay(
            {.source = "rows:db", .wait = {}, .remembered = remembered}, reader,
            [this](const auto& messages, auto& into) { return transform(messages, into); }, topic);
    }
    std::vector<std::string> values() const {
        std::vector<std::string> all;
        for (const Message& message : topic.messages()) all.push_back(message.value);
        return all;
    }

    MemoryTopicReader reader;
    MemoryTopic topic;
    std::optional<Error> refusal;
    Relay relay = relay_of();
};

TEST_F(RelayTest, PublishesInOrderAndSaysWhereEachCameFrom) {
    for (const char* text : {"a", "b"}) reader.put(0, text);
    EXPECT_EQ(relay.step().value_or(0), 2u);
    EXPECT_EQ(relay.step().value_or(9), 0u);
    EXPECT_THAT(values(), ElementsAre("a!", "b!"));
    EXPECT_THAT(topic.messages()[1].headers, ElementsAre(Pair("nostro-origin", "rows:db:0:1")));
    EXPECT_THAT(reader.committed(), ElementsAre(Cursor{0, 0, 2}));
    EXPECT_EQ(relay.relayed(), 2u);
}

TEST_F(RelayTest, APositionMovesWhenTheTopicHasItsMessageAndNotBefore) {
    reader.put(0, "a");
    topic.trouble(Error{ErrorCode::unavailable, "no broker"});
    EXPECT_EQ(relay.step().value_or(9), 0u);
    EXPECT_EQ(relay.trouble(), "no broker");
    EXPECT_THAT(reader.committed(), IsEmpty());
    topic.trouble(std::nullopt);
    reader.put(0, "b");
    EXPECT_EQ(relay.step().value_or(0), 1u);
    EXPECT_THAT(reader.committed(), ElementsAre(Cursor{0, 0, 1}));
    EXPECT_EQ(relay.step().value_or(0), 1u);
    EXPECT_EQ(relay.trouble(), "");
    EXPECT_THAT(values(), ElementsAre("a!", "b!"));
}

TEST_F(RelayTest, AnAnswerThatIsLostMeansASecondCopyOfTheSameOrigin) {
    reader.put(0, "a");
    topic.trouble(Error{ErrorCode::unknown, "no answer"}, true);
    EXPECT_EQ(relay.step().value_or(9), 0u);
    topic.trouble(std::nullopt);
    EXPECT_EQ(relay.step().value_or(0), 1u);
    const auto messages = topic.messages();
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0].headers, messages[1].headers);
}

TEST_F(RelayTest, TheSecondCopyIsDroppedByTheNextRelayAndTheOriginStays) {
    for (int copy = 0; copy < 2; ++copy) reader.put(0, "a", std::nullopt, {{"nostro-origin", "rows:db:0:7"}});
    EXPECT_EQ(relay.step().value_or(0), 1u);
    EXPECT_EQ(relay.dropped(), 1u);
    EXPECT_THAT(topic.messages()[0].headers, ElementsAre(Pair("nostro-origin", "rows:db:0:7")));
    EXPECT_THAT(reader.committed(), ElementsAre(Cursor{0, 0, 2})) << "behind the copy, too";
}

TEST_F(RelayTest, AnOriginThatSomebodyInventsStandsInNoMessagesWay) {
    reader.put(0, "forged", std::nullopt, {{"nostro-origin", "rows:db:0:7"}});
    reader.put(0, "true", std::nullopt, {{"nostro-origin", "rows:db:0:7"}});
    reader.put(0, "odd", std::nullopt, {{"nostro-origin", "7"}});
    EXPECT_EQ(relay.step().value_or(0), 3u);
    EXPECT_THAT(values(), ElementsAre("forged!", "true!", "odd!"));
}

TEST_F(RelayTest, WhatItRemembersIsBounded) {
    Relay forgetful = relay_of(1);
    for (const char* origin : {"x:0:1", "x:0:2", "x:0:1"})
        reader.put(0, "a", std::nullopt, {{"nostro-origin", origin}});
    EXPECT_EQ(forgetful.step().value_or(0), 3u);
    EXPECT_EQ(forgetful.dropped(), 0u);
}

TEST_F(RelayTest, WhatCannotBeTransformedNowIsAskedForAgain) {
    reader.put(0, "a");
    refusal = Error{ErrorCode::unavailable, "no database"};
    EXPECT_EQ(relay.step().value_or(9), 0u);
    EXPECT_EQ(relay.trouble(), "no database");
    refusal.reset();
    EXPECT_EQ(relay.step().value_or(0), 1u);
    EXPECT_THAT(values(), ElementsAre("a!"));
}

TEST_F(RelayTest, WhatIsGoneEndsIt) {
    reader.put(0, "a");
    reader.trim(0, 1);
    const auto step = relay.step();
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, ErrorCode::corrupt);
    EXPECT_THAT(values(), IsEmpty());
}

TEST_F(RelayTest, TellsHowMuchIsNotRelayedYet) {
    for (int i = 0; i < 3; ++i) reader.put(1, std::to_string(i));
    Relay slow(
        {.source = "rows:db", .messages_max = 2}, reader,
        [this](const auto& messages, auto& into) { return transform(messages, into); }, topic);
    ASSERT_TRUE(slow.step());
    ASSERT_EQ(slow.lags().size(), 1u);
    EXPECT_EQ(slow.lags()[0].part, 1u);
    EXPECT_EQ(slow.lags()[0].end, 1u);
}

}  // namespace
}  // namespace nostro
