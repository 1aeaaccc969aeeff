// The journal in PostgreSQL with its rows in the same transaction: both are there or neither.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "nostro/adapters/postgres/native_tables.hpp"
#include "nostro/adapters/postgres/postgres_journal.hpp"
#include "nostro/adapters/postgres/projection.hpp"
#include "tests/servers/postgres/cutting_proxy.hpp"
#include "tests/servers/postgres/database.hpp"
#include "tests/support/frames_of_a_book.hpp"
#include "tests/support/progress.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using test::CuttingProxy;
using test::Database;
using testing::HasSubstr;

std::string content(const Database& database) {
    std::string text;
    for (const char* table : {"accounts", "payments", "outcomes", "entries"}) {
        text += database.lines(std::string("SELECT t::text FROM nostro.") + table + " t ORDER BY 1");
    }
    return text;
}

std::unique_ptr<PostgresProjection> projection_of(const Database& database) {
    const NativeNames names{[](TenantNo, PolicyVersion) { return PolicyPtr(); }, [](TenantNo) { return "nostro"; }};
    return std::make_unique<PostgresProjection>(
        PostgresProjectionOptions{.address = database.address(),
                                  .schema = native_schema(),
                                  .tables = native_tables(),
                                  .rows_of = [names](const DecodedFrame& frame, PostgresRows& into) {
                                      return add_native_rows(frame, names, into);
                                  }});
}

class PostgresLedgerTest : public testing::Test {
protected:
    PostgresLedgerTest() { EXPECT_TRUE(migrate(database_.client(), native_schema())); }

