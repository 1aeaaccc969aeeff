#include "nostro/adapters/redis/redis_projection.hpp"

#include <algorithm>
#include <utility>

namespace nostro::redis {
namespace {

constexpr std::size_t kChangesMax = 4'096;  // more than that is not gathered

// What has run out meanwhile, or does so before it arrives, is not worth sending.
void drop_expired(std::vector<Change>& changes, Instant now) {
    std::erase_if(changes,
                  [now](const Change& each) { return each.expires_at != Instant{} && each.expires_at <= now; });
}

Result<> send(CacheStore& store, Changes& changes, const ProjectionParts& parts) {
    if (auto done = store.write(changes.all()); !done) return done;
    parts.metrics->written.add(changes.all().size());
    changes.clear();
    return {};
}

Result<> render(const DecodedPtr& frame, const ProjectionParts& parts, std::vector<Change>& rendered,
                Changes& changes) {
    rendered.clear();
    if (auto done = parts.render(frame, rendered); !done) return done;
    drop_expired(rendered, parts.clock->now());
    changes.add(rendered);
    return {};
}

}  // namespace

ProjectionMetrics::ProjectionMetrics(MetricsRegistry& registry)
    : written(registry.counter("nostro_redis_written_total", "Documents sent to Redis.")),
      missing(registry.gauge("nostro_redis_missing_frames",
                             "Frames of before whose documents Redis lacks, to be filled in.")) {}

void Changes::add(std::vector<Change>& from) {
    for (Change& change : from) {
        const auto [found, is_new] = by_key_.try_emplace(change.key, all_.size());
        if (is_new) {
            all_.push_back(std::move(change));
        } else if (Change& known = all_[found->second]; known.version <= change.version) {
            known = std::move(change);
        }
    }
}

void Changes::clear() {
    all_.clear();
    by_key_.clear();
}

Result<Seq> RedisProjection::next() {
    const auto reach = store_->begin(parts_.accepted());
    if (!reach) return reach.error();
    return reach->next;
}

Result<> RedisProjection::project(std::span<const DecodedPtr> frames) {
    changes_.clear();  // of a try that failed
    Seq told = 0;      // by others, before that frame
    if (parts_.shared) {
        const auto reach = store_->begin(parts_.accepted());
        if (!reach) return reach.error();
        told = reach->next;
    }
    for (const DecodedPtr& frame : frames) {
        if (auto done = render(frame, parts_, rendered_, changes_); !done) return done;
        if (frame->seq() < told) changes_.clear();  // rendered all the same: what is rendered next may need it
        if (changes_.all().size() < kChangesMax) continue;
        if (auto done = send(*store_, changes_, parts_); !done) return done;
    }
    if (auto done = send(*store_, changes_, parts_); !done) return done;
    return store_->advance(frames.front()->seq(), frames.back()->seq() + 1);
}

Result<std::size_t> RedisBackfill::step() {
    const auto reach = store_->begin(parts_.accepted());
    if (!reach) return reach.error();
    parts_.metrics->missing.set(reach->is_whole() ? 0 : reach->filled - reach->floor);
    if (reach->is_whole()) return std::size_t{0};
    return fill(*reach);
}

// Newest first, so that no reader meets what is long gone.
Result<std::size_t> RedisBackfill::fill(const Reach& reach) {
    changes_.clear();
    const Instant now = parts_.clock->now();
    const Seq from = std::max(reach.floor, reach.filled > kFramesMax ? reach.filled - kFramesMax : 1);
    Seq done = reach.filled;
    while (done > from) {
        const auto frame = read_(done - 1);
        const bool is_dropped = !frame && frame.error().code == ErrorCode::not_found && done <= parts_.accepted();
        if (!frame && !is_dropped) return frame.error();
        if (is_dropped || (kept_ && (*frame)->time() + *kept_ < now)) {
            done = reach.floor;  // nothing is to be had of what is older
            break;
        }
        if (auto rendered = render(*frame, parts_, rendered_, changes_); !rendered) return rendered.error();
        --done;
        if (changes_.all().size() < kChangesMax) continue;
        if (auto sent = send(*store_, changes_, parts_); !sent) return sent.error();
    }
    if (auto sent = send(*store_, changes_, parts_); !sent) return sent.error();
    const auto noted = store_->fill(reach.filled, done);
    if (!noted) return noted.error();
    return static_cast<std::size_t>(reach.filled - done);
}

}  // namespace nostro::redis
