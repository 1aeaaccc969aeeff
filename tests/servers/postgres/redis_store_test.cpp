#include <algorithm>
#include <chrono>
#include <random>

#include "nostro/adapters/redis/cache_store.hpp"
#include "nostro/base/time.hpp"
#include "tests/servers/postgres/redis_server.hpp"

namespace nostro::redis::test {
namespace {

using RedisStoreTest = RedisTest;
using namespace std::chrono_literals;

Change string(std::string key, Place version, std::string value) {
    return {.key = std::move(key), .version = version, .value = std::move(value)};
}
Change hash(std::string key, Place version, Fields fields) {
    return {.key = std::move(key), .version = version, .value = std::move(fields)};
}
Change gone(std::string key, Place version) { return {.key = std::move(key), .version = version, .value = Removed{}}; }

TEST_F(RedisStoreTest, AnOlderOneNeverTakesThePlaceOfANewerOne) {
    auto redis = store();
    ASSERT_TRUE(redis.write({string("k", {7, 3}, "new")}));
    ASSERT_TRUE(redis.write({string("k", {7, 2}, "old"), hash("k", {6, 9}, {{"a", "b"}}), gone("k", {5, 0})}));
    EXPECT_EQ(text("k"), "new");
    ASSERT_TRUE(redis.write({string("k", {10, 0}, "newer")}));
    EXPECT_EQ(text("k"), "newer");
}

TEST_F(RedisStoreTest, TheSameTwiceChangesNothing) {
    auto redis = store();
    Change change = string("k", {7, 3}, "v");
    change.expires_at = std::chrono::time_point_cast<std::chrono::milliseconds>(system_now()) + 1h;
    ASSERT_TRUE(redis.write({change, hash("h", {7, 4}, {{"a", "1"}, {"b", ""}}), gone("g", {7, 5})}));
    const auto at = say({"PEXPIRETIME", "k"}).number;
    EXPECT_EQ(at, std::chrono::duration_cast<std::chrono::milliseconds>(change.expires_at.time_since_epoch()).count());
    const auto keys = say({"DBSIZE"}).number;
    ASSERT_TRUE(redis.write({change, hash("h", {7, 4}, {{"a", "1"}, {"b", ""}}), gone("g", {7, 5})}));
    EXPECT_EQ(text("k"), "v");
    EXPECT_EQ(say({"PEXPIRETIME", "k"}).number, at);
    EXPECT_EQ(say({"HGET", "h", "a"}).text, "1");
    EXPECT_EQ(say({"HLEN", "h"}).number, 2);
    EXPECT_EQ(say({"TTL", "h"}).number, -1);
    EXPECT_EQ(say({"DBSIZE"}).number, keys);
}

TEST_F(RedisStoreTest, WhatIsGoneStaysGoneForAllThatIsOlder) {
    auto redis = store();
    ASSERT_TRUE(redis.write({hash("review:1", {2, 0}, {{"a", "b"}}), gone("review:1", {4, 0})}));
    EXPECT_EQ(say({"EXISTS", "review:1"}).number, 0);
    ASSERT_TRUE(redis.write({hash("review:1", {2, 0}, {{"a", "b"}})}));
    EXPECT_EQ(say({"EXISTS", "review:1"}).number, 0);
    EXPECT_GT(say({"TTL", version_key("review:1")}).number, 0);
}

TEST_F(RedisStoreTest, AHashLeavesNoFieldOfTheOneBefore) {
    auto redis = store();
    ASSERT_TRUE(redis.write({hash("h", {1, 0}, {{"a", "1"}, {"b", "2"}})}));
    ASSERT_TRUE(redis.write({hash("h", {2, 0}, {{"a", "3"}})}));
    EXPECT_EQ(say({"HLEN", "h"}).number, 1);
    EXPECT_EQ(say({"HGET", "h", "a"}).text, "3");
}

TEST_F(RedisStoreTest, WhateverStoodThereBeforeIsReplaced) {
    auto redis = store();
    say({"RPUSH", "k", "somebody's list"});
    say({"RPUSH", version_key("k"), "and another"});
    ASSERT_TRUE(redis.write({string("k", {1, 0}, "v")}));
    EXPECT_EQ(text("k"), "v");
}

// Several writers, each in an order of its own: what stays is the newest of each key.
TEST_F(RedisStoreTest, WhateverTheOrderTheNewestStays) {
    constexpr Seq kVersions = 400;
    constexpr Seq kKeys = 7;
    std::vector<Change> all;
    for (Seq seq = 1; seq <= kVersions; ++seq) {
        all.push_back(string("k" + std::to_string(seq % kKeys), {seq, 0}, std::to_string(seq)));
    }
    std::mt19937 random(20261122);
    for (int writer = 0; writer < 5; ++writer) {
        std::ranges::shuffle(all, random);
        ASSERT_TRUE(store().write(all));
        for (Seq key = 0; key < kKeys; ++key) {
            const Seq newest = kVersions - (kVersions - key) % kKeys;
            ASSERT_EQ(text("k" + std::to_string(key)), std::to_string(newest));
        }
    }
}

CacheStore::Sealed read(CacheStore& redis, const std::string& key) {
    auto found = redis.read(std::span(&key, 1));
    EXPECT_TRUE(found) << (found ? "" : found.error().what);
    return found ? std::move(found->front()) : CacheStore::Sealed{};
}

TEST_F(RedisStoreTest, OnlyItsOwnersWordIsGood) {
    auto redis = store();
    Change change = string("txn:1", {3, 1}, "{}");
    change.sealed = true;
    EXPECT_EQ(read(redis, "txn:1").kind, CacheStore::Sealed::Kind::absent);
    ASSERT_TRUE(redis.write({change}));
    EXPECT_EQ(read(redis, "txn:1").kind, CacheStore::Sealed::Kind::good);
    EXPECT_EQ(read(redis, "txn:1").value, "{}");
    auto another = store("j1", "another");
    EXPECT_EQ(read(another, "txn:1").kind, CacheStore::Sealed::Kind::foreign);

    const std::string beside = text(version_key("txn:1"));
    say({"SET", "txn:1", "{ }"});
    EXPECT_EQ(read(redis, "txn:1").kind, CacheStore::Sealed::Kind::foreign) << "another text";
    say({"SET", "txn:2", "{}"});
    say({"SET", version_key("txn:2"), beside});
    EXPECT_EQ(read(redis, "txn:2").kind, CacheStore::Sealed::Kind::foreign) << "the text of another key";
    say({"SET", "txn:1", "{}"});
    say({"SET", version_key("txn:1"), version_text({4, 1}) + beside.substr(24)});
    EXPECT_EQ(read(redis, "txn:1").kind, CacheStore::Sealed::Kind::foreign) << "another version";
    say({"SET", version_key("txn:1"), beside});
    EXPECT_EQ(read(redis, "txn:1").kind, CacheStore::Sealed::Kind::good);
    say({"DEL", version_key("txn:1")});
    EXPECT_EQ(read(redis, "txn:1").kind, CacheStore::Sealed::Kind::foreign) << "no seal";
    say({"DEL", "txn:1"});
    say({"RPUSH", "txn:1", "a list"});
    EXPECT_EQ(read(redis, "txn:1").kind, CacheStore::Sealed::Kind::absent);
}

TEST_F(RedisStoreTest, ManyAreReadAtOnceInTheirOrder) {
    auto redis = store();
    constexpr std::uint32_t kMany = 700;  // more than one call asks for
    std::vector<Change> all;
    std::vector<std::string> keys;
    for (std::uint32_t i = 0; i < kMany; ++i) {
        keys.push_back("txn:" + std::to_string(i));
        if (i % 3 == 0) continue;
        all.push_back(string(keys.back(), {1, i}, "of " + std::to_string(i)));
        all.back().sealed = true;
    }
    ASSERT_TRUE(redis.write(all));
    const auto found = redis.read(keys);
    ASSERT_TRUE(found) << found.error().what;
    ASSERT_EQ(found->size(), kMany);
    for (std::uint32_t i = 0; i < kMany; ++i) {
        EXPECT_EQ((*found)[i].value, i % 3 == 0 ? "" : "of " + std::to_string(i));
        EXPECT_EQ((*found)[i].kind, i % 3 == 0 ? CacheStore::Sealed::Kind::absent : CacheStore::Sealed::Kind::good);
    }
}

void expect_reach(CacheStore& redis, Seq next, Seq filled, Seq floor) {
    const auto reach = redis.begin(1'000'000);
    ASSERT_TRUE(reach) << reach.error().what;
    EXPECT_EQ(reach->next, next);
    EXPECT_EQ(reach->filled, filled);
    EXPECT_EQ(reach->floor, floor);
}

TEST_F(RedisStoreTest, AnEmptyDatabaseLacksAllThatWas) {
    auto redis = store();
    const auto reach = redis.begin(41);
    ASSERT_TRUE(reach) << reach.error().what;
    EXPECT_EQ(reach->next, 42u);
    EXPECT_EQ(reach->filled, 42u);
    EXPECT_EQ(reach->floor, 1u);
    ASSERT_TRUE(redis.advance(42, 50));
    expect_reach(redis, 50, 42, 1);
    EXPECT_TRUE(*redis.fill(42, 10));
    EXPECT_FALSE(*redis.fill(42, 5)) << "another has filled meanwhile";
    EXPECT_TRUE(*redis.fill(10, 1));
    expect_reach(redis, 50, 1, 1);
}

TEST_F(RedisStoreTest, TheCursorNeverGoesBack) {
    auto redis = store();
    ASSERT_TRUE(redis.begin(0));
    ASSERT_TRUE(redis.advance(1, 9));
    ASSERT_TRUE(redis.advance(1, 5));
    expect_reach(redis, 9, 1, 1);
}

TEST_F(RedisStoreTest, AFlushIsNoted) {
    auto redis = store();
    ASSERT_TRUE(redis.begin(0));
    ASSERT_TRUE(redis.advance(1, 9));
    say({"FLUSHDB"});
    ASSERT_TRUE(redis.advance(9, 12));
    expect_reach(redis, 12, 12, 1);  // of frames 9 to 11 some may have been written before the flush
    EXPECT_FALSE(*redis.fill(9, 1));
}

TEST_F(RedisStoreTest, AnOlderCopyIsNoted) {
    auto redis = store();
    ASSERT_TRUE(redis.begin(0));
    ASSERT_TRUE(redis.advance(1, 9));
    say({"HSET", "nostro:cursor", "next", "6"});  // as a replica that had not heard of the rest
    ASSERT_TRUE(redis.advance(9, 12));
    expect_reach(redis, 12, 12, 6);
    say({"HSET", "nostro:cursor", "next", "8"});  // again, before what was missing is there
    ASSERT_TRUE(redis.advance(12, 15));
    expect_reach(redis, 15, 15, 6);
}

TEST_F(RedisStoreTest, DocumentsOfAnotherJournalAreLeftAlone) {
    ASSERT_TRUE(store("j1").begin(0));
    auto other = store("j2");
    const auto expect_refused = [](const auto& result) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::unavailable);
        EXPECT_NE(result.error().what.find("FLUSHDB"), std::string::npos) << result.error().what;
    };
    expect_refused(other.begin(0));
    expect_refused(other.advance(1, 2));
    expect_refused(other.fill(1, 1));
    say({"FLUSHDB"});
    EXPECT_TRUE(other.begin(0));
}

}  // namespace
}  // namespace nostro::redis::test
