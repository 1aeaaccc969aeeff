#include "nostro/engine/relay.hpp"

#include <utility>

namespace nostro {

Relay::Relay(Source& source, Transform transform, Topic& topic)
    : source_(source), transform_(std::move(transform)), topic_(topic) {}

Result<> Relay::seek(std::span<const Cursor> cursors) {
    messages_.clear();
    return source_.seek(cursors);
}

Result<std::size_t> Relay::step() {
    if (messages_.empty()) {
        arrivals_.clear();
        if (auto polled = source_.poll(kArrivalsMax, arrivals_); !polled) return polled.error();
        for (const Arrival& arrival : arrivals_) {
            messages_.push_back(transform_(arrival));
            messages_.back().from = arrival.after;
            --messages_.back().from.next;
        }
    }
    if (messages_.empty()) return std::size_t{0};
    if (auto published = topic_.publish(messages_); !published) return published.error();
    const std::size_t count = messages_.size();
    messages_.clear();
    return count;
}

}  // namespace nostro
