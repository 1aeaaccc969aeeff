// The Redis that ./dev servers redis start has started: one of its databases, empty, for each test.
#pragma once
#include <gtest/gtest.h>

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
        Client client(address, {});
        auto reply = client.ask(std::span(words.begin(), words.size()));
        EXPECT_TRUE(reply) << reply.error().what;
        return reply ? *reply : Reply{};
    }
    std::string text(std::string_view key) { return say({"GET", key}).text; }
    CacheStore store(const std::string& journal = "j1", const std::string& secret = "s1") {
        return {address, {}, {journal, secret}};
    }

    Address address;
};

}  // namespace nostro::redis::test
