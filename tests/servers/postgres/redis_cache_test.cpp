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
    RedisCache cache(std::chrono::milliseconds timeout = 60s) {
        const ClientOptions options{.connect_timeout = timeout, .reply_timeout = timeout, .ca_file = {}};
        return {address, options, {"j1", "s1"}, clock, registry};
    }
    static std::future<Text> asked(RedisCache& cache, const std::string& key) {
        std::promise<Text> promise;
        auto future = promise.get_future();
        cache.find(key, [told = std::move(promise)](Text text) mutable { told.set_value(std::move(text)); });
        return future;
    }
    // A hasty cache may find this machine too slow, and tries again after a while.
    static void put_and_find(RedisCache& cache, const std::string& key, const std::string& value) {
        do {
            cache.put(key, value, {1, 0}, 1h);
        } while (asked(cache, key).get() != Text(value));
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
    // Whoever asks goes on while the first is told, and the others find one exchange for all of them.
    std::promise<void> all_asked;
    there.find("k0", [until = all_asked.get_future().share()](const Text&) { until.wait(); });
    std::vector<std::future<Text>> all;
    for (std::size_t i = 0; i < kMany; ++i) all.push_back(asked(there, "k" + std::to_string(i)));
    all_asked.set_value();
    for (std::size_t i = 0; i < kMany; ++i) {
        EXPECT_EQ(all[i].get(), i % 2 == 0 ? Text("of " + std::to_string(i)) : std::nullopt);
    }
    EXPECT_LT(exchanges(), kMany / 2);
}

TEST_F(RedisCacheTest, ASilentServerIsLeftAloneAndEverybodyHearsOfIt) {
    RedisCache there = cache(200ms);
    put_and_find(there, "k", "v");
    pause_server();
    std::vector<std::future<Text>> all;
    for (int i = 0; i < 100; ++i) all.push_back(asked(there, "k"));
    for (auto& each : all) EXPECT_EQ(each.get(), std::nullopt);
    EXPECT_EQ(asked(there, "k").get(), std::nullopt) << "it is not asked for a while";
    EXPECT_EQ(say({"PING"}).text, "PONG");  // when it is back
}

TEST_F(RedisCacheTest, WhoeverWaitsWhenItStopsHearsThatNothingIsThere) {
    RedisCache there = cache(200ms);
    put_and_find(there, "k", "v");
    pause_server();
    std::vector<std::future<Text>> all;
    for (int i = 0; i < 100; ++i) all.push_back(asked(there, "k"));
    there.stop();
    for (auto& each : all) EXPECT_EQ(each.get(), std::nullopt);
    EXPECT_EQ(asked(there, "k").get(), std::nullopt);
    EXPECT_EQ(say({"PING"}).text, "PONG");
}

}  // namespace
}  // namespace nostro::redis::test
