#include "nostro/adapters/postgres/comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "nostro/adapters/postgres/native_tables.hpp"
#include "nostro/adapters/postgres/projection.hpp"
#include "tests/servers/postgres/database.hpp"
#include "tests/support/frames_of_a_book.hpp"

namespace nostro {
namespace {

using test::Database;
using ::testing::HasSubstr;

class PostgresComparisonTest : public testing::Test {
protected:
    PostgresComparisonTest() {
        EXPECT_TRUE(migrate(database_.client(), native_schema()));
        EXPECT_TRUE(projection_.project(frames_.all()));
    }
    Result<> rows_of(const DecodedFrame& frame, PostgresRows& into) const {
        const NativeNames names{[](TenantNo, PolicyVersion) { return PolicyPtr(); }, [](TenantNo) { return "nostro"; }};
        return add_native_rows(frame, names, into);
    }
    PostgresComparisonOptions options() {
        return {.name = "postgres",
                .address = database_.address(),
                .schema = native_schema(),
                .tables = native_tables(),
                .rows_of = [this](const DecodedFrame& frame, PostgresRows& into) { return rows_of(frame, into); },
                .read = [this](Seq from, Seq through,
                               const std::function<Result<>(const DecodedFrame&)>& each) -> Result<> {
                    while (from <= through) {
                        const auto frame = frames_.frame(from++);
                        if (!frame) return frame.error();
                        if (auto done = each(**frame); !done) return done;
                    }
                    return {};
                }};
    }
    Comparison compare(bool mend = false) { return compare(comparison_, mend); }
    static Comparison compare(PostgresComparison& comparison, bool mend) {
        const auto compared = comparison.compare(mend, {[] { return false; }, [](std::uint64_t, std::uint64_t) {}});
        EXPECT_TRUE(compared) << (compared ? "" : compared.error().what);
        return compared ? *compared : Comparison();
    }
    void refuses(ErrorCode code, const std::string& what) {
        const auto compared = comparison_.compare(false, {[] { return false; }, [](std::uint64_t, std::uint64_t) {}});
        ASSERT_FALSE(compared);
        EXPECT_EQ(compared.error().code, code) << compared.error().what;
        EXPECT_THAT(compared.error().what, HasSubstr(what));
    }
    std::string content() const {
        std::string text;
        for (const char* table : {"accounts", "payments", "outcomes", "entries"}) {
            text += database_.lines(std::string("SELECT t::text FROM nostro.") + table + " t ORDER BY 1");
        }
        return text;
    }

