#include "nostro/adapters/postgres/projection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "nostro/adapters/postgres/native_tables.hpp"
#include "tests/contract/projection_contract.hpp"
#include "tests/servers/postgres/cutting_proxy.hpp"
#include "tests/servers/postgres/database.hpp"

namespace nostro {
namespace {

using test::Database;
using ::testing::HasSubstr;

PostgresProjectionOptions options_of(const Database& database) {
    const NativeNames names{[](TenantNo, PolicyVersion) { return PolicyPtr(); }, [](TenantNo) { return "nostro"; }};
    return {.address = database.address(),
            .schema = native_schema(),
            .tables = native_tables(),
            .rows_of = [names](const DecodedFrame& frame, PostgresRows& into) {
                return add_native_rows(frame, names, into);
            }};
}

class PostgresTarget final : public ProjectionTarget {
public:
    PostgresTarget() {
        const auto migrated = migrate(database_.client(), native_schema());
        EXPECT_TRUE(migrated) << (migrated ? "" : migrated.error().what);
    }
    Projection& open() override { return open(options_of(database_)); }
    Projection& open(PostgresProjectionOptions options) {
        projection_ = std::make_unique<PostgresProjection>(std::move(options));
        return *projection_;
    }
    std::string content() const override {
        std::string text;
        for (const char* table : {"accounts", "payments", "outcomes", "entries"}) {
            text += database_.lines(std::string("SELECT t::text FROM nostro.") + table + " t ORDER BY 1");
        }
        return text;
    }
    Database& database() { return database_; }
    PostgresProjectionOptions options() const { return options_of(database_); }

private:
    Database database_;
    std::unique_ptr<PostgresProjection> projection_;
};

INSTANTIATE_TEST_SUITE_P(Adapters, ProjectionContract,
                         testing::Values(ProjectionAdapter{
                             "Postgres", [](const ReadFrame&) { return std::make_unique<PostgresTarget>(); }}),
                         name_of);

class PostgresProjectionTest : public testing::Test {
protected:
    std::string expected() {
        PostgresTarget target;
        EXPECT_TRUE(target.open().project(frames_.all()));
        return target.content();
    }
    static void refuses(Projection& projection, std::span<const DecodedPtr> frames, ErrorCode code,
                        const std::string& what) {
        const auto done = projection.project(frames);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, code) << done.error().what;
        EXPECT_THAT(done.error().what, HasSubstr(what));
    }
    FramesOfABook frames_;
    PostgresTarget target_;
};

TEST_F(PostgresProjectionTest, BalancesAreTheBooksOwnAndSumToZero) {
    ASSERT_TRUE(target_.open().project(frames_.all()));
    Database& database = target_.database();
    EXPECT_EQ(database.lines("SELECT sum(balance) FROM nostro.accounts GROUP BY currency"), "0.00\n");
    EXPECT_EQ(database.lines("SELECT sum(amount) FROM nostro.entries GROUP BY currency"), "0.00\n");
    // The newest entry of each account is where it stands.
    EXPECT_EQ(
        database.lines("SELECT count(*) FROM nostro.accounts a JOIN LATERAL (SELECT balance FROM nostro.entries e "
                       "WHERE e.account_id = a.account_id ORDER BY seq DESC, index DESC LIMIT 1) e ON true "
                       "WHERE e.balance <> a.balance"),
        "0\n");
    const AccountImage* ada = frames_.writer().book().account(test::account("ada"));
    ASSERT_NE(ada, nullptr);
    EXPECT_EQ(database.lines("SELECT balance FROM nostro.accounts WHERE name = 'ada'"),
              Money(ada->balance, ada->currency).decimal() + "\n");
}

TEST_F(PostgresProjectionTest, AChangedRowIsMetBySecondDelivery) {
    Projection& projection = target_.open();
    ASSERT_TRUE(projection.project(frames_.all()));
    target_.database().run("UPDATE nostro.entries SET amount = amount + 0.01 WHERE seq = 5 AND amount > 0");
    refuses(projection, frames_.from(5).first(1), ErrorCode::corrupt, "history differs: a row of nostro.entries");
    refuses(projection, frames_.from(5).first(1), ErrorCode::corrupt, "seq = 5");
    // The others are as they were.
    EXPECT_TRUE(projection.project(frames_.from(6)));
}

TEST_F(PostgresProjectionTest, OfTwoThatFeedTheSameTablesEachPassesOverWhatTheOtherWrote) {
    auto options = target_.options();
    options.shared = true;
    PostgresProjection one(options), other(options);
    const std::span all(frames_.all());
    ASSERT_TRUE(one.project(all.first(5)));
    target_.database().run("UPDATE nostro.entries SET amount = amount + 0.01 WHERE seq = 5 AND amount > 0");
    ASSERT_TRUE(other.project(all.first(8))) << "it is no business of its own";
    target_.database().run("UPDATE nostro.entries SET amount = amount - 0.01 WHERE seq = 5 AND amount > 0");
    ASSERT_TRUE(one.project(frames_.from(6).first(1)));
    ASSERT_TRUE(one.project(frames_.from(7)));
    EXPECT_EQ(target_.content(), expected());
    FramesOfABook others(14, std::chrono::seconds(2));
    refuses(other, others.from(all.size() + 1), ErrorCode::corrupt, "history differs: frame 13");
}

TEST_F(PostgresProjectionTest, TwoThatFeedTheSameTablesAtOnceWriteEachFrameOnce) {
    auto options = target_.options();
    options.shared = true;
    std::vector<std::jthread> feeders;
    for (int i = 0; i < 3; ++i) {
        feeders.emplace_back([&] {
            PostgresProjection projection(options);
            for (const DecodedPtr& frame : frames_.all()) {
                const auto done = projection.project(std::span(&frame, 1));
                EXPECT_TRUE(done) << done.error().what;
            }
        });
    }
    feeders.clear();
    EXPECT_EQ(target_.content(), expected());
}

TEST_F(PostgresProjectionTest, TablesOfAnotherJournalAreNotTouched) {
    Projection& projection = target_.open();
    ASSERT_TRUE(projection.project(frames_.all()));
    const std::string before = target_.content();
    FramesOfABook others(14, std::chrono::seconds(2));
    refuses(projection, others.from(frames_.all().size() + 1), ErrorCode::corrupt, "history differs: frame 13");
    EXPECT_EQ(target_.content(), before);
}

TEST_F(PostgresProjectionTest, RowsWithoutTheirCursorAreTakenWhereTheyAreEqual) {
    Projection& projection = target_.open();
    ASSERT_TRUE(projection.project(std::span(frames_.all()).first(8)));
    target_.database().run("DELETE FROM nostro.cursor");
    EXPECT_EQ(*projection.next(), 1u);
    ASSERT_TRUE(projection.project(frames_.all()));
    EXPECT_EQ(target_.content(), expected());
}

TEST_F(PostgresProjectionTest, RowsWithoutTheirCursorThatDifferStopIt) {
    Projection& projection = target_.open();
    ASSERT_TRUE(projection.project(std::span(frames_.all()).first(8)));
    target_.database().run("DELETE FROM nostro.cursor; UPDATE nostro.payments SET amount = 5 WHERE number = 4");
    const std::string before = target_.content();
    refuses(projection, frames_.all(), ErrorCode::corrupt, "history differs: a row of nostro.payments");
    EXPECT_EQ(target_.content(), before);
}

TEST_F(PostgresProjectionTest, AGapIsSaid) {
    refuses(target_.open(), frames_.from(3), ErrorCode::invalid, "end at frame 0, and the next is frame 3");
    EXPECT_EQ(target_.database().lines("SELECT count(*) FROM nostro.outcomes"), "0\n");
}

TEST_F(PostgresProjectionTest, AConnectionThatIsLostInTheMiddleLeavesNothing) {
    auto options = target_.options();
    bool once = true;
    options.rows_of = [&, rows_of = options.rows_of](const DecodedFrame& frame, PostgresRows& into) {
        if (frame.seq() == 7 && std::exchange(once, false)) {  // the transaction is open, nothing is written yet
            target_.database().lines(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                "current_database() AND pid <> pg_backend_pid()");
        }
        return rows_of(frame, into);
    };
    Projection& projection = target_.open(std::move(options));
    ASSERT_TRUE(projection.project(std::span(frames_.all()).first(5)));
    refuses(projection, frames_.from(6), ErrorCode::unavailable, "PostgreSQL at 127.0.0.1");
    EXPECT_EQ(*projection.next(), 6u);
    ASSERT_TRUE(projection.project(frames_.from(6)));
    EXPECT_EQ(target_.content(), expected());
}

TEST_F(PostgresProjectionTest, AConnectionThatIsLostDuringCommitIsAskedForAgain) {
    // The server's process ends when the transaction is about to be committed.
    target_.database().run(R"(
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.next_seq = 9 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER dies AFTER UPDATE ON nostro.cursor DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die())");
    Projection& projection = target_.open();
    ASSERT_TRUE(projection.project(std::span(frames_.all()).first(6)));
    refuses(projection, frames_.from(7).first(2), ErrorCode::unavailable, "PostgreSQL at 127.0.0.1");
    target_.database().run("DROP TRIGGER dies ON nostro.cursor");
    ASSERT_TRUE(projection.project(frames_.from(7)));
    EXPECT_EQ(target_.content(), expected());
}

// Every third time who was cut off is gone, and another one goes on.
TEST_F(PostgresProjectionTest, WhereverTheConnectionIsCutRowsAndCursorAreBothThereOrNeither) {
    const FramesOfABook many(44);
    test::CuttingProxy proxy;
    auto options = target_.options();
    options.address = proxy.address(target_.database());
    Projection* projection = &target_.open(options);
    const std::string whole =
        "SELECT coalesce((SELECT next_seq - 1 FROM nostro.cursor), 0) = "
        "coalesce((SELECT max(seq) FROM nostro.outcomes), 0)";
    int cuts = 0;
    Seq seq = 1;
    for (int nth = 1; seq <= many.all().size(); ++nth) {
        bool cut = false;
        for (const auto when : test::CuttingProxy::kWhen) {
            if (seq > many.all().size()) break;
            proxy.cut(nth, when);
            while (true) {
                const auto done = projection->project(many.from(seq).first(1));
                ASSERT_EQ(target_.database().lines(whole), "t\n") << "frame " << seq << ", cut at " << nth;
                if (done) break;
                ASSERT_EQ(done.error().code, ErrorCode::unavailable) << done.error().what;
                if (++cuts % 3 == 0) projection = &target_.open(options);
            }
            cut |= proxy.has_cut();
            ASSERT_EQ(*projection->next(), ++seq);
        }
        if (!cut) nth = 0;  // a transaction says no more than that
    }
    EXPECT_GT(cuts, 30);
    PostgresTarget undisturbed;
    ASSERT_TRUE(undisturbed.open().project(many.all()));
    EXPECT_EQ(target_.content(), undisturbed.content());
}

TEST_F(PostgresProjectionTest, ACommitWhoseAnswerWasLostIsNotDoneTwice) {
    ASSERT_TRUE(target_.open().project(frames_.all()));
    // As if the commit had gone through and nobody had heard of it.
    ASSERT_TRUE(target_.open().project(frames_.from(9)));
    EXPECT_EQ(target_.content(), expected());
}

TEST_F(PostgresProjectionTest, SmallTransactionsSayTheSame) {
    auto options = target_.options();
    options.outcomes_at_once = 1;
    ASSERT_TRUE(target_.open(std::move(options)).project(frames_.all()));
    EXPECT_EQ(target_.content(), expected());
}

TEST_F(PostgresProjectionTest, AColumnThatIsGoneIsNamed) {
    Projection& projection = target_.open();
    ASSERT_TRUE(projection.project(std::span(frames_.all()).first(4)));
    target_.database().run("ALTER TABLE nostro.entries DROP COLUMN balance");
    refuses(projection, frames_.from(5), ErrorCode::invalid, "balance");
    target_.database().run("ALTER TABLE nostro.entries ADD COLUMN balance numeric");
    EXPECT_TRUE(projection.project(frames_.from(5)));
}

TEST_F(PostgresProjectionTest, ARoleThatMayNotWriteIsTold) {
    Database& database = target_.database();
    database.run(
        "DROP ROLE IF EXISTS reads_only; CREATE ROLE reads_only LOGIN PASSWORD 'secret';"
        "GRANT USAGE ON SCHEMA nostro TO reads_only; GRANT SELECT ON ALL TABLES IN SCHEMA nostro TO reads_only");
    auto options = target_.options();
    const std::vector<std::pair<std::string, std::string>> parts = {{"user", "reads_only"}, {"password", "secret"}};
    options.address = *postgres_address(options.address, parts);
    refuses(target_.open(std::move(options)), frames_.all(), ErrorCode::invalid, "permission denied for table cursor");
    database.run("DROP OWNED BY reads_only; DROP ROLE reads_only");
}

TEST_F(PostgresProjectionTest, ARoleNeedsNoMoreThanToWrite) {
    Database& database = target_.database();
    database.run(
        "DROP ROLE IF EXISTS only_feeds; CREATE ROLE only_feeds LOGIN PASSWORD 'secret';"
        "GRANT USAGE ON SCHEMA nostro TO only_feeds;"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA nostro TO only_feeds");
    auto options = target_.options();
    const std::vector<std::pair<std::string, std::string>> parts = {{"user", "only_feeds"}, {"password", "secret"}};
    options.address = *postgres_address(options.address, parts);
    const auto done = target_.open(std::move(options)).project(frames_.all());
    EXPECT_TRUE(done) << (done ? "" : done.error().what);
    target_.open();
    database.run("DROP OWNED BY only_feeds; DROP ROLE only_feeds");
}

TEST_F(PostgresProjectionTest, TablesThatAreNotThereAreMissed) {
    Database empty;
    auto options = target_.options();
    options.address = empty.address();
    PostgresProjection projection(std::move(options));
    const auto next = projection.next();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, ErrorCode::invalid);
    EXPECT_THAT(next.error().what, HasSubstr("run `nostro migrate`"));
}

TEST_F(PostgresProjectionTest, TextsArriveAsTheyAreAndNumbersExactly) {
    const std::string odd = "it's \\N; DROP TABLE nostro.payments; -- \"$1\" \\. %s \xC3\xA9";
    Command command = test::a_payment()
                          .of("EUR", 12'345'678'901'234'567)
                          .from("rich")
                          .to("richer")
                          .opening(12'345'678'901'234'567, 0)
                          .command();
    std::get<SubmitPayment>(command.body).payment.description = odd;
    frames_.write({command});
    ASSERT_TRUE(target_.open().project(frames_.all()));
    EXPECT_EQ(target_.database().lines("SELECT description FROM nostro.payments WHERE debtor = 'rich'"), odd + "\n");
    EXPECT_EQ(target_.database().lines("SELECT balance FROM nostro.accounts WHERE name = 'richer'"),
              "123456789012345.67\n");
}

}  // namespace
}  // namespace nostro
