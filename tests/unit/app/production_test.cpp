// What server.production refuses, and what it lets be.
#include "nostro/app/production.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace nostro {
namespace {

using Sets = std::vector<std::pair<std::string, std::string>>;

// Empty: it is fine.
std::string said(const Sets& sets) {
    Config config;
    for (const auto& [key, value] : sets) EXPECT_TRUE(set(config, key, value)) << key;
    const auto checked = check(config);
    return checked ? std::string() : checked.error().what;
}
std::string said_of(Sets sets) {
    sets.emplace_back("server.production", "true");
    return said(sets);
}

TEST(ProductionTest, NothingIsRefusedWhereItIsNotSet) {
    EXPECT_EQ(said({{"kafka.bootstrap_servers", "kafka:9092"}, {"journal.kafka_single_broker", "true"}}), "");
    EXPECT_EQ(said({{"redis.url", "redis://cache:6379"}, {"postgres.url", "postgresql://db/x"}}), "");
}

TEST(ProductionTest, ThisMachineNeedsNoEncryption) {
    for (const char* servers : {"localhost:9092", "127.0.0.1:9092,127.0.0.2:9092", "[::1]:9092"}) {
        EXPECT_EQ(said_of({{"kafka.bootstrap_servers", servers}}), "") << servers;
    }
    for (const char* url : {"postgresql://u:p@127.0.0.1:5432/x", "postgresql:///x", "host=/run/postgresql dbname=x",
                            "dbname=x", "postgresql://u:p@[::1]/x", "postgresql://%2Frun%2Fpostgresql/x"}) {
        EXPECT_EQ(said_of({{"postgres.url", url}}), "") << url;
    }
    EXPECT_EQ(said_of({{"redis.url", "redis://:p@127.0.0.1:6379/0"}}), "");
    EXPECT_EQ(said_of({{"redis.url", "redis://:p@localhost/0"}}), "");
}

TEST(ProductionTest, PlainTextToAnotherMachineIsRefusedWithTheMend) {
    EXPECT_EQ(
        said_of({{"kafka.bootstrap_servers", "127.0.0.1:1, broker2:9092"}}),
        "kafka.tls: broker2:9092 is another machine and the connection is in plain text, and server.production is "
        "set");
    for (const char* url : {"postgresql://u:p@db.example/x", "postgres://db:5432/x?sslmode=prefer", "host=db dbname=x",
                            "postgresql://127.0.0.1,db/x", "postgresql://u:p%40@db/x?application_name=n",
                            "host=db sslmode=disable", "postgresql:///x?host=db"}) {
        EXPECT_NE(said_of({{"postgres.url", url}}).find("sslmode=verify-full"), std::string::npos) << url;
        EXPECT_NE(said_of({{"journal.postgres_url", url}}).find("journal.postgres_url: "), std::string::npos) << url;
    }
    EXPECT_NE(said_of({{"redis.url", "redis://:p@cache:6379/0"}}).find("rediss://"), std::string::npos);
}

TEST(ProductionTest, EncryptedConnectionsMayGoAnywhere) {
    EXPECT_EQ(said_of({{"kafka.bootstrap_servers", "broker:9093"}, {"kafka.tls", "true"}}), "");
    for (const char* url : {"postgresql://u:p@db/x?sslmode=require", "host=db sslmode=verify-full",
                            "postgresql://db/x?application_name=n&sslmode=verify-ca"}) {
        EXPECT_EQ(said_of({{"postgres.url", url}}), "") << url;
    }
    EXPECT_EQ(said_of({{"redis.url", "rediss://:p@cache:6380/0"}}), "");
}

TEST(ProductionTest, WhatIsForTryingOutIsRefused) {
    EXPECT_NE(said_of({{"journal.kafka_single_broker", "true"}}).find("journal.kafka_single_broker: "),
              std::string::npos);
    EXPECT_NE(said_of({{"journal.kind", "memory"}}).find("journal.kind: "), std::string::npos);
}

}  // namespace
}  // namespace nostro
