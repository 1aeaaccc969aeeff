#include "nostro/app/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace nostro {
namespace {

using ::testing::HasSubstr;

TEST(ConfigTest, WhatItWritesReadsBackToTheSame) {
    Config config;
    ASSERT_TRUE(set(config, "server.listen", "127.0.0.1:9001"));
    ASSERT_TRUE(set(config, "journal.segment_bytes", "64MiB"));
    ASSERT_TRUE(set(config, "server.idle_timeout", "1m30s"));
    Config read;
    const auto done = read_config(read, to_toml(config), "config");
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(to_toml(read), to_toml(config));
    EXPECT_EQ(read.journal.segment_bytes, 64u << 20);
}

TEST(ConfigTest, EverySettingTakesItsOwnDefaultAndIsExplained) {
    const Config config;
    for (const Setting& setting : settings()) {
        Config other;
        std::string value = setting.get(config);
        if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
        const auto done = setting.set(other, value);
        EXPECT_TRUE(done) << setting.key << ": " << (done ? "" : done.error().what);
        EXPECT_FALSE(setting.help.empty()) << setting.key;
    }
}

TEST(ConfigTest, TheOriginalsVariablesNameTheClusterUnlessAKeyOfOursDoes) {
    Config config;
    ASSERT_TRUE(read_environment(config, {"KAFKA_BROKER=broker:9092"}));
    EXPECT_EQ(config.kafka.bootstrap_servers, "broker:9092");
    Config other;
    ASSERT_TRUE(read_environment(other, {"KAFKA_BOOTSTRAP_SERVERS=a:1", "NOSTRO_KAFKA_BOOTSTRAP_SERVERS=b:2"}));
    EXPECT_EQ(other.kafka.bootstrap_servers, "b:2");
    Config turned;
    ASSERT_TRUE(read_environment(turned, {"NOSTRO_KAFKA_BOOTSTRAP_SERVERS=b:2", "KAFKA_BOOTSTRAP_SERVERS=a:1"}));
    EXPECT_EQ(turned.kafka.bootstrap_servers, "b:2");
}

TEST(ConfigTest, APasswordForKafkaNeedsAUser) {
    Config config;
    ASSERT_TRUE(set(config, "kafka.mechanism", "PLAIN"));
    const auto fine = check(config);
    ASSERT_FALSE(fine);
    EXPECT_THAT(fine.error().what, HasSubstr("kafka.user"));
}

TEST(ConfigTest, LaterSourcesWin) {
    Config config;
    ASSERT_TRUE(read_config(config, "[server]\nlisten = \"127.0.0.1:1\"\nio_threads = 2\n", "file"));
    ASSERT_TRUE(read_environment(config, {"NOSTRO_SERVER_LISTEN=127.0.0.1:2", "HOME=/root"}));
    EXPECT_EQ(config.server.listen, "127.0.0.1:2");
    EXPECT_EQ(config.server.io_threads, 2u);
}

TEST(ConfigTest, ThePageShowsEverySettingWithItsDefault) {
    std::ifstream file(NOSTRO_DOCS "/operations/configuration.md");
    const std::string page(std::istreambuf_iterator<char>(file), {});
    EXPECT_NE(page.find("```toml\n" + to_toml(Config()) + "```\n"), std::string::npos)
        << "docs/operations/configuration.md is out of date: put in its block what `nostro config show` prints";
}

TEST(ConfigTest, AnOriginIsASchemeAndAHost) {
    Config config;
    for (const std::string_view good : {"", "*", "https://shop.example", "http://localhost:3000", "http://[::1]:80"}) {
        EXPECT_TRUE(set(config, "server.cors_origin", good)) << good;
        EXPECT_EQ(config.server.cors_origin, good);
    }
    for (const std::string_view bad : {"shop.example", "https://", "https://shop.example/", "HTTPS://SHOP.example",
                                       "https://a, https://b", "https://a\r\nX: y", "null", "**"}) {
        EXPECT_FALSE(set(config, "server.cors_origin", bad)) << bad;
    }
}

struct Refused {
    std::string_view text, what;
};
class ConfigRefusalTest : public ::testing::TestWithParam<Refused> {};

TEST_P(ConfigRefusalTest, SaysWhereAndWhat) {
    Config config;
    const auto done = read_config(config, GetParam().text, "nostro.toml");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::invalid);
    EXPECT_THAT(done.error().what, HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Files, ConfigRefusalTest,
    ::testing::Values(
        Refused{"[server]\nlistne = \"x\"\n", "nostro.toml:2:10: server.listne is no key, did you mean server.listen?"},
        Refused{"[zebra]\ncolour = 1\n", "nostro.toml:2:10: zebra.colour is no key; `nostro config show` lists all"},
        Refused{"listen = \"x\"\n", "nostro.toml:1:10: listen stands outside of a section"},
        Refused{"[server]\nio_threads = 0\n", "server.io_threads: 0 is not between 1 and 64"},
        Refused{"[server]\nio_threads = 1.5\n", "server.io_threads: expected text, a whole number, true or false"},
        Refused{"[server]\ninsecure_listen = \"yes\"\n", "'yes' is neither true nor false"},
        Refused{"[server]\nidle_timeout = \"0s\"\n", "must be more than 0"},
        Refused{"[journal]\nkind = \"tape\"\n", "'tape' is none of segment, kafka, postgres, memory"},
        Refused{"[journal]\nsegment_bytes = \"1KiB\"\n", "is not between 16MiB and 64GiB"},
        Refused{"[journal\n", "nostro.toml:1:"}));

TEST(ConfigTest, RefusesABadEnvironmentVariableByName) {
    Config config;
    const auto done = read_environment(config, {"NOSTRO_SERVER_IO_THREADS=many"});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().what, HasSubstr("environment variable NOSTRO_SERVER_IO_THREADS"));
}

TEST(ConfigTest, RefusesAnUnknownVariableOfASection) {
    Config config;
    const auto done = read_environment(config, {"NOSTRO_SERVER_LISTN=127.0.0.1:2"});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().what,
                HasSubstr("environment variable NOSTRO_SERVER_LISTN is no key, did you mean NOSTRO_SERVER_LISTEN?"));
    EXPECT_TRUE(read_environment(config, {"NOSTRO_URL=x", "NOSTRO_SERVERS=x", "NOSTRO_BIN=x", "NOSTRO_JOBS=3"}));
}

TEST(ConfigTest, RefusesValuesThatDoNotGoTogether) {
    Config config;
    ASSERT_TRUE(set(config, "journal.keep_days", "30"));
    ASSERT_TRUE(set(config, "journal.archive", "false"));
    const auto done = check(config);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().what, HasSubstr("journal.keep_days"));
}

}  // namespace
}  // namespace nostro
