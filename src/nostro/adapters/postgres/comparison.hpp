// Tables of one database, held against the journal while they are being fed.
//
// One repeatable-read snapshot tells how far the tables go and what stands in them; the frames up to there say what
// should. Counts and digests of 1,024 ranges of keys are compared first, where these differ those of each row, and only
// rows that differ are looked at. So what is decided and projected meanwhile is no drift. Rows are rewritten in a
// transaction that holds the cursor, with what the journal says by then; looked_into_max of a table at a time.
// Memory: some 40 bytes a row that may change, or 100 a row of a range that differs, and twice 200 an account whose
//         number is looked up; where there are more than rows_at_once (of the second: half of it) the frames are read
//         again for each part. Threads and errors: as ComparedStore says.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/adapters/postgres/compared_tables.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "nostro/ports/compared_store.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

struct PostgresComparisonOptions {
    std::string name;     // of the feed
    std::string address;  // of the database
    PostgresSchema schema;
    std::vector<PostgresTable> tables;
    std::function<Result<>(const DecodedFrame&, PostgresRows&)> rows_of;
    // Accepted frames from..through, in order, until `each` fails. not_found: the journal has dropped some.
    std::function<Result<>(Seq from, Seq through, const std::function<Result<>(const DecodedFrame&)>& each)> read;
    bool is_ledger = false;  // the journal writes them with its frames
    std::size_t rows_at_once = 2'000'000;
    std::size_t looked_into_max = 5'000;        // rows of a table
    std::chrono::milliseconds patience{2'000};  // for the journal to hear of its own frame
};

class PostgresComparison final : public ComparedStore {
public:
    explicit PostgresComparison(PostgresComparisonOptions options);
    ~PostgresComparison() override;

    const std::string& name() const override { return options_.name; }
    Result<Comparison> compare(bool mend, const CompareWatch& watch) override;

private:
    struct Found {                                   // a row of the server
        std::vector<ColumnText> values, comparable;  // of all columns: as they are shown, and in the one form
        std::size_t count = 0;
    };
    using FoundRows = std::map<std::string, Found>;
    using Buckets = std::vector<ExpectedDigests::Bucket>;
    struct Run {  // one comparison on its way
        const CompareWatch& watch;
        bool mends = false;
        std::vector<Buckets> found{};  // by table
        std::vector<std::unordered_map<std::size_t, std::size_t>>
            different_buckets{};                                   // and how many rows the journal has
        std::vector<std::vector<std::uint64_t>> different_rows{};  // ids, by table
        WantedRows ids{};                                          // of those, that are looked into
        Comparison result{};
        std::uint64_t read = 0, to_read = 0;
    };
    struct Difference {
        const ComparedTable& table;
        const ExpectedRow* expected;         // nullptr: the journal has none
        const Found* found;                  // nullptr: the server has none
        std::vector<std::size_t> columns{};  // that differ, where both have as many

        std::size_t wanted() const { return expected == nullptr ? 0 : expected->count; }
        std::size_t there() const { return found == nullptr ? 0 : found->count; }
    };

    Result<> connect();
    Result<> read_types();
    Result<Comparison> compare_once(bool mend, const CompareWatch& watch);
    Result<> compare(Run& run);
    Result<Seq> snapshot(const Run& run);
    Result<> read_newest(const Run& run, Seq through, const std::function<Result<>(const DecodedFrame&)>& each);
    Result<> read_rows(const Run& run, Seq from, Seq through, const std::function<void(Seq)>& each);
    Result<Buckets> digests(const Run& run, const ComparedTable& table) const;
    Result<> expect_digests(Run& run, BucketRange range);
    Result<> narrow(Run& run);
    Result<> take_sums(Run& run, std::size_t number, ExpectedSums& expected);
    static void note(Run& run, std::size_t table, std::uint64_t id);
    bool next_ids(Run& run) const;
    Result<> look_into(Run& run);
    static void add_found(const PostgresAnswer& answer, const ComparedTable& table, FoundRows& rows);
    Result<std::vector<FoundRows>> rows_of_ids(const Run& run) const;
    Result<std::vector<FoundRows>> rows_of_keys(const ExpectedRows& expected,
                                                const std::vector<FoundRows>& before) const;
    Result<> send(std::span<const PostgresClient::Statement> statements,
                  const std::function<void(const PostgresAnswer&)>& each) const;
    std::vector<Difference> differences(const ExpectedRows& expected, const std::vector<FoundRows>& found,
                                        Comparison& into) const;
    static bool differs(Difference& one, Comparison& into);
    Result<> rewrite(const std::vector<Difference>& all) const;
    Result<> mend(Run& run, ExpectedRows& expected, const std::vector<FoundRows>& before);

    const PostgresComparisonOptions options_;
    ComparedTables tables_;
    PostgresRows rows_;
    std::unique_ptr<PostgresClient> client_;
};

}  // namespace nostro
