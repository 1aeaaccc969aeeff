// What the Kafka journal adds to the contract: several owners, records that are no frames, topics that are not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "nostro/adapters/kafka/kafka_journal.hpp"
#include "nostro/wire/frame_record.hpp"
#include "tests/servers/kafka/broker.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using test::FrameChain;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr milliseconds kPatience{60'000};  // only bounds how long something broken holds a test up

// What an owner is told when it has lost its journal, on a thread of the journal's.
class Loss {
public:
    std::function<void(const Error&)> report() {
        return [this](const Error& error) {
            const std::lock_guard lock(mutex_);
            lost_ = error;
            told_.notify_all();
        };
    }
    // nullopt: nobody told it for long.
    std::optional<Error> wait() {
        std::unique_lock lock(mutex_);
        told_.wait_for(lock, kPatience, [this] { return lost_.has_value(); });
        return lost_;
    }

private:
    std::mutex mutex_;
    std::condition_variable told_;
    std::optional<Error> lost_;
};

class KafkaJournalTest : public testing::Test {
protected:
    KafkaJournalOptions options() const {
        KafkaJournalOptions to;
        to.cluster = test::broker();
        to.topic = topic_;
        to.single_broker = true;
        to.reach_patience = to.look_up_patience = kPatience;
        return to;
    }
    // An owner that notices nothing by itself, so that what it meets does not depend on when it looks.
    KafkaJournalOptions without_watch() const {
        auto to = options();
        to.watch_every = kPatience * 10;
        return to;
    }
    std::unique_ptr<KafkaJournal> open() const { return open(options()); }
    // The broker may be slow: it is asked again.
    static std::unique_ptr<KafkaJournal> open(const KafkaJournalOptions& with) {
        auto journal = KafkaJournal::open(with);
        const auto until = std::chrono::steady_clock::now() + kPatience;
        while (!journal && journal.error().code == ErrorCode::unavailable && std::chrono::steady_clock::now() < until) {
            journal = KafkaJournal::open(with);
        }
        if (!journal) throw std::runtime_error(journal.error().what);
        return std::move(*journal);
    }
    // Follows until it has come there; a broker that does not answer for a moment is asked again.
    static void follow_to(KafkaJournal& journal, Seq seq) {
        const auto until = std::chrono::steady_clock::now() + kPatience;
        for (;;) {
            const auto end = journal.follow(milliseconds(50));
            if (end && *end >= seq && read(journal).size() >= seq) return;
            if (!end && end.error().code != ErrorCode::unavailable) throw std::runtime_error(end.error().what);
            if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the follower does not get there");
        }
    }
    static Head take_over(KafkaJournal& journal) {
        auto head = journal.take_over();
        if (!head) throw std::runtime_error(head.error().what);
        return *head;
    }
    // What accepted() says once it says something about the frame.
    static Result<Seq> wait_for(KafkaJournal& journal, Seq seq) {
        for (;;) {
            auto accepted = journal.accepted();
            if (!accepted || *accepted >= seq) return accepted;
        }
    }
    static std::vector<FramePtr> write(KafkaJournal& journal, FrameChain& chain, int count) {
        std::vector<FramePtr> frames;
        for (int i = 0; i < count; ++i) {
            frames.push_back(chain.next(chain.head().seq));
            EXPECT_TRUE(journal.append(frames.back()));
            const auto accepted = wait_for(journal, chain.head().seq);
            EXPECT_TRUE(accepted) << accepted.error().what;
        }
        return frames;
    }
    static std::vector<FramePtr> read(const Journal& journal) {
        std::vector<FramePtr> frames;
        const auto done = journal.read(1, [&](const FramePtr& frame) {
            frames.push_back(frame);
            return true;
        });
        EXPECT_TRUE(done) << done.error().what;
        return frames;
    }
    // A record from somebody who is no owner; returns when it is in the log.
    void put(std::span<const std::byte> record) const {
        bool delivered = false;
        auto client = KafkaClient::open(KafkaClient::Kind::producer, test::broker(), {{"acks", "all"}},
                                        [&](const rd_kafka_message_t& message) {
                                            EXPECT_EQ(message.err, RD_KAFKA_RESP_ERR_NO_ERROR);
                                            delivered = true;
                                        });
        ASSERT_TRUE(client);
        const KafkaTopicHandle topic(rd_kafka_topic_new((*client)->get(), topic_.c_str(), nullptr));
        ASSERT_EQ(rd_kafka_produce(topic.get(), 0, RD_KAFKA_MSG_F_COPY, const_cast<std::byte*>(record.data()),
                                   record.size(), nullptr, 0, nullptr),
                  0);
        while (!delivered) (*client)->poll(milliseconds(100));
    }

