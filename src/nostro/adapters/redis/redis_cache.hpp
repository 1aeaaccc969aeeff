// Redis as the Cache that routes ask before the store.
//
// One thread asks for all that was wanted meanwhile, in one exchange, so that many readers cost little more than one.
// It believes only what is sealed by its owner, and asks nobody twice: after a failure Redis is left alone for a
// second, so a server that is down or slow costs one short wait a second, not one a request.
// Threads: any. Writes use a connection each, of a handful that are kept.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nostro/adapters/redis/cache_store.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/ports/cache.hpp"

namespace nostro::redis {

class RedisCache final : public Cache {
public:
    // `options`: their timeouts bound how long an exchange may take. The registry and the clock outlive it.
    RedisCache(Address address, ClientOptions options, Owner owner, const Clock& clock, MetricsRegistry& registry);
    ~RedisCache() override;  // as stop()

    void find(std::string_view key, Found found) override;
    void put(std::string_view key, std::string_view value, Place version, std::chrono::seconds kept) override;
    // Whoever waits hears that nothing is there; so does everybody after that, at once.
    void stop();

private:
    struct Asked {
        std::string key;
        Found found;
    };
    struct Lease;
    void read();
    void answer(CacheStore& store, std::vector<Asked>& asked);
    std::optional<std::string> taken(CacheStore::Sealed& sealed);
    bool may_ask() const;
    void pause(const Error& error);  // after a failure

    const Address address_;
    const ClientOptions options_;
    const Owner owner_;
    const Clock& clock_;
    Counter &hits_, &misses_, &foreign_, &failed_;
    std::atomic<SteadyTime::rep> again_at_{0};
    std::mutex mutex_;
    std::vector<std::unique_ptr<CacheStore>> idle_;
    std::condition_variable changed_;
    std::vector<Asked> waiting_;
    bool stopping_ = false;
    std::jthread reader_;
};

}  // namespace nostro::redis
