#include "nostro/adapters/postgres/projection_sql.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "nostro/adapters/postgres/client.hpp"

namespace nostro {
namespace {

using Write = PostgresTable::Write;

// "a, b, c" of what `each` says of the columns in [from, to).
template <class Each>
std::string list(const PostgresTable& table, std::size_t from, std::size_t to, std::string_view between,
                 const Each& each) {
    std::string all;
    for (std::size_t i = from; i < to; ++i) {
        if (!all.empty()) all += between;
        all += each(table.columns[i]);
    }
    return all;
}

std::string name_of(const PostgresColumn& column) { return sql_name(column.name); }
std::string staged(const PostgresColumn& column) { return "s." + sql_name(column.name); }
std::string is_set_to_new(const PostgresColumn& column) {
    return fmt::format("{0} = excluded.{0}", sql_name(column.name));
}

class TableSql {
public:
    TableSql(const std::vector<PostgresTable>& tables, std::size_t number)
        : tables_(tables), table_(tables[number]), stage_(stage_of(number)) {}

    ProjectionSql make() const {
        const std::size_t all = table_.columns.size();
        const std::string names = list(table_, 0, all, ", ", name_of);
        ProjectionSql sql;
        sql.make_stage = fmt::format("CREATE TEMP TABLE {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA",
                                     stage_, names, table_.name);
        sql.copy_to_stage = fmt::format("COPY {} ({}) FROM STDIN", stage_, names);
        sql.empty_stage = fmt::format("DELETE FROM {}", stage_);
        sql.copy = fmt::format("COPY {} ({}) FROM STDIN", table_.name, names);
        sql.difference = difference();
        // With OFFSET each row is one look into the index, however large the table is.
        sql.add_missing = fmt::format(
            "{0}INSERT INTO {1} ({2}) SELECT {3} FROM {4} WHERE NOT EXISTS (SELECT FROM {1} t WHERE {5} OFFSET 0) "
            "ORDER BY s.ctid",
            held(), table_.name, names, values(), read_from(true), same_key());
        if (table_.write == Write::newest) sql.apply = upsert(names);
        if (table_.write == Write::change) sql.apply = update();
        if (table_.part_of) sql.parts = parts();
        return sql;
    }

private:
    static std::string stage_of(std::size_t number) { return fmt::format("nostro_stage_{}", number); }
    static std::string looked_up(const PostgresColumn& column) { return "looked_up_" + column.name; }
    const PostgresColumn& column_of(const PostgresColumn::Lookup& lookup) const {
        return tables_[lookup.table].columns[lookup.column];
    }
    std::string value(const PostgresColumn& column) const {
        if (!column.lookup) return staged(column);
        return fmt::format("{}.{}", sql_name(looked_up(column)), sql_name(column_of(*column.lookup).name));
    }
    std::string values() const {
        return list(table_, 0, table_.columns.size(), ", ", [this](const PostgresColumn& c) { return value(c); });
    }

    // The stage, and beside it the rows that columns look up; of those that are referred to as held() has them.
    std::string read_from(bool has_held) const {
        std::string sql = stage_ + " s";
        for (const PostgresColumn& column : table_.columns) {
            if (!column.lookup) continue;
            const PostgresTable& other = tables_[column.lookup->table];
            const bool is_held = has_held && column.refers_to;
            sql += fmt::format(" LEFT JOIN {} {} ON {}.{} = {}", is_held ? held_of(column.lookup->table) : other.name,
                               sql_name(looked_up(column)), sql_name(looked_up(column)),
                               sql_name(other.columns[0].name), staged(column));
        }
        return sql;
    }

    // Rows that are looked up and referred to, locked against their deletion: "WITH ... ", or nothing.
    static std::string held_of(std::size_t table) { return fmt::format("held_{}", table); }
    std::string held() const {
        struct Held {
            std::string keys, columns;
        };
        std::map<std::size_t, Held> tables;
        for (const PostgresColumn& column : table_.columns) {
            if (!column.lookup || !column.refers_to) continue;
            auto& [keys, columns] = tables[column.lookup->table];
            keys += fmt::format("{}SELECT {} FROM {} s", keys.empty() ? "" : " UNION ALL ", staged(column), stage_);
            if (column.lookup->column != 0) columns += ", o." + name_of(column_of(*column.lookup));
        }
        std::string sql;
        for (const auto& [number, held] : tables) {
            const PostgresTable& other = tables_[number];
            sql += fmt::format(
                "{0} {1} AS MATERIALIZED (SELECT o.{2}{3} FROM {4} o WHERE o.{2} IN ({5}) FOR KEY SHARE OF o)",
                sql.empty() ? "WITH" : ",", held_of(number), name_of(other.columns[0]), held.columns, other.name,
                held.keys);
        }
        return sql.empty() ? sql : sql + " ";
    }

    std::string same_key() const {
        return list(table_, 0, table_.keys, " AND ", [this](const PostgresColumn& column) {
            return fmt::format("t.{} = {}", sql_name(column.name), value(column));
        });
    }

