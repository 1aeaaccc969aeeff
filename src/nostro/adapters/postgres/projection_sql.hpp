// The statements by which a projection writes its tables.
//
// Rows come to a temporary table first, its stage, and from there to the table; or, where none of them can be there, at
// once. Threads: any.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/rows.hpp"

namespace nostro {

struct ProjectionSql {  // of one table
    std::string make_stage, copy_to_stage, empty_stage, copy;
    std::string difference;   // one row of the stage that stands otherwise; empty: nothing can differ
    std::string add_missing;  // those of the stage that are not there
    std::string apply;        // where rows change
    std::string parts;        // a row under the keys of the table that it is part of; empty: of none
};
ProjectionSql projection_sql(const std::vector<PostgresTable>& tables, std::size_t number);

// Empty where no table refers to another.
struct ReferenceSql {
    std::string lock;   // nobody changes what the tables are from then on
    std::string vouch;  // until the transaction ends their foreign keys are not looked up, if nothing else would fire
};
ReferenceSql reference_sql(const std::vector<PostgresTable>& tables);

}  // namespace nostro
