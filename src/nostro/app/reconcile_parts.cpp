#include "nostro/app/reconcile_parts.hpp"

namespace nostro {
namespace {

// Decoded for the one who compares: caches keep what those who answer have use for.
Result<> read_frames(const Journal& journal, Seq from, Seq through,
                     const std::function<Result<>(const DecodedFrame&)>& each) {
    Result<> done;
    const auto read = journal.read(from, [&](const FramePtr& frame) {
        DecodedFrame decoded;
        done = decode_body(frame, Sections::all, decoded);
        if (done) done = each(decoded);
        return done.has_value() && frame->header.seq < through;
    });
    if (!read) return read.error();
    if (!done || *read > through) return done;
    return Error{ErrorCode::not_found, "the journal ends before"};
}

Result<DecodedPtr> read_frame(const Journal& journal, Seq seq) {
    auto decoded = std::make_shared<DecodedFrame>();
    Result<> done = Error{ErrorCode::not_found, "the journal ends before"};
    const auto read = journal.read(seq, [&](const FramePtr& frame) {
        done = decode_body(frame, Sections::all, *decoded);
        return false;
    });
    if (!read) return read.error();
    if (!done) return done.error();
    return DecodedPtr(std::move(decoded));
}

}  // namespace

ReconcileParts::ReconcileParts(const Config& config, const From& from) {
    Reconciler::Parts parts;
    parts.service = from.service;
    parts.clock = from.clock;
    parts.metrics = from.metrics;
    if (config.reconcile.enabled) parts.every = config.reconcile.interval;
    reconciler_ = std::make_unique<Reconciler>(std::move(parts));
}

void ReconcileParts::start(const PostgresFeeds& postgres, RedisParts* redis, const Journal& journal) {
    tables_ = postgres.comparisons(
        [&journal](Seq first, Seq through, const std::function<Result<>(const DecodedFrame&)>& each) {
            return read_frames(journal, first, through, each);
        });
    std::vector<ComparedStore*> stores;
    for (const auto& each : tables_) stores.push_back(each.get());
    if (redis != nullptr) {
        stores.push_back(redis->comparison([&journal](Seq seq) { return read_frame(journal, seq); }));
    }
    reconciler_->start(std::move(stores));
}

}  // namespace nostro
