// Lines as messages of a topic: each awaited, with the key that a member of theirs gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/adapters/memory/memory_topic.hpp"
#include "nostro/cli/generate_output.hpp"

namespace nostro::cli {
namespace {

using ::testing::HasSubstr;

class TopicOutputTest : public testing::Test {
protected:
    TopicOutput output(std::string_view strategy) {
        auto made = std::make_unique<MemoryTopic>();
        topic = made.get();
        return {std::move(made), key_path_of(strategy).value()};
    }
    std::vector<std::pair<std::string, std::string>> told() const {
        std::vector<std::pair<std::string, std::string>> all;
        for (const Message& message : topic->messages()) all.emplace_back(message.key, message.value);
        return all;
    }
    MemoryTopic* topic = nullptr;
};

TEST_F(TopicOutputTest, EachLineIsAMessage) {
    auto to = output("none");
    ASSERT_TRUE(to.send("{\"a\":1}\n\n{\"a\":2}\n"));
    ASSERT_TRUE(to.send("{\"a\":3}"));
    EXPECT_EQ(to.delivered(), 3u);
    EXPECT_THAT(told(), testing::ElementsAre(std::pair("", "{\"a\":1}"), std::pair("", "{\"a\":2}"),
                                             std::pair("", "{\"a\":3}")));
}

TEST_F(TopicOutputTest, AKeyIsAMemberOfTheMessage) {
    const std::string document = R"({"payment_type":"ACH","originator":{"party_id":"CUST1"},"payment_id":"ACH-1"})";
    for (const auto& [strategy, key] : {std::pair("payment_type", "ACH"), std::pair("originator_id", "CUST1"),
                                        std::pair("payment_id", "ACH-1"), std::pair("none", "")}) {
        auto to = output(strategy);
        ASSERT_TRUE(to.send(document));
        EXPECT_EQ(told().at(0), std::pair(std::string(key), document)) << strategy;
    }
}

TEST_F(TopicOutputTest, AMessageWithoutItsKeyIsToldAndNothingOfItsLinesIsSent) {
    auto to = output("payment_id");
    const auto sent = to.send("{\"payment_id\":\"a\"}\n{\"payment_id\":7}\n");
    ASSERT_FALSE(sent);
    EXPECT_THAT(sent.error().what, HasSubstr("payment_id"));
    EXPECT_TRUE(told().empty());
    EXPECT_EQ(to.delivered(), 0u);
}

TEST_F(TopicOutputTest, AnotherStrategyIsRefusedWithThoseThatThereAre) {
    const auto path = key_path_of("customer");
    ASSERT_FALSE(path);
    EXPECT_THAT(path.error().what, HasSubstr("none, originator_id, payment_id, payment_type"));
}

TEST_F(TopicOutputTest, WhatTheTopicDoesNotTakeIsNotCounted) {
    auto to = output("none");
    topic->trouble(Error{ErrorCode::unavailable, "no broker"});
    EXPECT_FALSE(to.send("{}\n"));
    EXPECT_EQ(to.delivered(), 0u);
}

}  // namespace
}  // namespace nostro::cli
