// Topics as payments arrive on them and as they are told: what is published is read again, from where the reader says.
#include "nostro/adapters/kafka/topic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>

#include "nostro/adapters/kafka/topic_reader.hpp"
#include "nostro/adapters/memory/memory_disk.hpp"
#include "tests/servers/kafka/broker.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr milliseconds kPatience{60'000};  // only bounds how long something broken holds a test up

// A broker that is slow to answer is asked again.
bool is_well(const Result<>& done) { return done || done.error().code == ErrorCode::unavailable; }

struct Read {
    std::uint32_t part;
    std::uint64_t position;
    std::string key, value, headers;
    friend bool operator==(const Read&, const Read&) = default;
};

class KafkaTopicTest : public testing::Test {
protected:
    void SetUp() override {
        admin = KafkaClient::open(KafkaClient::Kind::producer, test::broker(), {}).value();
        ASSERT_TRUE(admin->reach(kPatience));
    }
    void make(int partitions, const KafkaOptions& settings = {}) {
        const auto made = create_topic(
            *admin, {.name = name, .partitions = partitions, .replicas = 1, .settings = settings}, kPatience);
        ASSERT_TRUE(made) << made.error().what;
        topic = KafkaTopic::open(test::broker(), {.topic = name}).value();
    }
    Result<> publish(const std::vector<std::string>& values, const std::string& key = "one") {
        std::vector<Message> messages;
        for (const std::string& value : values) messages.push_back({.key = key, .value = value, .from = {}});
        return topic->publish(messages);
    }
    // Whoever could not even ask how many partitions there are has sent nothing.
    Result<> publish_all(std::span<const Message> messages) {
        const auto until = std::chrono::steady_clock::now() + kPatience;
        auto published = topic->publish(messages);
        while (!published && is_well(published) && std::chrono::steady_clock::now() < until) {
            published = topic->publish(messages);
        }
        return published;
    }
    std::vector<Headers> newest() {
        const auto until = std::chrono::steady_clock::now() + kPatience;
        auto found = topic->newest();
        while (!found && found.error().code == ErrorCode::unavailable && std::chrono::steady_clock::now() < until) {
            found = topic->newest();
        }
        return found.value();
    }
    Result<> open(const std::vector<Cursor>& cursors = {}, bool skip_gaps = false) {
        KafkaReaderOptions options;
        options.topic = name;
        options.group = "group-" + name;
        options.skip_gaps = skip_gaps;
        options.look_every = look_every;
        options.patience = kPatience;
        options.disk = disk;
        options.commit_every = milliseconds(0);
        reader = KafkaTopicReader::open(test::broker(), options).value();
        return reader->seek(cursors);
    }
    // Until there are so many, or an error.
    Result<std::vector<Read>> read(std::size_t count) {
        std::vector<Read> all;
        const auto until = std::chrono::steady_clock::now() + kPatience;
        while (all.size() < count && std::chrono::steady_clock::now() < until) {
            std::vector<TopicMessage> messages;
            if (auto done = reader->read(1'000, milliseconds(100), messages); !is_well(done)) return done.error();
            for (const TopicMessage& each : messages) {
                std::string headers;
                for (const auto& [header, text] : each.headers) {
                    headers.append(header).append("=").append(text).append(";");
                }
                all.push_back({each.part, each.position, std::string(each.key.value_or("none")),
                               std::string(each.value), headers});
            }
        }
        return all;
    }
    std::vector<std::string> values(std::size_t count) {
        std::vector<std::string> found;
        const auto all = read(count);
        EXPECT_TRUE(all) << (all ? "" : all.error().what);
        if (!all) return found;
        for (const Read& each : *all) found.push_back(each.value);
        return found;
    }
    // What librdkafka's admin functions need around them.
    void administer(const std::function<void(rd_kafka_queue_t*)>& ask) {
        const KafkaQueue queue(rd_kafka_queue_new(admin->get()));
        ask(queue.get());
        const KafkaEvent event(rd_kafka_queue_poll(queue.get(), static_cast<int>(kPatience.count())));
        ASSERT_TRUE(event);
        ASSERT_EQ(rd_kafka_event_error(event.get()), RD_KAFKA_RESP_ERR_NO_ERROR)
            << rd_kafka_event_error_string(event.get());
    }
    void delete_before(std::int64_t first) {
        const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
        rd_kafka_topic_partition_list_add(list.get(), name.c_str(), 0)->offset = first;
        rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(list.get());
        administer([&](rd_kafka_queue_t* queue) { rd_kafka_DeleteRecords(admin->get(), &records, 1, nullptr, queue); });
        rd_kafka_DeleteRecords_destroy(records);
    }
    void add_partitions(std::size_t count) {
        std::array<char, 256> why{};
        rd_kafka_NewPartitions_t* more = rd_kafka_NewPartitions_new(name.c_str(), count, why.data(), why.size());
        ASSERT_NE(more, nullptr) << why.data();
        administer([&](rd_kafka_queue_t* queue) { rd_kafka_CreatePartitions(admin->get(), &more, 1, nullptr, queue); });
        rd_kafka_NewPartitions_destroy(more);
        // The controller knows of them before the broker does, whom those who publish ask.
        for (const auto until = std::chrono::steady_clock::now() + kPatience;
             std::chrono::steady_clock::now() < until;) {
            const auto now = topic_identity(*admin, name, kPatience);
            if (now && now->partitions == count) return;
        }
        FAIL() << "there are not as many partitions";
    }

    const std::string name = test::new_topic("topic");
    milliseconds look_every{100};
    std::unique_ptr<MemoryDisk> memory;
    Disk* disk = nullptr;
    std::unique_ptr<KafkaClient> admin;
    std::unique_ptr<KafkaTopic> topic;
    std::unique_ptr<KafkaTopicReader> reader;
};

TEST_F(KafkaTopicTest, WhatIsPublishedIsReadInOrderWithKeyAndHeaders) {
    make(1);
    const std::vector<Message> messages{{.key = "", .value = "a", .from = {}},
                                        {.key = "k", .value = "b", .from = {}, .headers = {{"why", "so"}, {"n", ""}}},
                                        {.key = "k", .value = "", .from = {}}};
    const auto published = topic->publish(messages);
    ASSERT_TRUE(published) << published.error().what;
    ASSERT_TRUE(open());
    EXPECT_THAT(read(3).value(),
                ElementsAre(Read{0, 0, "none", "a", ""}, Read{0, 1, "k", "b", "why=so;n=;"}, Read{0, 2, "k", "", ""}));
}

TEST_F(KafkaTopicTest, TheNewestOfEachPartIsKnownByItsHeaders) {
    make(3);
    topic = KafkaTopic::open(test::broker(), {.topic = name, .by_part = true}).value();
    EXPECT_THAT(newest(), testing::IsEmpty());
    const auto publish_numbered = [this](std::uint32_t part, const std::string& number) {
        const Message message{.key = {}, .value = "v", .from = {.source = 7, .part = part}, .headers = {{"n", number}}};
        return publish_all({&message, 1});
    };
    for (const char* number : {"1", "2", "3"}) ASSERT_TRUE(publish_numbered(1, number));
    EXPECT_THAT(newest(), ElementsAre(Headers{{"n", "3"}}));
    ASSERT_TRUE(publish_numbered(2, "4"));
    EXPECT_THAT(newest(), testing::UnorderedElementsAre(Headers{{"n", "3"}}, Headers{{"n", "4"}}));
    topic = KafkaTopic::open(test::broker(), {.topic = "nobody-made-it"}).value();
    EXPECT_EQ(topic->newest().error().code, ErrorCode::not_found);
}

TEST_F(KafkaTopicTest, MessagesOfOneKeyStandInOnePartition) {
    make(8);
    ASSERT_TRUE(publish({"1", "2", "3", "4"}, "alpha"));
    ASSERT_TRUE(open());
    const auto all = read(4).value();
    ASSERT_EQ(all.size(), 4u);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].part, all[0].part);
        EXPECT_EQ(all[i].value, std::to_string(i + 1));
    }
}

