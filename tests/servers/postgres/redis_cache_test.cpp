#include "nostro/adapters/redis/redis_cache.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "nostro/base/text.hpp"
#include "tests/servers/postgres/redis_server.hpp"

namespace nostro::redis::test {
namespace {

using namespace std::chrono_literals;
using Text = std::optional<std::string>;

class RedisCacheTest : public RedisTest {
protected:
    RedisCache cache(std::chrono::milliseconds timeout = 5s) {
        const ClientOptions options{.connect_timeout = timeout, .reply_timeout = timeout, .ca_file = {}};
        return {address, options, {"j1", "s1"}, clock, registry};
    }
    static std::future<Text> asked(RedisCache& cache, const std::string& key) {
        std::promise<Text> promise;
        auto future = promise.get_future();
        cache.find(key, [told = std::move(promise)](Text text) mutable { told.set_value(std::move(text)); });
        return future;
    }
    // How often the server was asked for values.
    std::uint64_t exchanges() {
        const std::string all = say({"INFO", "commandstats"}).text;
        const std::size_t at = all.find("cmdstat_mget:calls=");
        if (at == std::string::npos) return 0;
        const std::string_view number = std::string_view(all).substr(at + 19);
        return *parse_uint64(number.substr(0, number.find(',')));
    }

    SystemClock clock;
    MetricsRegistry registry;
};

TEST_F(RedisCacheTest, EveryReaderHearsItsOwnAndManyShareAnExchange) {
    RedisCache there = cache();
    constexpr std::size_t kMany = 1000;
    for (std::size_t i = 0; i < kMany; i += 2)
        there.put("k" + std::to_string(i), "of " + std::to_string(i), {1, 0}, 1h);
    say({"CONFIG", "RESETSTAT"});
    std::vector<std::future<Text>> all;
    for (std::size_t i = 0; i < kMany; ++i) all.push_back(asked(there, "k" + std::to_string(i)));
    for (std::size_t i = 0; i < kMany; ++i) {
        EXPECT_EQ(all[i].get(), i % 2 == 0 ? Text("of " + std::to_string(i)) : std::nullopt);
    }
    EXPECT_LT(exchanges(), kMany / 2);
}

TEST_F(RedisCacheTest, ASilentServerIsLeftAloneAndEverybodyHearsOfIt) {
    RedisCache there = cache(50ms);
    there.put("k", "v", {1, 0}, 1h);
    ASSERT_EQ(asked(there, "k").get(), Text("v"));
    say({"CLIENT", "PAUSE", "400", "ALL"});
    std::vector<std::future<Text>> all;
    for (int i = 0; i < 100; ++i) all.push_back(asked(there, "k"));
    for (auto& each : all) EXPECT_EQ(each.get(), std::nullopt);
    EXPECT_EQ(asked(there, "k").get(), std::nullopt) << "it is not asked for a while";
    EXPECT_EQ(say({"PING"}).text, "PONG");  // when it is back
}

TEST_F(RedisCacheTest, WhoeverWaitsWhenItStopsHearsThatNothingIsThere) {
    RedisCache there = cache(200ms);
    there.put("k", "v", {1, 0}, 1h);
    say({"CLIENT", "PAUSE", "400", "ALL"});
    std::vector<std::future<Text>> all;
    for (int i = 0; i < 100; ++i) all.push_back(asked(there, "k"));
    there.stop();
    for (auto& each : all) EXPECT_EQ(each.get(), std::nullopt);
    EXPECT_EQ(asked(there, "k").get(), std::nullopt);
    EXPECT_EQ(say({"PING"}).text, "PONG");
}

}  // namespace
}  // namespace nostro::redis::test
