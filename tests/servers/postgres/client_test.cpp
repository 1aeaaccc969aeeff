#include "nostro/adapters/postgres/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/adapters/postgres/rows.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "tests/servers/postgres/database.hpp"

namespace nostro {
namespace {

using test::connected;
using test::Database;
using test::server_url;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(PostgresClientTest, AnswersAPipelineInOrderAndStopsAtTheFirstError) {
    Database database;
    const std::vector<PostgresClient::Statement> good = {{"SELECT $1::int + 1", {"41"}}, {"SELECT 'b'"}};
    const auto answers = database.client().pipeline(good);
    ASSERT_TRUE(answers);
    EXPECT_EQ((*answers)[0].text(0, 0), "42");
    EXPECT_EQ((*answers)[1].text(0, 0), "b");

    database.run("CREATE TABLE t (n int)");
    const std::vector<PostgresClient::Statement> bad = {
        {"INSERT INTO t VALUES (1)"}, {"INSERT INTO nowhere VALUES (1)"}, {"INSERT INTO t VALUES (2)"}};
    const auto failed = database.client().pipeline(bad);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::invalid);
    EXPECT_THAT(failed.error().what, AllOf(HasSubstr("\"nowhere\" does not exist"), HasSubstr("INSERT INTO nowhere")));
    EXPECT_EQ(database.lines("SELECT count(*) FROM t"), "0\n");
}

// Its statements are answered before it is committed.
TEST(PostgresClientTest, APipelineWhoseCommitFailsHasFailed) {
    Database database;
    database.run(
        "CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
        "CREATE TABLE dies (n int);"
        "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON dies DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        "EXECUTE FUNCTION die()");
    using Statements = std::vector<PostgresClient::Statement>;
    const auto refused =
        database.client().pipeline(Statements{{"INSERT INTO t VALUES (1)"}, {"INSERT INTO t VALUES (1) RETURNING n"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::conflict);
    EXPECT_EQ(database.lines("SELECT count(*) FROM t"), "0\n");
    EXPECT_TRUE(database.client().pipeline(Statements{{"INSERT INTO t VALUES (1)"}}));

    const auto lost = database.client().pipeline(Statements{{"INSERT INTO dies VALUES (1) RETURNING n"}});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::unavailable);
}

TEST(PostgresClientTest, CopiesEveryTextAsItIs) {
    Database database;
    database.run("CREATE TABLE t (n int, words text)");
    std::vector<std::string> texts = {
        "", "\\N", "\\.", "a\tb\nc\rd\\e", "'; DROP TABLE t; --", "$1 %s \"q\"", "\xE2\x82\xAC"};
    for (char c = 1; c < 0x20; ++c) texts.push_back(std::string("x") + c);
    PostgresRows rows(1);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        rows.add(0, [&](PostgresRow& row) { row.number(std::uint64_t{i}).text(texts[i]); });
    }
    const auto done = database.client().copy("COPY t FROM STDIN", rows.lines(0));
    ASSERT_TRUE(done) << done.error().what;
    const auto read = database.client().run({"SELECT words FROM t ORDER BY n"});
    ASSERT_TRUE(read);
    ASSERT_EQ(static_cast<std::size_t>(read->rows()), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(read->text(static_cast<int>(i), 0), texts[i]);
}

TEST(PostgresClientTest, WhatNoTextCanHoldIsReplaced) {
    Database database;
    database.run("CREATE TABLE t (words text)");
    PostgresRows rows(1);
    rows.add(0, [&](PostgresRow& row) { row.text(std::string_view("a\0b\xFF\xC3", 5)); });
    ASSERT_TRUE(database.client().copy("COPY t FROM STDIN", rows.lines(0)));
    EXPECT_EQ(database.lines("SELECT words FROM t"),
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD\xEF\xBF\xBD\n");
}

TEST(PostgresClientTest, ACopyThatFailsLeavesTheConnectionUsable) {
    Database database;
    database.run("CREATE TABLE t (n int PRIMARY KEY)");
    EXPECT_EQ(database.client().copy("COPY t FROM STDIN", "1\n1\n").error().code, ErrorCode::conflict);
    EXPECT_EQ(database.client().copy("COPY t FROM STDIN", "one\n").error().code, ErrorCode::invalid);
    EXPECT_TRUE(database.client().copy("COPY t FROM STDIN", "1\n"));
    EXPECT_TRUE(database.client().is_idle());
}

TEST(PostgresClientTest, NobodyThereSaysWhatWasTried) {
    const std::vector<std::pair<std::string, std::string>> parts = {{"port", "1"}};
    const auto client =
        PostgresClient::connect(*postgres_address(server_url(), parts), 3, std::chrono::milliseconds(1));
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, ErrorCode::unavailable);
    EXPECT_THAT(client.error().what, AllOf(HasSubstr("127.0.0.1:1"), HasSubstr("tried 3 times")));
}

TEST(PostgresClientTest, AWrongPasswordIsNotTriedAgain) {
    const std::vector<std::pair<std::string, std::string>> parts = {{"password", "wrong-secret"}};
    const auto client = PostgresClient::connect(*postgres_address(server_url(), parts), 100, std::chrono::seconds(100));
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, ErrorCode::invalid);
    EXPECT_THAT(client.error().what, AllOf(HasSubstr("authentication failed"), Not(HasSubstr("wrong-secret"))));
}

TEST(PostgresClientTest, AServerThatHasTooManyClientsMayLetUsInLater) {
    Database database;
    database.run("CREATE ROLE test_crowded LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0");
    const std::vector<std::pair<std::string, std::string>> parts = {{"user", "test_crowded"}, {"password", "crowded"}};
    const std::string address = *postgres_address(database.address(), parts);
    const auto refused = PostgresClient::connect(address);
    // Whoever was refused may not have ended yet, and counts until then.
    database.run("ALTER ROLE test_crowded CONNECTION LIMIT 20");
    const auto later = PostgresClient::connect(address);
    database.run("ALTER ROLE test_crowded NOLOGIN");
    const auto never = PostgresClient::connect(address);
    database.run("DROP ROLE test_crowded");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_THAT(refused.error().what,
                AllOf(HasSubstr("too many connections for role"), HasSubstr("(53300)"), Not(HasSubstr("LOCATION"))));
    EXPECT_TRUE(later) << later.error().what;
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().code, ErrorCode::invalid);
    EXPECT_THAT(never.error().what, HasSubstr("is not permitted to log in"));
}

TEST(PostgresClientTest, ShownAddressesHaveNoPassword) {
    EXPECT_EQ(without_password("postgresql://u:p%40ss@h:1/d?sslmode=require"),
              "postgresql://u:***@h:1/d?sslmode=require");
    EXPECT_EQ(without_password("postgresql://u@h/d"), "postgresql://u@h/d");
    EXPECT_EQ(without_password("postgresql://h/d?password=x&a=b"), "postgresql://h/d?password=***&a=b");
    EXPECT_EQ(without_password("host=h password=secret dbname=d"), "host=h password=*** dbname=d");
    EXPECT_EQ(without_password("password='a b\\'c' dbname=d"), "password=*** dbname=d");
    EXPECT_EQ(without_password(""), "");
}

PostgresSchema a_schema(std::vector<std::string> steps) { return {.name = "test", .steps = std::move(steps)}; }
constexpr const char* kOne = "CREATE TABLE one (n int);\n";
constexpr const char* kTwo = "ALTER TABLE one ADD COLUMN m int;\n";

TEST(MigrateTest, TakesEachStepOnce) {
    Database database;
    EXPECT_EQ(*migrate(database.client(), a_schema({kOne})), 0u);
    EXPECT_EQ(*migrate(database.client(), a_schema({kOne})), 1u);
    EXPECT_EQ(*migrate(database.client(), a_schema({kOne, kTwo})), 1u);
    EXPECT_EQ(*schema_version(database.client(), "test"), 2u);
    EXPECT_TRUE(check_version(database.client(), a_schema({kOne, kTwo})));
    EXPECT_EQ(database.lines("SELECT m FROM one"), "");
}

TEST(MigrateTest, AStepThatFailsLeavesNothing) {
    Database database;
    const auto failed = migrate(database.client(), a_schema({kOne, "CREATE TABLE two (n nonsense);\n"}));
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().what, HasSubstr("nonsense"));
    EXPECT_EQ(database.lines("SELECT to_regclass('one') IS NULL"), "t\n");
    EXPECT_EQ(*schema_version(database.client(), "test"), 0u);
}

TEST(MigrateTest, TablesOfANewerProgramStayAsTheyAre) {
    Database database;
    ASSERT_TRUE(migrate(database.client(), a_schema({kOne, kTwo})));
    const auto older = migrate(database.client(), a_schema({kOne}));
    ASSERT_FALSE(older);
    EXPECT_EQ(older.error().code, ErrorCode::invalid);
    EXPECT_THAT(older.error().what, HasSubstr("are of version 2, and this program knows 1"));
    EXPECT_FALSE(check_version(database.client(), a_schema({kOne})));
}

TEST(MigrateTest, TwoAtOnceAreOne) {
    Database database;
    const std::string slow = std::string(kOne) + "SELECT pg_sleep(0.2);\n";
    std::vector<std::thread> threads;
    std::atomic<int> fine = 0;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            const auto client = connected(database.address());
            if (migrate(*client, a_schema({slow}))) ++fine;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(fine, 3);
}

TEST(MigrateTest, WhatADryRunPrintsMakesTheSame) {
    Database database;
    database.run(migration_sql(a_schema({kOne, kTwo}), 0));
    EXPECT_TRUE(check_version(database.client(), a_schema({kOne, kTwo})));
}

}  // namespace
}  // namespace nostro