    FramesOfABook frames_;
    Database database_;
    PostgresProjection projection_{
        {.address = database_.address(),
         .schema = native_schema(),
         .tables = native_tables(),
         .rows_of = [this](const DecodedFrame& frame, PostgresRows& into) { return rows_of(frame, into); }}};
    PostgresComparison comparison_{options()};
};

TEST_F(PostgresComparisonTest, TablesThatSayWhatTheJournalSaysHaveNoDrift) {
    const Comparison found = compare();
    EXPECT_EQ(found.drift, 0u);
    EXPECT_EQ(found.different, 0u);
    EXPECT_EQ(found.through, frames_.all().size());
    EXPECT_EQ(
        std::to_string(found.rows) + "\n",
        database_.lines("SELECT (SELECT count(*) FROM nostro.accounts) + (SELECT count(*) FROM nostro.payments) + "
                        "(SELECT count(*) FROM nostro.outcomes) + (SELECT count(*) FROM nostro.entries)"));
}

TEST_F(PostgresComparisonTest, ReadInPartsItFindsTheSame) {
    database_.run("UPDATE nostro.payments SET reference = 'x' WHERE number = 1");
    PostgresComparisonOptions small = options();
    small.rows_at_once = 1;
    PostgresComparison comparison(std::move(small));
    EXPECT_EQ(compare(comparison, false).drift, 1u);
    EXPECT_EQ(compare().drift, 1u);
}

// A statement that changes something; of it the comparison must name table, column and both values.
struct Edit {
    const char *sql, *place, *column, *found;
    Drift::Kind kind = Drift::Kind::differs;
};
const std::vector<Edit> kEdits = {
    {"UPDATE nostro.accounts SET balance = 77.07 WHERE name = 'ada'", "nostro.accounts", "balance", "77.07"},
    {"UPDATE nostro.entries SET amount = -1234567.001 WHERE (account_id, seq, index) IN (SELECT account_id, seq, index "
     "FROM nostro.entries LIMIT 1)",
     "nostro.entries", "amount", "-1234567.001"},
    {"UPDATE nostro.payments SET status = 'lost' WHERE number = 1", "nostro.payments", "status", "lost"},
    {"UPDATE nostro.payments SET settled_amount = NULL WHERE number = 1", "nostro.payments", "settled_amount", "NULL"},
    {"UPDATE nostro.payments SET reference = E'a\\\\b\\tc\\'' WHERE number = 1", "nostro.payments", "reference",
     "a\\b\tc'"},
    {"UPDATE nostro.payments SET accepted_at = '2001-01-01' WHERE number = 1", "nostro.payments", "accepted_at",
     "2001-01-01 00:00:00+00"},
    {"DELETE FROM nostro.payments WHERE number = 1", "nostro.payments", "", "NULL", Drift::Kind::missing},
    {"DELETE FROM nostro.accounts WHERE name = 'ada'", "nostro.accounts", "", "NULL", Drift::Kind::missing},
    {"INSERT INTO nostro.outcomes (seq, index, at, tenant, event) VALUES (1, 999, now(), 'x', 'y')", "nostro.outcomes",
     "", "a row", Drift::Kind::unknown},
};

TEST_F(PostgresComparisonTest, EveryEditIsNamedAndMended) {
    const std::string before = content();
    for (const Edit& edit : kEdits) {
        SCOPED_TRACE(edit.sql);
        database_.run(edit.sql);
        ASSERT_TRUE(content() != before);
        const Comparison found = compare();
        ASSERT_EQ(found.drift, 1u);
        EXPECT_EQ(found.drifts[0].place, edit.place);
        EXPECT_EQ(found.drifts[0].column, edit.column);
        EXPECT_EQ(found.drifts[0].found.value_or("NULL"), edit.found);
        EXPECT_EQ(found.drifts[0].kind, edit.kind);
        EXPECT_EQ(compare(true).mended, 1u);
        ASSERT_TRUE(content() == before);
        EXPECT_EQ(compare().different, 0u);
    }
}

// Only rows that differ are kept and rewritten, so many at a time; until none is left.
TEST_F(PostgresComparisonTest, MoreThanIsLookedIntoAtOnceIsMendedToTheEnd) {
    const std::string before = content();
    database_.run("DELETE FROM nostro.entries; UPDATE nostro.outcomes SET tenant = 'x'");
    PostgresComparisonOptions few = options();
    few.looked_into_max = 3;
    few.rows_at_once = 2;
    PostgresComparison comparison(std::move(few));
    const Comparison seen = compare(comparison, false);
    EXPECT_EQ(seen.drift, 6u);
    EXPECT_TRUE(seen.more);
    const Comparison all = compare();
    EXPECT_FALSE(all.more);
    const Comparison mended = compare(comparison, true);
    EXPECT_FALSE(mended.more);
    EXPECT_EQ(mended.drift, all.drift);
    EXPECT_EQ(mended.mended, all.drift);
    EXPECT_EQ(mended.drifts.size(), all.drift);
    EXPECT_TRUE(content() == before);
    EXPECT_EQ(compare(comparison, false).different, 0u);
}

// What is missing has a name that is unique, and the row that has taken its place has it.
TEST_F(PostgresComparisonTest, ARowThatWasReplacedByAnotherIsMended) {
    const std::string before = content();
    database_.run(
        "UPDATE nostro.accounts SET account_id = gen_random_uuid() WHERE name = 'ada';"
        "UPDATE nostro.payments SET payment_id = gen_random_uuid()");
    EXPECT_GT(compare(true).mended, 3u);
    EXPECT_TRUE(content() == before);
    EXPECT_EQ(compare().different, 0u);
}

// Where others insert, all ranges differ; of their rows none is looked at, nor of ours that are right.
TEST_F(PostgresComparisonTest, RowsOfOthersAreCountedAndLeftAlone) {
    PostgresComparisonOptions open = options();
    for (PostgresTable& table : open.tables) table.others_insert |= table.name == "nostro.outcomes";
    open.looked_into_max = 1;
    open.rows_at_once = 1'000;  // the ranges in three parts
    PostgresComparison comparison(std::move(open));
    database_.run(
        "INSERT INTO nostro.outcomes (seq, index, at, tenant, event) SELECT 1, 1000 + i, now(), 'x', 'y' FROM "
        "generate_series(1, 3000) i");
    const Comparison found = compare(comparison, false);
    EXPECT_EQ(found.drift, 0u);
    EXPECT_FALSE(found.more);
    EXPECT_EQ(found.unknown, 3'000u);
    database_.run("UPDATE nostro.outcomes SET event = 'z' WHERE seq = 1 AND index = 0");
    EXPECT_EQ(compare(comparison, false).drift, 1u);
    EXPECT_EQ(compare(comparison, true).mended, 1u);
    EXPECT_EQ(compare(comparison, false).drift, 0u);
    EXPECT_EQ(database_.lines("SELECT count(*) FROM nostro.outcomes WHERE event = 'y'"), "3000\n");
}

// Tables that are locked, as a scan that takes hours.
TEST_F(PostgresComparisonTest, AComparisonThatIsToldToStopDoesNotWaitForTheServer) {
    auto other = PostgresClient::connect(database_.address());
    ASSERT_TRUE(other);
    ASSERT_TRUE((*other)->script("BEGIN; LOCK nostro.accounts IN ACCESS EXCLUSIVE MODE"));
    std::atomic<bool> stopped = false;
    std::jthread stops([&] {
        while (database_.lines("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                               "current_database()") == "0\n") {
        }
        stopped = true;
    });
    const auto compared = comparison_.compare(false, {[&] { return stopped.load(); }, [](auto, auto) {}});
    ASSERT_FALSE(compared);
    EXPECT_EQ(compared.error().code, ErrorCode::unavailable);
    EXPECT_THAT(compared.error().what, HasSubstr("57014")) << "cancelled";
    ASSERT_TRUE((*other)->script("COMMIT"));
    EXPECT_EQ(compare().drift, 0u);
}

// While a commit is not known to have happened the tables may be ahead of the journal.
TEST_F(PostgresComparisonTest, ALedgerThatIsAheadOfItsJournalIsAskedAgainLater) {
    PostgresComparisonOptions ledger = options();
    ledger.is_ledger = true;
    ledger.patience = std::chrono::milliseconds(0);
    int asked = 0;
    ledger.read = [&asked, read = ledger.read](Seq from, Seq through, const auto& each) -> Result<> {
        if (++asked <= 1) return Error{ErrorCode::not_found, "not yet"};
        return read(from, through, each);
    };
    PostgresComparison comparison(std::move(ledger));
    const auto compared = comparison.compare(false, {[] { return false; }, [](auto, auto) {}});
    ASSERT_FALSE(compared);
    EXPECT_EQ(compared.error().code, ErrorCode::unavailable) << compared.error().what;
    EXPECT_EQ(compare(comparison, false).drift, 0u);
}

// Tables that were not fit when it came the first time: the next time they are looked at again.
TEST_F(PostgresComparisonTest, TablesOfAnotherVersionAreRefusedEachTime) {
    database_.run(
        "UPDATE nostro.schema_version SET version = 99 WHERE version = (SELECT max(version) FROM "
        "nostro.schema_version)");
    refuses(ErrorCode::invalid, "version");
    refuses(ErrorCode::invalid, "version");
}

TEST_F(PostgresComparisonTest, TheKeyAndWhatTheJournalSaysAreTold) {
    database_.run("UPDATE nostro.accounts SET balance = balance + 1 WHERE name = 'ada'");
    const Comparison found = compare();
    ASSERT_EQ(found.drifts.size(), 1u);
    const AccountImage* ada = frames_.writer().book().account(test::account("ada"));
    EXPECT_EQ(found.drifts[0].key, "account_id = " + to_hex(ada->id));
    EXPECT_EQ(found.drifts[0].account, ada->id);
    EXPECT_EQ(found.drifts[0].journal, Money(ada->balance, ada->currency).decimal());
}

TEST_F(PostgresComparisonTest, ValuesThatChangedPlacesAreSeen) {
    database_.run(
        "UPDATE nostro.payments p SET reference = o.reference, description = o.description, type = o.type "
        "FROM nostro.payments o WHERE p.number + o.number = 3");
    database_.run("UPDATE nostro.accounts SET balance = -balance");
    EXPECT_GT(compare().drift, 1u);
}

TEST_F(PostgresComparisonTest, WhatIsProjectedMeanwhileIsNoDrift) {
    const Seq first = frames_.all().size() + 1;
    for (std::uint64_t turn = 13; turn < 63; ++turn) frames_.write(test::busy_commands(turn));
    std::atomic<bool> ends = false;
    std::atomic<Seq> moved = 0;
    std::jthread feeding([&](const std::stop_token& stop) {
        for (Seq seq = first; seq <= frames_.all().size(); ++seq) {
            // However slow they are, comparisons find it under way.
            while (moved < (seq - first) / 10 && !stop.stop_requested()) std::this_thread::yield();
            EXPECT_TRUE(projection_.project(frames_.from(seq).first(1)));
        }
        ends = true;
    });
    Seq seen = 0;
    while (!ends) {
        const Comparison found = compare();
        ASSERT_EQ(found.drift, 0u);
        ASSERT_EQ(found.different, 0u);
        if (found.through > seen) ++moved;
        seen = found.through;
    }
    EXPECT_GT(moved.load(), 1u);
}

TEST_F(PostgresComparisonTest, WhatIsMendedIsAsTheJournalSaysByThen) {
    frames_.write(test::busy_commands(13));
    database_.run("UPDATE nostro.accounts SET balance = 0; DELETE FROM nostro.entries");
    // Projected between the snapshot and the mending: when the frames have been read a second time.
    PostgresComparisonOptions slow = options();
    int reads = 0;
    slow.read = [this, &reads, read = slow.read](Seq from, Seq through, const auto& each) {
        if (++reads == 3) {
            EXPECT_TRUE(projection_.project(frames_.from(frames_.all().size())));
        }
        return read(from, through, each);
    };
    PostgresComparison comparison(std::move(slow));
    EXPECT_GT(compare(comparison, true).mended, 10u);
    const Comparison after = compare();
    EXPECT_EQ(after.drift, 0u);
    EXPECT_EQ(after.through, frames_.all().size());
}

TEST_F(PostgresComparisonTest, AColumnThatIsGoneIsNamed) {
    database_.run("ALTER TABLE nostro.payments DROP COLUMN reference");
    refuses(ErrorCode::invalid, "nostro.payments has no column reference");
}

TEST_F(PostgresComparisonTest, TablesOfAnotherJournalAreNotCompared) {
    database_.run("UPDATE nostro.cursor SET digest = 'x'");
    refuses(ErrorCode::corrupt, "of another journal");
    database_.run("UPDATE nostro.cursor SET next_seq = 1000");
    refuses(ErrorCode::corrupt, "which the journal does not have");
}

TEST(ComparedTablesTest, ValuesHaveOneForm) {
    using Kind = ComparedTable::Kind;
    EXPECT_EQ(comparable(Kind::number, "12.50"), "125000");
    EXPECT_EQ(comparable(Kind::number, "-0.0001"), "-1");
    EXPECT_EQ(comparable(Kind::number, "0.000"), "0");
    EXPECT_EQ(comparable(Kind::number, "-0"), "0");
    EXPECT_EQ(comparable(Kind::number, "1.00001"), "1.00001");
    EXPECT_EQ(comparable(Kind::number, "NaN"), "NaN");
    EXPECT_EQ(comparable(Kind::number, "92233720368547758.07"), "922337203685477580700");
    EXPECT_EQ(comparable(Kind::time, "2026-01-02T03:04:05.120000Z"), "2026-01-02T03:04:05.120000");
    EXPECT_EQ(comparable(Kind::time, "2026-01-02 03:04:05"), "2026-01-02T03:04:05.000000");
    EXPECT_EQ(comparable(Kind::uuid, "6F1C-0a"), "6f1c0a");
}

}  // namespace
}  // namespace nostro
