// A schema that grows by steps, each taken once: step n makes version n of n - 1. What stands is remembered in
// nostro.schema_version of the same database, so that migrating again does nothing.
//
// Threads: one a client.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"

namespace nostro {

struct PostgresSchema {
    std::string name;                         // "nostro", "index", "tps": also of its cursor
    std::vector<std::string> steps;           // SQL; the last makes the newest version
    std::string owner = {};                   // role that the steps are taken as; empty: whoever is connected
    std::vector<std::string> own_steps = {};  // beside each, as whoever is connected: what the schema nostro has of it
};

// What every database of ours has: versions and cursors.
std::string postgres_base_sql();
// All steps from `version` on, as one transaction; what `nostro migrate --dry-run` prints.
std::string migration_sql(const PostgresSchema& schema, std::size_t version);

// 0: there is none yet.
Result<std::size_t> schema_version(PostgresClient& client, const std::string& name);
// Takes the missing steps in one transaction; who migrates at the same time waits. Returns the version before.
// `invalid`: it is of a newer program, or the role may not.
Result<std::size_t> migrate(PostgresClient& client, const PostgresSchema& schema);
// `invalid`: what stands is not this program's version; says what to do.
Result<> check_version(PostgresClient& client, const PostgresSchema& schema);

// A role and its database, where they are missing. The password of a role that is there stays as it is.
struct PostgresHome {
    std::string database, role, password;
};
std::string home_sql(const PostgresHome& home);  // the password is ***
// `client` is an administrator's, in any database of the server. False: both were there.
Result<bool> make_home(PostgresClient& client, const PostgresHome& home);

}  // namespace nostro