    const std::string topic_ = test::new_topic("journal");
};

TEST_F(KafkaJournalTest, AfterATakeOverNoFrameOfTheOldOwnerCountsEvenIfItContinuesTheChain) {
    const auto old = open(without_watch());
    FrameChain old_chain(take_over(*old));
    auto written = write(*old, old_chain, 3);

    const auto owner = open();
    const Head head = take_over(*owner);
    EXPECT_EQ(head.seq, 3u);
    EXPECT_EQ(head.epoch, 2u);
    ASSERT_TRUE(old->append(old_chain.next(3)));  // the very frame that would be next
    const auto fenced = wait_for(*old, 4);
    ASSERT_FALSE(fenced);
    EXPECT_EQ(fenced.error().code, ErrorCode::fenced) << fenced.error().what;
    EXPECT_THAT(fenced.error().what, HasSubstr("epoch 2"));
    EXPECT_EQ(old->append(old_chain.next(3)).error().code, ErrorCode::fenced);

    FrameChain chain(head, 99);
    for (auto& frame : write(*owner, chain, 2)) written.push_back(std::move(frame));
    EXPECT_EQ(owner->void_records(), 1u);
    for (const auto* reader : {owner.get(), open().release()}) {
        const std::unique_ptr<const KafkaJournal> kept(reader == owner.get() ? nullptr : reader);
        if (kept) take_over(const_cast<KafkaJournal&>(*kept));
        const auto frames = read(*reader);
        ASSERT_THAT(frames, SizeIs(5));
        for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(test::same_bytes(frames[i], written[i])) << i + 1;
    }
}

TEST_F(KafkaJournalTest, AnIdleOwnerFindsOutByItselfThatItWasOvertaken) {
    Loss loss;
    auto with = options();
    with.on_lost = loss.report();
    const auto old = open(with);
    FrameChain chain(take_over(*old));
    write(*old, chain, 1);
    const auto owner = open();
    take_over(*owner);
    const auto lost = loss.wait();
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->code, ErrorCode::fenced);
    EXPECT_EQ(old->ready(Journal::Need::intake).error().code, ErrorCode::fenced);
}

TEST_F(KafkaJournalTest, WhoeverFollowsReadsWhatCountsAsItComesAndClaimsNothing) {
    auto owner = open();
    FrameChain chain(take_over(*owner));
    write(*owner, chain, 3);
    auto follower = open();
    EXPECT_EQ(follower->follow(milliseconds(0)).value(), 3u);
    EXPECT_THAT(read(*follower), SizeIs(3));
    write(*owner, chain, 2);
    follow_to(*follower, 5);
    // What counts for no owner counts for no follower, and what a new owner writes does.
    put(std::vector<std::byte>(40));
    auto next = open();
    FrameChain continued(take_over(*next));
    write(*next, continued, 2);
    follow_to(*follower, 7);
    EXPECT_EQ(follower->void_records(), 1u);
    EXPECT_EQ(follower->epoch(), 2u);
    EXPECT_EQ(take_over(*follower).seq, 7u);
    EXPECT_EQ(follower->follow(milliseconds(0)).error().code, ErrorCode::invalid);
}

