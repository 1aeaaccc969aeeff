// Documents of what was decided, in Redis: the newest first, and behind it, backwards, what is missing there.
//
// The projection is fed with what is new. A database that is empty when it comes, or was emptied since, gets the rest
// from RedisBackfill, from the newest frame to the first: so what is there is always the newest that was decided of its
// key, never a state that is long gone.
// Threads: each object has one of its own.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nostro/adapters/redis/cache_store.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/ports/projection.hpp"

namespace nostro::redis {

// Adds what becomes of keys by one frame. `unavailable`: it cannot be told yet, ask again.
using Render = std::function<Result<>(const DecodedPtr& frame, std::vector<Change>& into)>;

struct ProjectionMetrics {
    explicit ProjectionMetrics(MetricsRegistry& registry);
    Counter& written;
    Gauge& missing;  // frames that the backfill has to look at yet
};

// Of several changes of a key the newest counts; the others are not sent.
class Changes {
public:
    void add(std::vector<Change>& from);  // takes them
    const std::vector<Change>& all() const { return all_; }
    void clear();

private:
    std::vector<Change> all_;
    std::unordered_map<std::string, std::size_t> by_key_;
};

struct ProjectionParts {
    std::function<Seq()> accepted;
    Render render;
    const Clock* clock = nullptr;
    ProjectionMetrics* metrics = nullptr;
    bool shared = false;  // other programs do the same: what they have told of is not sent again
};

class RedisProjection final : public Projection {
public:
    RedisProjection(std::unique_ptr<CacheStore> store, ProjectionParts parts)
        : store_(std::move(store)), parts_(std::move(parts)) {}

    Result<Seq> next() override;
    Result<> project(std::span<const DecodedPtr> frames) override;

private:
    const std::unique_ptr<CacheStore> store_;
    const ProjectionParts parts_;
    std::vector<Change> rendered_;
    Changes changes_;
};

class RedisBackfill {
public:
    static constexpr Seq kFramesMax = 64;  // at once
    using ReadFrame = std::function<Result<DecodedPtr>(Seq)>;

    // `kept`: no document lives longer, so older frames are passed over; nullopt: some live for ever.
    RedisBackfill(std::unique_ptr<CacheStore> store, ProjectionParts parts, ReadFrame read,
                  std::optional<std::chrono::seconds> kept)
        : store_(std::move(store)), parts_(std::move(parts)), read_(std::move(read)), kept_(kept) {}

    // Fills in some frames; returns how many. 0: nothing is missing, or it cannot be done now.
    Result<std::size_t> step();

private:
    Result<std::size_t> fill(const Reach& reach);

    const std::unique_ptr<CacheStore> store_;
    const ProjectionParts parts_;
    const ReadFrame read_;
    const std::optional<std::chrono::seconds> kept_;
    std::vector<Change> rendered_;
    Changes changes_;
};

}  // namespace nostro::redis
