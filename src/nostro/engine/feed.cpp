#include "nostro/engine/feed.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/log.hpp"

namespace nostro {

Feed::Feed(std::string name, const FrameCache& frames, Projection& projection, FeedMetrics& metrics)
    : name_(std::move(name)),
      frames_(frames),
      projection_(projection),
      metrics_(metrics),
      trouble_("feed_failed", "feed_recovered", name_) {}

Result<std::size_t> Feed::step(SteadyTime now) {
    if (stopped_ || now < retry_at_) return std::size_t{0};
    if (next() == 0) {
        if (auto begun = begin(); !begun) return fail(begun.error(), now);
    }
    batch_.clear();
    const auto read = frames_.frames(next(), kFramesMax, batch_, kBytesMax);
    if (!read) return fail(read.error(), now);
    if (batch_.empty()) return std::size_t{0};
    const SteadyTime began = steady_now();
    if (auto projected = projection_.project(batch_); !projected) return fail(projected.error(), now);
    metrics_.project.record(elapsed_since(began));
    metrics_.frames.add(batch_.size());
    const std::size_t count = batch_.size();
    next_.store(batch_.back()->seq() + 1, std::memory_order_release);
    batch_.clear();
    recovered();
    if (told_) told_(next());
    return count;
}

Result<> Feed::begin() {
    const auto next = projection_.next();
    if (!next) return next.error();
    if (*next > frames_.accepted() + 1) {
        return Error{ErrorCode::corrupt, "it has read up to frame " + std::to_string(*next - 1) +
                                             " but the journal ends at " + std::to_string(frames_.accepted()) +
                                             ": it belongs to another journal, or acknowledged frames are missing. "
                                             "Restore the journal, or make " +
                                             name_ + " anew"};
    }
    next_.store(std::max<Seq>(*next, 1), std::memory_order_release);
    recovered();
    if (told_) told_(Feed::next());
    return {};
}

std::size_t Feed::fail(const Error& error, SteadyTime now) {
    metrics_.failures.add();
    batch_.clear();
    trouble_.set(error.what);
    stopped_ = error.code == ErrorCode::corrupt || error.code == ErrorCode::fenced;
    pause_ = std::clamp<std::chrono::milliseconds>(pause_ * 2, std::chrono::milliseconds(10), std::chrono::seconds(1));
    retry_at_ = now + pause_;
    if (stopped_) log_error("feed_stopped", {{"of", name_}, {"why", error.what}});
    return 0;
}

void Feed::recovered() {
    if (pause_.count() == 0) return;
    pause_ = std::chrono::milliseconds(0);
    trouble_.set(std::string());
}

std::uint64_t Feed::lag() const {
    const Seq read = next(), accepted = frames_.accepted();
    return read > accepted ? 0 : accepted - (read == 0 ? 0 : read - 1);
}

}  // namespace nostro