TEST_F(KafkaJournalTest, RecordsThatAreNoFramesOfTheChainAreVoidAndCounted) {
    const auto owner = open(without_watch());  // it meets the hole when it writes
    FrameChain chain(take_over(*owner));
    const auto written = write(*owner, chain, 3);
    const std::string greeting = "hello";
    put(std::as_bytes(std::span(greeting)));
    put(record_of(*written[2]));  // a second copy
    put(record_of(*written[0]));
    put(encode_claim({.epoch = 1, .nonce = 5}));  // of an epoch that is gone
    FrameChain stranger(chain.head(), 1234);      // of our epoch and chain, but damaged on its way
    const auto next = stranger.next(3);
    std::vector<std::byte> damaged(record_of(*next).begin(), record_of(*next).end());
    damaged.back() ^= std::byte{1};
    put(damaged);

    write(*owner, chain, 2);
    EXPECT_EQ(owner->void_records(), 5u);
    EXPECT_EQ(owner->looked_up(), 1u);  // behind the hole reports are believed again
    EXPECT_THAT(read(*owner), SizeIs(5));
}

TEST_F(KafkaJournalTest, OfManyTakeOversEachHasItsOwnEpochAndTheChainStaysOne) {
    Head head;
    std::vector<std::unique_ptr<KafkaJournal>> owners;
    for (std::uint32_t epoch = 1; epoch <= 4; ++epoch) {
        owners.push_back(open());
        head = take_over(*owners.back());
        EXPECT_EQ(head.epoch, epoch);
        FrameChain chain(head, epoch);
        write(*owners.back(), chain, 1);
    }
    // All but the last write at once, each what it believes to be next.
    for (std::size_t i = 0; i + 1 < owners.size(); ++i) {
        Head believed = head;
        believed.epoch = static_cast<std::uint32_t>(i + 1);
        believed.seq = i + 1;
        const auto mine = read(*owners[i]).back();
        believed.digest = mine->digest;
        believed.time = mine->header.time;
        believed.cursors = {{7, 0, believed.seq * 10}};
        FrameChain chain(believed, i + 1);
        // It may have found out by looking, before it writes.
        const auto appended = owners[i]->append(chain.next(believed.seq));
        const auto fenced = appended ? wait_for(*owners[i], believed.seq + 1) : appended.error();
        ASSERT_FALSE(fenced);
        EXPECT_EQ(fenced.error().code, ErrorCode::fenced);
    }
    EXPECT_THAT(read(*owners.back()), SizeIs(4));
}

TEST_F(KafkaJournalTest, WhoeverHasTheChainUpToAFrameBeginsToReadBehindIt) {
    // Claims and void records stand between the frames.
    std::vector<FramePtr> written;
    std::vector<std::uint64_t> owners;
    Head head;
    for (std::uint32_t epoch = 1; epoch <= 5; ++epoch) {
        const auto owner = open();
        head = take_over(*owner);
        owners.push_back(owner->nonce());
        FrameChain chain(head, epoch);
        for (auto& frame : write(*owner, chain, 40)) written.push_back(std::move(frame));
        for (int i = 0; i < 5; ++i) put(record_of(*written[written.size() - 20]));
    }
    for (const Seq known : {Seq{1}, Seq{40}, Seq{41}, Seq{77}, Seq{120}, Seq{181}, Seq{200}}) {
        const auto journal = open();
        const auto point = point_behind(*written[known - 1]);
        ASSERT_TRUE(point);
        journal->expect_origin(4711, "the folder");
        ASSERT_TRUE(journal->begin_behind(*point));
        EXPECT_EQ(journal->owner(), owners[(known - 1) / 40]) << "of the claim before frame " << known;
        EXPECT_EQ(journal->follow(milliseconds(0)).value(), 200u);
        EXPECT_LE(journal->void_records(), (200 - known) / 40 * 5 + 5);
        Seq next = known;
        const auto read =
            journal->read(known + 1, [&](const FramePtr& frame) { return test::same_bytes(frame, written[next++]); });
        ASSERT_TRUE(read) << read.error().what;
        EXPECT_EQ(*read, 201u) << known;
        EXPECT_EQ(journal->read(known, [](const FramePtr&) { return true; }).error().code, ErrorCode::not_found);
    }
    // A frame that is not in the log: all of it is read.
    const auto journal = open();
    auto stranger = *point_behind(*written[99]);
    stranger.digest = {};
    ASSERT_TRUE(journal->begin_behind(stranger));
    EXPECT_EQ(journal->follow(milliseconds(0)).value(), 200u);
    EXPECT_THAT(read(*journal), SizeIs(200));
    // One that took it over from there writes on.
    const auto owner = open();
    ASSERT_TRUE(owner->begin_behind(*point_behind(*written[150])));
    head = take_over(*owner);
    EXPECT_EQ(head.seq, 200u);
    EXPECT_EQ(head.epoch, 6u);
    EXPECT_EQ(head.digest, written.back()->digest);
    FrameChain chain(head, 6);
    for (auto& frame : write(*owner, chain, 3)) written.push_back(std::move(frame));
    EXPECT_EQ(take_over(*open()).seq, 203u);

    // Records before one of them are deleted.
    auto admin = KafkaClient::open(KafkaClient::Kind::producer, test::broker(), {});
    ASSERT_TRUE(admin);
    test::delete_records(**admin, topic_, 150);
    const auto reaches = open(), lacks = open(), empty = open();
    ASSERT_TRUE(reaches->begin_behind(*point_behind(*written[150])));
    EXPECT_EQ(take_over(*reaches).seq, 203u);
    const auto refused = lacks->begin_behind(*point_behind(*written[10]));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
    EXPECT_THAT(refused.error().what, HasSubstr("begins with record 150"));
    EXPECT_THAT(refused.error().what, HasSubstr("frame 11, with which the data folder's mirror ends, is not in it"));
    EXPECT_THAT(empty->begin_behind({}).error().what, HasSubstr("the data folder has none of them"));
}