TEST_F(KafkaTopicTest, ReadingBeginsWhereTheCallerSaysWhateverWasCommitted) {
    make(1);
    ASSERT_TRUE(publish({"a", "b", "c", "d"}));
    ASSERT_TRUE(open());
    EXPECT_EQ(values(4).size(), 4u);
    const std::vector<Cursor> all{{7, 0, 4}};
    reader->commit(all);
    ASSERT_TRUE(open({{7, 0, 2}}));
    EXPECT_THAT(values(2), ElementsAre("c", "d"));
}

TEST_F(KafkaTopicTest, CommitsAreThereForTheToolsOfTheCluster) {
    make(1);
    ASSERT_TRUE(publish({"a", "b", "c"}));
    ASSERT_TRUE(open());
    EXPECT_EQ(values(3).size(), 3u);
    const std::vector<Cursor> two{{7, 0, 2}};
    const auto asks =
        KafkaClient::open(KafkaClient::Kind::consumer, test::broker(), {{"group.id", "group-" + name}}).value();
    const KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), name.c_str(), 0);
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (list->elems[0].offset != 2 && std::chrono::steady_clock::now() < until) {
        reader->commit(two);  // the first one may meet a cluster that has not found the group's coordinator
        std::vector<TopicMessage> none;
        ASSERT_TRUE(is_well(reader->read(1, milliseconds(10), none)));
        ASSERT_EQ(rd_kafka_committed(asks->get(), list.get(), static_cast<int>(kPatience.count())),
                  RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    EXPECT_EQ(list->elems[0].offset, 2);
}

TEST_F(KafkaTopicTest, TheEndOfEachPartIsKnownOnceItWasRead) {
    make(2);
    ASSERT_TRUE(publish({"a", "b", "c"}));
    ASSERT_TRUE(open());
    EXPECT_EQ(values(3).size(), 3u);
    std::uint64_t ends = 0;
    ASSERT_EQ(reader->parts().size(), 2u);
    for (const TopicPart& part : reader->parts()) ends += part.end;
    EXPECT_EQ(ends, 3u);
}

TEST_F(KafkaTopicTest, MessagesThatAreGoneEndTheReadingWithBothPositions) {
    make(1);
    ASSERT_TRUE(publish({"a", "b", "c", "d", "e"}));
    delete_before(3);
    ASSERT_TRUE(open({{7, 0, 1}}));
    const auto all = read(2);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::corrupt);
    EXPECT_THAT(all.error().what, HasSubstr("topic " + name + ", partition 0: message 1 is to be read next"));
    EXPECT_THAT(all.error().what, HasSubstr("its first is 3 and its end 5"));
}

