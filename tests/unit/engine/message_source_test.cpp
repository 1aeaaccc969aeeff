// Payments that arrive from a topic: each counts once, whatever is delivered again and wherever a process ends.
#include "nostro/engine/message_source.hpp"

#include <charconv>
#include <sstream>

#include "nostro/adapters/memory/memory_topic_reader.hpp"
#include "tests/unit/engine/map_of_sealed.hpp"
#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

constexpr std::uint32_t kSource = 101;

std::int64_t minor_of(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// "pay KEY FROM TO MINOR", "open NAME MINOR", both with ';' between; KEY "-": it brings none. All else nobody can read.
Result<> read_words(std::string_view message, std::string_view source, std::uint64_t position, Arena& arena,
                    std::vector<Wish>& wishes) {
    std::istringstream all{std::string(message)};
    for (std::string sentence; std::getline(all, sentence, ';');) {
        std::istringstream words(sentence);
        std::string verb, key, from, to, minor;
        words >> verb;
        if (verb == "open" && words >> from >> minor) {
            OpenAccount open;
            open.name = arena.copy(from);
            open.currency = currency("EUR");
            open.opening_minor = minor_of(minor);
            wishes.emplace_back(open);
        } else if (verb == "pay" && words >> key >> from >> to >> minor) {
            if (key == "-") key = std::string(source) + " " + std::to_string(position);
            PaymentWish wish;
            wish.payment.key = arena.copy(key);
            wish.payment.debtor_name = arena.copy(from);
            wish.payment.creditor_name = arena.copy(to);
            wish.payment.amount = Money(minor_of(minor), currency("EUR"));
            wishes.emplace_back(wish);
        } else if (verb != "nothing") {
            return Error{ErrorCode::invalid, "no such verb"};
        }
    }
    return {};
}

class MessageSourceTest : public testing::Test {
protected:
    void start() {
        node.reset();
        source = std::make_unique<MessageSource>(of(), topic, read_words);
        options.sources = {source.get()};
        node = std::make_unique<Node>(log, options);
        node->start();
        source->begin(node->policies);
        if (node->journal_head() < 3) node->run(two_accounts());
    }
    MessageSource::Options of() const {
        MessageSource::Options to;
        to.number = kSource;
        to.name = "kafka:pay";
        to.format = "words message";
        to.messages_max = messages_max;
        to.ahead_max = ahead_max;
        to.message_bytes_max = 200;
        to.wait = std::chrono::milliseconds(0);
        return to;
    }
    void read() {
        const auto done = source->step();
        ASSERT_TRUE(done) << done.error().what;
    }
    // Reads and settles until nothing is left.
    void flow() {
        for (int i = 0; i < 100; ++i) {
            const auto done = source->step();
            ASSERT_TRUE(done) << done.error().what;
            node->settle();
            if (*done == 0) return;
        }
        FAIL() << "it never comes to rest";
    }
    std::vector<KeepDeadLetter> letters() const {
        std::vector<KeepDeadLetter> found;
        for (Seq seq = 1; seq <= node->journal_head(); ++seq) {
            frames.push_back(node->frame(seq));
            for (const Command& command : frames.back()->commands) {
                if (const auto* letter = std::get_if<KeepDeadLetter>(&command.body)) found.push_back(*letter);
            }
        }
        return found;
    }
    std::vector<Cursor> cursors() const { return node->frame(node->journal_head())->last; }

    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    MemoryTopicReader topic;
    std::size_t messages_max = 10, ahead_max = 100;
    NodeOptions options;
    std::unique_ptr<MessageSource> source;
    std::unique_ptr<Node> node;
    mutable std::vector<DecodedPtr> frames;  // keeps what letters() points into
};

TEST_F(MessageSourceTest, MessagesOfAllPartsAreSettledAndTheirPositionsStandInTheFrames) {
    start();
    for (int i = 0; i < 25; ++i) topic.put(0, "pay a" + std::to_string(i) + " ada bob 10");
    topic.put(3, "pay b ada bob 7");
    flow();
    EXPECT_EQ(node->balance("bob"), 257);
    EXPECT_EQ(cursors(), (std::vector<Cursor>{{kSource, 0, 25}, {kSource, 3, 1}}));
    ASSERT_EQ(source->parts().size(), 2u);
    EXPECT_EQ(source->parts()[0].taken, 25u);
    EXPECT_EQ(source->parts()[0].end, 25u);
}

TEST_F(MessageSourceTest, NothingIsReadBeforeThePolicyIsThere) {
    node = std::make_unique<Node>(log, options);
    source = std::make_unique<MessageSource>(of(), topic, read_words);
    ASSERT_TRUE(source->seek({}));
    topic.put(0, "pay a ada bob 10");
    EXPECT_EQ(*source->step(), 0u);
    EXPECT_EQ(topic.position(0), 0u);
}

TEST_F(MessageSourceTest, AfterARestartItReadsOnFromTheJournalsCursors) {
    start();
    for (int i = 0; i < 30; ++i) topic.put(0, "pay a" + std::to_string(i) + " ada bob 1");
    read();
    node->settle();
    read();  // read ahead, and lost with the process
    const Seq before = node->journal_head();
    start();
    EXPECT_EQ(topic.position(0), 10u);
    flow();
    EXPECT_EQ(node->balance("bob"), 30);
    EXPECT_EQ(cursors().at(0).next, 30u);
    for (Seq seq = before + 1; seq <= node->journal_head(); ++seq) {
        EXPECT_TRUE(node->frame(seq)->commands.size() <= 10) << "none of them twice";
    }
}

TEST_F(MessageSourceTest, AFrameThatWasInFlightAtACrashIsReadAgainAndCountsOnce) {
    start();
    for (int i = 0; i < 5; ++i) topic.put(0, "pay a" + std::to_string(i) + " ada bob 10");
    read();
    node->turn();
    ASSERT_EQ(node->journal.under_way(), 1u);
    start();
    EXPECT_EQ(topic.position(0), 0u);
    flow();
    EXPECT_EQ(node->balance("bob"), 50);
}

TEST_F(MessageSourceTest, TheSameIdElsewhereInTheTopicMovesNothing) {
    start();
    topic.put(0, "pay a ada bob 10");
    topic.put(1, "pay a ada bob 10");
    topic.put(0, "pay a ada bob 10");
    flow();
    EXPECT_EQ(node->balance("bob"), 10);
    EXPECT_TRUE(letters().empty());
    EXPECT_EQ(cursors(), (std::vector<Cursor>{{kSource, 0, 2}, {kSource, 1, 1}}));
}

TEST_F(MessageSourceTest, MessagesWithoutAnIdAreKnownByWhereTheyStand) {
    start();
    topic.put(0, "pay - ada bob 10");
    topic.put(0, "pay - ada bob 10");
    topic.put(1, "pay - ada bob 10");
    flow();
    EXPECT_EQ(node->balance("bob"), 30) << "three places, three payments";
}

TEST_F(MessageSourceTest, WhatNobodyCanReadBecomesADeadLetterAndTheRestGoesOn) {
    start();
    topic.put(2, "pay a ada bob 10");
    topic.put(2, "poison");
    topic.put(2, "");
    topic.put(2, std::string(201, 'x'));
    topic.put(2, "pay b a/b bob 10");
    topic.put(2, "pay c ada bob 10");
    flow();
    EXPECT_EQ(node->balance("bob"), 20);
    const auto kept = letters();
    ASSERT_EQ(kept.size(), 4u);
    EXPECT_EQ(kept[0].source, "kafka:pay:2");
    EXPECT_EQ(kept[0].position, "1");
    EXPECT_EQ(kept[0].format, "words message");
    EXPECT_EQ(kept[0].why, "no such verb");
    EXPECT_EQ(kept[0].bytes, "poison");
    EXPECT_EQ(kept[1].why, "it asks for nothing");
    EXPECT_EQ(kept[2].why, "a message of 201 bytes; at most 200");
    EXPECT_EQ(kept[2].bytes.size(), 200u);
    EXPECT_EQ(kept[3].position, "4");
    EXPECT_EQ(cursors().at(0).next, 6u);
}

TEST_F(MessageSourceTest, AnIdWithOtherContentKeepsTheMessageItself) {
    start();
    topic.put(0, "pay a ada bob 10");
    topic.put(0, "pay a ada bob 11");
    flow();
    EXPECT_EQ(node->balance("bob"), 10);
    const auto kept = letters();
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_TRUE(kept[0].why.starts_with("conflict"));
    EXPECT_EQ(kept[0].bytes, "pay a ada bob 11");
    EXPECT_EQ(kept[0].source, "kafka:pay:0");
    EXPECT_EQ(kept[0].position, "1");
}

TEST_F(MessageSourceTest, AMessageWithSeveralCommandsIsPassedWithItsLast) {
    options.limits.payments_per_frame_max = 1;
    start();
    topic.put(0, "open cid 500;pay a cid bob 10;pay b cid bob 20");
    read();
    node->turn();  // a frame has room for one of them
    node->journal.complete(node->journal.under_way());
    node->turn();
    const auto some = cursors();
    ASSERT_EQ(some.size(), 1u);
    EXPECT_EQ(some[0].next, 0u) << "the rest of it is in no frame yet";
    start();
    EXPECT_EQ(topic.position(0), 0u);
    flow();
    EXPECT_EQ(node->balance("cid"), 470);
    EXPECT_EQ(node->balance("bob"), 30);
    EXPECT_EQ(cursors().at(0).next, 1u);
    EXPECT_TRUE(letters().empty());
}

TEST_F(MessageSourceTest, AnIdThatLeftMemoryLongAgoIsKnown) {
    MapOfSealed sealed;
    options.sealed = &sealed;
    options.book.known_max = 2'000;  // four generations of them are full after a few frames
    messages_max = ahead_max = 100;
    start();
    PaymentId first;
    for (int i = 0; i < 8'000 && node->book.forgotten_through() < 6; ++i) {
        topic.put(0, "pay a" + std::to_string(i) + " ada bob 1");
        if (i % 100 != 99) continue;
        flow();
        const Seq head = node->journal_head();
        const auto frame = node->frame(head);
        for (std::uint32_t at = 0; at < frame->commands.size(); ++at) {
            if (first.empty()) first = frame->commands[at].id;
            sealed.ids[frame->commands[at].id] = {{head, at}, frame->commands[at].meaning};
        }
        sealed.sealed_through = head;
        node->turn();
    }
    ASSERT_FALSE(node->book.known(first));
    const auto before = node->balance("bob");
    topic.put(0, "pay a0 ada bob 1");
    topic.put(0, "pay a0 ada bob 2");
    flow();
    EXPECT_EQ(node->balance("bob"), before);
    const auto kept = letters();
    ASSERT_EQ(kept.size(), 1u) << "the same again is no letter, other content is";
    EXPECT_EQ(kept[0].bytes, "pay a0 ada bob 2");
    node.reset();  // before the ids go
}

TEST_F(MessageSourceTest, ReadingWaitsWhileSettlementHasEnough) {
    ahead_max = 20;
    start();
    int room = 0;
    source->on_room([&] { ++room; });
    for (int i = 0; i < 50; ++i) topic.put(0, "pay a" + std::to_string(i) + " ada bob 1");
    for (int i = 0; i < 5; ++i) read();
    EXPECT_EQ(topic.position(0), 20u);
    EXPECT_EQ(room, 0);
    node->settle();
    EXPECT_EQ(room, 1);
    flow();
    EXPECT_EQ(node->balance("bob"), 50);
}

TEST_F(MessageSourceTest, ATopicThatIsDownIsTroubleAndNoEnd) {
    start();
    topic.put(0, "pay a ada bob 10");
    topic.trouble(Error{ErrorCode::unavailable, "no broker answers"});
    EXPECT_EQ(*source->step(), 0u);
    node->settle();
    EXPECT_EQ(source->trouble(), "no broker answers");
    topic.trouble(std::nullopt);
    flow();
    EXPECT_EQ(source->trouble(), "");
    EXPECT_EQ(node->balance("bob"), 10);
}

TEST_F(MessageSourceTest, AGapEndsTheProcessAfterWhatCameBeforeIt) {
    start();
    int woken = 0;
    source->on_arrival([&] { ++woken; });
    for (int i = 0; i < 15; ++i) topic.put(0, "pay a" + std::to_string(i) + " ada bob 1");
    read();
    topic.trim(0, 12);
    EXPECT_FALSE(source->step());
    EXPECT_EQ(woken, 2) << "settlement must hear of it";
    node->turn();
    EXPECT_EQ(node->balance("bob"), 10);
    const auto end = node->step();
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code, ErrorCode::corrupt);
    EXPECT_NE(end.error().what.find("message 10 is gone, the first is 12"), std::string::npos) << end.error().what;
}

TEST_F(MessageSourceTest, ClosedItGivesNothingMore) {
    start();
    topic.put(0, "pay a ada bob 10");
    read();
    source->close();
    node->settle();
    EXPECT_EQ(node->balance("bob"), 0);
    EXPECT_TRUE(cursors().empty());
}

}  // namespace
}  // namespace nostro::test
