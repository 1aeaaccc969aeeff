#include "nostro/adapters/postgres/schema.hpp"

#include <fmt/format.h>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

// Whoever migrates holds it until the transaction ends.
constexpr std::int64_t kMigrationLock = 0x6e6f7374726f;

std::string version_sql(const PostgresSchema& schema, std::size_t version) {
    return fmt::format("INSERT INTO nostro.schema_version (name, version) VALUES ({}, {});\n", sql_text(schema.name),
                       version);
}

// The steps alone: what they make belongs to the owner, what is ours beside them to whoever migrates.
std::string steps_sql(const PostgresSchema& schema, std::size_t version) {
    std::string sql;
    for (std::size_t step = version; step < schema.steps.size(); ++step) {
        if (!schema.owner.empty()) sql += fmt::format("SET LOCAL ROLE {};\n", sql_name(schema.owner));
        sql += schema.steps[step];
        if (!schema.owner.empty()) sql += "RESET ROLE;\n";
        if (step < schema.own_steps.size()) sql += schema.own_steps[step];
        sql += version_sql(schema, step + 1);
    }
    return sql;
}

Error newer(const PostgresClient& client, const PostgresSchema& schema, std::size_t version) {
    return {ErrorCode::invalid,
            fmt::format("{}: its tables of {} are of version {}, and this program knows {}: use the newer program",
                        client.place(), schema.name, version, schema.steps.size())};
}

std::string create_role(const PostgresHome& home, std::string_view password) {
    return fmt::format("CREATE ROLE {} LOGIN PASSWORD {}", sql_name(home.role), password);
}

std::string create_database(const PostgresHome& home) {
    return fmt::format("CREATE DATABASE {} OWNER {}", sql_name(home.database), sql_name(home.role));
}

}  // namespace

std::string postgres_base_sql() {
    return R"(CREATE SCHEMA IF NOT EXISTS nostro;
CREATE TABLE IF NOT EXISTS nostro.schema_version (
    name text NOT NULL,
    version integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
CREATE TABLE IF NOT EXISTS nostro.cursor (
    projection text PRIMARY KEY,
    next_seq bigint NOT NULL,
    digest text NOT NULL,
    read_at timestamptz NOT NULL
);
COMMENT ON TABLE nostro.cursor IS 'The first frame that is not in the tables yet, and the digest of the one before it';
)";
}

std::string migration_sql(const PostgresSchema& schema, std::size_t version) {
    return fmt::format("BEGIN;\nSELECT pg_advisory_xact_lock({});\n{}{}COMMIT;\n", kMigrationLock, postgres_base_sql(),
                       steps_sql(schema, version));
}

Result<std::size_t> schema_version(PostgresClient& client, const std::string& name) {
    const auto known = client.run({"SELECT to_regclass('nostro.schema_version') IS NOT NULL"});
    if (!known) return known.error();
    if (known->text(0, 0) != "t") return std::size_t{0};
    const auto newest =
        client.run({"SELECT coalesce(max(version), 0) FROM nostro.schema_version WHERE name = $1", {name}});
    if (!newest) return newest.error();
    const auto version = parse_uint64(newest->text(0, 0));
    if (!version) return version.error();
    return *version;
}

Result<std::size_t> migrate(PostgresClient& client, const PostgresSchema& schema) {
    const auto undone = [&](const Error& error) {
        client.rollback();
        return error;
    };
    const auto begun = client.script(fmt::format("BEGIN; SELECT pg_advisory_xact_lock({})", kMigrationLock));
    if (!begun) return undone(begun.error());
    const auto version = schema_version(client, schema.name);
    if (!version) return undone(version.error());
    if (*version > schema.steps.size()) return undone(newer(client, schema, *version));
    if (*version < schema.steps.size()) {
        const std::string base = *version == 0 ? postgres_base_sql() : std::string();
        if (auto done = client.script(base + steps_sql(schema, *version)); !done) return undone(done.error());
    }
    if (auto done = client.script("COMMIT"); !done) return undone(done.error());
    return *version;
}

Result<> check_version(PostgresClient& client, const PostgresSchema& schema) {
    const auto version = schema_version(client, schema.name);
    if (!version) return version.error();
    if (*version > schema.steps.size()) return newer(client, schema, *version);
    if (*version == schema.steps.size()) return {};
    return Error{ErrorCode::invalid,
                 fmt::format("{}: its tables of {} {}: run `nostro migrate{}`", client.place(), schema.name,
                             *version == 0 ? "are not there" : "are of an older version",
                             schema.name == "nostro" || schema.name == "index" ? "" : " --profile " + schema.name)};
}

std::string home_sql(const PostgresHome& home) {
    return create_role(home, "'***'") + ";\n" + create_database(home) + ";\n";
}

Result<bool> make_home(PostgresClient& client, const PostgresHome& home) {
    const auto found = client.run(
        {"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_database WHERE datname = $2)",
         {home.role, home.database}});
    if (!found) return found.error();
    const bool has_role = found->text(0, 0) == "t", has_database = found->text(0, 1) == "t";
    if (!has_role) {
        if (auto done = client.script(create_role(home, sql_text(home.password))); !done) {
            // The server's words would show the statement, and with it the password.
            return Error{done.error().code,
                         fmt::format("{}: the role {} could not be made; it takes the right CREATEROLE", client.place(),
                                     sql_name(home.role))};
        }
    }
    if (!has_database) {
        if (auto done = client.script(create_database(home)); !done) return done.error();
    }
    return !has_role || !has_database;
}

}  // namespace nostro
