// Owners, lost connections and damage of a journal in PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "nostro/adapters/postgres/postgres_journal.hpp"
#include "tests/servers/postgres/database.hpp"
#include "tests/support/frame_chain.hpp"
#include "tests/support/progress.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using test::FrameChain;
using testing::HasSubstr;

class PostgresJournalTest : public testing::Test {
protected:
    std::unique_ptr<PostgresJournal> open(std::uint32_t book = 0) {
        PostgresJournalOptions options;
        options.address = database_.address() + " application_name=nostro_test_journal";
        options.book = book;
        options.pause = milliseconds(20);
        options.stalled_after = stalled_after_;
        options.tail_bytes = 1;
        auto journal = PostgresJournal::open(options);
        EXPECT_TRUE(journal) << journal.error().what;
        progress_.watch(**journal);
        return std::move(*journal);
    }

    Result<Seq> write(PostgresJournal& journal, FrameChain& chain) {
        auto frame = chain.next(chain.head().seq);
        if (auto appended = journal.append(frame); !appended) return appended.error();
        return progress_.wait_for(journal, frame->header.seq);
    }
    std::string books() {
        return database_.lines("SELECT book || ' ' || seq || ' ' || epoch FROM nostro_journal.books ORDER BY book");
    }
    // How many connections the journals had.
    int cut_connections() {
        return static_cast<int>(database_
                                    .lines("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                                           "WHERE application_name = 'nostro_test_journal'")
                                    .size() /
                                2);
    }

    test::Database database_;
    test::Progress progress_;
    milliseconds stalled_after_{600'000};  // what stops intake is what a test does, not a machine that is slow
};

TEST_F(PostgresJournalTest, OfTwoOwnersTheLaterGoesOnAndTheOtherIsFenced) {
    auto first = open();
    FrameChain of_first(*first->take_over());
    ASSERT_EQ(*write(*first, of_first), 1u);
    auto second = open();
    const auto head = second->take_over();
    ASSERT_TRUE(head);
    EXPECT_EQ(head->seq, 1u);
    EXPECT_EQ(head->epoch, 2u);
    const auto fenced = write(*first, of_first);
    ASSERT_FALSE(fenced);
    EXPECT_EQ(fenced.error().code, ErrorCode::fenced);
    FrameChain of_second(*head);
    EXPECT_EQ(*write(*second, of_second), 2u);
    EXPECT_EQ(database_.lines("SELECT count(*) FROM nostro_journal.frames"), "2\n");
    EXPECT_EQ(books(), "0 2 2\n");
}

TEST_F(PostgresJournalTest, BooksShareTheTablesAndNothingElse) {
    auto one = open(1), other = open(2);
    FrameChain of_one(*one->take_over()), of_other(*other->take_over());
    EXPECT_EQ(*write(*one, of_one), 1u);
    EXPECT_EQ(*write(*one, of_one), 2u);
    EXPECT_EQ(*write(*other, of_other), 1u);
    EXPECT_EQ(books(), "1 2 1\n2 1 1\n");
}

TEST_F(PostgresJournalTest, AFrameWhoseConnectionIsLostDuringCommitIsStoredOnce) {
    auto journal = open();
    FrameChain chain(*journal->take_over());
    // The server's process ends when a frame is about to be committed, every second time.
    database_.run(R"(
        CREATE SEQUENCE turns;
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('turns') % 2 = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER dies AFTER UPDATE ON nostro_journal.books DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die())");
    for (Seq seq = 1; seq <= 8; ++seq) ASSERT_EQ(*write(*journal, chain), seq);
    EXPECT_EQ(database_.lines("SELECT count(*) FROM nostro_journal.frames"), "8\n");
    EXPECT_EQ(database_.lines("SELECT last_value >= 16 FROM turns"), "t\n") << "each was lost once";
}

TEST_F(PostgresJournalTest, RightsAndTablesThatAreTakenAwayAreWaitedFor) {
    auto journal = open();
    FrameChain chain(*journal->take_over());
    ASSERT_EQ(*write(*journal, chain), 1u);
    for (const auto& [taken, given, says] :
         {std::array{"ALTER TABLE nostro_journal.frames RENAME TO f", "ALTER TABLE nostro_journal.f RENAME TO frames",
                     "nostro_journal.frames"},
          std::array{"ALTER TABLE nostro_journal.books RENAME COLUMN digest TO d",
                     "ALTER TABLE nostro_journal.books RENAME COLUMN d TO digest", "digest"},
          std::array{"ALTER SCHEMA nostro_journal RENAME TO s", "ALTER SCHEMA s RENAME TO nostro_journal",
                     "nostro_journal"}}) {
        database_.run(taken);
        const auto frame = chain.next(chain.head().seq);
        ASSERT_TRUE(journal->append(frame));
        Result<> ready;
        while ((ready = journal->ready(Journal::Need::intake))) std::this_thread::yield();
        EXPECT_THAT(ready.error().what, HasSubstr(says));
        EXPECT_EQ(*journal->accepted(), frame->header.seq - 1);
        database_.run(given);
        ASSERT_EQ(*progress_.wait_for(*journal, frame->header.seq), frame->header.seq);
        EXPECT_TRUE(journal->ready(Journal::Need::intake));
    }
}

TEST_F(PostgresJournalTest, AFrameWhoseConnectionIsCutIsStoredOnce) {
    auto journal = open();
    FrameChain chain(*journal->take_over());
    ASSERT_EQ(*write(*journal, chain), 1u);
    int cut = 0;
    for (Seq seq = 2; seq < 30; ++seq) {
        const auto frame = chain.next(seq - 1);
        ASSERT_TRUE(journal->append(frame));
        cut += cut_connections();  // before, in the middle of or behind its commit
        const auto accepted = progress_.wait_for(*journal, seq);
        ASSERT_TRUE(accepted) << accepted.error().what;
    }
    EXPECT_GT(cut, 10);
    Seq read = 0;
    const auto next = journal->read(1, [&](const FramePtr& frame) { return frame->header.seq == ++read; });
    ASSERT_TRUE(next) << next.error().what;
    EXPECT_EQ(*next, 30u);
    EXPECT_EQ(database_.lines("SELECT count(*) FROM nostro_journal.frames"), "29\n");
}

TEST_F(PostgresJournalTest, AFrameThatWaitsForALockStopsIntakeAndIsStoredWhenItMay) {
    stalled_after_ = milliseconds(50);
    auto journal = open();
    FrameChain chain(*journal->take_over());
    ASSERT_EQ(*write(*journal, chain), 1u);
    database_.run("BEGIN; SELECT FROM nostro_journal.books FOR UPDATE");
    ASSERT_TRUE(journal->append(chain.next(1)));
    while (journal->ready(Journal::Need::intake)) std::this_thread::yield();
    EXPECT_EQ(*journal->accepted(), 1u);
    database_.run("COMMIT");
    EXPECT_EQ(*progress_.wait_for(*journal, 2), 2u);
}

TEST_F(PostgresJournalTest, AnOwnerThatTookOverWhileTheConnectionWasLostFencesTheOther) {
    auto first = open();
    FrameChain chain(*first->take_over());
    ASSERT_EQ(*write(*first, chain), 1u);
    cut_connections();
    auto second = open();
    ASSERT_TRUE(second->take_over());
    const auto fenced = write(*first, chain);
    ASSERT_FALSE(fenced);
    EXPECT_EQ(fenced.error().code, ErrorCode::fenced);
}

TEST_F(PostgresJournalTest, WhatIsDamagedOrMissingIsNamed) {
    {
        auto journal = open();
        FrameChain chain(*journal->take_over());
        for (Seq seq = 1; seq <= 5; ++seq) ASSERT_EQ(*write(*journal, chain), seq);
    }
    database_.run(
        "UPDATE nostro_journal.frames SET frame = set_byte(frame, 200, get_byte(frame, 200) # 1) WHERE seq = 3");
    auto journal = open();
    ASSERT_TRUE(journal->take_over());
    auto read = journal->read(1, [](const FramePtr&) { return true; });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_THAT(read.error().what, HasSubstr("frame 3: "));
    database_.run("DELETE FROM nostro_journal.frames WHERE seq = 3");
    read = journal->read(2, [](const FramePtr&) { return true; });
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().what, HasSubstr("frame 3: it is missing"));
    database_.run("DELETE FROM nostro_journal.frames WHERE seq = 5");
    const auto head = open()->take_over();
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, ErrorCode::corrupt);
    EXPECT_THAT(head.error().what, HasSubstr("frame 5 is missing"));
    EXPECT_EQ(books(), "0 5 2\n");  // nobody took over
}

