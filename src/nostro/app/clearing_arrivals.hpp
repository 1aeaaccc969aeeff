// The SQL by which rows that people insert into the tables of clearing come to nostro (adapters/postgres/arrivals.hpp).
#pragma once
#include <string>
#include <vector>

namespace nostro {

// Behind the tables and nostro.account_numbers, as whoever migrates.
std::string clearing_arrivals_sql();
// Behind that, as the tables' owner. What was there before and is not known to nostro is noted, too: accounts, and
// transactions that wait.
std::string clearing_triggers_sql();
// Behind that, as whoever migrates.
std::string clearing_triggers_done_sql();
// Those that the triggers are on.
std::vector<std::string> clearing_triggered_tables();

}  // namespace nostro
