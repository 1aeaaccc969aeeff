// What a projection keeps in a database: tables, and the rows that a batch of frames adds to them or changes in them.
//
// Amounts are written from whole minor units as decimal text, never through a float.
// Threads: one at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nostro/base/hex.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/domain/money.hpp"

namespace nostro {

struct PostgresColumn {
    std::string name;
    bool fixed = true;  // false: it may change later, and is not compared with what the first frame said
    // The value is looked up: that column of that table's row whose first column is the value given. No such row: NULL.
    struct Lookup {
        std::size_t table, column;  // numbers
    };
    std::optional<Lookup> lookup = std::nullopt;
    // A foreign key onto the first column of that table. The row there is looked up, or comes in the same batch.
    std::optional<std::size_t> refers_to = std::nullopt;
};

// One way in which rows of a table are written. A table may have several.
struct PostgresTable {
    enum class Write : std::uint8_t {
        once,    // a row of its own for ever; what stands under its key already must be equal
        newest,  // the last one under its key stands
        change,  // other values for a row that is there
    };
    std::string name;  // as SQL has it: nostro.accounts
    Write write = Write::once;
    std::vector<PostgresColumn> columns;
    std::size_t keys = 1;        // the first columns: they name the row
    bool has_own_index = true;   // the key is unique in the table; a row twice is met by the server itself
    bool others_insert = false;  // rows that the journal does not know are not wrong there
    // Of one without such a key: a batch writes the table of that number too, under the same first column, which has an
    // index here. Where nothing stands under it nothing has to be compared.
    std::optional<std::size_t> part_of = std::nullopt;
    // A column that is an account's balance, and whose, by the row's key.
    std::string balance = {};
    std::function<AccountId(std::string_view key)> account = {};
};

// One row in COPY's text format: its columns in their order.
class PostgresRow {
public:
    explicit PostgresRow(std::string& to) : to_(to) {}

    PostgresRow& text(std::string_view value);          // bytes that are no UTF-8, and NUL, become U+FFFD
    PostgresRow& text_or_null(std::string_view value);  // empty: NULL
    PostgresRow& plain(std::string_view value);         // without anything to escape: numbers, words of ours
    PostgresRow& number(std::int64_t value);
    PostgresRow& number(std::uint64_t value);
    PostgresRow& amount(std::int64_t minor, Currency currency);
    PostgresRow& time(Instant at);
    PostgresRow& time_or_null(Instant at);  // the epoch: NULL
    PostgresRow& null();
    template <class Kind>
    PostgresRow& id(Id<Kind> id) {
        begin();
        append_hex(to_, id);
        return *this;
    }
    template <class Kind>
    PostgresRow& id_or_null(Id<Kind> value) {
        return value.empty() ? null() : id(value);
    }

private:
    void begin() {
        if (!first_) to_ += '\t';
        first_ = false;
    }
    std::string& to_;
    bool first_ = true;
};

// The rows of a batch, by table (its number in the list that the projection has). Memory is kept from batch to batch.
class PostgresRows {
public:
    explicit PostgresRows(std::size_t tables) : tables_(tables) {}

    // Of a table that is written once. `write` gets a PostgresRow.
    template <class Write>
    void add(std::size_t table, const Write& write) {
        std::string& text = tables_[table].text;
        PostgresRow row(text);
        write(row);
        text += '\n';
        ++tables_[table].count;
    }
    // Of the others: the last one of a key counts.
    template <class Write>
    void put(std::size_t table, std::string_view key, const Write& write) {
        std::string& text = tables_[table].by_key[std::string(key)];
        text.clear();
        PostgresRow row(text);
        write(row);
        text += '\n';
    }
    bool empty(std::size_t table) const { return tables_[table].count == 0 && tables_[table].by_key.empty(); }
    // Whole lines; valid until the next call of add, put or clear.
    std::string_view lines(std::size_t table);
    void clear();

private:
    struct Table {
        std::string text;
        std::size_t count = 0;
        std::unordered_map<std::string, std::string> by_key;
    };
    std::vector<Table> tables_;
};

}  // namespace nostro
