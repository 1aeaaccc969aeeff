#include "nostro/adapters/postgres/arrivals.hpp"

#include <gmock/gmock.h>

#include "tests/servers/postgres/cutting_proxy.hpp"
#include "tests/servers/postgres/database.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;

class ArrivalsTest : public testing::Test {
protected:
    ArrivalsTest() { database.run("CREATE SCHEMA nostro; " + arrivals_sql()); }

    void note(const std::string& message, PostgresClient* by = nullptr) {
        const auto done = (by == nullptr ? database.client() : *by)
                              .run({"INSERT INTO nostro.arrivals (message) VALUES ($1)", {message}});
        ASSERT_TRUE(done) << done.error().what;
    }
    // "position:message", with spaces between.
    static std::string read(PostgresArrivals& arrivals, std::size_t count_max = 100) {
        std::vector<TopicMessage> messages;
        const auto done = arrivals.read(count_max, 0ms, messages);
        if (!done) return std::string(name(done.error().code));
        std::string all;
        for (const TopicMessage& each : messages) {
            all += (all.empty() ? "" : " ") + std::to_string(each.position) + ":" + std::string(each.value);
        }
        return all;
    }
    static Result<> seek(PostgresArrivals& arrivals, std::uint64_t next) {
        const std::vector<Cursor> cursors{{1, 0, next}};
        return arrivals.seek(cursors);
    }

    test::Database database;
    PostgresArrivals arrivals{database.address()};
};

TEST_F(ArrivalsTest, ComeInTheirOrderAndOnce) {
    EXPECT_EQ(read(arrivals), "");
    note("a");
    note("b");
    note("c");
    EXPECT_EQ(read(arrivals, 2), "0:a 1:b");
    EXPECT_EQ(read(arrivals), "2:c");
    EXPECT_EQ(read(arrivals), "");
    note("d");
    EXPECT_EQ(read(arrivals), "3:d");
    EXPECT_EQ(arrivals.parts().at(0).end, 4u);
}

TEST_F(ArrivalsTest, AreTheSameForWhoeverReadsThemAgain) {
    for (const char* each : {"a", "b", "c", "d"}) note(each);
    EXPECT_EQ(read(arrivals, 3), "0:a 1:b 2:c");
    PostgresArrivals again(database.address());
    ASSERT_TRUE(seek(again, 1));
    EXPECT_EQ(read(again), "1:b 2:c");
    EXPECT_EQ(read(again), "3:d");
    note("e");
    EXPECT_EQ(read(arrivals), "3:d 4:e") << "another one gave d its position";
}

TEST_F(ArrivalsTest, WhatAnotherConnectionPlacesIsReadThoughNothingNewComes) {
    PostgresArrivals other(database.address());
    EXPECT_EQ(read(other), "");
    note("a");
    EXPECT_EQ(read(arrivals), "0:a");
    EXPECT_EQ(read(other), "0:a");
    EXPECT_EQ(read(other), "");
}

TEST_F(ArrivalsTest, WhatCommitsLateComesLate) {
    const auto late = test::connected(database.address());
    ASSERT_TRUE(late->script("BEGIN"));
    note("late", late.get());
    note("early");
    EXPECT_EQ(read(arrivals), "0:early");
    const auto undone = test::connected(database.address());
    ASSERT_TRUE(undone->script("BEGIN"));
    note("never", undone.get());
    ASSERT_TRUE(undone->script("ROLLBACK"));
    note("next");
    EXPECT_EQ(read(arrivals), "1:next");
    ASSERT_TRUE(late->script("COMMIT"));
    EXPECT_EQ(read(arrivals), "2:late");
}

TEST_F(ArrivalsTest, GoOnWhenTheConnectionIsLost) {
    note("a");
    EXPECT_EQ(read(arrivals), "0:a");
    note("b");
    database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()");
    EXPECT_EQ(read(arrivals), "unavailable");
    EXPECT_EQ(read(arrivals), "1:b");
}