    std::string difference() const {
        const std::size_t all = table_.columns.size();
        // As text, because not every type can be compared.
        const std::string differs = list(table_, table_.keys, all, " OR ", [this](const PostgresColumn& column) {
            if (!column.fixed) return std::string("false");
            return fmt::format("({})::text IS DISTINCT FROM t.{}::text", value(column), sql_name(column.name));
        });
        if (differs.empty()) return {};
        const std::string key = list(table_, 0, table_.keys, " || ', ' || ", [](const PostgresColumn& column) {
            return fmt::format("'{} = ' || {}::text", column.name, staged(column));
        });
        const std::string row = list(table_, table_.keys, all, " || ', ' || ", [](const PostgresColumn& column) {
            return fmt::format("coalesce(t.{}::text, 'NULL')", sql_name(column.name));
        });
        return fmt::format("SELECT {}, {} FROM {} JOIN {} t ON {} WHERE {} LIMIT 1", key, row, read_from(false),
                           table_.name, same_key(), differs);
    }

    std::string upsert(const std::string& names) const {
        return fmt::format("{}INSERT INTO {} ({}) SELECT {} FROM {} ORDER BY {} ON CONFLICT ({}) DO UPDATE SET {}",
                           held(), table_.name, names, values(), read_from(true),
                           list(table_, 0, table_.keys, ", ", staged), list(table_, 0, table_.keys, ", ", name_of),
                           list(table_, table_.keys, table_.columns.size(), ", ", is_set_to_new));
    }

    std::string update() const {
        const std::string sets =
            list(table_, table_.keys, table_.columns.size(), ", ", [this](const PostgresColumn& column) {
                return fmt::format("{} = {}", sql_name(column.name), value(column));
            });
        return fmt::format("{}UPDATE {} t SET {} FROM {} WHERE {}", held(), table_.name, sets, read_from(true),
                           same_key());
    }

    // One look into the index for each, however large the table is.
    std::string parts() const {
        const PostgresTable& whole = tables_[*table_.part_of];
        return fmt::format("SELECT 1 FROM {} s, LATERAL (SELECT 1 FROM {} t WHERE t.{} = {} LIMIT 1) part LIMIT 1",
                           stage_of(*table_.part_of), table_.name, sql_name(table_.columns[0].name),
                           staged(whole.columns[0]));
    }

    const std::vector<PostgresTable>& tables_;
    const PostgresTable& table_;
    const std::string stage_;
};

}  // namespace

ProjectionSql projection_sql(const std::vector<PostgresTable>& tables, std::size_t number) {
    return TableSql(tables, number).make();
}

ReferenceSql reference_sql(const std::vector<PostgresTable>& tables) {
    std::vector<std::string> names;
    std::string known, regclasses;
    for (const PostgresTable& table : tables) {
        if (std::ranges::find(names, table.name) == names.end()) names.push_back(table.name);
        for (const PostgresColumn& column : table.columns) {
            if (!column.refers_to) continue;
            const PostgresTable& other = tables[*column.refers_to];
            known +=
                fmt::format("{}({}::regclass, {}, {}::regclass, {})", known.empty() ? "" : ", ", sql_text(table.name),
                            sql_text(column.name), sql_text(other.name), sql_text(other.columns[0].name));
        }
    }
    if (known.empty()) return {};
    for (const std::string& name : names) {
        regclasses += fmt::format("{}{}::regclass", regclasses.empty() ? "" : ", ", sql_text(name));
    }
    ReferenceSql sql;
    sql.lock = fmt::format("LOCK TABLE {} IN ROW EXCLUSIVE MODE", fmt::join(names, ", "));
    // What the server fires in such a session is no more than it would have fired otherwise: nothing but these foreign
    // keys, and what notes the rows of others and passes over ours.
    sql.vouch = fmt::format(
        "SELECT set_config('session_replication_role', 'replica', true) WHERE NOT EXISTS ("
        "SELECT FROM pg_trigger g WHERE g.tgrelid IN ({0}) AND g.tgenabled <> 'D' AND g.tgname <> "
        "'nostro_arrivals' AND NOT EXISTS (SELECT FROM pg_constraint c "
        "JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum] "
        "JOIN pg_attribute o ON o.attrelid = c.confrelid AND c.confkey = ARRAY[o.attnum] "
        "JOIN (VALUES {1}) known (of_table, of_column, to_table, to_column) ON known.of_table = c.conrelid AND "
        "known.of_column = a.attname AND known.to_table = c.confrelid AND known.to_column = o.attname "
        "WHERE c.oid = g.tgconstraint AND c.contype = 'f')) AND NOT EXISTS (SELECT FROM pg_class r "
        "WHERE r.oid IN ({0}) AND (r.relkind <> 'r' OR r.relhasrules OR r.relhassubclass OR r.relispartition))",
        regclasses, known);
    return sql;
}

}  // namespace nostro