TEST_F(KafkaTopicTest, APositionBehindTheEndIsATopicThatWasMadeAnew) {
    make(1);
    ASSERT_TRUE(publish({"a", "b"}));
    ASSERT_TRUE(open({{7, 0, 100}}));
    const auto all = read(1);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::corrupt);
    EXPECT_THAT(all.error().what, HasSubstr("message 100 is to be read next"));
    const auto fewer = open({{7, 5, 1}});
    ASSERT_FALSE(fewer);
    EXPECT_THAT(fewer.error().what, HasSubstr("the topic has 1 partitions"));
}

TEST_F(KafkaTopicTest, ATopicThatIsMadeAnewAndFilledBeyondThePositionEndsTheReading) {
    look_every = milliseconds(0);  // however soon that is after the last time
    make(1);
    ASSERT_TRUE(publish({"a", "b"}));
    ASSERT_TRUE(open());
    EXPECT_EQ(values(2).size(), 2u);
    test::make_anew(*admin, name);
    topic = KafkaTopic::open(test::broker(), {.topic = name}).value();
    ASSERT_TRUE(publish({"1", "2", "3", "4", "5"}));
    const auto all = read(1);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::corrupt);
    EXPECT_THAT(all.error().what, HasSubstr("topic " + name + ", partition 0: message 2 is to be read next"));
    EXPECT_THAT(all.error().what, HasSubstr("made anew under its name: its first is 0 and its end 5"));
}

TEST_F(KafkaTopicTest, ATopicThatWasMadeAnewMeanwhileIsKnownByWhatTheDiskRemembers) {
    memory = std::make_unique<MemoryDisk>(std::make_shared<MemoryStorage>());
    disk = memory.get();
    make(1);
    ASSERT_TRUE(publish({"a", "b"}));
    ASSERT_TRUE(open());
    ASSERT_TRUE(open({{7, 0, 1}}));
    EXPECT_THAT(values(1), ElementsAre("b")) << "the same topic";
    test::make_anew(*admin, name);
    topic = KafkaTopic::open(test::broker(), {.topic = name}).value();
    ASSERT_TRUE(publish({"1", "2", "3", "4", "5"}));
    ASSERT_TRUE(open({{7, 0, 2}}));
    const auto all = read(1);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::corrupt);
    EXPECT_THAT(all.error().what, HasSubstr("message 2 is to be read next"));
    EXPECT_THAT(all.error().what, HasSubstr("its first is 0 and its end 5"));
    ASSERT_TRUE(open({{7, 0, 2}}, true)) << "who wants so reads what is there";
    EXPECT_THAT(values(5), ElementsAre("1", "2", "3", "4", "5"));
    ASSERT_TRUE(open({{7, 0, 4}}));
    EXPECT_THAT(values(1), ElementsAre("5")) << "and this one is known from then on";
}