TEST_F(ArrivalsTest, WhereverTheConnectionIsCutEachComesOnceAndHasOnePosition) {
    test::CuttingProxy proxy;
    PostgresArrivals through(proxy.address(database));
    int cuts = 0, number = 0;
    std::string all;
    for (int nth = 1; nth < 14; ++nth) {
        for (const auto when : test::CuttingProxy::kWhen) {
            proxy.cut(nth, when);
            std::string expected;
            for (int i = 0; i < 8; ++i, ++number) {
                const std::string each = std::to_string(number);
                note(each);
                expected.append(expected.empty() ? "" : " ").append(each).append(":").append(each);
            }
            std::string got;
            while (got.size() < expected.size()) {
                const std::string some = read(through, 2);
                if (some == "unavailable") {
                    ++cuts;
                } else if (!some.empty()) {
                    got.append(got.empty() ? "" : " ").append(some);
                }
            }
            ASSERT_EQ(got, expected) << "cut at " << nth;
            all.append(all.empty() ? "" : " ").append(got);
            proxy.has_cut();
        }
    }
    EXPECT_GT(cuts, 15);
    ASSERT_TRUE(seek(arrivals, 0));
    EXPECT_EQ(read(arrivals, 1000), all) << "for whoever reads them again";
}

TEST_F(ArrivalsTest, OfADatabaseThatIsLostDuringCommitKeepTheirPositions) {
    // The server's process ends when positions are about to be committed, every second time: each has two updates.
    database.run(R"(
        CREATE SEQUENCE turns;
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('turns') % 3 = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER dies AFTER UPDATE ON nostro.arrivals_head DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die())");
    std::string got;
    int lost = 0;
    for (const char* each : {"a", "b", "c", "d"}) {
        note(each);
        std::string some;
        while ((some = read(arrivals)) == "unavailable") ++lost;
        got.append(got.empty() ? "" : " ").append(some);
    }
    EXPECT_EQ(got, "0:a 1:b 2:c 3:d");
    EXPECT_GE(lost, 2);
}

TEST_F(ArrivalsTest, ATriggerThatIsGoneOrSwitchedOffIsMissed) {
    database.run(R"(
        CREATE TABLE here (n int);
        CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER nostro_arrivals AFTER INSERT ON here FOR EACH STATEMENT EXECUTE FUNCTION noted())");
    const auto says = [&] {
        PostgresArrivals looks(database.address(), {"public.here"});
        std::vector<TopicMessage> messages;
        const auto done = looks.read(10, 0ms, messages);
        return done ? std::to_string(messages.size()) : done.error().what;
    };
    note("a");
    EXPECT_EQ(says(), "1");
    const auto missed = testing::HasSubstr("public.here has no trigger nostro_arrivals that is enabled");
    using Change = std::pair<const char*, const char*>;
    for (const auto& [change, back] :
         {Change{"ALTER TABLE here DISABLE TRIGGER ALL", "ALTER TABLE here ENABLE TRIGGER ALL"},
          Change{"ALTER TABLE here ENABLE REPLICA TRIGGER nostro_arrivals", "ALTER TABLE here ENABLE TRIGGER ALL"},
          Change{"ALTER TABLE here RENAME TO there", "ALTER TABLE there RENAME TO here"}}) {
        database.run(change);
        EXPECT_THAT(says(), missed) << change;
        database.run(back);
        EXPECT_EQ(says(), "1");
    }
    database.run("DROP TRIGGER nostro_arrivals ON here");
    EXPECT_THAT(says(), missed);
}

TEST_F(ArrivalsTest, OfADatabaseThatWasSetBackGoOnBehindWhatWasRead) {
    for (const char* each : {"a", "b"}) note(each);
    EXPECT_EQ(read(arrivals), "0:a 1:b");
    database.run("DELETE FROM nostro.arrivals; UPDATE nostro.arrivals_head SET next = 0");
    note("c");
    EXPECT_EQ(read(arrivals), "2:c");
}

TEST_F(ArrivalsTest, ThatWereDeletedUnreadAreMissed) {
    for (const char* each : {"a", "b", "c"}) note(each);
    EXPECT_EQ(read(arrivals), "0:a 1:b 2:c");
    database.run("DELETE FROM nostro.arrivals WHERE position = 1");
    PostgresArrivals again(database.address());
    ASSERT_TRUE(seek(again, 1));
    EXPECT_EQ(read(again), "corrupt");
    ASSERT_TRUE(seek(again, 2));
    EXPECT_EQ(read(again), "2:c") << "those that were read may go";
}

}  // namespace
}  // namespace nostro
