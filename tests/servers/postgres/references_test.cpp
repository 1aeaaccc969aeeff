#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "nostro/adapters/postgres/projection.hpp"
#include "tests/servers/postgres/database.hpp"
#include "tests/support/frames_of_a_book.hpp"

namespace nostro {
namespace {

using test::Database;
using ::testing::HasSubstr;

constexpr const char* kTables = R"(CREATE TABLE shops (name text PRIMARY KEY, seq bigint);
CREATE TABLE orders (number text PRIMARY KEY, shop text REFERENCES shops (name), seq bigint,
  mode text DEFAULT current_setting('session_replication_role'));
CREATE TABLE notes (id serial PRIMARY KEY, number text REFERENCES orders (number), what text);
CREATE INDEX notes_number ON notes (number);
)";

// Tables that refer to each other: orders to shops that are there or not, notes to orders of the same batch.
class PostgresReferencesTest : public testing::Test {
protected:
    enum : std::size_t { kShops, kOrders, kNotes };

    PostgresReferencesTest() {
        EXPECT_TRUE(migrate(database_.client(), schema()));
        database_.run("INSERT INTO shops VALUES ('s0', 0), ('s1', 0), ('s2', 0)");
    }
    static PostgresSchema schema() { return {.name = "shops", .steps = {kTables}}; }
    PostgresProjectionOptions options() const {
        PostgresProjectionOptions options{
            .address = database_.address(), .schema = schema(), .tables = {}, .rows_of = rows_of};
        options.tables = {{"public.shops", PostgresTable::Write::newest, {{"name"}, {"seq"}}},
                          {"public.orders",
                           PostgresTable::Write::newest,
                           {{"number"}, {"shop", true, PostgresColumn::Lookup{kShops, 0}, kShops}, {"seq"}}},
                          {"public.notes",
                           PostgresTable::Write::once,
                           {{"number", true, std::nullopt, kOrders}, {"what"}},
                           2,
                           false}};
        options.tables[kNotes].part_of = kOrders;
        return options;
    }
    // Every fifth frame has a shop of its own; every fourth order is of none that is there. From the seventh frame on
    // an earlier order is told of again.
    static Result<> rows_of(const DecodedFrame& frame, PostgresRows& into) {
        const Seq seq = frame.seq();
        const auto shop = [&](std::string_view name) {
            into.put(kShops, name, [&](PostgresRow& row) { row.text(name).number(seq); });
        };
        const auto order = [&](Seq number, std::string_view what) {
            const std::string name = "o" + std::to_string(number);
            into.put(kOrders, name,
                     [&](PostgresRow& row) { row.text(name).text("s" + std::to_string(number % 4)).number(seq); });
            into.add(kNotes, [&](PostgresRow& row) { row.text(name).text(what); });
        };
        if (seq % 5 == 0) shop("own" + std::to_string(seq));
        order(seq, "made");
        if (seq > 6) order(seq - 6, "seen again");
        return {};
    }
    std::string content() const {
        return database_.lines("SELECT s::text FROM shops s ORDER BY 1") +
               database_.lines("SELECT ROW(number, shop, seq)::text FROM orders ORDER BY 1") +
               database_.lines("SELECT number || ' ' || what FROM notes ORDER BY 1");
    }
    // The session's mode in which orders were made: in that of a replica the server looks up no foreign key.
    std::string modes() const { return database_.lines("SELECT DISTINCT mode FROM orders ORDER BY 1"); }
    // A trigger on orders that does this for each that is made.
    void add_trigger(const std::string& statement) {
        database_.run("CREATE FUNCTION of_others() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + statement +
                      "; RETURN NULL; END $$;"
                      "CREATE TRIGGER of_others AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION of_others()");
    }
    static void project(PostgresProjection& projection, std::span<const DecodedPtr> frames) {
        const auto done = projection.project(frames);
        ASSERT_TRUE(done) << done.error().what;
    }

