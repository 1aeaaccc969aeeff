// Tables as whoever compares them with the journal sees them: the ways in which a projection writes a table put
// together, and what the frames say should stand there, as digests of ranges of keys or as rows.
//
// A row is parted into groups of columns that are always written together, so that a digest follows what changes:
// digest = sum over the rows of a bucket and their groups of the first eight bytes of SHA-256(SHA-256(key), values).
// The server makes the same sum of what it has. Values are compared in one form: amounts as whole ten-thousandths,
// times in UTC to the microsecond.
//
// No server is asked here. Threads: one at a time for each object.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nostro/adapters/postgres/rows.hpp"
#include "nostro/base/ids.hpp"

namespace nostro {

struct ComparedTable {
    enum class Kind : std::uint8_t { text, number, time, uuid };
    struct Column {
        std::string name;
        std::string type = {};  // as the server has it
        Kind kind = Kind::text;
    };
    struct Group {
        std::vector<std::size_t> columns;  // of the first group none: it says that the row is there
        bool changes = false;
    };
    std::string name;
    std::size_t keys = 0;         // the first columns
    std::vector<Column> columns;  // those in no group are written, and not compared
    std::vector<Group> groups;
    bool others_insert = false;
    std::string balance;
    std::function<AccountId(std::string_view key)> account;

    bool changes() const;  // some group does
};

// How a projection writes them: one for each of its tables.
struct ComparedWrite {
    std::size_t table = 0;
    PostgresTable::Write write = PostgresTable::Write::once;
    std::vector<std::size_t> columns;  // the table's, in the order of the row
    std::vector<std::size_t> groups;   // that it brings
    std::vector<std::optional<PostgresColumn::Lookup>> lookups;
};

struct ComparedTables {
    explicit ComparedTables(const std::vector<PostgresTable>& written);
    std::vector<ComparedTable> tables;
    std::vector<ComparedWrite> writes;
};

using ColumnText = std::optional<std::string>;  // nullopt: NULL

// "12.5" as 125000, "2026-01-02 03:04:05+00" as 2026-01-02T03:04:05.000000.
std::string comparable(ComparedTable::Kind kind, std::string_view text);
// Values as a digest takes them: each with its length, so that no two lists are alike.
void append_value(std::string& to, const ColumnText& value, ComparedTable::Kind kind);

inline constexpr std::size_t kBuckets = 1'024;
struct BucketRange {
    std::size_t from = 0, to = kBuckets;
    bool has(std::size_t bucket) const { return bucket >= from && bucket < to; }
};
std::size_t bucket_of(const Digest& key);
std::uint64_t id_of(const Digest& key);  // of a row in its table

// A row that frames bring.
struct BroughtRow {
    const ComparedWrite* write = nullptr;
    std::string key;  // in the one form
    Digest digest{};  // of it
    std::vector<ColumnText> values;
    std::vector<ColumnText> otherwise;  // values that were looked up and not found, as they were given
};

// Reads rows again that were made for COPY, and looks up what the server would.
class BroughtRows {
public:
    explicit BroughtRows(const ComparedTables& tables);
    void each(PostgresRows& rows, const std::function<void(const BroughtRow&)>& told);

private:
    struct LookedUp {
        std::size_t write, column;
        std::unordered_map<std::string, ColumnText> values;  // by the first column
    };
    bool read(std::string_view line, std::size_t number);
    void remember(std::size_t number, const BroughtRow& row);

    const ComparedTables& tables_;
    std::vector<LookedUp> looked_up_;
    std::vector<std::vector<std::optional<std::size_t>>> lookups_;  // by write and column: which of them
    BroughtRow row_;
};

// What rows give to sums: the digest of their key, and of each group of columns as it was written last.
// Memory: of tables that change some 40 bytes a row that is wanted.
class RowDigests {
public:
    using Wanted = std::function<bool(std::size_t table, std::size_t bucket)>;
    // By `more` the sum of this group grows. Group 0 is told once a row.
    using Told = std::function<void(const BroughtRow& row, std::size_t group, __int128 more)>;

    RowDigests(const ComparedTables& tables, Wanted wanted);
    void each(PostgresRows& rows, const Told& told);

private:
    struct Known {  // of a table that changes: rows by their id, and what their groups gave
        std::unordered_map<std::uint64_t, std::uint32_t> rows;
        std::vector<std::int64_t> given;
        std::vector<std::size_t> changing;  // groups
    };
    void change(const BroughtRow& row, Known& known, const Told& told);
    std::int64_t digest_of(const BroughtRow& row, const ComparedTable::Group& group);
    std::int64_t digest_of_nulls(const Digest& key, const ComparedTable::Group& group);

    const ComparedTables& tables_;
    const Wanted wanted_;
    BroughtRows reader_;
    std::vector<Known> known_;  // by table
    std::string text_;
};

// Counts and digests of all buckets, by what frames bring.
class ExpectedDigests {
public:
    struct Bucket {
        std::uint64_t rows = 0;
        std::vector<__int128> sums;  // by group
        bool operator==(const Bucket&) const = default;
    };
    // Only buckets in `range` are kept.
    ExpectedDigests(const ComparedTables& tables, BucketRange range);
    void add(PostgresRows& rows);
    const std::vector<Bucket>& buckets(std::size_t table) const { return buckets_[table]; }

private:
    RowDigests digests_;
    std::vector<std::vector<Bucket>> buckets_;  // by table
};

using WantedBuckets = std::vector<std::unordered_set<std::size_t>>;  // by table
using WantedRows = std::vector<std::unordered_set<std::uint64_t>>;   // their ids, by table

// The sum of each row of some buckets, held against what the server has: which rows they are that differ.
class ExpectedSums {
public:
    ExpectedSums(const ComparedTables& tables, WantedBuckets wanted);
    void add(PostgresRows& rows);
    // A row of the server. False: the journal has none of that id.
    bool take(std::size_t table, std::uint64_t id, std::uint64_t sum);
    // Those that the server has not, not as often, or otherwise.
    std::vector<std::uint64_t> left(std::size_t table) const;
    const WantedBuckets& wanted() const { return wanted_; }

private:
    struct Sum {
        std::int64_t rows = 0;
        std::uint64_t sum = 0;  // of its groups' digests, modulo 2^64
    };
    const WantedBuckets wanted_;
    RowDigests digests_;
    std::vector<std::unordered_map<std::uint64_t, Sum>> sums_;  // by table and id
};

// Whole rows.
struct ExpectedRow {
    std::vector<ColumnText> values, otherwise;  // by column of the table
    std::size_t count = 0;                      // rows that are alike, where nothing else tells them apart
    Seq changed = 0;
};
class ExpectedRows {
public:
    ExpectedRows(const ComparedTables& tables, WantedRows wanted);
    void add(PostgresRows& rows, Seq seq);
    const WantedRows& wanted() const { return wanted_; }
    const std::map<std::string, ExpectedRow>& of(std::size_t table) const { return rows_[table]; }

private:
    const ComparedTables& tables_;
    const WantedRows wanted_;
    BroughtRows reader_;
    std::vector<std::map<std::string, ExpectedRow>> rows_;  // by key in the one form
};

}  // namespace nostro