TEST_F(KafkaTopicTest, WhoWantsSoGoesOnBehindAGap) {
    make(1);
    ASSERT_TRUE(publish({"a", "b", "c", "d", "e"}));
    delete_before(3);
    ASSERT_TRUE(open({{7, 0, 1}}, true));
    EXPECT_THAT(values(2), ElementsAre("d", "e"));
}

TEST_F(KafkaTopicTest, PartitionsThatAreAddedAreReadFromTheirBeginning) {
    make(1);
    ASSERT_TRUE(publish({"a"}));
    ASSERT_TRUE(open());
    EXPECT_THAT(values(1), ElementsAre("a"));
    add_partitions(4);
    topic = KafkaTopic::open(test::broker(), {.topic = name}).value();  // knows of all of them
    std::vector<std::string> sent;
    for (int i = 0; i < 40; ++i) {
        sent.push_back(std::to_string(i));
        ASSERT_TRUE(publish({sent.back()}, "key" + sent.back()));
    }
    auto found = values(40);
    std::ranges::sort(found);
    std::ranges::sort(sent);
    EXPECT_EQ(found, sent) << "each once";
    EXPECT_EQ(reader->parts().size(), 4u);
}

TEST_F(KafkaTopicTest, ACompactedTopicIsRefused) {
    make(1, {{"cleanup.policy", "compact"}});
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::invalid);
    EXPECT_THAT(opened.error().what, HasSubstr("cleanup.policy=compact"));
}

TEST_F(KafkaTopicTest, ATopicThatIsNotThereIsNotFound) {
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::not_found) << opened.error().what;
}

