#include "nostro/adapters/redis/redis_cache.hpp"

#include "nostro/base/log.hpp"

namespace nostro::redis {
namespace {

constexpr std::size_t kIdleMax = 16;
constexpr std::size_t kWaitingMax = 4096;  // whoever comes beyond that asks the store
constexpr std::chrono::seconds kPause{1};
constexpr std::string_view kReads = "nostro_cache_reads_total",
                           kReadsHelp =
                               "Reads that asked Redis first: hit; miss; foreign, which is not believed; failed.";

}  // namespace

// A connection for one call; one that failed is not kept.
struct RedisCache::Lease {
    explicit Lease(RedisCache& from) : cache(from) {
        const std::lock_guard lock(cache.mutex_);
        if (cache.idle_.empty()) return;
        store = std::move(cache.idle_.back());
        cache.idle_.pop_back();
    }
    CacheStore& operator*() {
        if (store == nullptr) store = std::make_unique<CacheStore>(cache.address_, cache.options_, cache.owner_);
        return *store;
    }
    void keep() {
        const std::lock_guard lock(cache.mutex_);
        if (cache.idle_.size() < kIdleMax) cache.idle_.push_back(std::move(store));
    }

    RedisCache& cache;
    std::unique_ptr<CacheStore> store;
};

RedisCache::RedisCache(Address address, ClientOptions options, Owner owner, const Clock& clock,
                       MetricsRegistry& registry)
    : address_(std::move(address)),
      options_(std::move(options)),
      owner_(std::move(owner)),
      clock_(clock),
      hits_(registry.counter(kReads, kReadsHelp, {{"result", "hit"}})),
      misses_(registry.counter(kReads, kReadsHelp, {{"result", "miss"}})),
      foreign_(registry.counter(kReads, kReadsHelp, {{"result", "foreign"}})),
      failed_(registry.counter(kReads, kReadsHelp, {{"result", "failed"}})),
      reader_([this] { read(); }) {}

RedisCache::~RedisCache() { stop(); }

void RedisCache::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (reader_.joinable()) reader_.join();
}

void RedisCache::find(std::string_view key, Found found) {
    {
        std::unique_lock lock(mutex_);
        if (!stopping_ && waiting_.size() < kWaitingMax && may_ask()) {
            waiting_.push_back({std::string(key), std::move(found)});
            const bool sleeps = waiting_.size() == 1;
            lock.unlock();
            if (sleeps) changed_.notify_one();
            return;
        }
    }
    found(std::nullopt);
}

void RedisCache::read() {
    CacheStore store(address_, options_, owner_);
    std::vector<Asked> asked;
    for (;;) {
        asked.clear();
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            asked.swap(waiting_);
            if (stopping_) again_at_ = SteadyTime::max().time_since_epoch().count();
        }
        answer(store, asked);
    }
}

void RedisCache::answer(CacheStore& store, std::vector<Asked>& asked) {
    const auto nobody_can_say = [&] {
        for (Asked& each : asked) each.found(std::nullopt);
    };
    if (!may_ask()) return nobody_can_say();
    std::vector<std::string> keys;
    keys.reserve(asked.size());
    for (Asked& each : asked) keys.push_back(std::move(each.key));
    auto found = store.read(keys);
    if (!found) {
        failed_.add(asked.size());
        pause(found.error());
        return nobody_can_say();
    }
    for (std::size_t i = 0; i < asked.size(); ++i) asked[i].found(taken((*found)[i]));
}

std::optional<std::string> RedisCache::taken(CacheStore::Sealed& sealed) {
    switch (sealed.kind) {
        case CacheStore::Sealed::Kind::absent: misses_.add(); return std::nullopt;
        case CacheStore::Sealed::Kind::foreign: foreign_.add(); return std::nullopt;
        case CacheStore::Sealed::Kind::good: hits_.add(); return std::move(sealed.value);
    }
    return std::nullopt;
}

void RedisCache::put(std::string_view key, std::string_view value, Place version, std::chrono::seconds kept) {
    if (!may_ask()) return;
    Lease lease(*this);
    const std::vector<Change> changes{{.key = std::string(key),
                                       .version = version,
                                       .value = std::string(value),
                                       .expires_at = clock_.now() + kept,
                                       .sealed = true}};
    if (const auto done = (*lease).write(changes); !done) return pause(done.error());
    lease.keep();
}

bool RedisCache::may_ask() const {
    return steady_now().time_since_epoch().count() >= again_at_.load(std::memory_order_relaxed);
}

void RedisCache::pause(const Error& error) {
    const SteadyTime::rep now = steady_now().time_since_epoch().count();
    const SteadyTime::rep until = (steady_now() + kPause).time_since_epoch().count();
    if (again_at_.exchange(until, std::memory_order_relaxed) <= now)
        log_warn("cache_left_alone", {{"why", error.what}});
    const std::lock_guard lock(mutex_);
    idle_.clear();  // they lead to the same server
}

}  // namespace nostro::redis
