#include "nostro/adapters/postgres/history.hpp"

#include <algorithm>

#include "nostro/adapters/postgres/comparison.hpp"
#include "nostro/adapters/postgres/projection.hpp"
#include "tests/contract/history_contract.hpp"
#include "tests/servers/postgres/database.hpp"

namespace nostro {
namespace {

using test::Database;

// One for all tests of the contract: to make a database takes longer than they do.
Database& emptied_database() {
    static Database database;
    database.run("DROP SCHEMA IF EXISTS nostro CASCADE");
    return database;
}

class PostgresStoreOfHistory final : public HistoryStore {
public:
    PostgresStoreOfHistory(HistoryNeeds needs, Database& database) : needs_(std::move(needs)), database_(database) {
        const auto migrated = migrate(database_.client(), history_schema());
        EXPECT_TRUE(migrated) << (migrated ? "" : migrated.error().what);
    }
    void open() override {
        history_ = std::make_unique<PostgresHistory>(options());
        projection_ = std::make_unique<PostgresProjection>(
            PostgresProjectionOptions{.address = database_.address(),
                                      .schema = history_schema(),
                                      .tables = history_tables(),
                                      .rows_of = [this](const DecodedFrame& frame, PostgresRows& into) {
                                          return add_history_rows(frame, needs_.rows, into);
                                      }});
    }
    PostgresHistoryOptions options() const {
        return {.address = database_.address(),
                .frame = needs_.frame,
                .readable = needs_.newest,
                .rows = needs_.rows,
                .connections_max = 2};
    }
    History& history() override { return *history_; }
    PostgresHistory& opened() { return *history_; }
    Projection& projection() override { return *projection_; }

private:
    HistoryNeeds needs_;
    Database& database_;
    std::unique_ptr<PostgresHistory> history_;
    std::unique_ptr<PostgresProjection> projection_;
};

INSTANTIATE_TEST_SUITE_P(Adapters, HistoryContract,
                         testing::Values(HistoryAdapter{"Postgres",
                                                        [](const HistoryNeeds& needs) {
                                                            return std::make_unique<PostgresStoreOfHistory>(
                                                                needs, emptied_database());
                                                        }}),
                         name_of);

class PostgresHistoryTest : public testing::Test {
protected:
    PostgresHistoryTest()
        : store_({.frame = [this](Seq seq) { return book_.frame(seq); },
                  .newest = [this] { return readable_; },
                  .rows = rows_by_type},
                 database_) {
        book_.run(an_account("ada").with(1'000'000).command());
        for (std::uint64_t n = 1; n <= 5; ++n) book_.run(a_payment().id(n).of("EUR", 100).type("A").command());
        book_.run(a_payment().id(6).of("EUR", 60'000).command());  // in review
        readable_ = book_.frames().size();
        store_.open();
        const auto done = store_.projection().project(book_.frames());
        EXPECT_TRUE(done) << (done ? "" : done.error().what);
    }
    PostgresHistory& history() { return store_.opened(); }
    // Ends every connection that the history has.
    void end_connections() {
        database_.lines(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
            "pg_backend_pid()");
    }
    std::uint64_t told() { return ids(*history().payments(of_account("bob"))).size(); }

    test::FramedBook book_;
    Seq readable_ = 0;
    Database database_;
    PostgresStoreOfHistory store_;
};

// Another process feeds the tables, and this one has not read its newest frames yet.
TEST_F(PostgresHistoryTest, SaysNothingOfFramesThatThisProcessCannotReadYet) {
    readable_ -= 2;
    EXPECT_EQ(history().as_of().seq, readable_);
    EXPECT_FALSE(history().payment(payment_id_of(6))->has_value());
    EXPECT_EQ(told(), 4u);
    EXPECT_THAT(history().reviews(0, 10, "")->items, IsEmpty());
    EXPECT_EQ(history().account(account("ada"))->value().image.balance, 1'000'000 - 400);
    EXPECT_EQ(history().account_at(account("ada"), readable_ + 2)->balance, 1'000'000 - 400);
    RowSearch rows;
    rows.group = "A";
    EXPECT_THAT(history().rows(rows)->items, SizeIs(4));
    EXPECT_EQ(history().frame_of_number(0, 5).value(), std::nullopt);
    readable_ += 2;
    EXPECT_EQ(told(), 6u);
    EXPECT_THAT(history().reviews(0, 10, "")->items, SizeIs(1));
}

TEST_F(PostgresHistoryTest, ConnectionsThatHaveEndedAreMadeAnew) {
    EXPECT_EQ(told(), 6u);
    end_connections();
    EXPECT_EQ(told(), 6u);
    EXPECT_EQ(history().trouble(), "");
}

TEST_F(PostgresHistoryTest, AServerThatCannotBeAskedIsSaidWithoutItsAddress) {
    EXPECT_EQ(history().as_of().seq, readable_);
    const std::string name = database_.lines("SELECT current_database()");
    const std::string database = name.substr(0, name.size() - 1);
    const auto elsewhere = test::connected(test::server_url());
    ASSERT_TRUE(elsewhere->script("ALTER DATABASE " + database + " ALLOW_CONNECTIONS false"));
    ASSERT_TRUE(
        elsewhere->run({"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", {database}}));
    const auto refused = history().payments(of_account("bob"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_EQ(refused.error().what, "the query index in PostgreSQL cannot be asked now");
    EXPECT_THAT(history().trouble(), HasSubstr(database));
    EXPECT_EQ(history().as_of().seq, readable_) << "as of the last answer";
    ASSERT_TRUE(elsewhere->script("ALTER DATABASE " + database + " ALLOW_CONNECTIONS true"));
    while (!history().payments(of_account("bob"))) {
    }
    EXPECT_EQ(history().trouble(), "");
}

TEST_F(PostgresHistoryTest, TablesThatAreNotThereYetAreUnavailable) {
    Database empty;
    PostgresHistoryOptions options = store_.options();
    options.address = empty.address();
    const PostgresHistory early(std::move(options));
    EXPECT_EQ(early.as_of().seq, 0u);
    const auto refused = early.payment(payment_id_of(1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_THAT(early.trouble(), HasSubstr("nostro migrate"));
}

TEST_F(PostgresHistoryTest, ManyMayAskAtOnce) {
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 20; ++n) right += told() == 6 ? 1 : 0;
        });
    }
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(right, 120);
    EXPECT_EQ(database_.lines("SELECT count(*) <= 3 FROM pg_stat_activity WHERE datname = current_database() AND "
                              "pid <> pg_backend_pid() AND backend_type = 'client backend'"),
              "t\n")
        << "two that ask, one that feeds";
}

// As a program of an older version left them, and this one finds them.
TEST_F(PostgresHistoryTest, TablesOfAnOlderVersionFillAnewWhereItsRowsWereOthers) {
    const auto migrate_again = [&] {
        database_.run("DELETE FROM nostro.schema_version WHERE name = 'index' AND version = 2");
        const auto done = migrate(database_.client(), history_schema());
        EXPECT_TRUE(done) << (done ? "" : done.error().what);
    };
    migrate_again();
    EXPECT_EQ(told(), 6u) << "there are no payments of tps";
    database_.run("UPDATE nostro.index_payments SET tenant = 2 WHERE seq = 4");
    migrate_again();
    for (const PostgresTable& table : history_tables()) {
        EXPECT_EQ(database_.lines("SELECT count(*) FROM " + table.name), "0\n") << table.name;
    }
    ASSERT_TRUE(store_.projection().project(book_.frames()));
    EXPECT_EQ(told(), 6u);
}

// What stands in the tables is what frames give: held against them as all tables are, and mended.
TEST_F(PostgresHistoryTest, ItsTablesAreComparedAndMended) {
    book_.run(a_command(DecideReview{payment_id_of(6), true, "rita", ""}));
    book_.run(a_command(KeepDeadLetter{"file", "row 7", "paysim_csv", "no amount", "1,2,3"}));
    book_.run(a_command(ResolveDeadLetter{{book_.frames().size(), 0}, false, "rita", ""}));
    readable_ = book_.frames().size();
    ASSERT_TRUE(store_.projection().project(std::span(book_.frames()).last(3)));
    PostgresComparison comparison(
        {.name = "index",
         .address = database_.address(),
         .schema = history_schema(),
         .tables = history_tables(),
         .rows_of = [](const DecodedFrame& frame,
                       PostgresRows& into) { return add_history_rows(frame, rows_by_type, into); },
         .read = [this](Seq from, Seq through, const std::function<Result<>(const DecodedFrame&)>& each) -> Result<> {
             for (Seq seq = from; seq <= through; ++seq) {
                 if (auto done = each(*book_.frames()[seq - 1]); !done) return done;
             }
             return {};
         }});
    const CompareWatch watch{[] { return false; }, [](std::uint64_t, std::uint64_t) {}};
    auto found = comparison.compare(false, watch);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->drift, 0u) << found->drifts.front().place << " " << found->drifts.front().key << " "
                                << found->drifts.front().column;
    EXPECT_GT(found->rows, 40u);
    database_.run(
        "UPDATE nostro.index_payments SET status = 1 WHERE seq = 4; DELETE FROM nostro.index_rows WHERE seq = 4; "
        "UPDATE nostro.index_touches SET is_debit = NOT is_debit WHERE seq = 5; "
        "DELETE FROM nostro.index_accounts WHERE name = 'bob'; UPDATE nostro.index_letters SET state = 0");
    found = comparison.compare(true, watch);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->mended, found->drift);
    EXPECT_EQ(found->drift, 1u + 2u + 2u + 1u + 1u);
    found = comparison.compare(false, watch);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->drift, 0u);
}

}  // namespace
}  // namespace nostro
