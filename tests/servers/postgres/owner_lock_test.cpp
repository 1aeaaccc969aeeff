// The owner's lock by itself, on a table that a test writes: whom it takes for the owner, and what it keeps.
#include "nostro/adapters/postgres/owner_lock.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/servers/postgres/database.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;

class PostgresOwnerLockTest : public testing::Test {
protected:
    PostgresOwnerLockTest() {
        database_.run(
            "CREATE SCHEMA nostro_journal; CREATE TABLE nostro_journal.books (book bigint, epoch bigint);"
            "INSERT INTO nostro_journal.books VALUES (0, 0)");
    }
    void set_epoch(int epoch) { database_.run("UPDATE nostro_journal.books SET epoch = " + std::to_string(epoch)); }
    std::unique_ptr<PostgresOwnerLock> lock(std::uint32_t epoch) {
        return std::make_unique<PostgresOwnerLock>(PostgresOwnerLockOptions{.address = database_.address(),
                                                                            .session_timeout = milliseconds(300),
                                                                            .look_every = milliseconds(10),
                                                                            .epoch = [epoch] { return epoch; }});
    }
    void begin(PostgresOwnerLock& lock) {
        lock.begin({.vacant = [] {}, .overtaken = [this](const Error&) { overtaken_ = true; }});
    }
    bool is_held() {
        return database_.lines(
                   "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
                   "(SELECT oid FROM pg_database WHERE datname = current_database())") != "0\n";
    }

    test::Database database_;
    std::atomic<bool> overtaken_{false};
};

TEST_F(PostgresOwnerLockTest, AnOwnerThatReachesTheServerLaterIsStillTheOwner) {
    set_epoch(1);
    const auto owner = lock(1);
    const std::string name = database_.lines("SELECT quote_ident(current_database())");
    const auto outside = test::connected(test::server_url());
    ASSERT_TRUE(outside->script("ALTER DATABASE " + name + " ALLOW_CONNECTIONS false"));
    owner->owns();
    EXPECT_NE(owner->trouble(), "");
    ASSERT_TRUE(outside->script("ALTER DATABASE " + name + " ALLOW_CONNECTIONS true"));
    begin(*owner);
    while (!overtaken_ && !is_held()) {
    }
    EXPECT_FALSE(overtaken_);
    set_epoch(2);
    while (!overtaken_) {
    }
}

TEST_F(PostgresOwnerLockTest, AnEpochThatAnotherOneHasTakenMeanwhileIsNotOurs) {
    const auto owner = lock(1);
    owner->claims();
    set_epoch(2);  // ours was 1
    owner->owns();
    begin(*owner);
    while (!overtaken_) {
    }
}

TEST_F(PostgresOwnerLockTest, WhoeverTakesOverMayTakeLongerThanASessionMayIdle) {
    const auto claimant = lock(1);
    // Its session may not idle for long until the claim has said so, and a machine may be slower than that.
    do {
        claimant->claims();
    } while (!claimant->trouble().empty());
    EXPECT_TRUE(is_held());
    const auto other = test::connected(database_.address() + " application_name=idle");
    ASSERT_TRUE(other->script("SET idle_session_timeout = 300"));
    while (database_.lines("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idle'") != "0\n") {
    }
    EXPECT_TRUE(is_held()) << "it idled longer than that one";
}

}  // namespace
}  // namespace nostro
