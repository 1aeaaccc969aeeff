#include "nostro/adapters/postgres/compared_sql.hpp"

#include <fmt/format.h>

namespace nostro {
namespace {

using Kind = ComparedTable::Kind;

// A column in the form of comparable().
std::string comparable_sql(const ComparedTable::Column& column) {
    const std::string name = "t." + sql_name(column.name);
    switch (column.kind) {
        case Kind::number:
            return fmt::format(
                "CASE WHEN {0} * 10000 = trunc({0} * 10000) THEN trunc({0} * 10000)::text ELSE {0}::text END", name);
        case Kind::time: return fmt::format("coalesce(to_char({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), {0}::text)", name);
        case Kind::uuid: return fmt::format("replace({}::text, '-', '')", name);
        case Kind::text: break;
    }
    return name + "::text";
}

// As append_value() writes them.
std::string values_sql(const ComparedTable& table, const std::vector<std::size_t>& columns) {
    if (columns.empty()) return "''";
    std::string all;
    for (const std::size_t column : columns) {
        if (!all.empty()) all += " || ";
        all += fmt::format("coalesce(octet_length({0})::text || ':' || {0}, 'N')",
                           "(" + comparable_sql(table.columns[column]) + ")");
    }
    return all;
}

std::vector<std::size_t> first_columns(std::size_t count) {
    std::vector<std::size_t> columns(count);
    for (std::size_t i = 0; i < count; ++i) columns[i] = i;
    return columns;
}

std::string keyed_sql(const ComparedTable& table) {
    return fmt::format("sha256(convert_to({}, 'UTF8')) AS k", values_sql(table, first_columns(table.keys)));
}

// Eight bytes of a digest as a number.
std::string bigint_sql(std::string_view digest, int from) {
    return fmt::format("('x' || encode(substr({}, {}, 8), 'hex'))::bit(64)::bigint", digest, from);
}

}  // namespace

ComparedTable::Kind kind_of(std::string_view type) {
    if (type.starts_with("numeric")) return Kind::number;
    if (type.starts_with("timestamp")) return Kind::time;
    return type == "uuid" ? Kind::uuid : Kind::text;
}

std::string id_sql(std::string_view key) { return bigint_sql(key, 9); }
std::string id_sql(const ComparedTable& table) {
    return id_sql(fmt::format("sha256(convert_to({}, 'UTF8'))", values_sql(table, first_columns(table.keys))));
}

std::string digest_sql(std::size_t group) {
    return bigint_sql(fmt::format("sha256(k || convert_to(v{}, 'UTF8'))", group), 1);
}

std::string groups_sql(const ComparedTable& table) {
    std::string sql = keyed_sql(table);
    for (std::size_t i = 0; i < table.groups.size(); ++i) {
        sql += fmt::format(", {} AS v{}", values_sql(table, table.groups[i].columns), i);
    }
    return sql;
}

std::string columns_sql(const ComparedTable& table) {
    std::string sql;
    for (const ComparedTable::Column& column : table.columns) {
        sql += fmt::format("{}t.{}::text, {}", sql.empty() ? "" : ", ", sql_name(column.name), comparable_sql(column));
    }
    return sql;
}

std::string value_sql(PostgresClient::Statement& statement, const ColumnText& text,
                      const ComparedTable::Column& column) {
    if (!text) return "NULL";
    statement.parameters.push_back(*text);
    return fmt::format("${}::{}", statement.parameters.size(), column.type);
}

std::string row_sql(PostgresClient::Statement& statement, const ComparedTable& table,
                    const std::vector<ColumnText>& values) {
    std::string sql;
    for (std::size_t i = 0; i < table.keys; ++i) {
        sql += fmt::format("{}t.{} ", i == 0 ? "" : " AND ", sql_name(table.columns[i].name));
        sql += values[i] ? "= " + value_sql(statement, values[i], table.columns[i]) : "IS NULL";
    }
    return sql;
}

}  // namespace nostro