    std::unique_ptr<PostgresJournal> open(bool with_ledger = true) { return open(database_.address(), with_ledger); }
    std::unique_ptr<PostgresJournal> open(const std::string& address, bool with_ledger) {
        PostgresJournalOptions options;
        options.address = address;
        options.pause = milliseconds(5);
        options.look_every = look_every_;
        options.stalled_after = milliseconds(600'000);  // what stops intake is what a test does
        auto journal = PostgresJournal::open(options);
        EXPECT_TRUE(journal) << journal.error().what;
        progress_.watch(**journal);
        ledger_ = projection_of(database_);
        if (with_ledger) {
            EXPECT_TRUE((*journal)->set_ledger(*ledger_, database_.address()));
        }
        return std::move(*journal);
    }
    void write(PostgresJournal& journal, Seq seq) {
        ASSERT_TRUE(journal.append(frames_.all()[seq - 1]->frame));
        const auto accepted = progress_.wait_for(journal, seq);
        ASSERT_TRUE(accepted) << accepted.error().what;
    }
    // In one snapshot: the frames, the end of the chain, the rows and their cursor say the same.
    bool both_or_neither() {
        return database_.lines(
                   "SELECT b.seq = (SELECT count(*) FROM nostro_journal.frames) AND "
                   "b.seq = (SELECT coalesce(max(next_seq), 1) FROM nostro.cursor) - 1 AND "
                   "b.seq = (SELECT count(DISTINCT seq) FROM nostro.outcomes) FROM nostro_journal.books b") == "t\n";
    }
    std::string expected() {
        const Database other;
        EXPECT_TRUE(migrate(const_cast<Database&>(other).client(), native_schema()));
        EXPECT_TRUE(projection_of(other)->project(frames_.all()));
        return content(other);
    }

    milliseconds look_every_{1'000};
    FramesOfABook frames_{44};
    Database database_;
    std::unique_ptr<PostgresProjection> ledger_;
    test::Progress progress_;
};

TEST_F(PostgresLedgerTest, WhereverTheConnectionIsCutFrameAndRowsAreBothThereOrNeither) {
    CuttingProxy proxy;
    const auto journal = open(proxy.address(database_), true);
    ASSERT_TRUE(journal->take_over());
    int cuts = 0, nth = 1;
    auto when = CuttingProxy::When::unsent;
    for (Seq seq = 1; seq <= frames_.all().size(); ++seq) {
        proxy.cut(nth, when);
        ASSERT_TRUE(journal->append(frames_.all()[seq - 1]->frame));
        Result<Seq> accepted = Seq{0};
        do {
            ASSERT_TRUE(both_or_neither()) << "frame " << seq << ", cut at " << nth;
            accepted = journal->accepted();
            ASSERT_TRUE(accepted) << accepted.error().what;
        } while (*accepted < seq);
        ASSERT_TRUE(both_or_neither());
        const bool cut = proxy.has_cut();
        cuts += cut ? 1 : 0;
        if (when != CuttingProxy::When::unheard) {
            when = static_cast<CuttingProxy::When>(static_cast<int>(when) + 1);
        } else {
            when = CuttingProxy::When::unsent;
            nth = cut ? nth + 1 : 1;  // a transaction says no more than that
        }
    }
    EXPECT_GT(cuts, 30);
    EXPECT_TRUE(content(database_) == expected());
}

TEST_F(PostgresLedgerTest, TablesThatAreBehindCatchUpWithTheNextFrame) {
    const auto journal = open();
    ASSERT_TRUE(journal->take_over());
    for (Seq seq = 1; seq < 20; ++seq) write(*journal, seq);
    database_.run("TRUNCATE nostro.accounts, nostro.payments, nostro.outcomes, nostro.entries, nostro.cursor");
    EXPECT_FALSE(both_or_neither());
    for (Seq seq = 20; seq <= frames_.all().size(); ++seq) write(*journal, seq);
    EXPECT_TRUE(both_or_neither());
    EXPECT_TRUE(content(database_) == expected());
}

TEST_F(PostgresLedgerTest, RowsThatCannotBeWrittenStopIntakeUntilSomebodyMendsIt) {
    const auto journal = open();
    ASSERT_TRUE(journal->take_over());
    write(*journal, 1);
    database_.run("ALTER TABLE nostro.outcomes RENAME COLUMN tenant TO t");
    ASSERT_TRUE(journal->append(frames_.all()[1]->frame));
    Result<> ready;
    while ((ready = journal->ready(Journal::Need::intake))) ASSERT_TRUE(both_or_neither());
    EXPECT_THAT(ready.error().what, HasSubstr("journal_unavailable"));
    EXPECT_THAT(ready.error().what, HasSubstr("column \"tenant\""));
    EXPECT_EQ(*journal->accepted(), 1u);
    EXPECT_TRUE(both_or_neither());
    database_.run("ALTER TABLE nostro.outcomes RENAME COLUMN t TO tenant");
    ASSERT_EQ(*progress_.wait_for(*journal, 2), 2u);
    EXPECT_TRUE(both_or_neither());
}

TEST_F(PostgresLedgerTest, AServerThatIsBackIsReadyOnceItsTablesCanBeWritten) {
    look_every_ = milliseconds(5);
    const auto journal = open();
    ASSERT_TRUE(journal->take_over());
    write(*journal, 1);
    // Whoever connects is let in, and counted where he prepares to write rows.
    database_.run(R"(
        CREATE SEQUENCE refusals;
        CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM nextval('public.refusals'); RAISE EXCEPTION 'not yet';
        END $$;
        CREATE EVENT TRIGGER refuses ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS')
            EXECUTE FUNCTION refuse())");
    database_.run(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    while (database_.lines("SELECT is_called FROM refusals") != "t\n") {
    }
    while (database_.lines("SELECT last_value > 3 FROM refusals") != "t\n") {
        ASSERT_FALSE(journal->ready(Journal::Need::intake));
    }
    auto ready = journal->ready(Journal::Need::intake);
    ASSERT_FALSE(ready);
    EXPECT_THAT(ready.error().what, HasSubstr("not yet"));
    database_.run("DROP EVENT TRIGGER refuses");
    while (!(ready = journal->ready(Journal::Need::intake))) std::this_thread::yield();
    write(*journal, 2);
    EXPECT_TRUE(both_or_neither());
}

TEST_F(PostgresLedgerTest, OnceItIsStoppedItWritesNothingAndItsTablesMayGo) {
    const auto journal = open();
    ASSERT_TRUE(journal->take_over());
    write(*journal, 1);
    database_.run("ALTER TABLE nostro.outcomes RENAME COLUMN tenant TO t");
    ASSERT_TRUE(journal->append(frames_.all()[1]->frame));
    while (journal->ready(Journal::Need::intake)) std::this_thread::yield();
    journal->stop();
    ledger_.reset();
    database_.run("ALTER TABLE nostro.outcomes RENAME COLUMN t TO tenant");
    // Whoever owns it next finds the frame in neither, and goes on with it.
    const auto next = open();
    EXPECT_EQ(next->take_over()->seq, 1u);
    EXPECT_TRUE(both_or_neither());
    EXPECT_EQ(*journal->accepted(), 1u);
    journal->stop();
}

TEST_F(PostgresLedgerTest, TablesOfAnotherDatabaseAreRefused) {
    const Database other;
    PostgresJournalOptions options;
    options.address = database_.address();
    const auto journal = *PostgresJournal::open(options);
    const auto refused = journal->set_ledger(*projection_of(other), other.address());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    EXPECT_THAT(refused.error().what, HasSubstr("name the same database"));
}

}  // namespace
}  // namespace nostro