TEST_F(KafkaJournalTest, AChainThatEndsBeforeWhatSomebodyHasSeenIsRefused) {
    {
        const auto owner = open();
        FrameChain chain(take_over(*owner));
        write(*owner, chain, 3);
    }
    const auto fine = open();
    fine->expect(3, "the query index");
    EXPECT_TRUE(fine->take_over());
    const auto journal = open();
    journal->expect(4, "the query index");
    const auto head = journal->take_over();
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, ErrorCode::corrupt);
    EXPECT_THAT(head.error().what, HasSubstr("the query index has seen frame 4"));
}

TEST_F(KafkaJournalTest, ATopicThatWasCutOrMadeAnewEndsTheOwner) {
    Loss loss;
    auto with = options();
    with.look_up_patience = milliseconds(1000);
    with.on_lost = loss.report();
    const auto owner = open(with);
    FrameChain chain(take_over(*owner));
    write(*owner, chain, 3);
    auto admin = KafkaClient::open(KafkaClient::Kind::producer, test::broker(), {});
    ASSERT_TRUE(admin);
    const KafkaQueue queue(rd_kafka_queue_new((*admin)->get()));
    rd_kafka_DeleteTopic_t* gone = rd_kafka_DeleteTopic_new(topic_.c_str());
    rd_kafka_DeleteTopics((*admin)->get(), &gone, 1, nullptr, queue.get());
    const KafkaEvent answer(rd_kafka_queue_poll(queue.get(), 20'000));
    rd_kafka_DeleteTopic_destroy(gone);
    ASSERT_TRUE(answer);
    const auto lost = loss.wait();
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->code, ErrorCode::corrupt) << lost->what;
    EXPECT_THAT(lost->what, HasSubstr("frame 3 was accepted"));
}

TEST_F(KafkaJournalTest, ATopicThatWasMadeAnewAndIsLongerByNowEndsWhoeverReliesOnTheOldOne) {
    const auto busy = open(without_watch()), follower = open();  // it finds out by what it writes
    FrameChain chain(take_over(*busy));
    write(*busy, chain, 3);
    ASSERT_EQ(follower->follow(milliseconds(0)).value(), 3u);
    auto admin = KafkaClient::open(KafkaClient::Kind::producer, test::broker(), {}).value();
    test::make_anew(*admin, topic_);
    const std::vector<std::byte> junk(100);
    for (int i = 0; i < 10; ++i) put(junk);
    ASSERT_TRUE(busy->append(chain.next(3)));
    const auto accepted = wait_for(*busy, 4);
    ASSERT_FALSE(accepted);
    EXPECT_EQ(accepted.error().code, ErrorCode::corrupt) << accepted.error().what;
    EXPECT_THAT(accepted.error().what, HasSubstr(topic_ + "/0 was made anew under its name and holds records 0 to 1"));
    EXPECT_THAT(accepted.error().what, HasSubstr("but frame 3 was accepted as record 3"));
    Result<Seq> followed = Seq{0};
    for (const auto until = std::chrono::steady_clock::now() + kPatience;
         (followed || followed.error().code == ErrorCode::unavailable) && std::chrono::steady_clock::now() < until;) {
        followed = follower->follow(milliseconds(50));
    }
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().code, ErrorCode::corrupt) << followed.error().what;
    EXPECT_THAT(followed.error().what, HasSubstr("was made anew"));
}