    const FramesOfABook frames_;
    Database database_;
};

TEST_F(PostgresReferencesTest, RowsAreTheSameWhetherTheServerLooksThemUpOrNot) {
    PostgresProjection trusted(options());
    project(trusted, frames_.all());
    EXPECT_EQ(modes(), "replica\n");
    const std::string expected = content();
    EXPECT_THAT(expected, HasSubstr("(o3,,9)"));  // its shop is not there
    EXPECT_THAT(expected, HasSubstr("(o5,s1,11)"));

    database_.run(
        "TRUNCATE shops, orders, notes, nostro.cursor; INSERT INTO shops VALUES ('s0', 0), ('s1', 0), ('s2', 0);"
        "DROP ROLE IF EXISTS feeds_shops; CREATE ROLE feeds_shops LOGIN PASSWORD 'secret';"
        "GRANT USAGE ON SCHEMA nostro TO feeds_shops;"
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA nostro, public TO feeds_shops;"
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO feeds_shops");
    auto feeds = options();
    const std::vector<std::pair<std::string, std::string>> parts = {{"user", "feeds_shops"}, {"password", "secret"}};
    feeds.address = *postgres_address(feeds.address, parts);
    PostgresProjection untrusted(std::move(feeds));
    project(untrusted, frames_.all());
    EXPECT_EQ(modes(), "origin\n");
    EXPECT_EQ(content(), expected);
    database_.run("DROP OWNED BY feeds_shops; DROP ROLE feeds_shops");
}

TEST_F(PostgresReferencesTest, TriggersOfOthersFireAsEver) {
    database_.run("CREATE TABLE told (mode text)");
    add_trigger("INSERT INTO public.told VALUES (current_setting('session_replication_role'))");
    PostgresProjection projection(options());
    Seq seq = 0;
    for (const auto& [is, mode, told] :
         {std::array{"ENABLE", "origin\n", "origin\n"}, std::array{"ENABLE ALWAYS", "origin\n", "origin\n"},
          std::array{"ENABLE REPLICA", "origin\n", ""}, std::array{"DISABLE", "replica\n", ""}}) {
        database_.run(std::string("TRUNCATE told; ALTER TABLE orders ") + is + " TRIGGER of_others");
        ++seq;
        project(projection, frames_.from(seq).first(1));
        EXPECT_EQ(database_.lines("SELECT mode FROM orders WHERE number = 'o" + std::to_string(seq) + "'"), mode) << is;
        EXPECT_EQ(database_.lines("SELECT mode FROM told"), told) << is;
    }
}

TEST_F(PostgresReferencesTest, WhatTriggersOfOthersWriteIsLookedUp) {
    add_trigger("INSERT INTO public.notes (number, what) VALUES ('nowhere', 'by others')");
    database_.run("ALTER TABLE orders ENABLE ALWAYS TRIGGER of_others");
    PostgresProjection projection(options());
    const auto refused = projection.project(frames_.from(1).first(1));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("notes_number_fkey"));
    EXPECT_EQ(content(), "(s0,0)\n(s1,0)\n(s2,0)\n");
}

TEST_F(PostgresReferencesTest, ForeignKeysOfOthersHold) {
    PostgresProjection projection(options());
    project(projection, std::span(frames_.all()).first(4));
    database_.run(
        "CREATE TABLE allowed (seq bigint PRIMARY KEY); INSERT INTO allowed SELECT generate_series(1, 4);"
        "ALTER TABLE orders ADD CONSTRAINT only_allowed FOREIGN KEY (seq) REFERENCES allowed");
    const auto refused = projection.project(frames_.from(5).first(1));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("only_allowed"));
    database_.run("INSERT INTO allowed VALUES (5)");
    project(projection, frames_.from(5).first(1));
}

TEST_F(PostgresReferencesTest, WhatSomebodyDeletesMeanwhileIsReferredToByNobody) {
    PostgresProjection projection(options());
    const auto other = test::connected(database_.address());
    ASSERT_TRUE(other->script("BEGIN; DELETE FROM shops WHERE name = 's1'"));
    std::atomic<bool> is_done = false;
    std::jthread feeder([&] {
        project(projection, frames_.all());
        is_done = true;
    });
    // Whoever waits for the end of another transaction waits in no database, as pg_locks has it.
    while (!is_done && database_.lines("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                                       "WHERE NOT granted AND datname = current_database()") != "1\n") {
    }
    ASSERT_TRUE(other->script("COMMIT"));
    feeder.join();
    EXPECT_EQ(database_.lines("SELECT count(*) FROM orders WHERE shop = 's1'"), "0\n");
    EXPECT_EQ(database_.lines("SELECT count(*) > 0 FROM orders WHERE shop = 's2'"), "t\n");
}

TEST_F(PostgresReferencesTest, PartsThatAreThereWithoutTheirCursorAreNotAddedTwice) {
    PostgresProjection projection(options());
    project(projection, frames_.all());
    const std::string expected = content();
    for (const char* lost : {"DELETE FROM nostro.cursor",
                             "DELETE FROM nostro.cursor; DELETE FROM notes WHERE number = 'o4' AND what = 'made'",
                             "DELETE FROM nostro.cursor; DELETE FROM notes; DELETE FROM orders"}) {
        database_.run(lost);
        project(projection, frames_.all());
        EXPECT_EQ(content(), expected) << lost;
    }
}

TEST_F(PostgresReferencesTest, PartsOfWhatSomebodyDeletedAreNotAddedWithoutIt) {
    PostgresProjection projection(options());
    project(projection, frames_.all());
    const std::string expected = content();
    database_.run("DELETE FROM notes WHERE number = 'o5'; DELETE FROM orders WHERE number = 'o5'");
    // The frames come again, as they do when nobody heard how their commit went.
    const auto refused = projection.project(frames_.all());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("notes_number_fkey"));
    EXPECT_EQ(database_.lines("SELECT what FROM notes WHERE number = 'o5'"), "");
    database_.run("INSERT INTO orders VALUES ('o5', 's1', 11)");
    project(projection, frames_.all());
    EXPECT_EQ(content(), expected);
}

}  // namespace
}  // namespace nostro
