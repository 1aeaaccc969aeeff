#include "nostro/adapters/kafka/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/servers/kafka/broker.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kPatience{20'000};

std::unique_ptr<KafkaClient> producer(const KafkaSettings& settings) {
    auto client = KafkaClient::open(KafkaClient::Kind::producer, settings, {});
    EXPECT_TRUE(client) << client.error().what;
    return client ? std::move(*client) : nullptr;
}

TEST(KafkaClientTest, ATopicIsMadeOnceAndHasTheSettingsItWasGiven) {
    const auto client = producer(test::broker());
    const auto reached = client->reach(kPatience);
    ASSERT_TRUE(reached) << reached.error().what;
    const KafkaTopicPlan plan{
        .name = test::new_topic("client"), .partitions = 3, .replicas = 1, .settings = {{"retention.ms", "-1"}}};
    const auto made = create_topic(*client, plan, kPatience);
    ASSERT_TRUE(made) << made.error().what;
    const auto again = create_topic(*client, plan, kPatience);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::conflict);

    const auto state = topic_state(*client, plan.name, kPatience);
    ASSERT_TRUE(state) << state.error().what;
    EXPECT_EQ(state->partitions, 3);
    EXPECT_EQ(state->replicas, 1);
    EXPECT_EQ(state->settings.at("retention.ms"), "-1");
    EXPECT_EQ(state->settings.at("cleanup.policy"), "delete");
}

TEST(KafkaClientTest, ATopicThatIsNotThereIsNotFound) {
    const auto client = producer(test::broker());
    const auto state = topic_state(*client, test::new_topic("nowhere"), kPatience);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code, ErrorCode::not_found) << state.error().what;
}

TEST(KafkaClientTest, MoreReplicasThanBrokersIsAWrongSetting) {
    const auto client = producer(test::broker());
    const auto made =
        create_topic(*client, {.name = test::new_topic("many"), .replicas = 9, .settings = {}}, kPatience);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::invalid) << made.error().what;
}

TEST(KafkaClientTest, WithoutABrokerItSaysWhereItLookedAndThatItMayComeLater) {
    KafkaSettings nobody;
    nobody.bootstrap_servers = "127.0.0.1:1";
    const auto client = producer(nobody);
    auto reached = client->reach(milliseconds(500));
    // Why is heard from a thread of the client's, which may be later than that.
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!reached && reached.error().what.find("refused") == std::string::npos &&
           std::chrono::steady_clock::now() < until) {
        reached = client->reach(milliseconds(500));
    }
    ASSERT_FALSE(reached);
    EXPECT_EQ(reached.error().code, ErrorCode::unavailable);
    EXPECT_THAT(reached.error().what, HasSubstr("127.0.0.1:1"));
    EXPECT_THAT(reached.error().what, HasSubstr("refused"));
}

TEST(KafkaClientTest, AnUnknownSettingIsRefusedByName) {
    const auto client = KafkaClient::open(KafkaClient::Kind::producer, test::broker(), {{"ack", "all"}});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, ErrorCode::invalid);
    EXPECT_THAT(client.error().what, HasSubstr("ack"));
    const auto nowhere = KafkaClient::open(KafkaClient::Kind::producer, {}, {});
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace nostro