TEST_F(PostgresJournalTest, AChainThatEndsBeforeWhatSomebodyHasSeenIsRefused) {
    auto journal = open();
    journal->expect(1, "the query index");
    const auto head = journal->take_over();
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, ErrorCode::corrupt);
    EXPECT_THAT(head.error().what, HasSubstr("the query index has seen frame 1"));
}

TEST_F(PostgresJournalTest, AnotherJournalThanTheOneThatIsExpectedIsRefused) {
    auto journal = open();
    ASSERT_TRUE(journal->take_over());
    auto next = open(), other = open(1);
    next->expect_origin(journal->origin(), "the folder data");
    EXPECT_TRUE(next->take_over());
    other->expect_origin(journal->origin(), "the folder data");
    const auto head = other->take_over();
    ASSERT_FALSE(head);
    EXPECT_EQ(head.error().code, ErrorCode::corrupt);
    EXPECT_THAT(head.error().what, HasSubstr("not the journal that the folder data was made from"));
}

TEST_F(PostgresJournalTest, WhoeverFollowsClaimsNothing) {
    auto owner = open();
    FrameChain chain(*owner->take_over());
    ASSERT_EQ(*write(*owner, chain), 1u);
    auto follower = open();
    EXPECT_EQ(*follower->follow(milliseconds(0)), 1u);
    Seq read = 0;
    EXPECT_EQ(*follower->read(1, [&](const FramePtr& frame) { return (read = frame->header.seq) != 0; }), 2u);
    EXPECT_EQ(read, 1u);
    EXPECT_EQ(*write(*owner, chain), 2u);
    EXPECT_EQ(*follower->follow(milliseconds(0)), 2u);
    // What it had not followed yet is read as well once it owns the chain.
    EXPECT_EQ(*write(*owner, chain), 3u);
    FrameChain continued(*follower->take_over());
    EXPECT_EQ(*write(*follower, continued), 4u);
    Seq next = 1;
    EXPECT_EQ(*follower->read(1, [&](const FramePtr& frame) { return frame->header.seq == next++; }), 5u);
    EXPECT_EQ(next, 5u);
}

TEST_F(PostgresJournalTest, WhoeverFollowedBeforeAnybodyOwnedItLearnsWhichJournalItIs) {
    auto follower = open();
    EXPECT_EQ(*follower->follow(milliseconds(0)), 0u);
    EXPECT_EQ(follower->origin(), 0u);
    auto owner = open();
    ASSERT_TRUE(owner->take_over());
    EXPECT_EQ(*follower->follow(milliseconds(0)), 0u);
    EXPECT_NE(follower->origin(), 0u);
    EXPECT_EQ(follower->origin(), owner->origin());
}

TEST_F(PostgresJournalTest, AServerThatDoesNotWaitForItsDiskIsRefused) {
    const auto set_fsync = [this](const std::string& to) {
        database_.run("ALTER SYSTEM SET fsync = " + to);
        database_.run("SELECT pg_reload_conf()");
        while (database_.lines("SHOW fsync") != to + "\n") {
        }
    };
    set_fsync("off");
    PostgresJournalOptions options;
    options.address = database_.address();
    const auto refused = PostgresJournal::open(options);
    set_fsync("on");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    EXPECT_THAT(refused.error().what, HasSubstr("fsync is off"));
}

}  // namespace
}  // namespace nostro
