// The Redis that ./dev servers redis start has started: one of its databases, empty, for each test.
#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>

#include "nostro/adapters/redis/cache_store.hpp"

namespace nostro::redis::test {

class RedisTest : public testing::Test {
protected:
    void SetUp() override {
        const char* url = std::getenv("NOSTRO_REDIS_URL");
        ASSERT_NE(url, nullptr) << "NOSTRO_REDIS_URL is not set: ./dev servers redis start prints it";
        const auto parsed = parse_address(url);
        ASSERT_TRUE(parsed) << parsed.error().what;
        address = *parsed;
        address.database = 9;
        ASSERT_EQ(say({"FLUSHDB"}).text, "OK");
    }

    // What an operator would see.
    Reply say(std::initializer_list<std::string_view> words) {
        Client client(address, patient());
        auto reply = client.ask(std::span(words.begin(), words.size()));
        EXPECT_TRUE(reply) << reply.error().what;
        return reply ? *reply : Reply{};
    }
    std::string text(std::string_view key) { return say({"GET", key}).text; }
    CacheStore store(const std::string& journal = "j1", const std::string& secret = "s1") {
        return {address, patient(), {journal, secret}};
    }
    // Only bounds how long a server that is gone holds a test up.
    static ClientOptions patient() {
        ClientOptions options;
        options.connect_timeout = options.reply_timeout = std::chrono::milliseconds(60'000);
        return options;
    }
    // Nobody is answered for so long: longer than any time-out of a test by more than a machine may stand still.
    void pause_server() { EXPECT_EQ(say({"CLIENT", "PAUSE", "6000", "ALL"}).text, "OK"); }

    Address address;
};

}  // namespace nostro::redis::test