TEST_F(KafkaTopicTest, AMessageThatTheTopicDoesNotTakeIsAFaultOfTheMessage) {
    make(1, {{"max.message.bytes", "2000"}});
    topic = KafkaTopic::open(test::broker(), {.topic = name, .compression = "none"}).value();
    const auto published = publish({std::string(20'000, 'x')});
    ASSERT_FALSE(published);
    EXPECT_EQ(published.error().code, ErrorCode::invalid) << published.error().what;
    EXPECT_THAT(published.error().what, HasSubstr("topic " + name));
    ASSERT_TRUE(publish({"a"}));
    ASSERT_TRUE(open());
    EXPECT_THAT(values(1), ElementsAre("a"));
}

TEST_F(KafkaTopicTest, ManyMessagesAreAllThereOnceAndInOrder) {
    make(1);
    std::vector<std::string> sent;
    for (int i = 0; i < 100'000; ++i) sent.push_back("message " + std::to_string(i));
    const auto published = publish(sent);
    ASSERT_TRUE(published) << published.error().what;
    ASSERT_TRUE(open());
    EXPECT_EQ(values(sent.size()), sent);
}

TEST_F(KafkaTopicTest, PartitionsAreTheCallersWhereItSaysSo) {
    make(3);
    topic = KafkaTopic::open(test::broker(), {.topic = name, .by_part = true}).value();
    std::vector<Message> messages;
    for (const std::uint32_t part : {0u, 4u, kEveryPart}) {
        messages.push_back({.key = {}, .value = std::to_string(part), .from = {0, part, 0}});
    }
    ASSERT_TRUE(publish_all(messages));
    ASSERT_TRUE(open());
    std::map<std::uint32_t, std::vector<std::string>> found;
    const auto all = read(5);
    ASSERT_TRUE(all);
    for (const Read& each : *all) found[each.part].push_back(each.value);
    EXPECT_THAT(found[0], ElementsAre("0", "4294967295"));
    EXPECT_THAT(found[1], ElementsAre("4", "4294967295"))
        << "as many as there are partitions, and from the first again";
    EXPECT_THAT(found[2], ElementsAre("4294967295"));
}

class SharedTopicTest : public KafkaTopicTest {
protected:
    std::unique_ptr<KafkaTopicReader> member() {
        KafkaReaderOptions options;
        options.topic = name;
        options.group = "group-" + name;
        options.shared = true;
        options.commit_every = milliseconds(0);
        options.patience = kPatience;
        auto joined = KafkaTopicReader::open(test::broker(), options).value();
        EXPECT_TRUE(joined->seek({}));
        return joined;
    }
    // What it reads until it has seen so many parts, all of it committed.
    static std::map<std::uint32_t, std::size_t> read_of(KafkaTopicReader& member, std::size_t parts) {
        std::map<std::uint32_t, std::size_t> seen;
        const auto until = std::chrono::steady_clock::now() + kPatience;
        while (seen.size() < parts && std::chrono::steady_clock::now() < until) {
            std::vector<TopicMessage> messages;
            EXPECT_TRUE(is_well(member.read(1'000, milliseconds(50), messages)));
            for (const TopicMessage& each : messages) {
                ++seen[each.part];
                const Cursor behind{0, each.part, each.position + 1};
                member.commit(std::span(&behind, 1));
            }
        }
        return seen;
    }
    void publish_to_all(int parts) {
        topic = KafkaTopic::open(test::broker(), {.topic = name, .by_part = true}).value();
        std::vector<Message> messages;
        for (int part = 0; part < parts; ++part) {
            messages.push_back({.key = {}, .value = "x", .from = {0, static_cast<std::uint32_t>(part), 0}});
        }
        ASSERT_TRUE(publish_all(messages));
    }
};

TEST_F(SharedTopicTest, BeginsWithTheFirstMessageAndGoesOnBehindTheCommits) {
    make(2);
    publish_to_all(2);
    auto one = member();
    EXPECT_EQ(read_of(*one, 2), (std::map<std::uint32_t, std::size_t>{{0, 1}, {1, 1}}));
    one.reset();
    publish_to_all(2);
    one = member();
    EXPECT_EQ(read_of(*one, 2), (std::map<std::uint32_t, std::size_t>{{0, 1}, {1, 1}})) << "and nothing twice";
}

TEST_F(SharedTopicTest, WhoLeavesWhileMessagesWaitUnreadLeavesThemToTheNext) {
    constexpr std::size_t kMessages = 2'000, kMembers = 5;
    make(1);
    topic = KafkaTopic::open(test::broker(), {.topic = name}).value();
    ASSERT_TRUE(topic->publish(std::vector<Message>(kMessages, Message{.key = {}, .value = "x", .from = {}})));
    std::uint64_t next = 0;
    for (std::size_t number = 1; number <= kMembers; ++number) {
        auto each = member();
        const auto until = std::chrono::steady_clock::now() + kPatience;
        std::vector<TopicMessage> messages;
        while (messages.empty() && std::chrono::steady_clock::now() < until) {
            ASSERT_TRUE(is_well(each->read(1, milliseconds(50), messages)));
        }
        ASSERT_EQ(messages.size(), 1u);
        EXPECT_EQ(messages.front().position, next);
        const Cursor behind{0, 0, ++next};
        each->commit(std::span(&behind, 1));
    }
}

TEST_F(SharedTopicTest, MembersShareThePartitionsAndTheLastOneHasThemAll) {
    make(2);
    publish_to_all(2);
    auto one = member();
    ASSERT_EQ(read_of(*one, 2).size(), 2u);
    auto other = member();
    // Until the newcomer has got a partition; whoever reads on serves the group.
    const auto until = std::chrono::steady_clock::now() + kPatience;
    std::map<std::uint32_t, std::size_t> of_other;
    while (of_other.empty() && std::chrono::steady_clock::now() < until) {
        publish_to_all(2);
        std::vector<TopicMessage> messages;
        EXPECT_TRUE(is_well(one->read(1'000, milliseconds(20), messages)));
        for (const TopicMessage& each : messages) {
            const Cursor behind{0, each.part, each.position + 1};
            one->commit(std::span(&behind, 1));
        }
        messages.clear();
        EXPECT_TRUE(is_well(other->read(1'000, milliseconds(20), messages)));
        for (const TopicMessage& each : messages) ++of_other[each.part];
    }
    EXPECT_EQ(of_other.size(), 1u);
    one.reset();
    publish_to_all(2);
    EXPECT_EQ(read_of(*other, 2).size(), 2u);
}

TEST_F(SharedTopicTest, WhatIsGoneBehindTheCommitsIsAnError) {
    make(1);
    publish_to_all(1);
    auto one = member();
    ASSERT_EQ(read_of(*one, 1).size(), 1u);
    one.reset();
    publish_to_all(1);
    publish_to_all(1);
    delete_before(3);
    one = member();
    const auto until = std::chrono::steady_clock::now() + kPatience;
    Result<> read;
    std::vector<TopicMessage> messages;
    while (is_well(read) && std::chrono::steady_clock::now() < until) read = one->read(10, milliseconds(50), messages);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_THAT(read.error().what, HasSubstr("message 1 is to be read next"));
}

}  // namespace
}  // namespace nostro
