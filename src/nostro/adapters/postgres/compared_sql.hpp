// Compared tables in SQL: the server makes of its rows what compared_tables.hpp makes of the journal's.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/adapters/postgres/compared_tables.hpp"

namespace nostro {

// Of a column, by its type as the server shows it.
ComparedTable::Kind kind_of(std::string_view type);

// Expressions over rows of groups_sql(): bucket_of() and id_of() of the key's digest `k`, and the digest of a group.
inline constexpr std::string_view kBucketSql = "((get_byte(k, 0) << 2) | (get_byte(k, 1) >> 6))";
std::string id_sql(std::string_view key);
std::string digest_sql(std::size_t group);
// What to select of a table `t`: the key's digest as k, the values of the groups as v0, v1...
std::string groups_sql(const ComparedTable& table);

// Of a row `t` itself: its id; each column as it is shown and, behind it, as comparable() writes it.
std::string id_sql(const ComparedTable& table);
std::string columns_sql(const ComparedTable& table);

// A value, as a parameter of the statement; and which rows have this key, for an index to find them.
std::string value_sql(PostgresClient::Statement& statement, const ColumnText& text,
                      const ComparedTable::Column& column);
std::string row_sql(PostgresClient::Statement& statement, const ComparedTable& table,
                    const std::vector<ColumnText>& values);

}  // namespace nostro