TEST_F(KafkaJournalTest, AnIdleOwnerNoticesThatItsTopicWasMadeAnew) {
    Loss loss;
    auto with = options();
    with.on_lost = loss.report();
    const auto owner = open(with);
    FrameChain chain(take_over(*owner));
    write(*owner, chain, 3);
    auto admin = KafkaClient::open(KafkaClient::Kind::producer, test::broker(), {}).value();
    test::make_anew(*admin, topic_);
    const std::vector<std::byte> junk(100);
    for (int i = 0; i < 10; ++i) put(junk);
    const auto lost = loss.wait();
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->code, ErrorCode::corrupt) << lost->what;
    EXPECT_THAT(lost->what, HasSubstr("was made anew under its name"));
    // Which record that was is told from where it has read to, and it may have read some of the new topic.
    EXPECT_THAT(lost->what, HasSubstr("but frame 3 was accepted as record "));
}

TEST_F(KafkaJournalTest, ATopicOnOneBrokerIsRefusedUnlessItIsAskedFor) {
    take_over(*open());
    auto with = options();
    with.single_broker = false;
    const auto journal = KafkaJournal::open(with);
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, ErrorCode::invalid);
    EXPECT_THAT(journal.error().what, HasSubstr("journal.kafka_single_broker"));
}

KafkaTopicState fit_topic() {
    return {.partitions = 1,
            .replicas = 3,
            .settings = {{"min.insync.replicas", "2"},
                         {"unclean.leader.election.enable", "false"},
                         {"cleanup.policy", "delete"},
                         {"retention.ms", "-1"},
                         {"retention.bytes", "-1"},
                         {"max.message.bytes", "8388608"}}};
}

TEST(JournalTopicTest, EachSettingThatEndangersAcknowledgedFramesIsNamed) {
    EXPECT_THAT(journal_topic_faults(fit_topic(), {}), IsEmpty());
    const struct {
        const char* key;
        const char* value;
        const char* fault;
    } cases[] = {
        {"min.insync.replicas", "1", "min.insync.replicas is 1, must be at least 2"},
        {"unclean.leader.election.enable", "true", "unclean.leader.election.enable is true, must be false"},
        {"cleanup.policy", "compact", "cleanup.policy is compact, must be delete"},
        {"cleanup.policy", "compact,delete", "cleanup.policy is compact,delete, must be delete"},
        {"retention.ms", "604800000", "retention.ms is 604800000, must be -1"},
        {"retention.bytes", "1000000", "retention.bytes is 1000000, must be -1"},
        {"max.message.bytes", "1048588", "max.message.bytes is 1048588, must be at least 1049600"},
    };
    for (const auto& wrong : cases) {
        auto topic = fit_topic();
        topic.settings[wrong.key] = wrong.value;
        EXPECT_THAT(journal_topic_faults(topic, {}), ElementsAre(HasSubstr(wrong.fault))) << wrong.key;
    }
    auto topic = fit_topic();
    topic.replicas = 2;
    EXPECT_THAT(journal_topic_faults(topic, {}), ElementsAre(HasSubstr("its replication factor is 2")));
    topic = fit_topic();
    KafkaJournalOptions third;
    third.partition = 2;
    EXPECT_THAT(journal_topic_faults(topic, third), ElementsAre(HasSubstr("there is none of number 2")));
    KafkaJournalOptions alone;
    alone.single_broker = true;
    topic.replicas = 1;
    topic.settings["min.insync.replicas"] = "1";
    EXPECT_THAT(journal_topic_faults(topic, alone), IsEmpty());
}

}  // namespace
}  // namespace nostro
